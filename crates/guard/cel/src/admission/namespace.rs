//! The namespace of a request: the labels that selectors read and the `namespaceObject` that expressions read.

use std::cell::OnceCell;

use palisade_model::{Map, Value, json};
use palisade_policy::Environment;

/// A namespace that is looked up when it is first needed.
///
/// Labels that a values file gives win over the cluster's object. A namespace that nobody knows still carries the
/// label every namespace has: its own name.
#[derive(Clone, Debug)]
pub struct NamespaceView<'a> {
    name: &'a str,
    environment: &'a Environment<'a>,
    object: OnceCell<Option<Value>>,
}

impl<'a> NamespaceView<'a> {
    /// The namespace called `name`; the empty name stands for cluster scope.
    pub fn new(name: &'a str, environment: &'a Environment<'a>) -> Self {
        Self { name, environment, object: OnceCell::new() }
    }

    /// The Namespace object, where it is known.
    pub fn object(&self) -> Option<&Value> {
        self.object.get_or_init(|| self.find()).as_ref()
    }

    /// The labels to select by; an object.
    pub fn labels(&self) -> Value {
        let known = self.object().map(|object| object.dig(["metadata", "labels"]).cloned());
        known.unwrap_or_else(|| Some(json!({ "kubernetes.io/metadata.name": self.name }))).unwrap_or_else(empty)
    }

    fn find(&self) -> Option<Value> {
        if self.name.is_empty() {
            return None;
        }
        match self.environment.variables.namespace_labels.get(self.name) {
            Some(labels) => Some(namespace(self.name, labels)),
            None => self.environment.lookups.namespace(self.name).ok(),
        }
    }
}

/// A Namespace object with a name and labels alone.
fn namespace(name: &str, labels: &Map) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name", name);
    metadata.insert("labels", labels.clone());
    let mut object = Map::new();
    object.insert("apiVersion", "v1");
    object.insert("kind", "Namespace");
    object.insert("metadata", metadata);
    object.insert("spec", Map::new());
    object.insert("status", Map::new());
    Value::object(object)
}

fn empty() -> Value {
    Value::object(Map::new())
}
