//! What controllers did to the cluster, told to the server and to those who look at events in the cluster.
//!
//! A failure that repeats is told once. Deliberately absent: waiting for anybody; an event that cannot be written is lost,
//! the server's record is not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use palisade_model::decision::Subject;
use palisade_model::{PolicyRef, Str, Value, json};
use palisade_runtime::Clock;

use super::Failure;
use crate::Caches;

/// What a controller did to the cluster, or could not do.
#[derive(Clone, Debug)]
pub struct Action {
    /// What was done.
    pub kind: ActionKind,
    /// The policy that asked for it; `None` for the label that removes objects.
    pub policy: Option<Arc<PolicyRef>>,
    /// Its rule.
    pub rule: Str,
    /// The object that was changed, or that the failure is about.
    pub object: Subject,
    /// The object that was the reason, where it is another one.
    pub trigger: Option<Subject>,
    /// What happened, in words.
    pub message: String,
    /// When.
    pub time: Timestamp,
}

/// Kinds of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionKind {
    /// An object was generated.
    Created,
    /// A generated object was brought back in step, or an existing one changed.
    Updated,
    /// An object was removed.
    Removed,
    /// Something could not be done.
    Failed,
}

impl ActionKind {
    /// As records write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Removed => "removed",
            Self::Failed => "failed",
        }
    }
}

/// Who hears what the controllers did. What is told may be told again after a restart, and must not block for long.
pub trait ActionSink: Send + Sync {
    /// Something was done.
    fn acted(&self, action: Action) -> BoxFuture<'_, Result<(), Failure>>;
}

/// The most failures that are remembered as told.
const REMEMBERED: usize = 4_096;

/// Tells what was done.
pub(crate) struct Teller {
    caches: Caches,
    sink: Arc<dyn ActionSink>,
    clock: Clock,
    told: Mutex<HashMap<(Str, Str, Subject), String>>,
}

impl Teller {
    pub(crate) fn new(caches: &Caches, sink: Arc<dyn ActionSink>, clock: Clock) -> Self {
        Self { caches: caches.clone(), sink, clock, told: Mutex::default() }
    }

    /// Tells of something that was done to `object` because of `trigger`.
    pub(crate) async fn tell(
        &self,
        kind: ActionKind,
        (policy, rule): (Option<&Arc<PolicyRef>>, &Str),
        object: &Subject,
        trigger: Option<&Subject>,
        message: impl Into<String>,
    ) {
        let message = message.into();
        let name: Str = policy.map(|policy| policy.to_string().into()).unwrap_or_default();
        if !self.is_news(kind, (name, rule.clone(), object.clone()), &message) {
            return;
        }
        let action = Action {
            kind,
            policy: policy.cloned(),
            rule: rule.clone(),
            object: object.clone(),
            trigger: trigger.cloned(),
            message,
            time: self.clock.now(),
        };
        tracing::info!(action = kind.as_str(), kind = %object.kind, namespace = %object.namespace, name = %object.name,
            policy = policy.map(tracing::field::display), rule = %rule, message = %action.message, "a controller acted");
        let (path, event) = event(&action);
        if let Err(error) = self.caches.connection().create(&path, &event).await {
            tracing::debug!(%error, "an event could not be written");
        }
        if let Err(error) = self.sink.acted(action).await {
            tracing::warn!(%error, "what a controller did could not be recorded");
        }
    }

    fn is_news(&self, kind: ActionKind, about: (Str, Str, Subject), message: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if kind != ActionKind::Failed {
            told.remove(&about);
            return true;
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert(about, message.to_owned()).as_deref() != Some(message)
    }
}

/// An event about the object, and where it is created. Events about objects outside of namespaces live in `default`.
fn event(action: &Action) -> (String, Value) {
    let object = &action.object;
    let namespace = if object.namespace.is_empty() { "default" } else { &*object.namespace };
    let (reason, importance) = match action.kind {
        ActionKind::Failed => ("PolicyError", "Warning"),
        _ => ("PolicyApplied", "Normal"),
    };
    let policy = action.policy.as_ref().map(|policy| format!("policy {policy}")).unwrap_or_default();
    let rule = if action.rule.is_empty() { String::new() } else { format!(" rule {}", action.rule) };
    let by = if policy.is_empty() { String::new() } else { format!("{policy}{rule}: ") };
    let message: String = format!("{by}{}", action.message).chars().take(1_000).collect();
    let time = action.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let event = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "palisade-", "namespace": namespace},
        "involvedObject": {
            "apiVersion": object.kind.api_version(), "kind": &*object.kind.kind, "namespace": &*object.namespace,
            "name": &*object.name, "uid": &*object.uid
        },
        "reason": reason,
        "type": importance,
        "message": message,
        "source": {"component": "palisade"},
        "reportingComponent": "palisade",
        "reportingInstance": "palisade",
        "action": action.kind.as_str(),
        "count": 1,
        "firstTimestamp": time,
        "lastTimestamp": time
    });
    (format!("/api/v1/namespaces/{namespace}/events"), event)
}
