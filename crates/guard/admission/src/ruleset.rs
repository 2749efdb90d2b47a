//! What judges: the policies of one moment, with everything that settles what their verdicts lead to.

use std::sync::Arc;

use palisade_model::{PolicyRef, Str};
use palisade_policy::selection::Overrides;
use palisade_policy::waiver::Waivers;
use palisade_policy::{PolicySet, digest};

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
}

impl Ruleset {
    /// Policies, and what was agreed on about them. `agreements` is the canonical text of overrides and waivers, for the
    /// digest.
    pub fn new(policies: PolicySet, overrides: Overrides, waivers: Waivers, agreements: &str) -> Self {
        let references: Vec<_> =
            policies.policies().iter().map(|policy| Arc::new(policy.reference().clone())).collect();
        let mut text: String = references.iter().map(|reference| format!("{} {}\n", reference, reference.digest)).collect();
        text.push_str(agreements);
        Self { policies, overrides, waivers, digest: digest(&text), references }
    }

    /// The policies' identities, in their order, shared by everything that is said about them.
    pub fn references(&self) -> &[Arc<PolicyRef>] {
        &self.references
    }
}
