//! To and from JSON: the model's values, and text as OPA prints it.

use std::fmt::{self, Write};
use std::sync::Arc;

use palisade_gotext::go_json;
use palisade_model::{Map, Str};

use super::{Array, Number, Object, Value};

impl From<&palisade_model::Value> for Value {
    /// Converted once per document; strings are shared.
    fn from(value: &palisade_model::Value) -> Self {
        use palisade_model::Value as Model;
        match value {
            Model::Null => Self::Null,
            Model::Bool(value) => Self::Bool(*value),
            Model::Int(value) => Self::from(*value),
            Model::Float(value) => Self::Number(Number::from(*value)),
            Model::String(text) => Self::String(text.clone()),
            Model::Array(items) => Self::Array(Arc::new(items.iter().map(Self::from).collect::<Array>())),
            Model::Object(map) => Self::Object(Arc::new(
                map.iter().map(|(key, value)| (Self::String(key.clone()), Self::from(value))).collect::<Object>(),
            )),
        }
    }
}

impl Value {
    /// The value of a JSON text that holds one, numbers with all their digits.
    pub fn from_json(text: &str) -> Result<Self, String> {
        super::reader::read(text)
    }

    /// As JSON data: sets become arrays in order, keys that are not strings become their JSON text.
    pub fn to_model(&self) -> palisade_model::Value {
        use palisade_model::Value as Model;
        match self {
            Self::Null => Model::Null,
            Self::Bool(value) => Model::Bool(*value),
            Self::Number(number) => number.as_i64().map_or_else(|| Model::Float(number.as_f64()), Model::Int),
            Self::String(text) => Model::String(text.clone()),
            Self::Array(items) => Model::array(items.iter().map(Self::to_model).collect::<Vec<_>>()),
            Self::Set(set) => Model::array(set.iter().map(Self::to_model).collect::<Vec<_>>()),
            Self::Object(object) => {
                Model::object(object.iter().map(|(key, value)| (key.to_key(), value.to_model())).collect::<Map>())
            }
        }
    }

    /// As a key of JSON: a string as it is, anything else as its JSON text.
    pub fn to_key(&self) -> Str {
        match self {
            Self::String(text) => text.clone(),
            other => other.to_json().into(),
        }
    }

    /// Compact JSON text as OPA marshals it (`json.marshal`): keys sorted, `<`, `>` and `&` escaped.
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        write_json(&mut text, self);
        text
    }
}

/// The value as it is written in Rego, as OPA prints terms: `{"a": [1, 2]}`, `{1, 2}`, `set()`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write_quoted(f, text),
            Self::Array(items) => list(f, '[', items.iter(), ']'),
            Self::Set(set) if set.is_empty() => f.write_str("set()"),
            Self::Set(set) => list(f, '{', set.iter(), '}'),
            Self::Object(object) => {
                f.write_char('{')?;
                for (position, (key, value)) in object.iter().enumerate() {
                    f.write_str(if position == 0 { "" } else { ", " })?;
                    write!(f, "{key}: {value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

fn list<'a>(
    f: &mut fmt::Formatter<'_>,
    open: char,
    items: impl Iterator<Item = &'a Value>,
    close: char,
) -> fmt::Result {
    f.write_char(open)?;
    for (position, item) in items.enumerate() {
        f.write_str(if position == 0 { "" } else { ", " })?;
        write!(f, "{item}")?;
    }
    f.write_char(close)
}

fn write_json(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => write!(text, "{number}").unwrap_or_default(),
        Value::String(value) => go_json::write_string(text, value),
        Value::Array(items) => write_json_list(text, items.iter()),
        Value::Set(set) => write_json_list(text, set.iter()),
        Value::Object(object) => {
            let mut members: Vec<(Str, &Value)> = object.iter().map(|(key, value)| (key.to_key(), value)).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            text.push('{');
            for (position, (key, member)) in members.into_iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                go_json::write_string(text, &key);
                text.push(':');
                write_json(text, member);
            }
            text.push('}');
        }
    }
}

fn write_json_list<'a>(text: &mut String, items: impl Iterator<Item = &'a Value>) {
    text.push('[');
    for (position, item) in items.enumerate() {
        text.push_str(if position == 0 { "" } else { "," });
        write_json(text, item);
    }
    text.push(']');
}

/// A string as Go's `strconv.Quote` writes it, which is how terms print.
fn write_quoted(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in value.chars() {
        match c {
            '"' => f.write_str("\\\""),
            '\\' => f.write_str("\\\\"),
            '\n' => f.write_str("\\n"),
            '\r' => f.write_str("\\r"),
            '\t' => f.write_str("\\t"),
            '\u{7}' => f.write_str("\\a"),
            '\u{8}' => f.write_str("\\b"),
            '\u{b}' => f.write_str("\\v"),
            '\u{c}' => f.write_str("\\f"),
            '\0'..='\u{1f}' | '\u{7f}' => write!(f, "\\x{:02x}", u32::from(c)),
            '\u{feff}' | '\u{ad}' | '\u{80}'..='\u{a0}' | '\u{2028}' | '\u{2029}' => {
                write!(f, "\\u{:04x}", u32::from(c))
            }
            other => f.write_char(other),
        }?;
    }
    f.write_char('"')
}
