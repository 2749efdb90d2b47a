//! From a request to a decision: which policies are asked, in which order, and what their answers come to.

use std::sync::Arc;

use palisade_model::{Actor, Checkpoint, Decision, PolicyRef, Resource, Str, Subject, Value};
use palisade_policy::set::evaluate;
use palisade_policy::{AdmissionRequest, Effect, Environment, Operation, Phase, Request, RuleOutcome, digest};

use crate::ruleset::Door;
use crate::settling::Settlement;
use crate::{Review, Ruleset};

/// What a policy answered, for those who act on it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Which policy of the ruleset, counted from 0.
    pub policy: usize,
    /// Its identity.
    pub reference: Arc<PolicyRef>,
    /// The answer of one of its rules.
    pub outcome: RuleOutcome,
}

impl Ruleset {
    /// Whether the request may happen: the answer of a validating webhook.
    pub fn validate(&self, review: &Review, environment: &Environment<'_>) -> Decision {
        let request = Request::admission(review.request.clone());
        let answers = self.ask(Phase::Validate, &request, Door::Admission(review.asked), environment);
        self.decide(review, Settlement::of(self, &review.request, answers, environment), environment)
    }

    /// What the object becomes on its way in: the answer of a mutating webhook.
    pub fn mutate(&self, review: &Review, environment: &Environment<'_>) -> Decision {
        let request = Request::admission(review.request.clone());
        let (answers, patched) = self.change(&request, Door::Admission(review.asked), environment);
        let settlement = Settlement::of(self, &review.request, answers, environment);
        let patched = patched.filter(|object| *object != review.request.object);
        Decision { patched, ..self.decide(review, settlement, environment) }
    }

    /// What the policies that look at existing objects say of one. Nothing is denied any more: `allowed` tells whether it
    /// would be.
    pub fn scan(&self, object: &Value, environment: &Environment<'_>) -> Decision {
        let admission = AdmissionRequest::of(&Resource::in_memory(object.clone()), Operation::Create);
        let request = Request::admission(admission.clone());
        let answers = self.ask(Phase::Validate, &request, Door::Background, environment);
        let settlement = Settlement::of(self, &admission, answers, environment);
        let decision = self.answer(Checkpoint::Scan, &admission, settlement, environment);
        Decision { input_digest: digest(&object.to_canonical_json()), ..decision }
    }

    /// What policies answer in a phase whose effects somebody else brings about: objects to generate, existing targets to
    /// change, objects to remove. Policies that are switched off for the object are left out.
    pub fn answers(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<Answer> {
        let answers = self.ask(phase, request, Door::Controller, environment).into_iter();
        answers
            .filter_map(|(policy, outcome)| {
                Some(Answer { policy, reference: self.references().get(policy)?.clone(), outcome })
            })
            .collect()
    }

    fn ask(
        &self,
        phase: Phase,
        request: &Request,
        door: Door,
        environment: &Environment<'_>,
    ) -> Vec<(usize, RuleOutcome)> {
        let mut answers = Vec::new();
        let Some(admission) = request.as_admission() else { return answers };
        self.each(phase, admission, door, |index, policy| {
            let outcomes = evaluate(policy, phase, request, environment);
            answers.extend(outcomes.into_iter().map(|outcome| (index, outcome)));
        });
        answers
    }

    /// Mutates: each policy sees the object as the ones before left it.
    fn change(
        &self,
        request: &Request,
        door: Door,
        environment: &Environment<'_>,
    ) -> (Vec<(usize, RuleOutcome)>, Option<Value>) {
        let (mut answers, mut patched, mut changed) = (Vec::new(), None, None);
        let Some(admission) = request.as_admission() else { return (answers, patched) };
        self.each(Phase::Mutate, admission, door, |index, policy| {
            let upkeep = &policy.info().upkeep;
            let is_targeted = |outcome: &RuleOutcome| upkeep.rule(&outcome.rule).is_some_and(|rule| rule.targets);
            for outcome in evaluate(policy, Phase::Mutate, changed.as_ref().unwrap_or(request), environment) {
                if let Effect::Patched(object) = &outcome.effect {
                    changed = Some(request.with_object(object.clone()));
                    patched = Some(object.clone());
                }
                // Existing targets are a controller's to change, when the request has passed.
                if !is_targeted(&outcome) {
                    answers.push((index, outcome));
                }
            }
        });
        (answers, patched)
    }

    fn decide(&self, review: &Review, settlement: Settlement, environment: &Environment<'_>) -> Decision {
        let decision = self.answer(Checkpoint::Admission, &review.request, settlement, environment);
        Decision { input_digest: review.digest.clone(), ..decision }
    }

    fn answer(
        &self,
        checkpoint: Checkpoint,
        request: &AdmissionRequest,
        settlement: Settlement,
        environment: &Environment<'_>,
    ) -> Decision {
        Decision {
            checkpoint,
            time: environment.now,
            subject: subject(request),
            labels: request.subject().dig(["metadata", "labels"]).cloned().unwrap_or_default(),
            operation: request.operation.as_str().into(),
            dry_run: request.dry_run,
            actor: Actor { username: request.user.username.clone(), groups: request.user.groups.clone() },
            allowed: settlement.allowed,
            message: settlement.message,
            warnings: settlement.warnings,
            annotations: settlement.annotations,
            findings: settlement.findings,
            counts: settlement.counts,
            patched: None,
            input_digest: Str::default(),
            ruleset_digest: self.digest.clone(),
        }
    }
}

fn subject(request: &AdmissionRequest) -> Subject {
    let uid = request.subject().dig(["metadata", "uid"]).and_then(Value::as_shared_str);
    Subject {
        kind: request.kind.clone(),
        namespace: request.namespace.clone(),
        name: request.name.clone(),
        uid: uid.cloned().unwrap_or_default(),
        sub_resource: request.sub_resource.clone(),
    }
}
