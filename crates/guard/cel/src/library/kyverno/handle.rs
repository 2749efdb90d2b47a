//! Names such as `http` or `json` that stand for a service: functions are called on them and nothing else can be done.

use std::any::Any;

use palisade_model::Value;

use crate::value::Opaque;
use crate::{EvalError, Type, Val};

/// A service of the given type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Handle(&'static str);

impl Handle {
    pub(super) fn value(type_name: &'static str) -> Val {
        Val::opaque(Self(type_name))
    }
}

impl Opaque for Handle {
    fn opaque_type(&self) -> Type {
        Type::opaque(self.0)
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        Err(EvalError::invalid(format_args!("`{}` has no JSON form", self.0)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
