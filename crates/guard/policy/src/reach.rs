//! Where a policy is asked: at which checkpoints, about which requests, and what follows when nobody answers.
//!
//! Checkpoints that cannot offer every request to every policy (a webhook registration, a scan of live objects) read it
//! here. Deliberately absent: the exact selection, which stays the policy's own; a reach may be wider than what the policy
//! selects, never narrower.

use palisade_model::Str;

use crate::Operation;

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
        }
    }
}
