//! Regular expressions as Go's `regexp` reads them, on the `regex` crate.
//!
//! Both descend from RE2, so most patterns mean the same. What differs is rewritten before compiling: `\d`, `\w`,
//! `\s` and `\b` know only ASCII in Go, `\Q...\E` quotes, `[` inside a class is an ordinary character, and the class
//! operators of the crate (`&&`, `--`, `~~`) do not exist.

use std::borrow::Cow;

use regex::{Captures, Regex, RegexBuilder};

/// The largest compiled program, in bytes.
const SIZE_LIMIT: usize = 4 << 20;

/// The most repetitions that `{n,m}` may ask for in Go.
const MAX_REPEAT: u32 = 1000;

/// Compiles a Go pattern.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern)?;
    RegexBuilder::new(&translated)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| format!("`{pattern}` is not a regular expression: {}", last_line(&error.to_string())))
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// Replaces every match, `$1`, `${1}` and `$name` in `replacement` standing for groups as in Go: a group that does not
/// exist is empty.
pub fn replace_all(regex: &Regex, text: &str, replacement: &str) -> String {
    regex.replace_all(text, |captures: &Captures<'_>| expand(captures, replacement)).into_owned()
}

/// What a replacement says of one match; see [`replace_all`].
pub fn expand(captures: &Captures<'_>, template: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        rest = after;
        if let Some(tail) = after.strip_prefix('$') {
            text.push('$');
            rest = tail;
        } else if let Some((name, tail)) = group_name(after) {
            text.push_str(group(captures, name));
            rest = tail;
        } else {
            text.push('$');
        }
    }
    text.push_str(rest);
    text
}

fn group_name(text: &str) -> Option<(&str, &str)> {
    let word = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    match text.strip_prefix('{') {
        Some(inner) => {
            let (name, tail) = inner.split_at_checked(word(inner))?;
            Some((name, tail.strip_prefix('}')?)).filter(|_| !name.is_empty())
        }
        None => text.split_at_checked(word(text)).filter(|(name, _)| !name.is_empty()),
    }
}

fn group<'t>(captures: &Captures<'t>, name: &str) -> &'t str {
    let numbered = name.bytes().all(|byte| byte.is_ascii_digit());
    let found = if numbered { name.parse().ok().and_then(|number| captures.get(number)) } else { captures.name(name) };
    found.map_or("", |found| found.as_str())
}

/// The steps that searching `bytes` of text may take, in units of some ten nanoseconds: counted repetitions multiply
/// the program that the worst case walks for every byte.
pub fn search_cost(pattern: &str, bytes: usize) -> usize {
    let counts = pattern.split('{').skip(1).filter_map(|after| after.split_once('}'));
    let largest =
        counts.filter_map(|(counts, _)| counts.split(',').filter_map(|count| count.parse::<usize>().ok()).max());
    let program = largest.fold(1_usize, |program, count| program.saturating_mul(count.max(1)));
    bytes.saturating_mul(1 + program / 8) / 8
}

/// The pattern in the crate's syntax.
pub fn translate(pattern: &str) -> Result<Cow<'_, str>, String> {
    if !pattern.contains(['\\', '[', '{', '*', '+', '?']) {
        return Ok(Cow::Borrowed(pattern));
    }
    let mut text = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars();
    let mut repeated = false;
    while let Some(c) = rest.next() {
        let repeats = matches!(c, '*' | '+' | '?') || (c == '{' && is_repeat(rest.as_str()));
        if repeats && repeated && c != '?' {
            return Err(format!("`{pattern}` is not a regular expression: `{c}` repeats a repetition"));
        }
        repeated = repeats && !(repeated && c == '?');
        match c {
            '\\' => match rest.next() {
                Some('Q') => {
                    let quoted = rest.as_str();
                    let (literal, tail) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                    text.push_str(&regex::escape(literal));
                    rest = tail.chars();
                }
                Some('b') => text.push_str(r"(?-u:\b)"),
                Some('B') => text.push_str(r"(?-u:\B)"),
                Some(escape @ ('p' | 'P' | 'x')) => {
                    let name = rest.as_str().strip_prefix('{').and_then(|name| name.find('}')).map_or(0, |end| end + 2);
                    let (name, tail) = rest.as_str().split_at_checked(name).unwrap_or_default();
                    text.extend(['\\', escape]);
                    text.push_str(name);
                    rest = tail.chars();
                }
                Some(digit @ '0'..='7') => rest = octal(&mut text, digit, rest.as_str()).chars(),
                Some('C') => return Err(format!("`{pattern}` is not supported: `\\C` matches a single byte")),
                Some(escape) => escaped(&mut text, escape, false),
                None => return Err(format!("`{pattern}` is not a regular expression: it ends with a backslash")),
            },
            '[' => {
                text.push('[');
                rest = class(&mut text, rest.as_str()).chars();
            }
            '{' => {
                check_repeat(rest.as_str(), pattern)?;
                match rest.as_str().split_once('}').filter(|_| is_repeat(rest.as_str())) {
                    Some((count, tail)) => {
                        text.extend(["{", count, "}"]);
                        rest = tail.chars();
                    }
                    None => text.push_str(r"\{"),
                }
            }
            other => text.push(other),
        }
    }
    Ok(Cow::Owned(text))
}

