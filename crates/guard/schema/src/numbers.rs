//! Numbers of schemas: compared with doubles where values are compared, divided exactly, shown as Go shows them.

use num_bigint::{BigInt, Sign};

use palisade_rego_value::{Number, Object, Value};

/// The most decimal places between two numbers that are divided.
const MAX_PLACES: i64 = 2_000;

/// A value whose numbers are doubles, sets are lists and keys are texts, as it is when it is compared.
pub(super) fn normalised(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(Number::from(number.as_f64())),
        Value::Array(items) => Value::array(items.iter().map(normalised).collect()),
        Value::Set(items) => Value::array(items.iter().map(normalised).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(key, member)| (Value::from(key.to_key()), normalised(member)));
            Value::from(members.collect::<Object>())
        }
        other => other.clone(),
    }
}

/// Whether a number is so many times another.
pub(super) fn is_multiple(number: &Number, of: &Number) -> bool {
    let (Some((number, places)), Some((of, of_places))) = (decimal(number), decimal(of)) else { return false };
    let difference = of_places - places;
    if difference.abs() > MAX_PLACES {
        return false;
    }
    let scale = BigInt::from(10).pow(difference.unsigned_abs() as u32);
    let (number, of) = if difference > 0 { (number * scale, of) } else { (number, of * scale) };
    of.sign() != Sign::NoSign && (number % of).sign() == Sign::NoSign
}

/// The digits of a number as a whole number, and how many of them are behind the point.
fn decimal(number: &Number) -> Option<(BigInt, i64)> {
    let text = number.to_string();
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = i64::try_from(fraction.len()).ok()? - exponent.parse::<i64>().ok()?;
    Some((format!("{whole}{fraction}").parse().ok()?, places))
}

/// A number with the fewest digits, with an exponent from a million on.
pub(super) fn shown(number: &Number) -> String {
    let Some((digits, places)) = decimal(number) else { return number.to_string() };
    let (sign, digits) = (if digits.sign() == Sign::Minus { "-" } else { "" }, digits.magnitude().to_string());
    let stripped = digits.trim_end_matches('0');
    if stripped.is_empty() {
        return "0".to_owned();
    }
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let places = places - (length(&digits) - length(stripped));
    let exponent = length(stripped) - places - 1;
    if !(-4..6).contains(&exponent) {
        let (first, rest) = stripped.split_at_checked(1).unwrap_or((stripped, ""));
        let point = if rest.is_empty() { "" } else { "." };
        let way = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{way}{:02}", exponent.abs());
    }
    if places <= 0 {
        return format!("{sign}{stripped}{}", "0".repeat(places.unsigned_abs() as usize));
    }
    let padded = format!("{stripped:0>width$}", width = places as usize + 1);
    let (whole, fraction) = padded.split_at_checked(padded.len() - places as usize).unwrap_or((&padded, ""));
    format!("{sign}{whole}.{fraction}")
}
