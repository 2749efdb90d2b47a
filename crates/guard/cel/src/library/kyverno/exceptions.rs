//! The variable `exceptions`: what the PolicyExceptions that match a request allow.

use std::collections::HashMap;

use palisade_model::{Map, Str, Value};

use crate::{ObjectType, Type, Val};

const NAME: &str = "libs.Exception";

/// The type of the variable `exceptions`.
pub fn exceptions_type() -> Type {
    Type::object(NAME)
}

/// The declaration of that type: the lists `allowedImages` and `allowedValues`.
pub fn object_type() -> ObjectType {
    let texts = || Type::list(Type::String);
    let fields = [("allowedImages", texts()), ("allowedValues", texts())];
    let fields: HashMap<Str, Type> = fields.into_iter().map(|(name, of)| (name.into(), of)).collect();
    ObjectType { name: NAME.into(), fields }
}

/// The value of the variable `exceptions`: images and values of all matching exceptions together.
pub fn exceptions(allowed_images: &[Str], allowed_values: &[Str]) -> Val {
    let texts = |texts: &[Str]| Value::array(texts.iter().cloned().map(Value::from).collect::<Vec<_>>());
    let mut map = Map::new();
    map.insert("allowedImages", texts(allowed_images));
    map.insert("allowedValues", texts(allowed_values));
    Val::from(Value::object(map))
}
