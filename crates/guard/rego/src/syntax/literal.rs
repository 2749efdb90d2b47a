//! The values that literals stand for.

/// The text that a string literal's inside stands for. Escapes are known to be well formed; a surrogate without its
/// other half reads as U+FFFD, as in OPA.
pub(super) fn unescape(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((plain, after)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut chars = after.chars();
        match chars.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let (found, after) = code_point(chars.as_str());
                text.push(found);
                rest = after;
                continue;
            }
            Some(other) => text.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    text.push_str(rest);
    text
}

/// The character that the digits after `\u` stand for, and what follows them.
fn code_point(digits: &str) -> (char, &str) {
    let (high, rest) = unit(digits);
    if let Some(after) = rest.strip_prefix("\\u")
        && (0xd800..0xdc00).contains(&high)
    {
        let (low, after) = unit(after);
        if (0xdc00..0xe000).contains(&low) {
            let joined = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            return (char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER), after);
        }
    }
    (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), rest)
}

fn unit(digits: &str) -> (u32, &str) {
    let (unit, rest) = digits.split_at_checked(4).unwrap_or((digits, ""));
    (u32::from_str_radix(unit, 16).unwrap_or(0xfffd), rest)
}

/// The text that a piece of a raw template stands for: only `\{` is an escape.
pub(super) fn unescape_raw(inside: &str) -> String {
    inside.replace("\\{", "{")
}
