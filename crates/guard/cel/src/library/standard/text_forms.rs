//! The text forms of bytes, doubles, timestamps and durations, and how they are read.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};
use palisade_gotext::go_float;

use crate::value::checked_duration;
use crate::{EvalError, Moment};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding.
pub fn encode_base64(bytes: &[u8]) -> String {
    let digit = |bits: u32| char::from(BASE64.get((bits & 63) as usize).copied().unwrap_or(b'='));
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            text.push(if position <= chunk.len() { digit(bits >> (18 - 6 * position)) } else { '=' });
        }
    }
    text
}

/// The bytes of standard base64, with or without padding; `None` where it is malformed.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let padded = text.len().is_multiple_of(4);
    let digits = if padded { text.strip_suffix("==").or(text.strip_suffix('=')).unwrap_or(text) } else { text };
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for digit in chunk {
            bits = bits << 6 | BASE64.iter().position(|known| known == digit)? as u32;
        }
        if chunk.len() == 1 {
            return None;
        }
        bits <<= 6 * (4 - chunk.len());
        bytes.extend(bits.to_be_bytes().iter().skip(1).take(chunk.len() - 1));
    }
    Some(bytes)
}

/// The shortest text that reads back as the same double, with an exponent where Go writes one.
pub fn format_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    go_float::shortest(value)
}

/// RFC 3339 in UTC with as many fractional digits as there are.
pub fn format_timestamp(moment: Moment) -> String {
    format!("{}Z", moment.civil())
}

/// Reads an RFC 3339 timestamp.
pub fn parse_timestamp(text: &str) -> Result<Moment, EvalError> {
    let malformed = || EvalError::invalid(format_args!("`{text}` is no RFC 3339 timestamp"));
    let (civil, rest) = parse_civil(text).ok_or_else(malformed)?;
    let offset = parse_offset(rest).ok_or_else(malformed)?;
    let utc = civil.checked_sub(SignedDuration::from_secs(offset)).map_err(|_| EvalError::Overflow("timestamp"))?;
    Moment::from_civil(utc)
}

/// Date and time up to the offset, and the rest of the text.
fn parse_civil(text: &str) -> Option<(DateTime, &str)> {
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i16>().ok())?
    };
    let marks = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    if marks.iter().any(|(at, mark)| text.get(*at..at + 1) != Some(mark)) {
        return None;
    }
    let date = Date::new(number(0, 4)?, number(5, 7)? as i8, number(8, 10)? as i8).ok()?;
    let mut rest = text.get(19..)?;
    let mut nanos = 0_i32;
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let digits = fraction.get(..length).filter(|digits| !digits.is_empty())?;
        nanos = format!("{digits:0<9}").get(..9)?.parse().ok()?;
        rest = fraction.get(length..)?;
    }
    let second = number(17, 19)?;
    let time = Time::new(number(11, 13)? as i8, number(14, 16)? as i8, second as i8, nanos).ok()?;
    Some((DateTime::from_parts(date, time), rest))
}

/// Seconds east of UTC.
fn parse_offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) =
        text.strip_prefix('+').map(|rest| (1, rest)).or(text.strip_prefix('-').map(|rest| (-1, rest)))?;
    let (hours, minutes) = rest.split_once(':')?;
    let two = |text: &str| {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<i64>().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Seconds with as many fractional digits as there are, and `s`.
pub fn format_duration(span: SignedDuration) -> String {
    let nanos = span.subsec_nanos();
    let sign = if span.is_negative() { "-" } else { "" };
    let seconds = span.as_secs().unsigned_abs();
    if nanos == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{:09}", nanos.unsigned_abs());
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// Reads a duration as Go writes it: `1h45m`, `-1.5s`, `300ms`.
pub fn parse_duration(text: &str) -> Result<SignedDuration, EvalError> {
    let malformed = || EvalError::invalid(format_args!("`{text}` is no duration such as `1h30m` or `1.5s`"));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(malformed());
    }
    let mut nanos = 0_i128;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(malformed)?;
        let (number, tail) = rest.split_at_checked(end).ok_or_else(malformed)?;
        let length = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(length).ok_or_else(malformed)?;
        let part = scaled(number, unit_nanos(unit).ok_or_else(malformed)?).ok_or_else(malformed)?;
        nanos = nanos.saturating_add(part);
        rest = tail;
    }
    let nanos = i64::try_from(if negative { -nanos } else { nanos }).map_err(|_| EvalError::Overflow("duration"))?;
    checked_duration(Some(SignedDuration::from_nanos(nanos)))
}

fn unit_nanos(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// A decimal number of units, in nanoseconds; fractions of a nanosecond are dropped.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || whole.len() > 20 {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = fraction.get(..fraction.len().min(18))?;
    let part = if fraction.is_empty() {
        0
    } else {
        fraction.parse::<i128>().ok()? * unit / 10_i128.pow(fraction.len() as u32)
    };
    whole.checked_mul(unit)?.checked_add(part)
}
