//! What is said on a policy object about loading it.
//!
//! A condition `Ready` is applied to the status, without force: where another controller owns it (Kyverno, Gatekeeper), its
//! word stands and ours is an Event instead, as it is for kinds without a status. So `kubectl get` or `kubectl describe`
//! shows it, and nobody's status is fought over. Nothing is written twice.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;
use palisade_model::{Resource, Value};
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;

use crate::api::value;
use crate::{Caches, Kind, KubeError};

/// The longest message, in bytes; Kubernetes permits little more.
const LONGEST: usize = 1024;

/// How loading a policy object went.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The object, by kind, namespace and name.
    pub document: Resource,
    /// Whether it is in force as it is.
    pub ready: bool,
    /// One word in camel case, such as `Loaded`, `Kept` (an older version judges) or `Refused`.
    pub reason: String,
    /// What is wrong, for people; empty where nothing is.
    pub message: String,
    /// When that was found.
    pub time: Timestamp,
}

/// Where the status of a kind has room for a condition.
enum Room {
    /// `status.conditions`, with other fields that its schema asks for.
    Conditions(Json),
    /// `status.conditionStatus`.
    ConditionStatus,
    Nowhere,
}

#[derive(Debug)]
pub(super) struct StatusWriter {
    caches: Caches,
    enabled: bool,
    /// What was said last, by the object's uid.
    said: Mutex<HashMap<String, u64>>,
}

impl StatusWriter {
    pub(super) fn new(caches: &Caches, enabled: bool) -> Self {
        Self { caches: caches.clone(), enabled, said: Mutex::default() }
    }

    pub(super) async fn write(&self, conditions: &[Condition]) -> Result<(), KubeError> {
        if !self.enabled {
            return Ok(());
        }
        let mut said = self.said.lock().await;
        let mut now = HashMap::new();
        let mut first = Ok(());
        for condition in conditions {
            let Some((kind, object)) = self.find(condition) else { continue };
            let uid = text(&object, "uid").to_owned();
            let digest = digest(condition, &object);
            if said.get(&uid) != Some(&digest) {
                let known = said.contains_key(&uid);
                if let Err(error) = self.say(condition, &kind, &object, known).await {
                    first = first.and(Err(error));
                    continue;
                }
            }
            now.insert(uid, digest);
        }
        *said = now;
        first
    }

    fn find(&self, condition: &Condition) -> Option<(Arc<Kind>, Value)> {
        let document = &condition.document;
        let kind = self.caches.discovery().get(&document.gvk()?)?.clone();
        let objects = self.caches.objects_of(&kind, document.namespace());
        let object = objects.into_iter().find(|object| text(object, "name") == document.name())?;
        Some((kind, object))
    }

