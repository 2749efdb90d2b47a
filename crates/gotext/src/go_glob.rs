//! Globs as `gobwas/glob` reads them, which OPA and Kyverno match with.
//!
//! A glob is rewritten as a regular expression, which matches in linear time: `*` stands for anything but delimiters,
//! `**` for anything, `?` for one character that is no delimiter, `[a-z]`, `[!abc]` and `{a,b}` for what they say.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// The largest compiled glob, in bytes.
const SIZE_LIMIT: usize = 4 << 20;

/// Why a text is no glob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// It is malformed.
    #[error("{0}")]
    Syntax(&'static str),
    /// It takes too much memory.
    #[error("the glob is too large")]
    TooLarge,
}

/// Compiles a glob that is to match whole texts.
pub fn compile(pattern: &str, delimiters: &[char]) -> Result<Regex, GlobError> {
    let regex = translate(pattern, delimiters).map_err(GlobError::Syntax)?;
    let compiled = RegexBuilder::new(&regex).size_limit(SIZE_LIMIT).dot_matches_new_line(true).build();
    compiled.map_err(|_| GlobError::TooLarge)
}

/// The regular expression of a glob.
fn translate(pattern: &str, delimiters: &[char]) -> Result<String, &'static str> {
    let escaped: String = delimiters.iter().map(|c| class_member(*c)).collect();
    let one = if delimiters.is_empty() { ".".to_owned() } else { format!("[^{escaped}]") };
    let mut regex = String::from(r"\A(?:");
    let mut rest = pattern.chars().peekable();
    let mut open = 0_usize;
    while let Some(c) = rest.next() {
        match c {
            '*' if rest.next_if_eq(&'*').is_some() => regex.push_str(".*"),
            '*' => regex.extend([&*one, "*"]),
            '?' => regex.push_str(&one),
            '[' => class(&mut rest, &mut regex)?,
            '{' => {
                open += 1;
                regex.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                regex.push(')');
            }
            ',' if open > 0 => regex.push('|'),
            '\\' => rest.next().into_iter().for_each(|c| literal(&mut regex, c)),
            c => literal(&mut regex, c),
        }
    }
    if open > 0 {
        return Err("unexpected end of input");
    }
    regex.push_str(r")\z");
    Ok(regex)
}

fn literal(regex: &mut String, c: char) {
    regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

fn class_member(c: char) -> String {
    if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() }
}

/// A range `a-z` or a list of characters, of which the bracket is read.
fn class(rest: &mut Peekable<Chars<'_>>, regex: &mut String) -> Result<(), &'static str> {
    const END: &str = "unexpected end of input";
    let negated = rest.next_if_eq(&'!').is_some();
    let mut members = String::new();
    let first = rest.next().ok_or(END)?;
    if rest.next_if_eq(&'-').is_some() {
        let last = rest.next().ok_or(END)?;
        if last < first {
            return Err("hi character should be greater than lo character of a range");
        }
        members = format!("{}-{}", class_member(first), class_member(last));
        if rest.next().ok_or(END)? != ']' {
            return Err("expected close range character");
        }
    } else {
        let mut next = Some(first);
        loop {
            match next.ok_or(END)? {
                ']' => break,
                '\\' => members.push_str(&class_member(rest.next().ok_or(END)?)),
                c => members.push_str(&class_member(c)),
            }
            next = rest.next();
        }
    }
    if members.is_empty() {
        return Err("could not parse range");
    }
    regex.extend(["[", if negated { "^" } else { "" }, &members, "]"]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_texts() {
        for (glob, text, delimiters, expected) in [
            ("a.*.c", "a.b.c", &['.'][..], true),
            ("a.*.c", "a.b.b.c", &['.'], false),
            ("a.**.c", "a.b.b.c", &['.'], true),
            ("*/{nginx,redis}:[0-9]*", "docker.io/redis:7.2", &[], true),
            ("*/{nginx,redis}:[!0-9]*", "docker.io/redis:7.2", &[], false),
            ("a.b?", "a.bc", &[], true),
            ("a.b?", "axbc", &[], false),
            ("a\\*", "a*", &[], true),
            ("[abc]", "b", &[], true),
        ] {
            assert_eq!(compile(glob, delimiters).unwrap().is_match(text), expected, "{glob} {text}");
        }
        assert!(matches!(compile("{a", &[]), Err(GlobError::Syntax(_))));
        assert!(matches!(compile("[z-a]", &[]), Err(GlobError::Syntax(_))));
    }
}
