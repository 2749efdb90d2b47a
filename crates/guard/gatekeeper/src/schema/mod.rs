//! The schemas that templates declare for the parameters of their constraints, as the API server applies them.
//!
//! It is OpenAPI v3 in the structural form of CustomResourceDefinitions: no references, types everywhere. Deliberately
//! absent: `x-kubernetes-validations`, which Gatekeeper does not evaluate when it validates a constraint.

mod defaults;
mod frame;
mod read;
#[cfg(test)]
mod tests;
mod unknown;
mod validate;

use palisade_model::{Path, Str, Value};
use regex::Regex;

pub(crate) use frame::constraint_schema;
pub(crate) use read::SchemaReader;

/// A compiled schema.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "the keywords of schemas are independent of one another")]
pub(crate) struct Schema {
    kind: Option<Type>,
    nullable: bool,
    int_or_string: bool,
    preserve_unknown: bool,
    embedded: bool,
    properties: Vec<(Str, Schema)>,
    additional: Additional,
    items: Option<Box<Schema>>,
    required: Vec<Str>,
    choices: Vec<Value>,
    pattern: Option<Regex>,
    format: Option<Str>,
    /// Characters of a text, elements of a list, members of an object, in this order.
    sizes: [Bounds<usize>; 3],
    range: Bounds<f64>,
    exclusive_minimum: bool,
    exclusive_maximum: bool,
    multiple_of: Option<f64>,
    unique_items: bool,
    all_of: Vec<Schema>,
    any_of: Vec<Schema>,
    one_of: Vec<Schema>,
    not: Option<Box<Schema>>,
    default: Option<Value>,
}

/// What members that are not among the properties may be.
#[derive(Clone, Debug, Default)]
enum Additional {
    /// Nothing is said of them.
    #[default]
    Unsaid,
    /// Anything, or nothing.
    Allowed(bool),
    /// What the schema describes.
    Of(Box<Schema>),
}

#[derive(Clone, Copy, Debug)]
struct Bounds<T> {
    least: Option<T>,
    most: Option<T>,
}

impl<T> Default for Bounds<T> {
    fn default() -> Self {
        Self { least: None, most: None }
    }
}

/// The types of JSON as schemas name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

const TYPES: [(&str, Type); 6] = [
    ("object", Type::Object),
    ("array", Type::Array),
    ("string", Type::String),
    ("integer", Type::Integer),
    ("number", Type::Number),
    ("boolean", Type::Boolean),
];

impl Type {
    fn name(self) -> &'static str {
        TYPES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    fn admits(self, value: &Value) -> bool {
        match self {
            Self::Object => value.as_object().is_some(),
            Self::Array => value.as_array().is_some(),
            Self::String => value.as_str().is_some(),
            Self::Integer => value.as_i64().is_some(),
            Self::Number => value.as_f64().is_some(),
            Self::Boolean => value.as_bool().is_some(),
        }
    }
}

/// Where a value does not fit, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) path: Path,
    pub(crate) message: String,
}

impl Schema {
    /// A schema of one type and nothing else.
    fn of(kind: Type) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }

    /// A schema that everything fits.
    pub(crate) fn anything() -> Self {
        Self { preserve_unknown: true, ..Self::default() }
    }

    /// An object with these members.
    fn object(properties: Vec<(&str, Self)>) -> Self {
        let properties = properties.into_iter().map(|(name, schema)| (name.into(), schema)).collect();
        Self { properties, ..Self::of(Type::Object) }
    }

    /// A list of these.
    fn array(items: Self) -> Self {
        Self { items: Some(Box::new(items)), ..Self::of(Type::Array) }
    }

    /// A text.
    fn string() -> Self {
        Self::of(Type::String)
    }

    /// One of these texts.
    fn one_text_of(choices: &[&str]) -> Self {
        Self { choices: choices.iter().map(|text| Value::from(*text)).collect(), ..Self::string() }
    }

    fn property(&self, name: &str) -> Option<&Self> {
        self.properties.iter().find(|(known, _)| &**known == name).map(|(_, schema)| schema)
    }
}
