//! Semantic versions (SemVer 2) and ranges of them, as Kyverno and Kubernetes compare them.
//!
//! Both use Go's `blang/semver`, whose ranges are not those of Cargo or npm: a bare `1.2.3` means equality, `x` is the
//! only wildcard, `1.x.x` counts as a patch wildcard, and there are no carets or tildes. Build metadata is kept for
//! printing and ignored when comparing.

use std::cmp::Ordering;
use std::fmt;

use crate::Relation;

/// A version such as `1.2.3-rc.1+build.5`.
#[derive(Clone, Debug, Default)]
pub struct SemanticVersion {
    /// Incompatible changes.
    pub major: u64,
    /// Compatible additions.
    pub minor: u64,
    /// Compatible fixes.
    pub patch: u64,
    pre: Vec<Identifier>,
    build: Vec<String>,
}

/// One dot-separated part of a pre-release. Numbers sort before words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

impl Identifier {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("prerelease is empty".into());
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return number("prerelease", text).map(Self::Number);
        }
        word("prerelease", text).map(Self::Word)
    }
}

fn number(part: &str, text: &str) -> Result<u64, String> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("invalid character in {part} number `{text}`"));
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(format!("{part} number must not contain leading zeroes `{text}`"));
    }
    text.parse().map_err(|_| format!("{part} number `{text}` is not a 64-bit number"))
}

fn word(part: &str, text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(format!("{part} is empty"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(format!("invalid character in {part} `{text}`"));
    }
    Ok(text.to_owned())
}

impl SemanticVersion {
    /// Reads a version strictly by SemVer 2: three numbers, no leading `v`, no leading zeroes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("no major.minor.patch elements found in `{text}`"));
        };
        let (rest, build) = rest.split_once('+').map_or((rest, None), |(rest, build)| (rest, Some(build)));
        let (patch, pre) = rest.split_once('-').map_or((rest, None), |(patch, pre)| (patch, Some(pre)));
        let list = |text: Option<&str>| text.map(|text| text.split('.').map(str::to_owned).collect::<Vec<_>>());
        Ok(Self {
            major: number("major", major)?,
            minor: number("minor", minor)?,
            patch: number("patch", patch)?,
            pre: list(pre).unwrap_or_default().iter().map(|part| Identifier::parse(part)).collect::<Result<_, _>>()?,
            build: list(build).unwrap_or_default().iter().map(|part| word("build", part)).collect::<Result<_, _>>()?,
        })
    }

    /// Reads a version as people write them: a leading `v`, leading zeroes and missing numbers are mended first.
    pub fn parse_normalized(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text.splitn(3, '.').map(without_leading_zeroes).collect();
        if parts.len() < 3 && parts.last().is_some_and(|last| last.contains(['+', '-'])) {
            return Err("short version cannot contain prerelease or build metadata".into());
        }
        parts.resize(3, "0".to_owned());
        Self::parse(&parts.join("."))
    }

    /// Whether this is a pre-release.
    pub fn is_prerelease(&self) -> bool {
        !self.pre.is_empty()
    }
}

fn without_leading_zeroes(part: &str) -> String {
    if part.len() < 2 {
        return part.to_owned();
    }
    let trimmed = part.trim_start_matches('0');
    if trimmed.starts_with(|c: char| c.is_ascii_digit()) { trimmed.to_owned() } else { format!("0{trimmed}") }
}

impl Ord for SemanticVersion {
    /// By SemVer precedence, build metadata ignored.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch).cmp(&(other.major, other.minor, other.patch)).then_with(|| {
            match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                _ => self.pre.cmp(&other.pre),
            }
        })
    }
}

impl PartialOrd for SemanticVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SemanticVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SemanticVersion {}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl fmt::Display for SemanticVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        for (position, identifier) in self.pre.iter().enumerate() {
            write!(f, "{}{identifier}", if position == 0 { "-" } else { "." })?;
        }
        for (position, part) in self.build.iter().enumerate() {
            write!(f, "{}{part}", if position == 0 { "+" } else { "." })?;
        }
        Ok(())
    }
}

/// A set of versions: `>=1.2.3 <2.0.0 || 3.x`. Terms beside each other must all hold; `||` separates alternatives.
#[derive(Clone, Debug)]
pub struct VersionRange {
    alternatives: Vec<Vec<Term>>,
}

#[derive(Clone, Debug)]
struct Term {
    relation: Relation,
    version: SemanticVersion,
}

impl VersionRange {
    /// Reads a range.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = split_parts(text);
        let mut alternatives = Vec::new();
        for alternative in parts.split(|part| part == "||") {
            if alternative.is_empty() {
                return Err(format!("the range `{text}` lacks a term beside `||`"));
            }
            let mut terms = Vec::new();
            for part in alternative {
                for part in expand_wildcard(part)? {
                    terms.push(Term::parse(&part)?);
                }
            }
            alternatives.push(terms);
        }
        Ok(Self { alternatives })
    }

    /// Whether `version` is in the range.
    pub fn contains(&self, version: &SemanticVersion) -> bool {
        self.alternatives.iter().any(|terms| terms.iter().all(|term| term.holds(version)))
    }
}

