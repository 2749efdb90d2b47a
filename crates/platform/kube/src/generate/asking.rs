//! What rules want for one trigger, asked on a thread that may block.
//!
//! Rules leave out what exists already. So that they name everything that they want, what they made for the trigger before
//! is hidden from them.

use std::sync::Arc;

use jiff::Timestamp;
use palisade_model::{PolicyRef, Resource, Str, Value, Verdict};
use palisade_policy::{
    AdmissionRequest, Effect, Environment, LookupError, Lookups, ObjectQuery, Operation, Phase, Policy, Request,
    RuleOutcome, RuleUpkeep, Variables, evaluate, forward_lookups,
};
use palisade_verdict::Ruleset;
use palisade_verdict::selection::{Mode, Subject};

use super::memory::generating;
use super::origin::{Identity, Origin};
use crate::controller::{Patience, uid_of};

/// What happened to a trigger since it was looked at last.
#[derive(Clone, Debug)]
pub(super) enum Happened {
    /// It was there when the generator began to look.
    Found,
    /// It was created.
    Created,
    /// It was changed; this is how it was.
    Updated(Value),
    /// It was removed; this is how it was.
    Removed(Value),
}

/// The answer of one rule about a trigger.
#[derive(Debug)]
pub(super) struct RuleAnswer {
    pub(super) policy: Arc<PolicyRef>,
    pub(super) identity: Identity,
    pub(super) rule: Str,
    pub(super) upkeep: RuleUpkeep,
    /// Whether it answers to what happened, not to the state alone.
    pub(super) to_event: bool,
    pub(super) verdict: Verdict,
    pub(super) message: String,
    pub(super) effect: Effect,
}

/// What an evaluation needs beside the trigger.
pub(super) struct Surroundings<'a> {
    pub(super) ruleset: &'a Ruleset,
    pub(super) lookups: &'a dyn Lookups,
    pub(super) now: Timestamp,
    pub(super) patience: &'a Patience,
}

impl Surroundings<'_> {
    /// What every rule says of the trigger as it is, or as it was where it is gone.
    pub(super) fn ask(&self, trigger: &Value, happened: Option<&Happened>) -> Vec<RuleAnswer> {
        let mut answers: Vec<RuleAnswer> = Vec::new();
        for (index, policy) in generating(self.ruleset) {
            let mut of_policy = Vec::new();
            match happened {
                Some(Happened::Removed(_)) => {
                    of_policy = self.ask_about(index, policy, trigger, &Value::Null, Operation::Delete, true);
                    of_policy.retain(|answer| answer.upkeep.removals);
                }
                Some(Happened::Updated(before)) => {
                    of_policy = self.ask_about(index, policy, trigger, before, Operation::Update, true);
                    let state = self.ask_about(index, policy, trigger, &Value::Null, Operation::Create, false);
                    for answer in state {
                        if !of_policy.iter().any(|known| known.rule == answer.rule) {
                            of_policy.push(answer);
                        }
                    }
                }
                Some(Happened::Created | Happened::Found) | None => {
                    let to_event = matches!(happened, Some(Happened::Created));
                    of_policy.extend(self.ask_about(index, policy, trigger, &Value::Null, Operation::Create, to_event));
                }
            }
            answers.extend(of_policy);
        }
        answers
    }

    fn ask_about(
        &self,
        index: usize,
        policy: &dyn Policy,
        trigger: &Value,
        before: &Value,
        operation: Operation,
        to_event: bool,
    ) -> Vec<RuleAnswer> {
        let Some(reference) = self.ruleset.references().get(index) else { return Vec::new() };
        let identity = Identity::of(reference);
        let resource = Resource::in_memory(trigger.clone());
        let mut request = AdmissionRequest::of(&resource, operation);
        if operation == Operation::Update {
            request.old_object = before.clone();
        }
        let request = Request::admission(request);
        let hiding = Hiding { lookups: self.lookups, policy: &identity, trigger: uid_of(trigger) };
        let variables = Variables::default();
        let environment = Environment { stop: Some(self.patience), ..Environment::new(self.now, &hiding, &variables) };
        let phases = [Phase::Mutate, Phase::Generate];
        let outcomes = phases.into_iter().flat_map(|phase| evaluate(policy, phase, &request, &environment));
        let switched_off = |outcome: &RuleOutcome| {
            let subject = Subject { policy: reference, rule: &outcome.rule, resource: &resource, file: "" };
            self.ruleset.overrides.settings(&subject).mode == Some(Mode::Off)
        };
        outcomes
            .filter_map(|outcome| {
                let upkeep = policy.info().upkeep.rule(&outcome.rule).cloned().unwrap_or_default();
                let ours = outcome.phase == Phase::Generate || upkeep.targets;
                (ours && !switched_off(&outcome)).then(|| RuleAnswer {
                    policy: reference.clone(),
                    identity: identity.clone(),
                    rule: outcome.rule,
                    upkeep,
                    to_event,
                    verdict: outcome.verdict,
                    message: outcome.message,
                    effect: outcome.effect,
                })
            })
            .collect()
    }
}

/// A cluster without what a policy made for a trigger.
struct Hiding<'a> {
    lookups: &'a dyn Lookups,
    policy: &'a Identity,
    trigger: Str,
}

impl Hiding<'_> {
    fn hides(&self, object: &Value) -> bool {
        Origin::read(object).is_some_and(|origin| origin.policy == *self.policy && origin.trigger_uid == self.trigger)
    }
}

impl Lookups for Hiding<'_> {
    forward_lookups!(|this| this.lookups; objects, call, http, send, global_context, image, namespace);

    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        let object = self.lookups.get(query)?;
        if self.hides(&object) { Err(LookupError::NotFound(query.name.to_string())) } else { Ok(object) }
    }

    fn list(&self, query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
        let mut objects = self.lookups.list(query)?;
        objects.retain(|object| !self.hides(object));
        Ok(objects)
    }
}
