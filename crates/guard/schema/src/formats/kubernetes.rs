//! The formats of Kubernetes' structural schemas that texts are checked by. A name that is not known permits everything, as
//! it does for an API server.

use std::net::{Ipv4Addr, Ipv6Addr};

use palisade_gotext::go_url::Url;

/// Whether a text has a format. Dashes in names do not count.
pub fn has_format(format: &str, text: &str) -> bool {
    match &*format.replace('-', "") {
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "uri" => Url::parse_request(text).is_ok(),
        "uuid" => is_uuid(text),
        "byte" => is_base64(text),
        "date" => is_date(text),
        "datetime" => is_datetime(text),
        _ => true,
    }
}

/// A day of the calendar: `2006-01-02`.
pub fn is_date(text: &str) -> bool {
    super::is_date(text)
}

/// Hexadecimal digits in groups, with dashes between them or without.
pub fn is_uuid(text: &str) -> bool {
    let mut rest = text.bytes().peekable();
    for (position, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if position > 0 {
            rest.next_if_eq(&b'-');
        }
        if !(0..length).all(|_| rest.next().is_some_and(|byte| byte.is_ascii_hexdigit())) {
            return false;
        }
    }
    rest.next().is_none()
}

/// Standard base64 with padding; the empty text is none.
pub fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    !text.is_empty() && text.len().is_multiple_of(4) && padding <= 2 && digits.bytes().all(digit)
}

/// A date, `T` and a time with an offset, by the lenient pattern of the API server.
pub fn is_datetime(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut parts = text.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    let (Some(clock), Some(rest)) = (time.get(..8), time.get(8..)) else { return false };
    is_date(date) && is_clock(clock) && (is_offset(rest) || is_fraction_and_offset(rest))
}

fn is_clock(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let within = |part: &&str, most: &str| is_two_digits(part) && *part <= most;
    matches!(parts.as_slice(), [hour, minute, second]
        if within(hour, "23") && within(minute, "59") && within(second, "59"))
}

fn is_two_digits(part: &str) -> bool {
    part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// Any one character and digits in front of the offset.
fn is_fraction_and_offset(rest: &str) -> bool {
    let mut rest = rest.chars();
    rest.next();
    let rest = rest.as_str();
    let offset = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    offset.len() < rest.len() && is_offset(offset)
}

fn is_offset(text: &str) -> bool {
    let signed = text.strip_prefix(['+', '-']).and_then(|offset| offset.split_once(':'));
    text == "z" || signed.is_some_and(|(hours, minutes)| is_two_digits(hours) && is_two_digits(minutes))
}

#[cfg(test)]
mod tests {
    use super::has_format;

    #[test]
    fn texts_have_formats_or_not() {
        for (format, good, bad) in [
            ("ipv4", "10.0.0.1", "10.0.0.256"),
            ("ipv6", "::1", "10.0.0.1"),
            ("uri", "https://example.com/a", "a b"),
            ("uuid", "12345678123456781234567812345678", "1234"),
            ("byte", "aGk=", "aGk"),
            ("date", "2024-02-29", "2023-02-29"),
            ("date", "2024-02-29", "20240229"),
            ("date-time", "2024-02-29t00:00:00.5z", "2024-02-29"),
            ("datetime", "2024-02-29T00:00:00+01:00", "2024-02-29T24:00:00Z"),
        ] {
            assert!(has_format(format, good), "{format} {good}");
            assert!(!has_format(format, bad), "{format} {bad}");
        }
        assert!(has_format("password", "anything"));
    }
}
