//! Pieces of JSON as Go's `encoding/json` makes them of certificate fields: absent lists are `null`, bytes are base64,
//! identifiers are lists of numbers, and numbers come back as doubles.

use palisade_model::{Map, Str, Value};

pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::object(members.into_iter().map(|(name, value)| (Str::from(name), value)).collect::<Map>())
}

pub(super) fn number(value: i64) -> Value {
    Value::Float(value as f64)
}

pub(super) fn bytes(bytes: &[u8]) -> Value {
    Value::from(crate::library::standard::encode_base64(bytes))
}

pub(super) fn list(items: Vec<Value>) -> Value {
    if items.is_empty() { Value::Null } else { Value::array(items) }
}

pub(super) fn text_list(items: &[String]) -> Value {
    list(items.iter().map(|item| Value::from(item.as_str())).collect())
}

pub(super) fn oid_value(oid: &[u64]) -> Value {
    Value::array(oid.iter().map(|part| Value::Float(*part as f64)).collect::<Vec<_>>())
}

pub(super) fn oid_text(oid: &[u64]) -> Value {
    Value::from(oid.iter().map(ToString::to_string).collect::<Vec<_>>().join("."))
}
