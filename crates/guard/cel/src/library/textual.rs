//! Values that are read from text and print as text: quantities, versions, addresses.
//!
//! Such a type says what CEL calls it and is an opaque value by that. Deliberately absent: the functions that read
//! them, whose grammars have nothing in common.

use std::any::Any;
use std::fmt;

use palisade_model::Value;

use super::mismatch;
use crate::value::Opaque;
use crate::{EvalError, Type, Val};

/// A type whose values are their text.
pub(super) trait Textual: Any + Send + Sync + fmt::Debug + fmt::Display + PartialEq + Sized {
    /// What CEL calls the type.
    const NAME: &'static str;

    /// The type in signatures.
    fn cel_type() -> Type {
        Type::opaque(Self::NAME)
    }

    /// The receiver of the member function `function`.
    fn receiver<'a>(function: &str, args: &'a [Val]) -> Result<&'a Self, EvalError> {
        args.first().and_then(Val::downcast).ok_or_else(|| mismatch(function, args))
    }
}

impl<T: Textual> Opaque for T {
    fn opaque_type(&self) -> Type {
        T::cel_type()
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        Ok(Value::from(self.to_string()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
