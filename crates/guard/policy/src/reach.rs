//! Where a policy is asked: at which checkpoints, about which requests, and what follows when nobody answers.
//!
//! Checkpoints that cannot offer every request to every policy (a webhook registration, a scan of live objects) read it
//! here. Deliberately absent: the exact selection, which stays the policy's own; a reach may be wider than what the policy
//! selects, never narrower.

use palisade_model::{Resource, Str, Value, wildcard};

use crate::{AdmissionRequest, Operation};

/// Where a policy is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Whether it is asked at admission.
    pub admission: bool,
    /// Whether it is asked about objects that exist.
    pub background: bool,
    /// What the API server does with a request that nobody answered.
    pub failure_policy: FailurePolicy,
    /// The most seconds that the API server waits for an answer, where the policy says so.
    pub timeout_seconds: Option<u8>,
    /// The requests that it may select.
    pub matches: Vec<Matched>,
    /// Whether it judges pods that custom kinds hold, too, wherever such objects are offered: nobody asks for them by kind.
    pub hidden_pods: bool,
}

/// What happens to a request that could not be judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FailurePolicy {
    /// It is refused.
    #[default]
    Fail,
    /// It passes.
    Ignore,
}

/// Requests of some operations on some kinds. An empty list of operations means all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Which objects.
    pub objects: Objects,
    /// What happens to them.
    pub operations: Vec<Operation>,
}

/// Objects by resource, as webhook configurations name them, or by kind, as Kyverno does. `*` stands for anything, alone or
/// in part; the lists are alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objects {
    /// By plural resource name, with the subresource behind a slash: `pods`, `pods/exec`, `*/*`.
    Resources {
        /// API groups; the core group is the empty string.
        groups: Vec<Str>,
        /// API versions.
        versions: Vec<Str>,
        /// Resources.
        resources: Vec<Str>,
    },
    /// By kind.
    Kind {
        /// API group; `*` where the policy names none.
        group: Str,
        /// API version; `*` where the policy names none.
        version: Str,
        /// Kind.
        kind: Str,
        /// Subresource; empty for the object itself.
        sub_resource: Str,
    },
}

impl Reach {
    /// Asked about these requests, everywhere, with the failure policy and time-out that `spec` of a policy gives.
    pub fn of(matches: Vec<Matched>, document: &Resource) -> Self {
        let spec = document.object.get("spec");
        let webhook = spec.and_then(|spec| spec.get("webhookConfiguration"));
        let setting = |keys: [&str; 2]| {
            let [in_webhook, in_spec] = keys;
            webhook.and_then(|webhook| webhook.get(in_webhook)).or_else(|| spec?.get(in_spec))
        };
        let ignored = setting(["failurePolicy", "failurePolicy"]).and_then(Value::as_str) == Some("Ignore");
        let seconds = setting(["timeoutSeconds", "webhookTimeoutSeconds"]).and_then(Value::as_i64);
        Self {
            failure_policy: if ignored { FailurePolicy::Ignore } else { FailurePolicy::Fail },
            timeout_seconds: seconds.and_then(|seconds| u8::try_from(seconds).ok()).filter(|s| (1..=30).contains(s)),
            matches,
            ..Self::default()
        }
    }

    /// Whether the request may be selected.
    pub fn selects(&self, request: &AdmissionRequest) -> bool {
        self.matches.iter().any(|matched| matched.selects(request))
    }
}

impl Matched {
    /// Whether the request may be selected.
    pub fn selects(&self, request: &AdmissionRequest) -> bool {
        (self.operations.is_empty() || self.operations.contains(&request.operation)) && self.objects.include(request)
    }
}

impl Objects {
    /// Objects of a kind, whatever its group and version.
    pub fn kind(kind: &str) -> Self {
        let any = || Str::from("*");
        Self::Kind { group: any(), version: any(), kind: kind.into(), sub_resource: "".into() }
    }

    /// Whether the request is about such objects.
    pub fn include(&self, request: &AdmissionRequest) -> bool {
        match self {
            Self::Resources { groups, versions, resources } => {
                let listed = |list: &[Str], text: &Str| list.iter().any(|item| wildcard::matches(item, text));
                listed(groups, request.resource_group())
                    && listed(versions, request.resource_version())
                    && resources.iter().any(|pattern| {
                        let (resource, sub_resource) = pattern.split_once('/').unwrap_or((pattern, ""));
                        wildcard::matches(resource, &request.resource)
                            && wildcard::matches(sub_resource, &request.sub_resource)
                    })
            }
            Self::Kind { group, version, kind, sub_resource } => {
                let parent = request.parent_kind();
                wildcard::matches(kind, &parent.kind)
                    && wildcard::matches(group, &parent.group)
                    && wildcard::matches(version, &parent.version)
                    && wildcard::matches(sub_resource, &request.sub_resource)
            }
        }
    }
}

impl Default for Reach {
    /// Everything, everywhere.
    fn default() -> Self {
        let all = || vec![Str::from("*")];
        let objects = Objects::Resources { groups: all(), versions: all(), resources: vec!["*/*".into()] };
        Self {
            admission: true,
            background: true,
            failure_policy: FailurePolicy::default(),
            timeout_seconds: None,
            matches: vec![Matched { objects, operations: Vec::new() }],
            hidden_pods: false,
        }
    }
}