    /// On the status where that is ours to write, else as an Event.
    async fn say(&self, condition: &Condition, kind: &Kind, object: &Value, known: bool) -> Result<(), KubeError> {
        if let Some(status) = status(condition, kind, object) {
            let path = format!("{}/status", kind.path(text(object, "namespace"), text(object, "name")));
            match self.caches.connection().apply(&path, &status, false).await {
                // Not every version of a definition has room for a condition; then it does not come back. Nor need we be
                // permitted to write there.
                Ok(written) if written.get("status").is_some_and(|status| status.to_json().contains("\"Ready\"")) => {
                    return Ok(());
                }
                Ok(_) | Err(KubeError::Refused { code: 403 | 404 | 409 | 422, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        // That all is well is worth an Event only after it was not.
        if condition.ready && !known {
            return Ok(());
        }
        let namespace = Some(text(object, "namespace")).filter(|text| !text.is_empty()).unwrap_or("default");
        let event = event(condition, object, namespace);
        match self.caches.connection().create(&format!("/api/v1/namespaces/{namespace}/events"), &event).await {
            // It has been said before.
            Err(error) if error.is_conflict() => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

fn room(kind: &Kind) -> Room {
    if !kind.has_sub_resource("status") {
        return Room::Nowhere;
    }
    match (&*kind.gvk.group, &*kind.gvk.kind) {
        ("policies.kyverno.io", _) => Room::ConditionStatus,
        // Kyverno's schema asks for these beside the condition.
        ("kyverno.io", "ClusterPolicy" | "Policy") => Room::Conditions(json!({
            "autogen": {},
            "rulecount": {"generate": 0, "mutate": 0, "validate": 0, "verifyimages": 0},
            "validatingadmissionpolicy": {"generated": false, "message": ""},
        })),
        // The API server's own controller speaks there.
        ("admissionregistration.k8s.io", _) => Room::Nowhere,
        _ => Room::Conditions(json!({})),
    }
}

/// The object to apply: its identity, and the status.
fn status(condition: &Condition, kind: &Kind, object: &Value) -> Option<Value> {
    let of = |conditions: &Value| {
        let all = conditions.as_array().unwrap_or_default();
        all.iter().find(|one| one.get("type").and_then(Value::as_str) == Some("Ready")).cloned()
    };
    let nested = object.dig(["status", "conditionStatus", "conditions"]);
    let before = nested.or_else(|| object.dig(["status", "conditions"])).and_then(of);
    let ready = if condition.ready { "True" } else { "False" };
    let text_of = |key: &str| before.as_ref().and_then(|before| before.get(key)).and_then(Value::as_str);
    let since = match text_of("lastTransitionTime") {
        Some(since) if text_of("status") == Some(ready) => since.to_owned(),
        _ => seconds(condition.time),
    };
    let message = shortened(&condition.message);
    let conditions = json!([{
        "type": "Ready",
        "status": ready,
        "reason": condition.reason,
        "message": message,
        "lastTransitionTime": since,
        "observedGeneration": object.dig(["metadata", "generation"]).and_then(Value::as_i64).unwrap_or_default(),
    }]);
    let status = match room(kind) {
        Room::Nowhere => return None,
        Room::ConditionStatus => {
            json!({"conditionStatus": {"conditions": conditions, "ready": condition.ready, "message": message}})
        }
        Room::Conditions(mut status) => {
            status.as_object_mut()?.insert("conditions".into(), conditions);
            status
        }
    };
    let mut metadata = json!({"name": text(object, "name")});
    if kind.namespaced {
        metadata.as_object_mut()?.insert("namespace".into(), text(object, "namespace").into());
    }
    Some(value(&json!({
        "apiVersion": kind.gvk.api_version(),
        "kind": &*kind.gvk.kind,
        "metadata": metadata,
        "status": status,
    })))
}

fn event(condition: &Condition, object: &Value, namespace: &str) -> Value {
    let time = seconds(condition.time);
    let member = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let stem: String = text(object, "name").chars().take(180).collect();
    let message = if condition.message.is_empty() { "the policy is in force" } else { &condition.message };
    value(&json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": format!("{stem}.{:016x}", digest(condition, object)),
            "namespace": namespace,
        },
        "involvedObject": {
            "apiVersion": member("apiVersion"),
            "kind": member("kind"),
            "name": text(object, "name"),
            "namespace": text(object, "namespace"),
            "uid": text(object, "uid"),
            "resourceVersion": text(object, "resourceVersion"),
        },
        "type": if condition.ready { "Normal" } else { "Warning" },
        "reason": condition.reason,
        "message": shortened(message),
        "source": {"component": "palisade"},
        "reportingComponent": "palisade.dev/palisade",
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    }))
}

/// What is said, about which version of the object.
fn digest(condition: &Condition, object: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    let generation = object.dig(["metadata", "generation"]).and_then(Value::as_i64);
    (condition.ready, &condition.reason, &condition.message, text(object, "uid"), generation).hash(&mut hasher);
    hasher.finish()
}

/// The text of a field of the metadata.
fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default()
}

/// Kubernetes' times have whole seconds.
fn seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

fn shortened(message: &str) -> String {
    let mut end = message.len().min(LONGEST);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.get(..end).unwrap_or_default().to_owned()
}
