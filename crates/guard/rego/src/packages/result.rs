//! From what a check's rule gives to what people read: a text, or an object with `msg` and further facts.

use palisade_model::{Path, Segment, Str, facts};

use palisade_rego_value::Value;

/// One violation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Violation {
    /// The policy's words.
    pub(super) message: String,
    /// The offending field, where the rule names one as `path` (`spec.containers[0]` or a list of keys).
    pub(super) path: Option<Path>,
    /// Everything else that the rule says, as JSON.
    pub(super) details: Vec<(Str, Str)>,
}

impl Violation {
    /// Reads an element of a check's set; an error says what Conftest's convention wants instead.
    pub(super) fn of(element: &Value) -> Result<Self, String> {
        match element {
            Value::String(text) => Ok(Self { message: text.to_string(), path: None, details: Vec::new() }),
            Value::Object(object) => {
                let member = |name: &str| object.get(&Value::from(name));
                let Some(Value::String(message)) = member("msg") else {
                    return Err(format!("a violation needs a text under `msg`, but this one is {}", element.to_json()));
                };
                let details = object.iter().filter(|(key, _)| key.as_str() != Some("msg"));
                let details = details.flat_map(|(key, value)| facts::of(&text(key), &value.to_model())).collect();
                Ok(Self { message: message.to_string(), path: member("path").and_then(path), details })
            }
            other => Err(format!(
                "a violation is a text or an object with `msg`, but this one is a {}: {}",
                other.type_name(),
                other.to_json()
            )),
        }
    }
}

fn text(value: &Value) -> Str {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_json().into(),
    }
}

/// A path as text (`spec.containers[0].image`) or as a list of keys and indices.
fn path(value: &Value) -> Option<Path> {
    match value {
        Value::String(text) => Path::parse(text),
        Value::Array(parts) => path_of(parts),
        _ => None,
    }
}

/// A path of keys and indices.
pub(super) fn path_of(keys: &[Value]) -> Option<Path> {
    let segment = |key: &Value| match key {
        Value::String(key) => Some(Segment::Key(key.clone())),
        other => Some(Segment::Index(usize::try_from(other.as_i64()?).ok()?)),
    };
    keys.iter().map(segment).collect::<Option<Vec<_>>>().map(Path)
}
