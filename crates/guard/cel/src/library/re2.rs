//! Regular expressions in RE2's syntax, which CEL prescribes, on the `regex` crate.
//!
//! Both are linear-time engines with nearly the same syntax. The differences that patterns of policies meet are
//! rewritten here: in RE2 `\d`, `\w`, `\s` and `\b` know ASCII only, `\Q...\E` quotes, braces and brackets that form no
//! repetition or class stand for themselves, and any punctuation may be escaped.

use palisade_model::Str;
use regex::{Regex, RegexBuilder};

use crate::EvalError;

/// The largest compiled regular expression, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A compiled pattern and its text as the policy wrote it.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: Str,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern within limits.
    pub fn new(source: &str) -> Result<Self, EvalError> {
        let regex = RegexBuilder::new(&translate(source))
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .nest_limit(100)
            .build()
            .map_err(|error| {
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                EvalError::invalid(format_args!("invalid regular expression `{source}`: {reason}"))
            })?;
        Ok(Self { source: source.into(), regex })
    }

    /// The text of the pattern as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The pattern, ready to match.
    pub const fn regex(&self) -> &Regex {
        &self.regex
    }
}

/// The same pattern in the syntax of the `regex` crate.
pub fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\\' => escape(rest, false, &mut out),
            '[' => class(rest, &mut out),
            '{' if !is_repetition(rest) => {
                out.push_str("\\{");
                1
            }
            _ => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// Whether `rest` begins with `{2}`, `{2,}` or `{2,3}`.
fn is_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match inside.split_once(',') {
        Some((low, high)) => digits(low) && (high.is_empty() || digits(high)),
        None => digits(inside),
    }
}

/// Writes the escape sequence that `rest` begins with; returns how much of `rest` it was.
fn escape(rest: &str, in_class: bool, out: &mut String) -> usize {
    let Some(c) = rest.chars().nth(1) else {
        out.push('\\');
        return 1;
    };
    let set = |inside: &str, outside: &str| if in_class { inside.to_owned() } else { outside.to_owned() };
    let text = match c {
        'd' => set("0-9", "[0-9]"),
        'D' => "[^0-9]".to_owned(),
        'w' => set("0-9A-Za-z_", "[0-9A-Za-z_]"),
        'W' => "[^0-9A-Za-z_]".to_owned(),
        's' => set("\\t\\n\\x0C\\r ", "[\\t\\n\\x0C\\r ]"),
        'S' => "[^\\t\\n\\x0C\\r ]".to_owned(),
        'b' if !in_class => "(?-u:\\b)".to_owned(),
        '0'..='7' if c == '0' || in_class => return octal(rest, out),
        'Q' if !in_class => return quoted(rest, out),
        'a'..='z' | 'A'..='Z' | '0'..='9' => format!("\\{c}"),
        _ if c.is_ascii_punctuation() || c == ' ' => regex::escape(c.encode_utf8(&mut [0; 4])),
        _ => format!("\\{c}"),
    };
    out.push_str(&text);
    1 + c.len_utf8()
}

fn octal(rest: &str, out: &mut String) -> usize {
    let digits: String = rest.chars().skip(1).take(3).take_while(|c| ('0'..='7').contains(c)).collect();
    let code = u32::from_str_radix(&digits, 8).unwrap_or_default();
    let escaped = format!("\\x{{{code:x}}}");
    out.push_str(&escaped);
    1 + digits.len()
}

fn quoted(rest: &str, out: &mut String) -> usize {
    let body = rest.get(2..).unwrap_or_default();
    let end = body.find("\\E");
    let text = end.and_then(|end| body.get(..end)).unwrap_or(body);
    out.push_str(&regex::escape(text));
    end.map_or(rest.len(), |end| end + 4)
}

/// Writes the bracketed class that `rest` begins with. Brackets, `&`, `~` and doubled `-` inside have no meaning in RE2.
fn class(rest: &str, out: &mut String) -> usize {
    let mut at = 1;
    out.push('[');
    if rest.get(at..).is_some_and(|rest| rest.starts_with('^')) {
        out.push('^');
        at += 1;
    }
    let mut first = true;
    loop {
        let here = rest.get(at..).unwrap_or_default();
        let Some(c) = here.chars().next() else { return rest.len() };
        at += match c {
            ']' if first => {
                out.push_str("\\]");
                1
            }
            ']' => {
                out.push(']');
                return at + 1;
            }
            '\\' => escape(here, true, out),
            '[' if here.starts_with("[:") && here.contains(":]") => {
                let length = here.find(":]").map_or(1, |end| end + 2);
                out.push_str(here.get(..length).unwrap_or_default());
                length
            }
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(c);
                1
            }
            '-' if here.starts_with("--") => {
                out.push_str("\\-");
                1
            }
            _ => {
                out.push(c);
                c.len_utf8()
            }
        };
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap().regex().is_match(text)
    }

    #[test]
    fn perl_classes_are_ascii() {
        assert!(matches(r"^\d+$", "123") && !matches(r"^\d+$", "१२३"));
        assert!(matches(r"^[\w-]+$", "a-b_1") && !matches(r"^\w+$", "é"));
        assert!(matches(r"\bpod\b", "a pod here"));
    }

    #[test]
    fn loose_braces_and_brackets_stand_for_themselves() {
        assert!(matches("^{{name}}$", "{{name}}"));
        assert!(matches("^a{2}$", "aa"));
        assert!(matches("^[[a&&b]+$", "[a&b"));
        assert!(matches(r"^\Qa.b\E.$", "a.bc") && !matches(r"^\Qa.b\E$", "axb"));
    }

    #[test]
    fn oversized_patterns_are_refused() {
        assert!(Pattern::new("((a{100}){100}){100}").is_err());
        assert!(Pattern::new("(").is_err());
        assert!(!matches(r"^(a+)+$", &format!("{}!", "a".repeat(10_000))));
    }
}
