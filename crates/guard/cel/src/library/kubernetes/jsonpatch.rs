//! `jsonpatch.escapeKey(key)` and `JSONPatch{op: ..., path: ..., from: ..., value: ...}`.

use std::any::Any;

use palisade_model::{Map, Str, Value};

use crate::library::{Call, Cost, Function, Library, StructType, mismatch};
use crate::value::Opaque;
use crate::{EvalError, Type, Val};

/// One operation of a JSON patch, as an expression built it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonPatch {
    /// `add`, `remove`, `replace`, `move`, `copy` or `test`; unchecked.
    pub op: Str,
    /// Where, as a JSON pointer.
    pub path: Str,
    /// The source of `move` and `copy`.
    pub from: Option<Str>,
    /// The value of `add`, `replace` and `test`.
    pub value: Option<Val>,
}

impl Opaque for JsonPatch {
    fn opaque_type(&self) -> Type {
        Type::object("JSONPatch")
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn field(&self, name: &str) -> Option<Result<Val, EvalError>> {
        let text = |text: &Str| (!text.is_empty()).then(|| Val::String(text.clone()));
        let value = match name {
            "op" => text(&self.op),
            "path" => text(&self.path),
            "from" => self.from.clone().map(Val::String),
            "value" => self.value.clone(),
            _ => None,
        };
        value.map(Ok)
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        let mut map = Map::new();
        map.insert("op", self.op.clone());
        map.insert("path", self.path.clone());
        if let Some(from) = &self.from {
            map.insert("from", from.clone());
        }
        if let Some(value) = &self.value {
            map.insert("value", value.to_value()?);
        }
        Ok(Value::object(map))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(super) fn library() -> Library {
    let escape = Function::global("jsonpatch.escapeKey", [Type::String], Type::String, escape_key).cost(Cost::Sizes);
    let patch = StructType { name: "JSONPatch", nested: false, field: field_type, construct };
    Library { structs: vec![patch], ..Library::of("kubernetes.jsonpatch", [escape]) }
}

fn escape_key(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(key)] = args else { return Err(mismatch("jsonpatch.escapeKey", args)) };
    Ok(Val::from(key.replace('~', "~0").replace('/', "~1")))
}

fn field_type(_: &str, field: &str) -> Option<Type> {
    match field {
        "op" | "path" | "from" => Some(Type::String),
        "value" => Some(Type::Dyn),
        _ => None,
    }
}

fn construct(_: &mut Call<'_>, _: &str, fields: Vec<(Str, Val)>) -> Result<Val, EvalError> {
    let mut patch = JsonPatch::default();
    for (name, value) in fields {
        match (&*name, value) {
            ("op", Val::String(op)) => patch.op = op,
            ("path", Val::String(path)) => patch.path = path,
            ("from", Val::String(from)) => patch.from = Some(from),
            ("value", value) => patch.value = Some(value),
            (name, value) => {
                let kind = value.type_name();
                return Err(EvalError::invalid(format_args!("unexpected type {kind} for the `{name}` of a JSONPatch")));
            }
        }
    }
    Ok(Val::opaque(patch))
}
