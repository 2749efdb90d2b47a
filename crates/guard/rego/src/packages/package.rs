//! One package with checks, as a policy.

use std::sync::Arc;

use palisade_policy::{Environment, Phase, Policy, PolicyInfo, Request, RuleOutcome};

use super::engine::Engine;

/// A package of an engine.
#[derive(Debug)]
pub(super) struct PackagePolicy {
    pub(super) info: PolicyInfo,
    pub(super) engine: Arc<Engine>,
    /// Its number among the packages of the engine.
    pub(super) number: usize,
}

impl Policy for PackagePolicy {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    /// Always: what a check is about is known to its conditions alone.
    fn may_apply(&self, _request: &Request) -> bool {
        true
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        if phase == Phase::Validate { self.engine.outcomes(self.number, request, environment) } else { Vec::new() }
    }
}
