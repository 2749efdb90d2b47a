//! Equality and order: numbers compare by value across their types, everything else within its own type.

use std::cmp::Ordering;

use palisade_model::{Map, Value};

use super::{Dict, Key, List};
use crate::Val;

impl PartialEq for Val {
    /// CEL's `==`: numeric across number types, deep for lists and maps, false for different types.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a == b,
            (Self::Type(a), Self::Type(b)) => a.name() == b.name(),
            (Self::Optional(a), Self::Optional(b)) => a == b,
            (Self::Opaque(a), Self::Opaque(b)) => {
                a.opaque_type().name() == b.opaque_type().name() && a.equals(b.as_ref())
            }
            _ => compare_numbers(self, other) == Some(Ordering::Equal),
        }
    }
}

impl Val {
    /// CEL's order; `None` where the types have none in common, or for NaN.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::String(a), Self::String(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Timestamp(a), Self::Timestamp(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            (Self::Opaque(a), Self::Opaque(b)) => a.compare(b.as_ref()),
            _ => compare_numbers(self, other),
        }
    }

    /// Whether this is a number.
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::UInt(_) | Self::Double(_))
    }

    /// Whether this equals a JSON value, without wrapping it.
    pub(crate) fn equals_json(&self, json: &Value) -> bool {
        match (self, json) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(a), Value::Bool(b)) => a == b,
            (Self::String(a), Value::String(b)) => a == b,
            (Self::List(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.equals_json(b))
            }
            (Self::Map(Dict::Json(a)), Value::Object(b)) => json_maps_equal(a, b),
            (Self::Map(Dict::Entries(a)), Value::Object(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(key, value)| match key {
                        Key::String(key) => b.get(key).is_some_and(|json| value.equals_json(json)),
                        _ => false,
                    })
            }
            (number, Value::Int(value)) => compare_numbers(number, &Self::Int(*value)) == Some(Ordering::Equal),
            (number, Value::Float(value)) => compare_numbers(number, &Self::Double(*value)) == Some(Ordering::Equal),
            _ => false,
        }
    }
}

fn json_maps_equal(a: &Map, b: &Map) -> bool {
    a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| json_equal(value, other)))
}

/// Equality of JSON values as CEL sees them: exact between integers and doubles, which [`Value`]'s own is not.
pub(crate) fn json_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| json_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => json_maps_equal(a, b),
        (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => {
            compare_int_double(*a, *b) == Some(Ordering::Equal)
        }
        _ => a == b,
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Json(a), Self::Json(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| json_equal(a, b))
            }
            (Self::Items(a), Self::Items(b)) => a == b,
            (Self::Items(items), Self::Json(json)) | (Self::Json(json), Self::Items(items)) => {
                items.len() == json.len() && items.iter().zip(json.iter()).all(|(item, json)| item.equals_json(json))
            }
        }
    }
}

impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Json(a), Self::Json(b)) => json_maps_equal(a, b),
            (Self::Entries(a), Self::Entries(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| b.get(key) == Some(value))
            }
            (Self::Entries(entries), Self::Json(map)) | (Self::Json(map), Self::Entries(entries)) => {
                entries.len() == map.len()
                    && entries.iter().all(|(key, value)| match key {
                        Key::String(key) => map.get(key).is_some_and(|json| value.equals_json(json)),
                        _ => false,
                    })
            }
        }
    }
}

/// The order of two numbers of any types; `None` for NaN and for what is not a number.
pub(crate) fn compare_numbers(a: &Val, b: &Val) -> Option<Ordering> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => Some(a.cmp(b)),
        (Val::UInt(a), Val::UInt(b)) => Some(a.cmp(b)),
        (Val::Double(a), Val::Double(b)) => a.partial_cmp(b),
        (Val::Int(a), Val::UInt(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Val::UInt(a), Val::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Val::Int(a), Val::Double(b)) => compare_int_double(*a, *b),
        (Val::Double(a), Val::Int(b)) => compare_int_double(*b, *a).map(Ordering::reverse),
        (Val::UInt(a), Val::Double(b)) => compare_uint_double(*a, *b),
        (Val::Double(a), Val::UInt(b)) => compare_uint_double(*b, *a).map(Ordering::reverse),
        _ => None,
    }
}

/// Doubles at or beyond the integers' range compare by sign; others by value, as cel-go compares them.
fn compare_int_double(a: i64, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        None
    } else if b > 9_223_372_036_854_775_808.0 {
        Some(Ordering::Less)
    } else if b < -9_223_372_036_854_775_808.0 {
        Some(Ordering::Greater)
    } else {
        (a as f64).partial_cmp(&b)
    }
}

fn compare_uint_double(a: u64, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        None
    } else if b > 18_446_744_073_709_551_616.0 {
        Some(Ordering::Less)
    } else if b < 0.0 {
        Some(Ordering::Greater)
    } else {
        (a as f64).partial_cmp(&b)
    }
}
