//! What a YAML scalar means to Kubernetes: the YAML 1.1 types as go-yaml version 2 reads them.
//!
//! `yes`, `on` and `y` are booleans, `0777` and `0o777` are octal, `1_000` is a number; base sixty and timestamps
//! stay text. The same rules tell the writer which strings need quotes. Absent: tags, which the parser applies.

use std::borrow::Cow;

use palisade_gotext::go_float;
use palisade_model::Value;

/// The value of a plain scalar where it is anything but a string.
pub(crate) fn resolve(text: &str) -> Option<Value> {
    match text.bytes().next() {
        None => Some(Value::Null),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text),
        Some(b'.') => word(text).or_else(|| fraction(text)),
        Some(b'+' | b'-') => word(text).or_else(|| number(text)),
        Some(b'0'..=b'9') => number(text),
        Some(_) => None,
    }
}

/// Whether a scalar is a boolean in words other than `true` and `false`.
pub(crate) fn is_word_boolean(text: &str) -> bool {
    matches!(word(text), Some(Value::Bool(_)))
        && !text.eq_ignore_ascii_case("true")
        && !text.eq_ignore_ascii_case("false")
}

fn word(text: &str) -> Option<Value> {
    if text.len() > 5 {
        return None;
    }
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        "~" | "null" | "Null" | "NULL" => Value::Null,
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn number(text: &str) -> Option<Value> {
    let plain = if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    integer(&plain).or_else(|| decimal(&plain)).or_else(|| signed_binary(&plain))
}

/// Go's `ParseInt` with base 0: the prefix chooses the base, and a leading zero means octal.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.bytes().next()?.is_ascii_alphanumeric() {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(value)) => Some(Value::Int(value)),
        (true, Ok(value)) => Some(Value::Int(-value)),
        (true, Err(_)) if magnitude == 1 << 63 => Some(Value::Int(i64::MIN)),
        (true, Err(_)) => None,
        (false, Err(_)) => Some(Value::Float(magnitude as f64)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, within the range of a double.
fn decimal(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mantissa = unsigned.split(['e', 'E']).next()?;
    let digits_around_point = mantissa.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !digits_around_point || !mantissa.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    float(text)
}

/// Go's `ParseFloat`, which also takes single underscores between digits.
fn fraction(text: &str) -> Option<Value> {
    let grouped = text.get(1..)?.split('_').all(|group| group.bytes().next().is_some_and(|b| b.is_ascii_digit()));
    if grouped && text.contains('_') { float(&text.replace('_', "")) } else { float(text) }
}

fn float(text: &str) -> Option<Value> {
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Value::Float)
}

/// go-yaml's leftover from before Go knew `0b`: a sign may follow the prefix.
fn signed_binary(text: &str) -> Option<Value> {
    i64::from_str_radix(text.strip_prefix("0b")?, 2).ok().map(Value::Int)
}

/// How a number or boolean is spelled once it is a key, as `sigs.k8s.io/yaml` converts it; `None` for what cannot
/// be a key.
pub(super) fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(shortest_single(*value as f32)),
        Value::String(text) => Some(text.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Go's `FormatFloat(value, 'g', -1, 32)`, with YAML's names for what is not finite.
fn shortest_single(value: f32) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    go_float::shortest(value)
}

/// Standard base64 with padding, line breaks ignored.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let mut out = Vec::with_capacity(digits.len() / 4 * 3);
    let groups = digits.chunks(4);
    let last = groups.len().saturating_sub(1);
    for (at, group) in groups.enumerate() {
        let padding = group.iter().rev().take_while(|b| **b == b'=').count();
        if group.len() != 4 || padding > 2 || (padding > 0 && at != last) {
            return None;
        }
        let mut bits = 0_u32;
        for digit in group.iter().take(4 - padding) {
            bits = bits << 6 | sextet(*digit)?;
        }
        bits <<= 6 * padding;
        out.extend(bits.to_be_bytes().into_iter().skip(1).take(3 - padding));
    }
    Some(out)
}

fn sextet(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_typed_as_kubernetes_types_them() {
        for (text, json) in [
            ("", "null"),
            ("~", "null"),
            ("yes", "true"),
            ("y", "true"),
            ("Off", "false"),
            ("0777", "511"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("-0b11", "-3"),
            ("0b-11", "-3"),
            ("1_000", "1000"),
            ("089", "89"),
            ("1e3", "1000"),
            (".5", "0.5"),
            ("-9223372036854775808", "-9223372036854775808"),
        ] {
            assert_eq!(resolve(text).map(|value| value.to_json()).as_deref(), Some(json), "{text}");
        }
        for text in ["yEs", "nope", "1:30", "2001-01-01", "0x", "0o8", "+", "-", "1e999", "100m", "1.2.3", "e5", "--1"]
        {
            assert!(resolve(text).is_none(), "{text}");
        }
        assert_eq!(resolve("18446744073709551615"), Some(Value::Float(18_446_744_073_709_551_615.0)));
    }

    #[test]
    fn keys_are_spelled_as_go_prints_them() {
        for (value, text) in
            [(1.5, "1.5"), (1e21, "1e+21"), (1_234_567.5, "1.2345675e+06"), (0.000_01, "1e-05"), (100.0, "100")]
        {
            assert_eq!(key_text(&Value::Float(value)).as_deref(), Some(text));
        }
    }

    #[test]
    fn base64_is_strict() {
        assert_eq!(base64("aGVs\nbG8=").as_deref(), Some(b"hello".as_slice()));
        for wrong in ["aGVsbG8", "aGV=bG8=", "====", "a-bc"] {
            assert!(base64(wrong).is_none(), "{wrong}");
        }
    }
}
