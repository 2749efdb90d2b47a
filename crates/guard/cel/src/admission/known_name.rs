//! A Namespace of which nothing is known but its name, as expressions see it.
//!
//! Its name, and the label that the API server derives from it, are answered; what depends on more is an error that names the
//! Namespace. Only `.?`, with which an author says what holds without a label, is answered from what is known. Deliberately
//! absent: selectors, which are asked as a whole ([`NamespaceView`](super::NamespaceView)).

use std::any::Any;
use std::sync::Arc;

use palisade_model::{Str, Value, json};
use palisade_policy::LookupError;
use palisade_policy::lookups::NAME_LABEL;

use crate::{EvalError, Opaque, Type, Val};

/// Which part of the Namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Metadata,
    Labels,
}

/// The Namespace, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownName {
    part: Part,
    name: Str,
    why: Str,
}

impl KnownName {
    /// The Namespace called `name`, of which nobody can tell more for the reason `why`.
    pub(super) fn namespace(name: &str, why: &LookupError) -> Val {
        Self { part: Part::Whole, name: name.into(), why: why.to_string().into() }.into_val()
    }

    fn into_val(self) -> Val {
        Val::Opaque(Arc::new(self))
    }

    fn at(&self, part: Part) -> Val {
        Self { part, ..self.clone() }.into_val()
    }

    /// What follows from the name.
    fn known(&self, field: &str) -> Option<Val> {
        match (self.part, field) {
            (Part::Whole, "apiVersion") => Some(Val::from("v1")),
            (Part::Whole, "kind") => Some(Val::from("Namespace")),
            (Part::Whole, "metadata") => Some(self.at(Part::Metadata)),
            (Part::Metadata, "labels") => Some(self.at(Part::Labels)),
            (Part::Metadata, "name") | (Part::Labels, NAME_LABEL) => Some(Val::from(&*self.name)),
            _ => None,
        }
    }

    fn unknown(&self) -> EvalError {
        EvalError::invalid(format_args!("only the name of namespace `{}` is known: {}", self.name, self.why))
    }
}

impl Opaque for KnownName {
    fn opaque_type(&self) -> Type {
        Type::object(match self.part {
            Part::Whole => "kubernetes.Namespace",
            Part::Metadata => "kubernetes.NamespaceMetadata",
            Part::Labels => "kubernetes.NamespaceLabels",
        })
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn field(&self, name: &str) -> Option<Result<Val, EvalError>> {
        Some(self.known(name).ok_or_else(|| self.unknown()))
    }

    fn optional_field(&self, name: &str) -> Option<Result<Val, EvalError>> {
        match (self.part, name) {
            (Part::Metadata, "labels") => Some(Ok(Val::from(&json!({ NAME_LABEL: self.name.clone() })))),
            _ => self.known(name).map(Ok),
        }
    }

    fn taken_whole(&self) -> Result<(), EvalError> {
        Err(self.unknown())
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        Err(self.unknown())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
