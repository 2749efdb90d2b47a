//! The text forms of bytes, timestamps and durations.

use jiff::SignedDuration;

use crate::Moment;

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

/// RFC 3339 in UTC with as many fractional digits as there are.
pub fn format_timestamp(moment: Moment) -> String {
    format!("{}Z", moment.civil())
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
