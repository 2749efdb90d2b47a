//! What judges: the policies of one moment, with everything that settles what their verdicts lead to.

use std::fmt::Write as _;
use std::sync::Arc;

use palisade_model::{PolicyRef, Resource, Str};
use palisade_policy::{Policy, digest};

use crate::index::Index;
use crate::selection::{Mode, Overrides, Subject};
use crate::waiver::Waivers;

/// Policies and agreements that judge together. Replaced as a whole, never changed.
#[derive(Debug)]
pub struct Ruleset {
    /// How rules are enforced where.
    pub overrides: Overrides,
    /// Waivers that were granted.
    pub waivers: Waivers,
    /// SHA-256 over the policies' digests and the agreements, in hexadecimal.
    pub digest: Str,
    policies: Vec<Arc<dyn Policy>>,
    references: Vec<Arc<PolicyRef>>,
    pub(crate) index: Index,
    /// Whether any override switches something off.
    pub(crate) switches_off: bool,
}

impl Ruleset {
    /// Policies, and what was agreed on about them. `agreements` is the canonical text of overrides and waivers, for the
    /// digest.
    pub fn new(policies: Vec<Arc<dyn Policy>>, overrides: Overrides, waivers: Waivers, agreements: &str) -> Self {
        let references: Vec<_> = policies.iter().map(|policy| Arc::new(policy.reference().clone())).collect();
        let mut text = String::new();
        for reference in &references {
            // Writing into a text cannot fail.
            let _ = writeln!(text, "{reference} {}", reference.digest);
        }
        text.push_str(agreements);
        let index = Index::new(&policies);
        let switches_off = overrides.0.iter().any(|entry| entry.mode == Some(Mode::Off));
        Self { overrides, waivers, digest: digest(&text), policies, references, index, switches_off }
    }

    /// Policies about which nothing was agreed.
    pub fn of(policies: Vec<Arc<dyn Policy>>) -> Self {
        Self::new(policies, Overrides::default(), Waivers::default(), "")
    }

    /// The policies, in order.
    pub fn policies(&self) -> &[Arc<dyn Policy>] {
        &self.policies
    }

    /// The policies' identities, in their order, shared by everything that is said about them.
    pub fn references(&self) -> &[Arc<PolicyRef>] {
        &self.references
    }

    /// Whether every rule of the policy is switched off for the object.
    pub(crate) fn is_off(&self, index: usize, policy: &dyn Policy, resource: &Resource, file: &str) -> bool {
        let Some(reference) = self.references.get(index) else { return false };
        let off = |rule: &str| {
            let subject = Subject { policy: reference, rule, resource, file };
            self.overrides.settings(&subject).mode == Some(Mode::Off)
        };
        policy.rules().iter().all(|rule| off(&rule.name))
    }
}
