//! What judges: the policies of one moment, with everything that settles what their verdicts lead to.

use std::fmt::Write as _;
use std::sync::Arc;

use palisade_model::{PolicyRef, Resource, Str};
use palisade_policy::selection::{Mode, Overrides, Subject};
use palisade_policy::waiver::Waivers;
use palisade_policy::{AdmissionRequest, FailurePolicy, Phase, Policy, PolicySet, digest};

use crate::index::Index;

/// Policies and agreements that judge together. Replaced as a whole, never changed.
#[derive(Debug)]
pub struct Ruleset {
    /// The policies.
    pub policies: PolicySet,
    /// How rules are enforced where.
    pub overrides: Overrides,
    /// Waivers that were granted.
    pub waivers: Waivers,
    /// SHA-256 over the policies' digests and the agreements, in hexadecimal.
    pub digest: Str,
    references: Vec<Arc<PolicyRef>>,
    index: Index,
    /// Whether any override switches something off.
    switches_off: bool,
}

/// Which policies are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Door {
    /// Those that stand before a cluster, of one failure policy where it says which.
    Admission(Option<FailurePolicy>),
    /// Those that look at what exists.
    Background,
    /// All that select the object, for controllers.
    Controller,
}

impl Ruleset {
    /// Policies, and what was agreed on about them. `agreements` is the canonical text of overrides and waivers, for the
    /// digest.
    pub fn new(policies: PolicySet, overrides: Overrides, waivers: Waivers, agreements: &str) -> Self {
        let references: Vec<_> =
            policies.policies().iter().map(|policy| Arc::new(policy.reference().clone())).collect();
        let mut text = String::new();
        for reference in &references {
            // Writing into a text cannot fail.
            let _ = writeln!(text, "{reference} {}", reference.digest);
        }
        text.push_str(agreements);
        let index = Index::new(policies.policies());
        let switches_off = overrides.0.iter().any(|entry| entry.mode == Some(Mode::Off));
        Self { policies, overrides, waivers, digest: digest(&text), references, index, switches_off }
    }

    /// The policies' identities, in their order, shared by everything that is said about them.
    pub fn references(&self) -> &[Arc<PolicyRef>] {
        &self.references
    }

    /// Visits the policies of `phase` that may have something to say about the request here and are not switched off for
    /// its object, in order.
    pub(crate) fn each<'s>(
        &'s self,
        phase: Phase,
        request: &AdmissionRequest,
        door: Door,
        mut visit: impl FnMut(usize, &'s dyn Policy),
    ) {
        let resource = self.switches_off.then(|| Resource::in_memory(request.subject().clone()));
        for index in self.index.candidates(request) {
            let Some(policy) = self.policies.policies().get(index) else { continue };
            let asked = policy.info().has_phase(phase) && door.admits(&**policy, request);
            if asked && !resource.as_ref().is_some_and(|resource| self.is_off(index, &**policy, resource)) {
                visit(index, &**policy);
            }
        }
    }

    /// Whether every rule of the policy is switched off for the object.
    fn is_off(&self, index: usize, policy: &dyn Policy, resource: &Resource) -> bool {
        let Some(reference) = self.references.get(index) else { return false };
        let off = |rule: &str| {
            let subject = Subject { policy: reference, rule, resource, file: "" };
            self.overrides.settings(&subject).mode == Some(Mode::Off)
        };
        policy.rules().iter().all(|rule| off(&rule.name))
    }
}

impl Door {
    fn admits(self, policy: &dyn Policy, request: &AdmissionRequest) -> bool {
        let reach = &policy.info().reach;
        match self {
            Self::Admission(only) => {
                reach.admission && only.is_none_or(|only| only == reach.failure_policy) && reach.selects(request)
            }
            // What exists is of no operation: the policy itself knows what it makes of that.
            Self::Background => reach.background,
            Self::Controller => true,
        }
    }
}
