//! Values as expressions see them. JSON arrays and objects are wrapped, never copied.

mod collection;
mod compare;
mod json;
mod moment;

use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use palisade_model::{Str, Value};

pub use collection::{Dict, Entries, Key, List};
pub use moment::Moment;

pub(crate) use compare::{compare_numbers, json_equal};
pub(crate) use moment::checked_duration;

use crate::{EvalError, Type};

/// A CEL value. Cloning is constant time.
#[derive(Clone, Debug, Default)]
pub enum Val {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A double.
    Double(f64),
    /// Text.
    String(Str),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A list.
    List(List),
    /// A map, or a JSON object.
    Map(Dict),
    /// A moment.
    Timestamp(Moment),
    /// A span of time.
    Duration(SignedDuration),
    /// A type.
    Type(Arc<Type>),
    /// A value that may be absent.
    Optional(Option<Arc<Val>>),
    /// A library's own value.
    Opaque(Arc<dyn Opaque>),
}

/// A value of a library's own type: an IP address, a quantity, a patch.
pub trait Opaque: Any + Send + Sync + fmt::Debug {
    /// The type, as `type()` returns it and as the library's signatures name it (`net.IP`).
    fn opaque_type(&self) -> Type;

    /// Whether `other` is the same value; only asked for values whose types have the same name.
    fn equals(&self, other: &dyn Opaque) -> bool;

    /// The order for `<` and its kin; `None` where there is none.
    fn compare(&self, _other: &dyn Opaque) -> Option<Ordering> {
        None
    }

    /// The field `name`; `None` where there is none. What `x.name`, `has(x.name)` and `x.?name` ask.
    fn field(&self, _name: &str) -> Option<Result<Val, EvalError>> {
        None
    }

    /// The field that `x.?name` asks for, where that is another question: whoever says what holds without the field is
    /// answered from what is known.
    fn optional_field(&self, name: &str) -> Option<Result<Val, EvalError>> {
        self.field(name)
    }

    /// Whether it may be taken as a whole: counted, gone through.
    fn taken_whole(&self) -> Result<(), EvalError> {
        Ok(())
    }

    /// What `optional.ofNonZeroValue` takes for no value.
    fn is_zero(&self) -> bool {
        false
    }

    /// As JSON.
    fn to_value(&self) -> Result<Value, EvalError>;

    /// For downcasting in the library that made it.
    fn as_any(&self) -> &dyn Any;
}

impl Val {
    /// Text.
    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// A length or position.
    pub fn size(size: usize) -> Self {
        Self::Int(i64::try_from(size).unwrap_or(i64::MAX))
    }

    /// Bytes.
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// A list.
    pub fn list(items: impl Into<Vec<Self>>) -> Self {
        Self::List(List::Items(Arc::new(items.into())))
    }

    /// A map.
    pub fn map(entries: Entries) -> Self {
        Self::Map(Dict::Entries(Arc::new(entries)))
    }

    /// A type.
    pub fn of_type(of: Type) -> Self {
        Self::Type(Arc::new(of))
    }

    /// `optional.of(value)`.
    pub fn some(value: Self) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    /// `optional.none()`.
    pub const fn none() -> Self {
        Self::Optional(None)
    }

    /// A library's own value.
    pub fn opaque(value: impl Opaque) -> Self {
        Self::Opaque(Arc::new(value))
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean of a boolean.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer of a signed integer.
    pub const fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The list of a list.
    pub const fn as_list(&self) -> Option<&List> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The map of a map.
    pub const fn as_map(&self) -> Option<&Dict> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// A library's own value, if it is a `T`.
    pub fn downcast<T: Opaque>(&self) -> Option<&T> {
        match self {
            Self::Opaque(value) => value.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// What `type()` returns: parameters are not known when evaluating.
    pub fn type_of(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::UInt(_) => Type::UInt,
            Self::Double(_) => Type::Double,
            Self::String(_) => Type::String,
            Self::Bytes(_) => Type::Bytes,
            Self::List(_) => Type::list(Type::Dyn),
            Self::Map(_) => Type::map(Type::Dyn, Type::Dyn),
            Self::Timestamp(_) => Type::Timestamp,
            Self::Duration(_) => Type::Duration,
            Self::Type(_) => Type::type_of(Type::Dyn),
            Self::Optional(_) => Type::optional(Type::Dyn),
            Self::Opaque(value) => value.opaque_type(),
        }
    }

    /// Whether it may be taken as a whole; see [`Opaque::taken_whole`].
    pub(crate) fn taken_whole(&self) -> Result<(), EvalError> {
        match self {
            Self::Opaque(value) => value.taken_whole(),
            _ => Ok(()),
        }
    }

    /// The name of [`Val::type_of`], for messages.
    pub fn type_name(&self) -> String {
        self.type_of().name().to_owned()
    }
}

impl From<&Value> for Val {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Float(value) => Self::Double(*value),
            Value::String(text) => Self::String(text.clone()),
            Value::Array(items) => Self::List(List::Json(items.clone())),
            Value::Object(map) => Self::Map(Dict::Json(map.clone())),
        }
    }
}

impl From<Value> for Val {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => Self::Int(value),
            Value::Float(value) => Self::Double(value),
            Value::String(text) => Self::String(text),
            Value::Array(items) => Self::List(List::Json(items)),
            Value::Object(map) => Self::Map(Dict::Json(map)),
        }
    }
}

palisade_model::impl_from!(Val {
    bool => Self::Bool,
    i64 => Self::Int,
    u64 => Self::UInt,
    f64 => Self::Double,
    &str => |text| Self::String(text.into()),
    String => |text| Self::String(text.into()),
    Vec<Val> => Self::list,
});