/// Writes the class whose opening bracket has been passed; returns what follows it.
fn class<'a>(text: &mut String, class: &'a str) -> &'a str {
    let mut rest = class.chars();
    if let Some(tail) = rest.as_str().strip_prefix('^') {
        text.push('^');
        rest = tail.chars();
    }
    // A bracket that comes first is an ordinary character.
    if let Some(tail) = rest.as_str().strip_prefix(']') {
        text.push_str(r"\]");
        rest = tail.chars();
    }
    while let Some(c) = rest.next() {
        match c {
            ']' => {
                text.push(']');
                break;
            }
            '[' => match rest.as_str().strip_prefix(':').and_then(|name| name.split_once(":]")) {
                Some((name, tail)) if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'^') => {
                    text.extend(["[:", name, ":]"]);
                    rest = tail.chars();
                }
                _ => text.push_str(r"\["),
            },
            '\\' => match rest.next() {
                Some(digit @ '0'..='7') => rest = octal(text, digit, rest.as_str()).chars(),
                Some(escape) => escaped(text, escape, true),
                None => text.push('\\'),
            },
            '&' | '~' => {
                text.push('\\');
                text.push(c);
            }
            // `--` is an operator of the crate; the second hyphen of `--` can only be a literal end of a range.
            '-' if rest.as_str().starts_with('-') => text.push_str(r"-\"),
            other => text.push(other),
        }
    }
    rest.as_str()
}

/// Writes the character whose code has `digit` and up to two octal digits of `rest`; returns what follows it. A digit
/// alone, unless it is 0, refers to a group, which the crate refuses as Go does.
fn octal<'a>(text: &mut String, digit: char, rest: &'a str) -> &'a str {
    let count = rest.bytes().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let (digits, rest) = rest.split_at_checked(count).unwrap_or(("", rest));
    match u32::from_str_radix(&format!("{digit}{digits}"), 8) {
        Ok(code) if digit == '0' || count > 0 => text.extend([r"\x{", &format!("{code:x}"), "}"]),
        _ => text.extend(['\\', digit]),
    }
    rest
}

fn escaped(text: &mut String, escape: char, in_class: bool) {
    let (set, negated) = match escape.to_ascii_lowercase() {
        'd' => ("0-9", escape == 'D'),
        'w' => ("0-9A-Za-z_", escape == 'W'),
        's' => (r"\t\n\f\r ", escape == 'S'),
        // The crate takes `\<` and `\>` for the bounds of words.
        '<' | '>' => return text.push(escape),
        _ => {
            text.push('\\');
            text.push(escape);
            return;
        }
    };
    match (negated, in_class) {
        (true, _) => text.extend(["[^", set, "]"]),
        (false, true) => text.push_str(set),
        (false, false) => text.extend(["[", set, "]"]),
    }
}

/// Whether `{` begins a repetition: in Go anything else leaves it an ordinary character.
fn is_repeat(after: &str) -> bool {
    let Some((body, _)) = after.split_once('}') else { return false };
    let (least, most) = body.split_once(',').unwrap_or((body, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

fn check_repeat(after: &str, pattern: &str) -> Result<(), String> {
    if !is_repeat(after) {
        return Ok(());
    }
    let body = after.split_once('}').map_or("", |(body, _)| body);
    let too_many = |count: &str| !count.is_empty() && count.parse::<u32>().map_or(true, |count| count > MAX_REPEAT);
    if body.split(',').any(too_many) {
        return Err(format!("`{pattern}` repeats more than {MAX_REPEAT} times"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_know_ascii_only() {
        for (pattern, text, expected) in [
            (r"^\d+$", "123", true),
            (r"^\d+$", "\u{661}", false),
            (r"^\w$", "\u{e9}", false),
            (r"^[\w.-]+$", "a-b.c_1", true),
            (r"^[^\W]$", "a", true),
            (r"\bfoo\b", "a foo b", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"^[[a]+$", "[a", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[[:alpha:]]$", "x", true),
            (r"^a{,3}$", "a{,3}", true),
            (r"^a{2,3}$", "aaa", true),
            (r"^[]a]$", "]", true),
            (r"^[+--]$", ",", true),
            (r"^\p{Greek}\x{41}$", "\u{3b1}A", true),
            (r"^a*?b??c+?(?:d)?$", "aac", true),
            (r"^\101[\060-\71]\0$", "A7\0", true),
            (r"^\<a\>$", "<a>", true),
        ] {
            assert_eq!(compile(pattern).unwrap().is_match(text), expected, "{pattern}");
        }
    }

    #[test]
    fn bad_patterns_are_refused() {
        for pattern in ["(", "a{1001}", r"\C", "\\", "[a", r"(?=a)", r"\1", "a**", "a?*", "a*+", "a{2}{3}"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn groups_expand_as_in_go() {
        let regex = compile(r"(?P<first>\w+) (\w+)").unwrap();
        for (template, expected) in
            [("$2 $first", "b a"), ("${1}x", "ax"), ("$1x", ""), ("$$1", "$1"), ("$9|${", "|${"), ("$", "$")]
        {
            assert_eq!(replace_all(&regex, "a b", template), expected, "{template}");
        }
    }
}
