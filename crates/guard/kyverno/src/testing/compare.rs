//! Whether a patched or generated object is the expected one: equal after empty parts are dropped and the labels that
//! generation adds are set aside.

use std::sync::Arc;

use palisade_model::{Map, Value};

use super::Files;
use super::objects::{Key, loaded, metadata_of};

/// How a comparison came out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The objects are equal.
    Equal,
    /// They differ.
    Different,
    /// The file has no object of that identity.
    Missing,
    /// The file cannot be read.
    Unreadable(String),
}

/// Compares `actual` with the object of the same identity in the file at `path`.
pub(super) fn compare(actual: &Value, files: &dyn Files, path: &str) -> Comparison {
    let documents = match files.read(path) {
        Ok(documents) => documents,
        Err(diagnostic) => return Comparison::Unreadable(diagnostic.to_string()),
    };
    let key = Key::of(actual);
    let expected = documents.into_iter().map(|document| loaded(document.into_resource()));
    match expected.into_iter().find(|object| object.key == key) {
        None => Comparison::Missing,
        Some(expected) if comparable(actual) == comparable(&expected.resource.object) => Comparison::Equal,
        Some(_) => Comparison::Different,
    }
}

fn comparable(object: &Value) -> Option<Value> {
    let mut object = object.clone();
    if let Some(metadata) = metadata_of(&mut object) {
        let labels = fixed_labels(metadata.get("labels"));
        metadata.insert("labels", labels);
    }
    tidy(&object)
}

/// Labels without those that only say what generated the object; every object counts as managed by Kyverno.
fn fixed_labels(labels: Option<&Value>) -> Map {
    let mut fixed = Map::new();
    fixed.insert("app.kubernetes.io/managed-by", "kyverno");
    for (key, value) in labels.and_then(Value::as_object).into_iter().flat_map(Map::iter) {
        if !key.starts_with("generate.kyverno.io/") {
            fixed.insert(key.clone(), value.clone());
        }
    }
    fixed
}

/// The value without null, empty lists and empty objects, at any depth; `None` where nothing is left.
fn tidy(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().filter_map(tidy).collect();
            (!items.is_empty()).then(|| Value::Array(Arc::new(items)))
        }
        Value::Object(map) => {
            let map: Map = map.iter().filter_map(|(key, member)| Some((key.clone(), tidy(member)?))).collect();
            (!map.is_empty()).then(|| Value::object(map))
        }
        scalar => Some(scalar.clone()),
    }
}
