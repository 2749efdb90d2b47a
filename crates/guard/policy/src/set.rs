//! Policies together: selection, order of phases, and the guard around each evaluation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use palisade_model::{Path, Value, Verdict};

use crate::environment::STOPPED;
use crate::{Effect, Environment, Phase, Policy, Request, RuleOutcome};

/// Policies that judge together.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    policies: Vec<Arc<dyn Policy>>,
}

/// All outcomes about one request, with the object as it is after mutation.
#[derive(Debug)]
pub struct Judgement {
    /// Index of the policy in the set and its outcome, in order of phase and policy.
    pub outcomes: Vec<(usize, RuleOutcome)>,
    /// The object after all mutations; `None` where nothing changed it.
    pub patched: Option<Value>,
}

impl PolicySet {
    /// A set that asks the policies in this order.
    pub fn new(policies: Vec<Arc<dyn Policy>>) -> Self {
        Self { policies }
    }

    /// The policies in order.
    pub fn policies(&self) -> &[Arc<dyn Policy>] {
        &self.policies
    }

    /// Mutates, then validates the mutated object, then generates, as the Kubernetes API server orders webhooks.
    pub fn judge(&self, request: &Request, environment: &Environment<'_>) -> Judgement {
        let (mut judgement, changed) = self.mutate_request(request, environment);
        let current = changed.as_ref().unwrap_or(request);
        for phase in [Phase::Validate, Phase::Generate] {
            for (index, policy) in self.policies.iter().enumerate() {
                let outcomes = evaluate(&**policy, phase, current, environment);
                judgement.outcomes.extend(outcomes.into_iter().map(|outcome| (index, outcome)));
            }
        }
        judgement
    }

    /// Only mutates: each policy sees the object as the ones before left it.
    pub fn mutate(&self, request: &Request, environment: &Environment<'_>) -> Judgement {
        self.mutate_request(request, environment).0
    }

    fn mutate_request(&self, request: &Request, environment: &Environment<'_>) -> (Judgement, Option<Request>) {
        let mut outcomes = Vec::new();
        let mut patched = None;
        let mut changed: Option<Request> = None;
        for (index, policy) in self.policies.iter().enumerate() {
            for outcome in evaluate(&**policy, Phase::Mutate, changed.as_ref().unwrap_or(request), environment) {
                if let Effect::Patched(object) = &outcome.effect {
                    changed = Some(request.with_object(object.clone()));
                    patched = Some(object.clone());
                }
                outcomes.push((index, outcome));
            }
        }
        (Judgement { outcomes, patched }, changed)
    }
}

/// Asks one policy. A panic inside it is a bug of ours: it becomes an error verdict for every rule of the phase, and so
/// does an evaluation that was stopped before it was over.
pub fn evaluate(
    policy: &dyn Policy,
    phase: Phase,
    request: &Request,
    environment: &Environment<'_>,
) -> Vec<RuleOutcome> {
    if !policy.info().has_phase(phase) || !policy.may_apply(request) {
        return Vec::new();
    }
    let failed = |message: &str| {
        let rules = policy.rules().iter().filter(|rule| rule.phase == phase);
        rules.map(|rule| RuleOutcome::new(rule.name.clone(), phase, Verdict::Error, message).at(Path::root())).collect()
    };
    if environment.is_stopped() {
        return failed(STOPPED);
    }
    let outcomes = catch_unwind(AssertUnwindSafe(|| policy.evaluate(phase, request, environment)));
    if environment.is_stopped() {
        return failed(STOPPED);
    }
    outcomes.unwrap_or_else(|panic| {
        let why = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        failed(&format!("the policy engine failed: {why}; please report this as a bug of Palisade"))
    })
}
