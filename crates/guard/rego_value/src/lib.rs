//! Rego's values: JSON with sets, any value as a key, and numbers that do not lose digits.
//!
//! Arrays, objects and sets are reference counted, so that a clone is constant time. Objects and sets are kept sorted in
//! Rego's order (null, booleans, numbers, strings, arrays, objects, sets), which is the order in which they are walked.
//! Deliberately absent: YAML

mod arithmetic;
mod collections;
mod decimal;
mod extended;
mod json;
mod number;
mod order;
mod reader;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use palisade_model::Str;

pub use arithmetic::ArithmeticError;
pub use collections::{Array, Object, Set};
pub use number::Number;

/// How deeply values may be nested: what compares, prints and drops them recurses. The machine and builtins that nest
/// values refuse deeper ones ([`Value::depth`]).
pub const MAX_DEPTH: u32 = 1_000;

/// A Rego value: three words. A tag of a whole word lets values move in whole words, which the machine does all the time.
#[derive(Clone, Debug)]
#[repr(u64)]
pub enum Value {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(Str),
    /// An ordered sequence.
    Array(Arc<Array>),
    /// Keys and values in order of the keys.
    Object(Arc<Object>),
    /// Distinct elements in order.
    Set(Arc<Set>),
}

impl Value {
    /// A string value.
    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// An array value.
    pub fn array(items: Vec<Self>) -> Self {
        Self::Array(Arc::new(Array::from(items)))
    }

    /// A set value of the distinct elements.
    pub fn set(items: Vec<Self>) -> Self {
        Self::Set(Arc::new(Set::from(items)))
    }

    /// An object value; of a repeated key the last value counts.
    pub fn object(pairs: Vec<(Self, Self)>) -> Self {
        Self::Object(Arc::new(Object::from(pairs)))
    }

    /// The name of the type as Rego tells it (`type_name`).
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Set(_) => "set",
        }
    }

    /// The boolean of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A number.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A whole number of 64 bits (`1.0` and `1e3` included).
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    /// The double nearest to a number.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number().map(Number::as_f64)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The shared text of a string.
    pub fn as_shared_str(&self) -> Option<&Str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// An object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// A set.
    pub fn as_set(&self) -> Option<&Set> {
        match self {
            Self::Set(set) => Some(set),
            _ => None,
        }
    }

    /// The elements of an array or set, in order.
    pub fn as_elements(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            Self::Set(set) => Some(set.as_slice()),
            _ => None,
        }
    }

    /// Whether this is `false`. Conditions hold for everything that is defined and not `false`.
    pub fn is_false(&self) -> bool {
        matches!(self, Self::Bool(false))
    }

    /// Whether this is an array, object or set.
    pub fn is_collection(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Object(_) | Self::Set(_))
    }

    /// What `self[key]` gives: the member of an object, the item of an array by its whole number, the element of a set
    /// by itself; `None` for anything else.
    #[inline]
    pub fn get(&self, key: &Self) -> Option<&Self> {
        match self {
            Self::Object(object) => object.get(key),
            Self::Array(items) => match key {
                Self::Number(index) => items.get(usize::try_from(index.as_i64()?).ok()?),
                _ => None,
            },
            Self::Set(set) => set.get(key),
            _ => None,
        }
    }

    /// The member of an object by its name.
    pub fn get_str(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get_str(key)
    }

    /// How many levels of arrays, objects and sets there are: 0 of a scalar.
    pub fn depth(&self) -> u32 {
        match self {
            Self::Array(items) => items.depth(),
            Self::Object(object) => object.depth(),
            Self::Set(set) => set.depth(),
            _ => 0,
        }
    }

    /// A copy that shares no reference counter with this value.
    #[must_use]
    pub fn detached(&self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Bool(value) => Self::Bool(*value),
            Self::Number(number) => Self::Number(number.detached()),
            Self::String(text) => Self::String(Str::from(&**text)),
            Self::Array(items) => Self::array(items.iter().map(Self::detached).collect()),
            Self::Object(object) => Self::Object(Arc::new(
                object.iter().map(|(key, value)| (key.detached(), value.detached())).collect::<Object>(),
            )),
            Self::Set(set) => Self::Set(Arc::new(set.iter().map(Self::detached).collect::<Set>())),
        }
    }
}

palisade_model::impl_from!(Value {
    bool => Self::Bool,
    i64 => |number| Self::Number(Number::Int(number)),
    i32 => |number| Self::from(i64::from(number)),
    f64 => |number| Self::Number(number.into()),
    usize => |number| Self::Number(number.into()),
    Number => Self::Number,
    &str => |text| Self::String(text.into()),
    String => |text| Self::String(text.into()),
    Str => Self::String,
    Vec<Value> => Self::array,
    Array => |array| Self::Array(Arc::new(array)),
    Object => |object| Self::Object(Arc::new(object)),
    Set => |set| Self::Set(Arc::new(set)),
});
