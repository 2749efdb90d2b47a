//! Which object of the cluster, and for how long policies may think about it.

use std::time::{Duration, Instant};

use palisade_model::decision::Subject;
use palisade_model::{GroupVersionKind, Str, Value};
use palisade_policy::{ObjectQuery, Stop};
use tokio_util::sync::CancellationToken;

use crate::Kind;

/// The longest that the policies may take over one object.
const LIMIT: Duration = Duration::from_secs(20);

/// An object of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectKey {
    /// Group, version and kind.
    pub(crate) gvk: GroupVersionKind,
    /// Namespace; empty for cluster-scoped objects.
    pub(crate) namespace: Str,
    /// Name.
    pub(crate) name: Str,
}

impl ObjectKey {
    /// The look-up that finds it.
    pub(crate) fn query(&self) -> ObjectQuery {
        ObjectQuery {
            group: self.gvk.group.clone(),
            version: self.gvk.version.clone(),
            resource: self.gvk.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// The object with this identifier as the subject of a decision.
    pub(crate) fn subject(&self, uid: Str) -> Subject {
        Subject {
            kind: self.gvk.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid,
            sub_resource: "".into(),
        }
    }

    /// The object that a decision is about.
    pub(crate) fn of(subject: &Subject) -> Self {
        Self { gvk: subject.kind.clone(), namespace: subject.namespace.clone(), name: subject.name.clone() }
    }

    /// The object of a kind that looks like this.
    pub(crate) fn named_by(kind: &Kind, object: &Value) -> Self {
        let text = |key| object.dig(["metadata", key]).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        Self { gvk: kind.gvk.clone(), namespace: text("namespace"), name: text("name") }
    }
}

/// The identifier of an object in its cluster.
pub(crate) fn uid_of(object: &Value) -> Str {
    object.dig(["metadata", "uid"]).and_then(Value::as_shared_str).cloned().unwrap_or_default()
}

/// Nobody waits any more: the time is over, or the controller stops.
pub(crate) struct Patience {
    deadline: Instant,
    stop: CancellationToken,
}

impl Patience {
    /// Ends with `stop`, and when the policies took too long over one object.
    pub(crate) fn until(stop: &CancellationToken) -> Self {
        Self { deadline: Instant::now() + LIMIT, stop: stop.clone() }
    }
}

impl Stop for Patience {
    fn is_requested(&self) -> bool {
        self.stop.is_cancelled() || Instant::now() >= self.deadline
    }
}
