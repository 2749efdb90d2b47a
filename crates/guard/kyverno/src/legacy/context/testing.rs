//! What unit tests judge: a small Pod, offline.

use jiff::Timestamp;
use palisade_model::{Resource, Value, json};
use palisade_policy::{AdmissionRequest, Environment, Offline, Operation, Variables};

use super::{Names, RuleContext};
use crate::legacy::variables::Queries;

/// A request with what surrounds it.
pub(crate) struct Fixture {
    pub(crate) admission: AdmissionRequest,
    environment: Environment<'static>,
    queries: Queries,
}

impl Fixture {
    /// A request that creates a small Pod.
    pub(crate) fn pod() -> Self {
        Self::of(
            json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {
                    "name": "web", "namespace": "shop", "labels": {"web": "label-of-web"},
                    "annotations": {"tricky": "{{ boom }}", "loop": "{{ request.object.metadata.annotations.loop }}"}
                },
                "spec": {"containers": [{"name": "a", "image": "nginx:1.2", "ports": [80, 81]}]}
            }),
            Operation::Create,
            Variables::default(),
        )
    }

    /// A request about an object.
    pub(crate) fn of(object: Value, operation: Operation, variables: Variables) -> Self {
        let variables = Box::leak(Box::new(variables));
        let environment =
            Environment { step_limit: 100_000, ..Environment::new(Timestamp::UNIX_EPOCH, &Offline, variables) };
        let admission = AdmissionRequest::of(&Resource::in_memory(object), operation);
        Self { admission, environment, queries: Queries::default() }
    }

    /// A context of a rule called `rule` in a policy called `policy`.
    pub(crate) fn context(&self) -> RuleContext<'_> {
        let names = Names { policy: "policy", namespace: "", rule: "rule" };
        RuleContext::new(names, &self.admission, &self.environment, &self.queries)
    }
}
