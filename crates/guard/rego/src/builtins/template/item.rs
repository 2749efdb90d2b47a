//! Values while a template runs, as Go's reflection sees them.

use std::cmp::Ordering;

use palisade_rego_value::Value;

use crate::builtins::sprintf::Argument;

/// A value of the data or of the template's text. Of the data, numbers are `json.Number`, which is a kind of text.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// Nothing: a key that is not there, `null`, `nil`.
    Missing,
    Data(Value),
    Int(i64),
    Float(f64),
}

impl From<Value> for Item {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Missing,
            // Sets are arrays in JSON.
            Value::Set(set) => Self::Data(Value::array(set.as_slice().to_vec())),
            other => Self::Data(other),
        }
    }
}

impl Item {
    /// Whether `if` takes it for true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Missing => false,
            Self::Data(Value::Bool(value)) => *value,
            Self::Data(Value::String(text)) => !text.is_empty(),
            Self::Data(Value::Array(items)) => !items.is_empty(),
            Self::Data(Value::Object(object)) => !object.is_empty(),
            Self::Data(_) => true,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
        }
    }

    /// The name of its type in Go.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Missing => "<nil>",
            Self::Data(Value::Bool(_)) => "bool",
            Self::Data(Value::Number(_)) => "json.Number",
            Self::Data(Value::String(_)) => "string",
            Self::Data(Value::Array(_)) => "[]interface {}",
            Self::Data(_) => "map[string]interface {}",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
        }
    }

    /// The text that numbers and strings of the data are.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Data(Value::String(text)) => Some(text.to_string()),
            Self::Data(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        }
    }

    /// As `fmt` prints it with `%v`.
    pub(super) fn print(&self, text: &mut String) {
        match self {
            Self::Missing => text.push_str("<nil>"),
            Self::Data(value) => print(value, text),
            Self::Int(value) => text.push_str(&value.to_string()),
            Self::Float(value) => text.push_str(&Argument::Float(*value).to_text()),
        }
    }

    /// As an argument of `printf`.
    pub(super) fn argument(&self) -> Argument {
        match self {
            Self::Int(value) => Argument::Literal(*value),
            Self::Float(value) => Argument::Float(*value),
            Self::Data(Value::Bool(value)) => Argument::Bool(*value),
            Self::Data(Value::String(text)) => Argument::Text(text.to_string()),
            other => {
                let mut text = String::new();
                other.print(&mut text);
                Argument::Other(other.type_name(), text)
            }
        }
    }

    /// The order of two items of one kind; `None` where they have none.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            _ => Some(self.text()?.cmp(&other.text()?)),
        }
    }
}

fn print(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(value) => text.push_str(value),
        Value::Array(items) => print_list(items, text),
        Value::Set(set) => print_list(set.as_slice(), text),
        Value::Object(object) => {
            text.push_str("map[");
            for (position, (key, value)) in object.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { " " });
                text.push_str(&key.to_key());
                text.push(':');
                print(value, text);
            }
            text.push(']');
        }
    }
}

fn print_list(items: &[Value], text: &mut String) {
    text.push('[');
    for (position, item) in items.iter().enumerate() {
        text.push_str(if position == 0 { "" } else { " " });
        print(item, text);
    }
    text.push(']');
}