impl Term {
    fn parse(part: &str) -> Result<Self, String> {
        let (operator, version) = split_operator(part)?;
        let relation = match operator {
            "" | "=" | "==" => Relation::Equal,
            "!" | "!=" => Relation::NotEqual,
            ">" => Relation::Greater,
            ">=" => Relation::GreaterOrEqual,
            "<" => Relation::Less,
            "<=" => Relation::LessOrEqual,
            _ => return Err(format!("unknown comparator `{operator}` in `{part}`: one of = != > >= < <=")),
        };
        let version = SemanticVersion::parse(version).map_err(|error| format!("in range term `{part}`: {error}"))?;
        Ok(Self { relation, version })
    }

    fn holds(&self, version: &SemanticVersion) -> bool {
        self.relation.holds(version.cmp(&self.version))
    }
}

/// Splits at spaces that do not follow a comparator. Single characters are dropped, as blang drops them.
fn split_parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut last = ' ';
    for c in text.chars() {
        if c == ' ' && !matches!(last, '>' | '<' | '=') {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
            last = if c == ' ' { last } else { c };
        }
    }
    parts.push(part);
    parts.into_iter().filter(|part| part.len() > 1).map(|part| part.replace(' ', "")).collect()
}

fn split_operator(part: &str) -> Result<(&str, &str), String> {
    part.find(|c: char| c.is_ascii_digit())
        .and_then(|at| part.split_at_checked(at))
        .map(|(operator, version)| (operator.trim(), version))
        .ok_or_else(|| format!("no version in range term `{part}`"))
}

/// Turns a term with an `x` into plain ones: `1.2.x` is `>=1.2.0 <1.3.0`, `>1.x` is `>=2.0.0`.
fn expand_wildcard(part: &str) -> Result<Vec<String>, String> {
    if !part.contains('x') {
        return Ok(vec![part.to_owned()]);
    }
    let (operator, version) = split_operator(part)?;
    let base = version.replacen(".x.x", ".x", 1).replacen(".x", ".0", 1);
    let base = if base.split('.').count() == 2 { format!("{base}.0") } else { base };
    // The number that the wildcard's exclusive end raises; a wildcard elsewhere has no end and fails to parse.
    let raised = match (version.split('.').count(), version.split('.').next_back() == Some("x")) {
        (3, true) => raise(&base, 1),
        (2, true) => raise(&base, 0),
        _ => String::new(),
    };
    Ok(match operator {
        ">" => vec![format!(">={raised}")],
        ">=" => vec![format!(">={base}")],
        "<" => vec![format!("<{base}")],
        "<=" => vec![format!("<{raised}")],
        "" | "=" | "==" => vec![format!(">={base}"), format!("<{raised}")],
        "!" | "!=" => vec![format!("<{base}"), format!(">={raised}")],
        _ => vec![base],
    })
}

/// `version` with the number at `position` one higher; empty where that is no number.
fn raise(version: &str, position: usize) -> String {
    let mut parts: Vec<String> = version.split('.').map(str::to_owned).collect();
    let Some(part) = parts.get_mut(position) else { return String::new() };
    let Some(next) = part.parse::<i64>().ok().and_then(|number| number.checked_add(1)) else { return String::new() };
    *part = next.to_string();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> SemanticVersion {
        SemanticVersion::parse(text).unwrap()
    }

    #[test]
    fn versions_parse_strictly_and_print_back() {
        for text in ["0.0.0", "1.2.3", "1.0.0-alpha.1", "1.0.0-0a", "1.0.0+b-1.7", "1.0.0-rc.1+x.y"] {
            assert_eq!(version(text).to_string(), text);
        }
        for text in ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3+", "1.2.3-01", "1.2.3.4", "1.2.x", "1..3"] {
            assert!(SemanticVersion::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn precedence_follows_semver() {
        let order = ["1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11"];
        for pair in order.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert!(version("1.0.0-rc.1") < version("1.0.0"));
        assert_eq!(version("1.0.0+a"), version("1.0.0+b"));
    }

    #[test]
    fn normalizing_mends_what_people_write() {
        for (text, expected) in
            [("v1.0.0", "1.0.0"), ("1.0", "1.0.0"), ("1", "1.0.0"), ("01.01.01", "1.1.1"), ("1.2.00-a", "1.2.0-a")]
        {
            assert_eq!(SemanticVersion::parse_normalized(text).unwrap().to_string(), expected);
        }
        for text in ["vv1.0.0", "1.0-rc", " 1.0.0", "V1.0.0"] {
            assert!(SemanticVersion::parse_normalized(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_hold_what_they_say() {
        for (range, inside, outside) in [
            ("1.2.3", "1.2.3", "1.2.4"),
            (">=1.2.3 <2.0.0", "1.9.9", "2.0.0"),
            (">= 1.2.3", "1.2.3", "1.2.2"),
            ("<1.0.0 || >=3.0.0", "3.1.0", "2.0.0"),
            ("!1.0.0", "1.0.1", "1.0.0"),
            ("1.2.x", "1.2.9", "1.3.0"),
            ("1.x", "1.9.0", "2.0.0"),
            ("1.x.x", "1.0.9", "1.1.0"),
            (">1.2.x", "1.3.0", "1.2.9"),
            ("<=1.x", "1.9.9", "2.0.0"),
        ] {
            let parsed = VersionRange::parse(range).unwrap();
            assert!(parsed.contains(&version(inside)), "{range} {inside}");
            assert!(!parsed.contains(&version(outside)), "{range} {outside}");
        }
        for range in ["", "|| 1.0.0", "1.0.0 ||", "1.0.0 || || 2.0.0", "~1.2.3", "x", ">=1", "1.0.0-fix"] {
            assert!(VersionRange::parse(range).is_err(), "{range}");
        }
    }
}
