//! `Object{spec: Object.spec{replicas: 3}}`: objects that expressions build field by field, for apply configurations.
//!
//! There is no schema: any field is allowed and may hold anything. What is checked, when the object is used, is that
//! the type of every nested object is named after the route of fields that leads to it.

use std::any::Any;

use palisade_model::{Map, Str, Value};

use crate::library::{Call, Library, StructType};
use crate::value::Opaque;
use crate::{Dict, EvalError, List, Type, Val};

/// An object that an expression built.
#[derive(Clone, Debug)]
pub struct DynamicObject {
    type_name: Str,
    fields: Vec<(Str, Val)>,
}

impl DynamicObject {
    /// Checks that nested objects are named by their route: `Object.spec` under the field `spec` of `Object`.
    pub fn check_type_names(&self) -> Result<(), EvalError> {
        self.check_named("Object")
    }

    fn check_named(&self, expected: &str) -> Result<(), EvalError> {
        if *self.type_name != *expected {
            return Err(EvalError::invalid(format_args!(
                "unexpected type name `{}`: expected `{expected}`, the route of fields from the root Object",
                self.type_name
            )));
        }
        self.fields.iter().try_for_each(|(name, value)| check_value(value, &format!("{expected}.{name}")))
    }
}

/// Lists and maps are passed through: they add nothing to the route.
fn check_value(value: &Val, expected: &str) -> Result<(), EvalError> {
    if let Some(object) = value.downcast::<DynamicObject>() {
        return object.check_named(expected);
    }
    match value {
        Val::List(List::Items(items)) => items.iter().try_for_each(|item| check_value(item, expected)),
        Val::Map(Dict::Entries(entries)) => entries.iter().try_for_each(|(_, value)| check_value(value, expected)),
        _ => Ok(()),
    }
}

impl Opaque for DynamicObject {
    fn opaque_type(&self) -> Type {
        Type::Object(self.type_name.clone())
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        let Some(other) = other.as_any().downcast_ref::<Self>() else { return false };
        let same = |(name, value): &(Str, Val)| other.fields.iter().any(|(own, held)| own == name && held == value);
        self.fields.len() == other.fields.len() && self.fields.iter().all(same)
    }

    fn field(&self, name: &str) -> Option<Result<Val, EvalError>> {
        self.fields.iter().find(|(own, _)| **own == *name).map(|(_, value)| Ok(value.clone()))
    }

    fn is_zero(&self) -> bool {
        self.fields.is_empty()
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        let mut map = Map::with_capacity(self.fields.len());
        for (name, value) in &self.fields {
            map.insert(name.clone(), value.to_value()?);
        }
        Ok(Value::object(map))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(super) fn library() -> Library {
    let object = StructType { name: "Object", nested: true, field: |_, _| Some(Type::Dyn), construct };
    Library { structs: vec![object], ..Library::of("kubernetes.object", []) }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of constructors")]
fn construct(_: &mut Call<'_>, type_name: &str, fields: Vec<(Str, Val)>) -> Result<Val, EvalError> {
    Ok(Val::opaque(DynamicObject { type_name: type_name.into(), fields }))
}
