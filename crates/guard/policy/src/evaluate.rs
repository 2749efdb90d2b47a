//! The guard around each evaluation: what goes wrong in an engine is an error verdict, never a pass.

use std::panic::{AssertUnwindSafe, catch_unwind};

use palisade_model::{Path, Verdict};

use crate::environment::STOPPED;
use crate::{Environment, Phase, Policy, Request, RuleOutcome};

/// Asks one policy. A panic inside it is a bug of ours: it becomes an error verdict for every rule of the phase, and so
/// does an evaluation that was stopped before it was over.
pub fn evaluate(
    policy: &dyn Policy,
    phase: Phase,
    request: &Request,
    environment: &Environment<'_>,
) -> Vec<RuleOutcome> {
    let request = if policy.info().judges_written { request.as_written() } else { request };
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
