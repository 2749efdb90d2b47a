//! Names and labels of generated objects.

use palisade_model::{GroupVersionKind, Map, Value};

use crate::legacy::context::Names;

/// The prefix of the labels by which Kyverno finds what it has generated.
const PREFIX: &str = "generate.kyverno.io/";

/// What identifies an object, as far as a pattern says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Identity {
    /// From a mapping with `apiVersion`, `kind`, `namespace` and `name`.
    pub(super) fn of(source: &Value) -> Self {
        let text = |key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { api_version: text("apiVersion"), kind: text("kind"), namespace: text("namespace"), name: text("name") }
    }

    /// Gives an object this identity. Its own kind stays; the rest is overwritten.
    pub(super) fn give(&self, mut object: Value) -> Value {
        if let Some(members) = object.as_object_mut() {
            if members.get("kind").and_then(Value::as_str).is_none_or(str::is_empty) {
                members.insert("kind", self.kind.as_str());
            }
            if !self.api_version.is_empty() {
                members.insert("apiVersion", self.api_version.as_str());
            }
        }
        edit(&mut object, |metadata| {
            for (key, text) in [("name", &self.name), ("namespace", &self.namespace)] {
                if text.is_empty() {
                    metadata.remove(key);
                } else {
                    metadata.insert(key, text.as_str());
                }
            }
        });
        object
    }
}

/// Adds the labels that say who manages the object, for which rule and trigger.
pub(super) fn managed(mut object: Value, trigger: &Value, names: Names<'_>) -> Value {
    let gvk = GroupVersionKind::of(trigger).unwrap_or_default();
    let of_trigger = |key: &str| trigger.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default();
    label(&mut object, "app.kubernetes.io/managed-by", "kyverno");
    for (key, text) in [
        ("policy-name", names.policy),
        ("policy-namespace", names.namespace),
        ("rule-name", names.rule),
        ("trigger-version", &*gvk.version),
        ("trigger-group", &*gvk.group),
        ("trigger-kind", &*gvk.kind),
        ("trigger-namespace", of_trigger("namespace")),
        ("trigger-uid", of_trigger("uid")),
    ] {
        label(&mut object, &format!("{PREFIX}{key}"), text);
    }
    object
}

/// A copy of a source for another place: without what the API server wrote, labelled with where it came from.
pub(super) fn cloned(source: &Value, target: &Identity) -> Value {
    let mut copy = source.clone();
    let gvk = GroupVersionKind::of(source).unwrap_or_default();
    let of_source = |key: &str| source.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default();
    let namespace = of_source("namespace");
    for (key, text) in [
        ("clone-source", ""),
        ("source-group", &*gvk.group),
        ("source-version", &*gvk.version),
        ("source-kind", &*gvk.kind),
        ("source-namespace", namespace),
        ("source-uid", of_source("uid")),
    ] {
        label(&mut copy, &format!("{PREFIX}{key}"), text);
    }
    let leaves_namespace = namespace != target.namespace;
    edit(&mut copy, |metadata| {
        for key in ["uid", "selfLink", "creationTimestamp", "managedFields", "resourceVersion"] {
            metadata.remove(key);
        }
        if leaves_namespace {
            metadata.remove("ownerReferences");
        }
    });
    copy
}

fn label(object: &mut Value, key: &str, text: &str) {
    edit(object, |metadata| {
        let labels = metadata.entry("labels");
        if labels.as_object().is_none() {
            *labels = Value::object(Map::new());
        }
        if let Some(labels) = labels.as_object_mut() {
            labels.insert(key, text);
        }
    });
}

/// Edits `metadata`, which is made where it is missing.
fn edit(object: &mut Value, change: impl FnOnce(&mut Map)) {
    let Some(members) = object.as_object_mut() else { return };
    let metadata = members.entry("metadata");
    if metadata.as_object().is_none() {
        *metadata = Value::object(Map::new());
    }
    if let Some(metadata) = metadata.as_object_mut() {
        change(metadata);
    }
}
