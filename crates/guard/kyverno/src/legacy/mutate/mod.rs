//! `mutate` rules: what a resource, or existing objects, become.
//!
//! Called with a rule that has already selected the request, with its context entries declared and its preconditions
//! met. Deliberately absent: exceptions and the order of rules, which are the rule engine's, and writing anything
//! anywhere: a mutation is a value in the outcome.

mod foreach;
mod json_patch;
mod patcher;
mod strategic;
mod targets;
#[cfg(test)]
mod tests;

use palisade_model::{GroupVersionKind, Resource, Value, Verdict};
use palisade_policy::Effect;

use crate::legacy::condition::{Conditions, Outcome};
use crate::legacy::context::RuleContext;
use crate::legacy::spec::{Mutation, Rule};
use crate::legacy::validate::evaluate;

pub(crate) use json_patch::problem as json_patch_problem;
pub use strategic::{MergeError, strategic_merge};

/// What came of one object.
#[derive(Clone, Debug)]
pub struct Mutated {
    /// Pass where it changed, skip where it did not.
    pub verdict: Verdict,
    /// What happened, in Kyverno's words.
    pub message: String,
    /// The object as it is now, or the target.
    pub effect: Effect,
}

impl Mutated {
    fn error(message: impl Into<String>) -> Self {
        Self { verdict: Verdict::Error, message: message.into(), effect: Effect::None }
    }

    fn skip(message: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skip, message: message.into(), effect: Effect::None }
    }

    fn changed(object: Value, effect: impl FnOnce(Value) -> Effect) -> Self {
        let resource = Resource::in_memory(object.clone());
        let kind = GroupVersionKind::of(&object).map(|gvk| gvk.kind).unwrap_or_default();
        let namespace = match resource.namespace() {
            "" => String::new(),
            namespace => format!(" in namespace {namespace}"),
        };
        let message = format!("mutated {kind}/{}{namespace}", resource.name());
        Self { verdict: Verdict::Pass, message, effect: effect(object) }
    }
}

/// Applies a mutate rule to a resource: one outcome, or one per target where the rule changes existing objects.
pub fn apply_rule<'a>(
    rule: &'a Rule,
    mutation: &'a Mutation,
    object: &Value,
    context: &RuleContext<'a>,
) -> Vec<Mutated> {
    if mutation.targets.is_empty() {
        vec![outcome(rule, mutation, object, context, Effect::Patched)]
    } else {
        targets::apply(rule, mutation, context)
    }
}

/// Applies a rule's change to one object.
fn outcome<'a>(
    rule: &'a Rule,
    mutation: &'a Mutation,
    object: &Value,
    context: &RuleContext<'a>,
    effect: impl FnOnce(Value) -> Effect,
) -> Mutated {
    let (changed, unchanged) = match &mutation.patch {
        Some(patch) => (patcher::apply_in_rule(rule, mutation, patch, object, context), "no patches applied"),
        None => (foreach::apply(&mutation.foreach, object, context), "0 elements processed"),
    };
    match changed {
        Ok(Some(object)) => Mutated::changed(object, effect),
        Ok(None) => Mutated::skip(unchanged),
        Err(message) => Mutated::error(message),
    }
}

/// Whether preconditions are met; absent ones are.
fn check(conditions: Option<&Conditions>, context: &RuleContext<'_>) -> Result<Outcome, String> {
    let met = || Ok(Outcome { met: true, message: String::new() });
    conditions.map_or_else(met, |conditions| evaluate(conditions, context))
}
