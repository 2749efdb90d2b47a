//! Messages that gateways and expressions exchange: named objects with fields, which member functions are called on.

use std::any::Any;

use palisade_cel::{EvalError, List, Opaque, Type, Val};
use palisade_model::{Map, Str, Value};

/// A message of a named type.
#[derive(Clone, Debug)]
pub(super) struct Message {
    name: &'static str,
    fields: Vec<(Str, Val)>,
}

impl Message {
    /// A message of type `name` without fields.
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, fields: Vec::new() }
    }

    /// The message that `value` is, if it is of type `name`.
    pub(super) fn of<'v>(value: &'v Val, name: &str) -> Option<&'v Self> {
        value.downcast::<Self>().filter(|message| message.name == name)
    }

    /// Sets a field.
    pub(super) fn with(mut self, field: &str, value: impl Into<Val>) -> Self {
        self.fields.retain(|(name, _)| &**name != field);
        self.fields.push((field.into(), value.into()));
        self
    }

    /// Appends to a field that is a list.
    pub(super) fn push(self, field: &str, value: Val) -> Self {
        let mut items = self.get(field).and_then(Val::as_list).map(List::to_vec).unwrap_or_default();
        items.push(value);
        self.with(field, items)
    }

    /// A field.
    pub(super) fn get(&self, field: &str) -> Option<&Val> {
        self.fields.iter().find(|(name, _)| &**name == field).map(|(_, value)| value)
    }

    /// As a value.
    pub(super) fn into_val(self) -> Val {
        Val::opaque(self)
    }
}

impl Opaque for Message {
    fn opaque_type(&self) -> Type {
        Type::object(self.name)
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| self.fields.iter().all(|(name, value)| other.get(name) == Some(value)))
    }

    fn field(&self, name: &str) -> Option<Result<Val, EvalError>> {
        self.get(name).cloned().map(Ok)
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
