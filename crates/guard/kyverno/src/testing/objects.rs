//! Objects as the `kyverno` command line loads them.

use std::sync::Arc;

use palisade_model::{Map, Resource, Str, Value};

/// An object that a test is about.
#[derive(Clone, Debug)]
pub(super) struct TestObject {
    /// The object, with its namespace filled in.
    pub(super) resource: Resource,
    /// Its identity in results: `apiVersion,kind,namespace,name`; the file's name for other payloads.
    pub(super) key: Key,
}

/// What names an object in results.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Key {
    pub(super) api_version: Str,
    pub(super) kind: Str,
    pub(super) namespace: Str,
    pub(super) name: Str,
}

impl Key {
    /// Of an object.
    pub(super) fn of(object: &Value) -> Self {
        let text = |value: Option<&Value>| value.and_then(Value::as_shared_str).cloned().unwrap_or_else(|| "".into());
        Self {
            api_version: text(object.get("apiVersion")),
            kind: text(object.get("kind")),
            namespace: text(object.dig(["metadata", "namespace"])),
            name: text(object.dig(["metadata", "name"])),
        }
    }

    /// Of a payload that is no Kubernetes object.
    pub(super) fn of_file(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Whether a result means this object by `name` or `namespace/name`.
    pub(super) fn is_called(&self, name: &str) -> bool {
        if self.kind.is_empty() {
            return *self.name == *name;
        }
        match name.split('/').collect::<Vec<_>>()[..] {
            [name] => *self.name == *name,
            [namespace, name] => *self.namespace == *namespace && *self.name == *name,
            _ => false,
        }
    }
}

impl std::fmt::Display for Key {
    /// As upstream prints it: `apps/v1/Deployment/default/web`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.kind.is_empty() {
            return f.write_str(&self.name);
        }
        write!(f, "{}/{}/{}/{}", self.api_version, self.kind, self.namespace, self.name)
    }
}

/// The object with what the command line fills in: the namespace `default` where a namespaced object has none, and
/// empty objects where well-known maps are null.
pub(super) fn loaded(mut resource: Resource) -> TestObject {
    fill_maps(&mut resource.object);
    if resource.namespace().is_empty()
        && !resource.gvk().unwrap_or_default().is_cluster_scoped()
        && let Some(metadata) = metadata_of(&mut resource.object)
    {
        metadata.insert("namespace", "default");
    }
    let key = Key::of(&resource.object);
    TestObject { resource, key }
}

/// The metadata of an object, made where it is missing.
pub(super) fn metadata_of(object: &mut Value) -> Option<&mut Map> {
    let metadata = object.as_object_mut()?.entry("metadata");
    if metadata.is_null() {
        *metadata = Value::object(Map::new());
    }
    metadata.as_object_mut()
}

const MAPS: &[&str] = &["annotations", "labels", "matchLabels", "nodeSelector", "data", "stringData"];

fn fill_maps(value: &mut Value) {
    if !needs_maps(value) {
        return;
    }
    match value {
        Value::Array(items) => Arc::make_mut(items).iter_mut().for_each(fill_maps),
        Value::Object(map) => {
            for (key, member) in Arc::make_mut(map).iter_mut() {
                if member.is_null() && MAPS.contains(&&**key) {
                    *member = Value::object(Map::new());
                } else {
                    fill_maps(member);
                }
            }
        }
        _ => {}
    }
}

/// Whether anything inside is to be filled; most objects stay shared as they are.
fn needs_maps(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(needs_maps),
        Value::Object(map) => {
            map.iter().any(|(key, member)| (member.is_null() && MAPS.contains(&&**key)) || needs_maps(member))
        }
        _ => false,
    }
}
