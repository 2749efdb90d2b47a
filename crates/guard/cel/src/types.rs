//! Types as the checker reasons about them and as `type()` returns them.

use std::fmt;
use std::sync::Arc;

use palisade_model::Str;

/// A CEL type. [`Type::Dyn`] is anything, known only when evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Anything.
    Dyn,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// An unsigned 64-bit integer.
    UInt,
    /// An IEEE double.
    Double,
    /// Text.
    String,
    /// Bytes.
    Bytes,
    /// A moment.
    Timestamp,
    /// A span of time.
    Duration,
    /// A list of elements.
    List(Arc<Type>),
    /// A map of keys to values.
    Map(Arc<(Type, Type)>),
    /// A value that may be absent.
    Optional(Arc<Type>),
    /// The type of a type.
    Type(Arc<Type>),
    /// A library's own type, such as `net.IP`, with its parameters.
    Opaque(Str, Arc<[Type]>),
    /// An object with declared fields ([`crate::ObjectType`]) or a constructible one ([`crate::StructType`]).
    Object(Str),
    /// A parameter of a function's signature: the same name means the same type throughout one call.
    Param(Str),
    /// A type still to be inferred; known to the checker only.
    Var(u32),
}

impl Type {
    /// `list(element)`.
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// `map(key, value)`.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new((key, value)))
    }

    /// `optional_type(value)`.
    pub fn optional(value: Self) -> Self {
        Self::Optional(Arc::new(value))
    }

    /// `type(of)`.
    pub fn type_of(of: Self) -> Self {
        Self::Type(Arc::new(of))
    }

    /// A library's own type without parameters.
    pub fn opaque(name: &str) -> Self {
        Self::Opaque(name.into(), Arc::from([]))
    }

    /// An object type.
    pub fn object(name: &str) -> Self {
        Self::Object(name.into())
    }

    /// The name without parameters, which is all that is known when evaluating.
    pub fn name(&self) -> &str {
        match self {
            Self::Dyn | Self::Var(_) => "dyn",
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::UInt => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Opaque(name, _) | Self::Object(name) | Self::Param(name) => name,
        }
    }

    /// A parameter of a signature.
    pub fn param(name: &str) -> Self {
        Self::Param(name.into())
    }
}

impl fmt::Display for Type {
    /// As CEL writes it: `map(string, list(int))`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::List(of) | Self::Optional(of) | Self::Type(of) => write!(f, "({of})"),
            Self::Map(entry) => write!(f, "({}, {})", entry.0, entry.1),
            Self::Opaque(_, parameters) if !parameters.is_empty() => {
                let parameters: Vec<_> = parameters.iter().map(ToString::to_string).collect();
                write!(f, "({})", parameters.join(", "))
            }
            _ => Ok(()),
        }
    }
}
