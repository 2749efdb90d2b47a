//! `Equals`: the key's type decides how the value is read.

use palisade_gotext::go_float::parse_float;
use palisade_model::quantity::Quantity;
use palisade_model::{Value, wildcard};

use super::size::durations;

/// Whether key and value are equal; a key without a value equals nothing.
pub(super) fn equal(key: &Value, value: &Value) -> bool {
    match (key, value) {
        (Value::Null, _) => false,
        (Value::Int(number), Value::String(text)) => text.parse() == Ok(*number),
        (Value::Int(number), Value::Float(value)) => Value::Float(*value).as_i64() == Some(*number),
        (Value::Float(number), Value::String(text)) => parse_float(text) == Some(*number),
        (Value::Float(number), Value::Int(value)) => Value::Float(*number).as_i64() == Some(*value),
        (Value::String(text), _) => equal_text(key, text, value),
        (Value::Array(_) | Value::Object(_), _) => identical(key, value),
        _ => key == value,
    }
}

/// Whether two values are the same down to the type of each number: Go's `reflect.DeepEqual`. A list of whole numbers
/// from the policy's text therefore differs from the same list out of a variable, where numbers are doubles.
fn identical(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => false,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| identical(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| identical(left, right)))
        }
        _ => left == right,
    }
}

/// Durations also equal numbers of seconds; quantities equal in any notation; otherwise the value is a wildcard.
fn equal_text(key: &Value, text: &str, value: &Value) -> bool {
    if let Some((key, value)) = durations(key, value) {
        return key.as_seconds() == value.as_seconds();
    }
    let Value::String(pattern) = value else { return false };
    match Quantity::parse(text) {
        // Kyverno's `NotEquals` lets an empty value through to the wildcard; the answer is the same.
        Ok(quantity) => Quantity::parse(pattern).is_ok_and(|value| value == quantity),
        Err(_) => wildcard::matches(pattern, text),
    }
}
