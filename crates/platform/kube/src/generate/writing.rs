//! Bringing one object into the state that a rule wants.
//!
//! What a rule made is made equal to what it wants, fields that somebody added included: an added ingress rule opens what
//! a NetworkPolicy closes. A rule of a policy with server-side apply owns its fields only, and takes them over from
//! whoever wrote them.

use std::sync::Arc;

use palisade_model::{Map, Str, Value};
use palisade_policy::digest;

use super::difference::difference;
use super::origin::{Origin, key_of};
use crate::{Connection, Kind, KubeError};

/// How an object came to be as it is wanted.
#[derive(Debug)]
pub(super) enum Written {
    /// It was so.
    Nothing,
    Created(Value),
    Updated(Value),
}

/// What was written last, and how the API server completed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    wanted: Str,
    content: Str,
}

/// Why an object is not as it is wanted.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// It is somebody else's.
    #[error(
        "{0} exists and was not made by this rule; it stays as it is. Remove it, or set `useServerSideApply` to take its \
         fields over"
    )]
    Foreign(String),
    #[error(transparent)]
    Kube(#[from] KubeError),
}

/// An object that a rule wants.
pub(super) struct Wanted<'a> {
    pub(super) kind: &'a Arc<Kind>,
    /// As it is to be, with its origin.
    pub(super) object: &'a Value,
    pub(super) origin: &'a Origin,
    pub(super) synchronize: bool,
    pub(super) takes_over: bool,
}

impl Wanted<'_> {
    /// Makes the object what it is to be. `accepted` is what was written before, where that is known.
    pub(super) async fn bring_about(
        &self,
        connection: &Connection,
        existing: Option<&Value>,
        accepted: Option<&Accepted>,
    ) -> Result<Written, WriteError> {
        let Some(existing) = existing else { return self.create(connection).await };
        let ours = Origin::read(existing).is_some_and(|origin| origin.is_same_rule(self.origin));
        if ours && !self.synchronize {
            return Ok(Written::Nothing);
        }
        if self.takes_over {
            return if covers(existing, self.object) { Ok(Written::Nothing) } else { self.apply(connection).await };
        }
        if !ours {
            let same = covers(&content(existing), &content(self.object));
            return if same { Ok(Written::Nothing) } else { Err(self.foreign()) };
        }
        if accepted == Some(&self.accepted(existing)) && covers_metadata(existing, self.object) {
            return Ok(Written::Nothing);
        }
        self.update(connection, existing).await
    }

    async fn create(&self, connection: &Connection) -> Result<Written, WriteError> {
        if self.takes_over {
            let Written::Updated(made) = self.apply(connection).await? else { return Ok(Written::Nothing) };
            return Ok(Written::Created(made));
        }
        let namespace = text(self.object, "namespace");
        match connection.create(&self.kind.collection(namespace), self.object).await {
            Ok(made) => Ok(Written::Created(made)),
            Err(error) if error.is_conflict() => {
                // The cache is behind: whose is it?
                let existing = connection.get(&self.path()).await?;
                let ours = Origin::read(&existing).is_some_and(|origin| origin.is_same_rule(self.origin));
                if ours { Ok(Written::Nothing) } else { Err(self.foreign()) }
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn apply(&self, connection: &Connection) -> Result<Written, WriteError> {
        Ok(Written::Updated(connection.apply(&self.path(), self.object, true).await?))
    }

    async fn update(&self, connection: &Connection, existing: &Value) -> Result<Written, WriteError> {
        let Some(mut patch) = difference(existing, &self.merged(existing)) else { return Ok(Written::Nothing) };
        hold_on_to(&mut patch, existing);
        let updated = connection.merge(&self.path(), &patch).await?;
        Ok(Written::Updated(updated))
    }

    /// The wanted object with what belongs to the existing one: its identity, its state, labels and annotations of others.
    fn merged(&self, existing: &Value) -> Value {
        let mut merged = Map::new();
        for (key, member) in self.object.as_object().into_iter().flat_map(Map::iter) {
            if !matches!(&**key, "metadata" | "status") {
                merged.insert(key.clone(), member.clone());
            }
        }
        let mut metadata = existing.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
        let wanted = self.object.get("metadata").and_then(Value::as_object);
        for (key, member) in wanted.into_iter().flat_map(Map::iter) {
            match (&**key, metadata.get_mut(key), member.as_object()) {
                ("labels" | "annotations", Some(Value::Object(known)), Some(members)) => {
                    let known = Arc::make_mut(known);
                    members.iter().for_each(|(name, text)| drop(known.insert(name.clone(), text.clone())));
                }
                _ => drop(metadata.insert(key.clone(), member.clone())),
            }
        }
        merged.insert("metadata", metadata);
        if let Some(status) = existing.get("status") {
            merged.insert("status", status.clone());
        }
        Value::object(merged)
    }

    /// What is to be remembered of the object as the API server has it now.
    pub(super) fn accepted(&self, object: &Value) -> Accepted {
        Accepted {
            wanted: digest(&self.object.to_canonical_json()),
            content: digest(&content(object).to_canonical_json()),
        }
    }

    fn path(&self) -> String {
        self.kind.path(text(self.object, "namespace"), text(self.object, "name"))
    }

    fn foreign(&self) -> WriteError {
        let key = key_of(self.object);
        let name = key.map(|key| format!("{} `{}/{}`", key.gvk.kind, key.namespace, key.name)).unwrap_or_default();
        WriteError::Foreign(name)
    }
}

fn text<'v>(object: &'v Value, key: &str) -> &'v str {
    object.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default()
}

/// Makes a patch apply to this state of the object only.
pub(super) fn hold_on_to(patch: &mut Value, object: &Value) {
    let Some(version) = object.dig(["metadata", "resourceVersion"]).cloned() else { return };
    let Some(members) = patch.as_object_mut() else { return };
    let metadata = members.entry("metadata");
    if metadata.as_object().is_none() {
        *metadata = Value::object(Map::new());
    }
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert("resourceVersion", version);
    }
}

/// What an object says, without who it is and what became of it.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.retain(|key, _| !matches!(&**key, "apiVersion" | "kind" | "metadata" | "status"));
    }
    object
}

fn covers_metadata(existing: &Value, wanted: &Value) -> bool {
    let part =
        |object: &Value, key| object.dig(["metadata", key]).cloned().unwrap_or_else(|| Value::object(Map::new()));
    ["labels", "annotations"].into_iter().all(|key| covers(&part(existing, key), &part(wanted, key)))
}

/// Whether an existing value already says everything that the wanted one says.
fn covers(existing: &Value, wanted: &Value) -> bool {
    match (existing, wanted) {
        (Value::Object(existing), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| existing.get(key).is_some_and(|existing| covers(existing, value)))
        }
        (Value::Array(existing), Value::Array(wanted)) => {
            existing.len() == wanted.len() && existing.iter().zip(wanted.iter()).all(|(a, b)| covers(a, b))
        }
        _ => existing == wanted,
    }
}
