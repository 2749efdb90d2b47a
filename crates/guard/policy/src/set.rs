//! Policies together: selection, order of phases, and the guard around each evaluation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use palisade_model::{Path, Value, Verdict};

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
        let mut outcomes = Vec::new();
        let mut patched: Option<Request> = None;
        for (index, policy) in self.policies.iter().enumerate() {
            for outcome in evaluate(&**policy, Phase::Mutate, patched.as_ref().unwrap_or(request), environment) {
                if let Effect::Patched(object) = &outcome.effect {
                    patched = Some(request.with_object(object.clone()));
                }
                outcomes.push((index, outcome));
            }
        }
        let current = patched.as_ref().unwrap_or(request);
        for phase in [Phase::Validate, Phase::Generate] {
            for (index, policy) in self.policies.iter().enumerate() {
                outcomes.extend(evaluate(&**policy, phase, current, environment).into_iter().map(|o| (index, o)));
            }
        }
        let patched = patched.and_then(|request| request.as_admission().map(|request| request.subject().clone()));
        Judgement { outcomes, patched }
    }
}

/// Asks one policy. A panic inside it is a bug of ours: it becomes an error verdict for every rule of the phase.
pub fn evaluate(
    policy: &dyn Policy,
    phase: Phase,
    request: &Request,
    environment: &Environment<'_>,
) -> Vec<RuleOutcome> {
    let has_phase = policy.rules().iter().any(|rule| rule.phase == phase);
    if !has_phase || !policy.may_apply(request) {
        return Vec::new();
    }
    catch_unwind(AssertUnwindSafe(|| policy.evaluate(phase, request, environment))).unwrap_or_else(|panic| {
        let why = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        let message = format!("the policy engine failed: {why}; please report this as a bug of Palisade");
        let rules = policy.rules().iter().filter(|rule| rule.phase == phase);
        rules
            .map(|rule| RuleOutcome::new(rule.name.clone(), phase, Verdict::Error, message.clone()).at(Path::root()))
            .collect()
    })
}
