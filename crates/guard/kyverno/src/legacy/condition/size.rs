//! `GreaterThan` and its like, and the deprecated `Duration*` operators.

use palisade_gotext::go_duration::GoDuration;
use palisade_gotext::go_float::parse_float;
use palisade_model::quantity::Quantity;
use palisade_model::semantic_version::SemanticVersion;
use palisade_model::{Relation, Value};

/// Key and value as durations, where at least one of them is written as one; the other may be a number of seconds.
pub(super) fn durations(key: &Value, value: &Value) -> Option<(GoDuration, GoDuration)> {
    // A lone zero is a number, though Go reads it as a duration.
    let written =
        |side: &Value| side.as_str().filter(|text| *text != "0").and_then(|text| GoDuration::parse(text).ok());
    match (written(key), written(value)) {
        (None, None) => None,
        (Some(key), Some(value)) => Some((key, value)),
        (Some(key), None) => seconds(value).map(|value| (key, value)),
        (None, Some(value)) => seconds(key).map(|key| (key, value)),
    }
}

/// A number as whole seconds; Go drops the fraction and wraps around.
fn seconds(value: &Value) -> Option<GoDuration> {
    let whole = match value {
        Value::Int(number) => *number,
        Value::Float(number) => *number as i64,
        _ => return None,
    };
    Some(GoDuration(whole.wrapping_mul(1_000_000_000)))
}

/// Compares durations, quantities, numbers or versions: the first of these that fits both sides.
pub(super) fn compare(key: &Value, relation: Relation, value: &Value) -> bool {
    if !matches!(key, Value::Int(_) | Value::Float(_) | Value::String(_)) {
        return false;
    }
    if let Some((key, value)) = durations(key, value) {
        return relation.holds(key.as_seconds().partial_cmp(&value.as_seconds()));
    }
    match key {
        Value::String(text) => compare_text(text, relation, value),
        number => number.as_f64().is_some_and(|number| compare_number(number, relation, value)),
    }
}

fn compare_text(key: &str, relation: Relation, value: &Value) -> bool {
    if let (Ok(key), Some(Ok(value))) = (Quantity::parse(key), value.as_str().map(Quantity::parse)) {
        return relation.holds(Some(key.cmp(&value)));
    }
    if let Some(number) = parse_float(key) {
        return compare_number(number, relation, value);
    }
    match (SemanticVersion::parse(key), value.as_str().map(SemanticVersion::parse)) {
        (Ok(key), Some(Ok(value))) => relation.holds(Some(key.cmp(&value))),
        _ => false,
    }
}

fn compare_number(key: f64, relation: Relation, value: &Value) -> bool {
    let number = match value {
        // A number is also compared with a duration, in seconds.
        Value::String(text) => match durations(&Value::Float(key), value) {
            Some((key, value)) => return relation.holds(key.as_seconds().partial_cmp(&value.as_seconds())),
            None => parse_float(text),
        },
        other => other.as_f64(),
    };
    number.is_some_and(|number| relation.holds(key.partial_cmp(&number)))
}

/// Compares durations; numbers are seconds.
pub(super) fn compare_durations(key: &Value, relation: Relation, value: &Value) -> bool {
    let read = |side: &Value| match side {
        Value::String(text) => GoDuration::parse(text).ok(),
        other => seconds(other),
    };
    match (read(key), read(value)) {
        (Some(key), Some(value)) => relation.holds(Some(key.cmp(&value))),
        _ => false,
    }
}
