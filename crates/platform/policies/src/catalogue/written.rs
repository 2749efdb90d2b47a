//! A policy object of a cluster as its author wrote it, so that it is the same version as the file that it came from.

use palisade_document::{Document, Limits, parse, write::to_yaml};
use palisade_model::{Map, Resource, Value};

/// Members of `metadata` that the API server or a client adds.
const ADDED: [&str; 7] =
    ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink", "ownerReferences"];

/// The annotation in which `kubectl apply` keeps what was applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The object without what a cluster adds, as a text with places, called `cluster:KIND/NAME`.
pub(super) fn as_written(object: &Resource) -> Resource {
    let Some(members) = object.object.as_object() else { return object.clone() };
    let mut members = members.clone();
    members.remove("status");
    if let Some(metadata) = members.get("metadata").and_then(Value::as_object) {
        let metadata = written_metadata(metadata);
        members.insert("metadata", metadata);
    }
    let namespace = object.namespace();
    let slash = if namespace.is_empty() { "" } else { "/" };
    let name = format!("cluster:{}/{namespace}{slash}{}", object.kind(), object.name());
    let stripped = Value::object(members);
    let parsed = parse(&name, to_yaml(&stripped).as_bytes(), &Limits::default());
    parsed.documents.into_iter().next().map_or_else(|| Resource::in_memory(stripped), Document::into_resource)
}

fn written_metadata(metadata: &Map) -> Value {
    let mut metadata = metadata.clone();
    for key in ADDED {
        metadata.remove(key);
    }
    if let Some(annotations) = metadata.get("annotations").and_then(Value::as_object) {
        let mut annotations = annotations.clone();
        annotations.remove(LAST_APPLIED);
        if annotations.is_empty() {
            metadata.remove("annotations");
        } else {
            metadata.insert("annotations", Value::object(annotations));
        }
    }
    Value::object(metadata)
}

#[cfg(test)]
mod tests {
    use palisade_model::{Path, json};
    use palisade_policy::reference_of;

    use super::*;

    #[test]
    fn the_cluster_adds_nothing_to_a_version() {
        let written = Resource::in_memory(json!({
            "apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "images"}, "spec": {"rules": []}
        }));
        let stored = Resource::in_memory(json!({
            "apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy",
            "metadata": {
                "name": "images", "uid": "1", "resourceVersion": "7", "generation": 2,
                "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [],
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
            },
            "spec": {"rules": []}, "status": {"conditions": []}
        }));
        let read = as_written(&stored);
        assert_eq!(reference_of(&read).digest, reference_of(&written).digest);
        let place = read.locate(&Path::from_pointer("/spec/rules")).unwrap();
        assert_eq!(place.source.name(), "cluster:ClusterPolicy/images");
        assert!(place.start().line > 1);
    }
}
