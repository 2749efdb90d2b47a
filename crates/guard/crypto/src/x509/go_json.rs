//! Pieces of JSON as Go's `encoding/json` makes them of certificate fields: absent lists are `null`, bytes are base64,
//! and identifiers are lists of numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_model::{Map, Str, Value};

pub(crate) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::object(members.into_iter().map(|(name, value)| (Str::from(name), value)).collect::<Map>())
}

pub(crate) fn bytes(bytes: &[u8]) -> Value {
    Value::from(STANDARD.encode(bytes))
}

pub(crate) fn list(items: Vec<Value>) -> Value {
    if items.is_empty() { Value::Null } else { Value::array(items) }
}

pub(crate) fn text_list(items: &[String]) -> Value {
    list(items.iter().map(|item| Value::from(item.as_str())).collect())
}

pub(crate) fn oid_value(oid: &[u64]) -> Value {
    Value::array(oid.iter().map(|part| Value::Int(i64::try_from(*part).unwrap_or(i64::MAX))).collect::<Vec<_>>())
}

pub(crate) fn oid_text(oid: &[u64]) -> Value {
    Value::from(oid.iter().map(ToString::to_string).collect::<Vec<_>>().join("."))
}
