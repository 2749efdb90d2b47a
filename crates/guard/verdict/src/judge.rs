//! From a request to a judgement: which policies are asked, in which order, and what their answers come to.

use std::borrow::Cow;
use std::sync::Arc;

use palisade_model::{Actor, Checkpoint, Decision, PolicyRef, Resource, Str, Subject, Value, Verdict};
use palisade_policy::{
    AdmissionRequest, Effect, Environment, Payload, Phase, Policy, Request, RuleOutcome, digest, evaluate,
};

use crate::{Door, Judgement, Ruleset};

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

/// All answers about a request, and what the object became.
#[derive(Debug, Default)]
pub struct Answers {
    /// Which policy of the ruleset, counted from 0, and its answer, in order of phase and policy.
    pub outcomes: Vec<(usize, RuleOutcome)>,
    /// The object after mutation, where a mutation changed it.
    pub patched: Option<Value>,
    /// The request about that object.
    pub changed: Option<Request>,
}

impl Ruleset {
    /// What the policies say of a request at this door, and what it leads to.
    pub fn judge(&self, request: &Request, door: &Door<'_>, environment: &Environment<'_>) -> Judgement {
        self.settle(request, door, self.ask(request, door, environment), environment)
    }

    /// What the policies that look at existing objects say of one. Nothing is denied any more: `allowed` tells whether it
    /// would be.
    pub fn scan(&self, request: &Request, environment: &Environment<'_>) -> Decision {
        let judgement = self.judge(request, &Door::Scan { every: false }, environment);
        let decision = self.decision(Checkpoint::Scan, request, judgement, environment);
        Decision { input_digest: digest(&object(request).to_canonical_json()), ..decision }
    }

    /// What policies answer in a phase whose effects somebody else brings about: objects to generate, existing targets to
    /// change, objects to remove. Policies that are switched off for the object are left out.
    pub fn answers(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<Answer> {
        let answers = self.ask(request, &Door::Controller(&[phase]), environment).outcomes.into_iter();
        answers
            .filter_map(|(policy, outcome)| {
                Some(Answer { policy, reference: self.references().get(policy)?.clone(), outcome })
            })
            .collect()
    }

    /// The one walk over the policies: those that may have something to say about the request, are asked at this door,
    /// and are not switched off for the object. In each phase, each sees the object as the ones before left it.
    pub fn ask(&self, request: &Request, door: &Door<'_>, environment: &Environment<'_>) -> Answers {
        let in_memory = || Resource::in_memory(object(request).clone());
        let about = self.switches_off.then(|| door.sheet().map_or_else(in_memory, |sheet| sheet.resource.clone()));
        let mut answers = Answers::default();
        let candidates = self.index.candidates(request.as_admission());
        for phase in door.phases() {
            for index in candidates.clone() {
                let Some(policy) = self.policies().get(index) else { continue };
                let asked = policy.info().has_phase(*phase) && door.admits(&**policy, request);
                let off = |resource| self.is_off(index, &**policy, resource, door.file());
                if asked && !about.as_ref().is_some_and(off) {
                    answers.take(index, &**policy, *phase, (request, door), environment);
                }
            }
        }
        answers.patched = answers.patched.filter(|patched| patched != object(request));
        answers
    }

    /// A judgement as a record of what was decided about the request, without words for whoever asked.
    pub fn decision(
        &self,
        checkpoint: Checkpoint,
        request: &Request,
        judgement: Judgement,
        environment: &Environment<'_>,
    ) -> Decision {
        let labels = object(request).dig(["metadata", "labels"]).cloned().unwrap_or_default();
        let request = request.as_admission().map_or_else(Cow::default, Cow::Borrowed);
        let findings = judgement.settled.into_iter().map(|settled| settled.finding);
        Decision {
            checkpoint,
            time: environment.now,
            subject: subject(&request),
            labels,
            operation: request.operation.as_str().into(),
            dry_run: request.dry_run,
            actor: Actor { username: request.user.username.clone(), groups: request.user.groups.clone() },
            allowed: judgement.allowed,
            message: String::new(),
            warnings: Vec::new(),
            annotations: Vec::new(),
            findings: findings.filter(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::Skip)).collect(),
            counts: judgement.counts,
            patched: judgement.patched,
            input_digest: Str::default(),
            ruleset_digest: self.digest.clone(),
        }
    }
}

impl Answers {
    /// Asks a policy in a phase, about the object as it is by now.
    fn take(
        &mut self,
        index: usize,
        policy: &dyn Policy,
        phase: Phase,
        (request, door): (&Request, &Door<'_>),
        environment: &Environment<'_>,
    ) {
        let is_targeted = |rule: &str| policy.info().upkeep.rule(rule).is_some_and(|rule| rule.targets);
        let leaves_targets = phase == Phase::Mutate && matches!(door, Door::Admission { .. });
        for outcome in evaluate(policy, phase, self.changed.as_ref().unwrap_or(request), environment) {
            if let Effect::Patched(object) = &outcome.effect {
                self.changed = Some(request.with_object(object.clone()));
                self.patched = Some(object.clone());
            }
            if !(leaves_targets && is_targeted(&outcome.rule)) {
                self.outcomes.push((index, outcome));
            }
        }
    }
}

/// The object that a request is about.
pub(crate) fn object(request: &Request) -> &Value {
    match request.payload() {
        Payload::Kubernetes(admission) => admission.subject(),
        Payload::Document(value) | Payload::Http(value) | Payload::Envoy(value) => value,
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

#[cfg(test)]
mod tests {
    use palisade_model::{PolicyRef, Verdict, json};
    use palisade_policy::{Offline, PolicyInfo, PolicyMeta, RuleInfo, Variables};

    use super::*;

    /// Judges documents that are no Kubernetes objects.
    #[derive(Debug)]
    struct Documents(PolicyInfo, Verdict);

    impl Policy for Documents {
        fn info(&self) -> &PolicyInfo {
            &self.0
        }

        fn may_apply(&self, request: &Request) -> bool {
            request.as_admission().is_none()
        }

        fn evaluate(&self, phase: Phase, _: &Request, _: &Environment<'_>) -> Vec<RuleOutcome> {
            vec![RuleOutcome::new("r", phase, self.1, "")]
        }
    }

    fn allowed(verdict: Option<Verdict>, request: &Request) -> bool {
        let reference = PolicyRef { kind: "Test".into(), namespace: None, name: "t".into(), digest: "".into() };
        let rules = vec![RuleInfo { name: "r".into(), phase: Phase::Validate, location: None }];
        let info = PolicyInfo::new(reference, PolicyMeta::default(), rules);
        let policy = verdict.map(|verdict| Arc::new(Documents(info, verdict)) as Arc<dyn Policy>);
        let ruleset = Ruleset::of(policy.into_iter().collect());
        let variables = Variables::default();
        let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH, &Offline, &variables);
        let door = Door::Admission { phases: &[Phase::Validate], asked: None };
        ruleset.judge(request, &door, &environment).allowed
    }

    #[test]
    fn a_payload_that_is_no_admission_request_is_judged_or_refused() {
        let document = Request::new(Payload::Http(json!({"method": "GET"})));
        assert!(!allowed(None, &document), "nobody had a say");
        assert!(!allowed(Some(Verdict::Fail), &document));
        assert!(!allowed(Some(Verdict::Error), &document));
        assert!(allowed(Some(Verdict::Pass), &document));
        assert!(allowed(Some(Verdict::Fail), &Request::admission(AdmissionRequest::default())), "nobody selects it");
    }
}
