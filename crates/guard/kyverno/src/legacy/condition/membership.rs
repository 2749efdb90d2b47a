//! `In` and its family: whether keys are among values.
//!
//! A value is a list, a text with a wildcard, a range such as `1-10`, or a text that is a JSON list of texts. All are
//! compared as printed, wildcards count on both sides. Kyverno gives no answer for values of any other type, and no
//! answer is false for the positive and the negative operators alike.

use palisade_gotext::go_sprint::sprint;
use palisade_model::{Value, wildcard};

use crate::legacy::pattern::{is_range, text_matches};

/// How many keys must satisfy the operator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    Any,
    All,
}

/// A key as Kyverno reads it.
enum Keys {
    One(String),
    Many(Vec<String>),
}

fn keys(key: &Value) -> Option<Keys> {
    match key {
        Value::Array(items) => Some(Keys::Many(items.iter().map(sprint).collect())),
        Value::Null | Value::Object(_) => None,
        scalar => Some(Keys::One(sprint(scalar))),
    }
}

/// `AnyIn` and `AllIn`; `None` where there is no answer.
pub(super) fn within(key: &Value, value: &Value, quantifier: Quantifier) -> Option<bool> {
    let keys = match keys(key)? {
        Keys::One(key) => return one_within(&key, value),
        Keys::Many(keys) => keys,
    };
    if let Some(answer) = only_key_is_value(&keys, value) {
        return Some(answer);
    }
    let satisfies = |test: &dyn Fn(&String) -> bool| match quantifier {
        Quantifier::Any => keys.iter().any(test),
        Quantifier::All => keys.iter().all(test),
    };
    match range(value) {
        Some(range) => Some(satisfies(&|key| in_range(range, key))),
        None => set(value, quantifier).map(|values| satisfies(&|key| among(key, &values))),
    }
}

/// `AnyNotIn` and `AllNotIn`; `None` where there is no answer.
pub(super) fn without(key: &Value, value: &Value, quantifier: Quantifier) -> Option<bool> {
    let keys = match keys(key)? {
        Keys::One(key) => return one_within(&key, value).map(|found| !found),
        Keys::Many(keys) => keys,
    };
    if let Some(answer) = only_key_is_value(&keys, value) {
        return Some(!answer);
    }
    match (range(value), quantifier) {
        (Some(range), Quantifier::All) => Some(!keys.iter().any(|key| in_range(range, key))),
        // Kyverno turns the range inside out at its first hyphen, which is not where a negative one is divided.
        (Some(range), Quantifier::Any) => {
            let outside = range.replacen('-', "!-", 1);
            Some(keys.iter().any(|key| in_range(&outside, key)))
        }
        (None, Quantifier::Any) => set(value, quantifier).map(|values| keys.iter().any(|key| !among(key, &values))),
        (None, Quantifier::All) => set(value, quantifier).map(|values| !keys.iter().any(|key| among(key, &values))),
    }
}

/// A single key: by wildcard, as a range, or literally in a JSON list.
fn one_within(key: &str, value: &Value) -> Option<bool> {
    match value {
        Value::Array(items) => Some(items.iter().any(|item| alike(&sprint(item), key))),
        Value::String(text) if wildcard::matches(text, key) => Some(true),
        Value::String(text) if is_range(text) => Some(in_range(text, key)),
        Value::String(text) => text_list(text).map(|values| values.iter().any(|value| value == key)),
        _ => None,
    }
}

/// A list with one key is in a text that is that very key, whatever else the text may look like.
fn only_key_is_value(keys: &[String], value: &Value) -> Option<bool> {
    matches!(keys, [only] if value.as_str() == Some(only)).then_some(true)
}

fn range(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| is_range(text))
}

fn in_range(range: &str, key: &str) -> bool {
    text_matches(&range.into(), &key.into())
}

/// The values as printed. A lone number or boolean is a set for `Any` only.
fn set(value: &Value, quantifier: Quantifier) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => Some(items.iter().map(sprint).collect()),
        Value::String(text) => text_list(text),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) if quantifier == Quantifier::Any => Some(vec![sprint(value)]),
        _ => None,
    }
}

/// A text that is JSON must be a list of texts; any other text is a list of itself.
fn text_list(text: &str) -> Option<Vec<String>> {
    match Value::from_json(text) {
        Ok(list) => json_texts(&list),
        Err(_) => Some(vec![text.to_owned()]),
    }
}

/// As Go decodes JSON into a list of strings: `null` is no list, and an empty text inside one.
fn json_texts(list: &Value) -> Option<Vec<String>> {
    match list {
        Value::Null => Some(Vec::new()),
        Value::Array(items) => items
            .iter()
            .map(|item| if item.is_null() { Some(String::new()) } else { item.as_str().map(str::to_owned) })
            .collect(),
        _ => None,
    }
}

fn among(key: &str, values: &[String]) -> bool {
    values.iter().any(|value| alike(value, key))
}

fn alike(value: &str, key: &str) -> bool {
    wildcard::matches(value, key) || wildcard::matches(key, value)
}

/// The deprecated `In`: literal for lists of keys. `Err` where Kyverno would end with a panic.
pub(super) fn subset(key: &Value, value: &Value) -> Result<Option<bool>, String> {
    match key {
        Value::Array(items) => {
            let keys = texts_of(items)?;
            Ok(only_key_is_value(&keys, value)
                .or_else(|| literal_set(value).map(|set| keys.iter().all(|key| set.contains(key)))))
        }
        _ => Ok(literal_one(key, value)),
    }
}

/// The deprecated `NotIn`: at least one of a list of keys is missing.
pub(super) fn not_subset(key: &Value, value: &Value) -> Result<Option<bool>, String> {
    match key {
        Value::Array(items) => {
            let keys = texts_of(items)?;
            // Kyverno answers yes here as well, as it does for `In`.
            Ok(only_key_is_value(&keys, value)
                .or_else(|| literal_set(value).map(|set| keys.iter().any(|key| !set.contains(key)))))
        }
        _ => Ok(literal_one(key, value).map(|found| !found)),
    }
}

fn texts_of(items: &[Value]) -> Result<Vec<String>, String> {
    let text = |item: &Value| {
        item.as_str().map(str::to_owned).ok_or_else(|| {
            format!(
                "`In` and `NotIn` take lists of strings as keys, not of {}s; use `AllIn` or `AnyNotIn`",
                item.type_name()
            )
        })
    };
    items.iter().map(text).collect()
}

fn literal_one(key: &Value, value: &Value) -> Option<bool> {
    let Keys::One(key) = keys(key)? else { return None };
    match value {
        Value::Array(items) => Some(items.iter().any(|item| alike(&sprint(item), &key))),
        Value::String(text) if wildcard::matches(text, &key) => Some(true),
        Value::String(text) => json_texts(&Value::from_json(text).ok()?).map(|values| values.contains(&key)),
        _ => None,
    }
}

fn literal_set(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Value::String(text) => json_texts(&Value::from_json(text).ok()?),
        _ => None,
    }
}
