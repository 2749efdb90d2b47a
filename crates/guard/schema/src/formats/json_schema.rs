//! The formats of JSON Schema as OPA checks them. A name that is not known permits everything.

use std::net::IpAddr;

use palisade_gotext::go_regex;
use palisade_gotext::go_url::Url;

use super::is_date;

/// Whether a text has a format.
pub fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date" => is_date(text),
        "time" => is_time(text),
        "date-time" => is_date(text) || is_time(text) || is_date_time(text),
        "hostname" => text.len() < 256 && text.split('.').all(is_label),
        "email" | "idn-email" => is_email(text),
        "ipv4" => text.contains('.') && text.parse::<IpAddr>().is_ok(),
        "ipv6" => text.contains(':') && text.parse::<IpAddr>().is_ok(),
        "uri" | "iri" => Url::parse(text).is_ok_and(|url| !url.scheme.is_empty()) && !text.contains('\\'),
        "uri-reference" | "iri-reference" => Url::parse(text).is_ok() && !text.contains('\\'),
        "uri-template" => Url::parse(text).is_ok() && !text.contains('\\') && has_balanced_braces(text),
        "uuid" => is_uuid(text),
        "regex" => go_regex::compile(text).is_ok(),
        "json-pointer" => is_pointer(text),
        "relative-json-pointer" => is_relative_pointer(text),
        _ => true,
    }
}

/// Hours, minutes and seconds with a fraction, with a zone or without.
fn is_time(text: &str) -> bool {
    let clock = text.get(..8).unwrap_or_default();
    let mut parts =
        clock.split(':').map(|part| part.parse::<u8>().ok().filter(|_| part.len() == 2 && !part.starts_with('+')));
    let in_range = matches!(
        (parts.next().flatten(), parts.next().flatten(), parts.next().flatten()),
        (Some(0..=23), Some(0..=59), Some(0..=59))
    );
    let rest = text.get(8..).unwrap_or_default();
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    in_range && (rest.is_empty() || is_zone(rest))
}

fn is_zone(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else { return text == "Z" };
    let Some((hours, minutes)) = offset.split_once(':') else { return false };
    let number = |part: &str| part.parse::<u8>().ok().filter(|_| part.len() == 2 && !part.starts_with('+'));
    matches!((number(hours), number(minutes)), (Some(0..=24), Some(0..=59)))
}

fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let zoned = time.ends_with('Z') || time.get(8..).is_some_and(|rest| rest.contains(['+', '-']));
    is_date(date) && is_time(time) && zoned
}

fn is_label(label: &str) -> bool {
    let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    inner && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

/// An address, alone or in angle brackets behind a name.
fn is_email(text: &str) -> bool {
    let text = text.trim();
    let address = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((_, address)) => address,
        None => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let is_atom = |text: &str| {
        let special = |c: char| c.is_whitespace() || c.is_control() || "()<>[]:;@\\,\"".contains(c);
        !text.is_empty() && text.split('.').all(|part| !part.is_empty() && !part.contains(special))
    };
    let quoted = local.strip_prefix('"').and_then(|local| local.strip_suffix('"')).is_some();
    let literal = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']'));
    let is_literal = literal.is_some_and(|text| text.trim_start_matches("IPv6:").parse::<IpAddr>().is_ok());
    (quoted || is_atom(local)) && (is_literal || is_atom(domain))
}

/// Braces open and close in turn.
fn has_balanced_braces(text: &str) -> bool {
    let mut open = false;
    for c in text.chars() {
        match (c, open) {
            ('{', false) => open = true,
            ('}', true) => open = false,
            _ => {}
        }
    }
    !open
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    lengths && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn is_pointer(text: &str) -> bool {
    let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    escaped && (text.is_empty() || text.starts_with('/'))
}

fn is_relative_pointer(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    let padded = digits > 1 && text.starts_with('0');
    digits > 0 && !padded && (rest == "#" || is_pointer(rest))
}
