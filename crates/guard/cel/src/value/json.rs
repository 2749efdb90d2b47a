//! Values to JSON, as cel-go and Kubernetes convert them.

use palisade_model::{Map, Str, Value};

use super::{Dict, Key, List};
use crate::library::standard::{encode_base64, format_duration, format_timestamp};
use crate::{EvalError, Val};

impl Val {
    /// As JSON: bytes become base64, timestamps and durations text, an absent optional `null`.
    pub fn to_value(&self) -> Result<Value, EvalError> {
        match self {
            Self::Null | Self::Optional(None) => Ok(Value::Null),
            Self::Bool(value) => Ok(Value::Bool(*value)),
            Self::Int(value) => Ok(Value::Int(*value)),
            Self::UInt(value) => Ok(i64::try_from(*value).map_or(Value::Float(*value as f64), Value::Int)),
            Self::Double(value) if value.is_finite() => Ok(Value::Float(*value)),
            Self::Double(value) => Err(EvalError::invalid(format_args!("`{value}` has no JSON form"))),
            Self::String(text) => Ok(Value::String(text.clone())),
            Self::Bytes(bytes) => Ok(Value::from(encode_base64(bytes))),
            Self::List(List::Json(items)) => Ok(Value::Array(items.clone())),
            Self::List(List::Items(items)) => {
                Ok(Value::array(items.iter().map(Self::to_value).collect::<Result<Vec<_>, _>>()?))
            }
            Self::Map(Dict::Json(map)) => Ok(Value::Object(map.clone())),
            Self::Map(Dict::Entries(entries)) => {
                let mut map = Map::with_capacity(entries.len());
                for (key, value) in entries.iter() {
                    map.insert(key.to_json_key(), value.to_value()?);
                }
                Ok(Value::object(map))
            }
            Self::Timestamp(moment) => Ok(Value::from(format_timestamp(*moment))),
            Self::Duration(span) => Ok(Value::from(format_duration(*span))),
            Self::Type(of) => Ok(Value::from(of.name())),
            Self::Optional(Some(value)) => value.to_value(),
            Self::Opaque(value) => value.to_value(),
        }
    }
}

impl Key {
    /// The key as the name of a JSON member.
    pub fn to_json_key(&self) -> Str {
        match self {
            Self::Bool(value) => value.to_string().into(),
            Self::Int(value) => value.to_string().into(),
            Self::UInt(value) => value.to_string().into(),
            Self::String(text) => text.clone(),
        }
    }
}
