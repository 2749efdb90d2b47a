//! `Object{...}` and `JSONPatch{...}`: the values that mutation expressions build.

use std::any::Any;

use palisade_model::{Map, Str, Value};

use crate::{Call, EvalError, Library, Opaque, StructType, Type, Val};

/// The type of whole apply configurations; its parts are `Object.spec`, `Object.spec.containers` and so on.
const OBJECT: &str = "Object";
/// The type of one operation of a JSON patch.
const JSON_PATCH: &str = "JSONPatch";

/// The types that mutation expressions may build.
pub(crate) fn library() -> Library {
    let object = StructType { name: OBJECT, nested: true, field: |_, _| Some(Type::Dyn), construct: construct_object };
    let patch = StructType { name: JSON_PATCH, nested: false, field: patch_field, construct: construct_patch };
    Library { name: "kubernetes.mutation", structs: vec![object, patch], ..Library::default() }
}

/// What an `ApplyConfiguration` must come out as.
pub(super) fn object_type() -> Type {
    Type::object(OBJECT)
}

/// What a `JSONPatch` must come out as; a list that is known to be empty has no element type.
pub(super) fn patch_types() -> [Type; 2] {
    [Type::list(Type::object(JSON_PATCH)), Type::list(Type::Dyn)]
}

/// An object under construction.
#[derive(Debug)]
struct Built {
    name: Str,
    fields: Vec<(Str, Val)>,
}

fn construct_object(_: &mut Call<'_>, name: &str, fields: Vec<(Str, Val)>) -> Result<Val, EvalError> {
    Ok(Val::opaque(Built { name: name.into(), fields }))
}

fn patch_field(_: &str, field: &str) -> Option<Type> {
    match field {
        "op" | "path" | "from" => Some(Type::String),
        "value" => Some(Type::Dyn),
        _ => None,
    }
}

fn construct_patch(_: &mut Call<'_>, name: &str, fields: Vec<(Str, Val)>) -> Result<Val, EvalError> {
    for (field, value) in &fields {
        if &**field != "value" && value.as_str().is_none() {
            return Err(EvalError::invalid(format_args!("`{field}` of a {name} must be text")));
        }
    }
    Ok(Val::opaque(Built { name: name.into(), fields }))
}

impl Built {
    fn get(&self, name: &str) -> Option<&Val> {
        self.fields.iter().find(|(field, _)| &**field == name).map(|(_, value)| value)
    }
}

impl Opaque for Built {
    fn opaque_type(&self) -> Type {
        Type::object(&self.name)
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        match (self.to_value(), other.to_value()) {
            (Ok(own), Ok(other)) => own == other,
            _ => false,
        }
    }

    fn field(&self, name: &str) -> Option<Result<Val, EvalError>> {
        self.get(name).cloned().map(Ok)
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

/// The apply configuration that an expression came out as. Every part must have been written under the name of the
/// field that it stands in, which is what tells a misplaced part.
pub(super) fn apply_configuration(value: &Val) -> Result<Value, EvalError> {
    let Some(built) = value.downcast::<Built>() else {
        let found = value.type_name();
        return Err(EvalError::invalid(format_args!("an ApplyConfiguration must be an `Object`, not {found}")));
    };
    check_names(value, OBJECT, 0)?;
    built.to_value()
}

/// The deepest nesting of a value that an expression may build.
const MAX_DEPTH: usize = 256;

fn check_names(value: &Val, expected: &str, depth: usize) -> Result<(), EvalError> {
    if depth > MAX_DEPTH {
        return Err(EvalError::invalid("the object is nested too deeply"));
    }
    match value {
        Val::List(crate::List::Items(items)) => {
            items.iter().try_for_each(|item| check_names(item, expected, depth + 1))
        }
        Val::Map(crate::Dict::Entries(entries)) => {
            entries.iter().try_for_each(|(_, value)| check_names(value, expected, depth + 1))
        }
        Val::Optional(Some(value)) => check_names(value, expected, depth + 1),
        Val::Opaque(_) => {
            let Some(built) = value.downcast::<Built>() else { return Ok(()) };
            if &*built.name != expected {
                return Err(EvalError::invalid(format_args!(
                    "type mismatch: `{}{{...}}` stands where `{expected}{{...}}` belongs",
                    built.name
                )));
            }
            built
                .fields
                .iter()
                .try_for_each(|(field, value)| check_names(value, &format!("{expected}.{field}"), depth + 1))
        }
        _ => Ok(()),
    }
}

/// The operations of a JSON patch that an expression came out as.
pub(super) fn json_patch(value: &Val) -> Result<Vec<Value>, EvalError> {
    let Some(list) = value.as_list() else {
        let found = value.type_name();
        return Err(EvalError::invalid(format_args!("a JSONPatch must be a list, not {found}")));
    };
    let operation = |item: Val| match item.downcast::<Built>() {
        Some(built) if &*built.name == JSON_PATCH => {
            // The value may be any part of an object; its own name is what the names of its fields continue.
            if let Some((value, part)) = built.get("value").and_then(|value| Some((value, value.downcast::<Built>()?)))
            {
                check_names(value, &part.name, 0)?;
            }
            built.to_value()
        }
        _ => Err(EvalError::invalid(format_args!("an operation must be a `JSONPatch`, not {}", item.type_name()))),
    };
    list.iter().map(operation).collect()
}
