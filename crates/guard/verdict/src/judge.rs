//! From a request to a judgement: which policies are asked, in which order, and what their answers come to.

use std::sync::Arc;

use palisade_model::{Actor, Checkpoint, Decision, PolicyRef, Resource, Str, Subject, Value};
use palisade_policy::set::evaluate;
use palisade_policy::{AdmissionRequest, Effect, Environment, Operation, Payload, Phase, Request, RuleOutcome, digest};

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

/// All answers about a request, in order of phase and policy, and what the object became.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) outcomes: Vec<(usize, RuleOutcome)>,
    pub(crate) patched: Option<Value>,
}

impl Ruleset {
    /// What the policies say of a request at this door, and what it leads to.
    pub fn judge(&self, request: &Request, door: Door, environment: &Environment<'_>) -> Judgement {
        let answers = self.ask(request, door, environment);
        Judgement::of(self, request, answers, environment)
    }

    /// What the policies that look at existing objects say of one. Nothing is denied any more: `allowed` tells whether it
    /// would be.
    pub fn scan(&self, object: &Value, environment: &Environment<'_>) -> Decision {
        let admission = AdmissionRequest::of(&Resource::in_memory(object.clone()), Operation::Create);
        let judgement = self.judge(&Request::admission(admission.clone()), Door::Scan, environment);
        let decision = self.decision(Checkpoint::Scan, &admission, judgement, environment);
        Decision { input_digest: digest(&object.to_canonical_json()), ..decision }
    }

    /// What policies answer in a phase whose effects somebody else brings about: objects to generate, existing targets to
    /// change, objects to remove. Policies that are switched off for the object are left out.
    pub fn answers(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<Answer> {
        let answers = self.ask(request, Door::Controller(phase), environment).outcomes.into_iter();
        answers
            .filter_map(|(policy, outcome)| {
                Some(Answer { policy, reference: self.references().get(policy)?.clone(), outcome })
            })
            .collect()
    }

    /// The one walk over the policies: those that may have something to say about the request, are asked at this door,
    /// and are not switched off for the object. Each sees the object as the ones before left it.
    pub(crate) fn ask(&self, request: &Request, door: Door, environment: &Environment<'_>) -> Answers {
        let resource = self.switches_off.then(|| Resource::in_memory(object(request).clone()));
        let mut answers = Answers::default();
        let mut changed = None;
        for phase in door.phases() {
            for index in self.index.candidates(request.as_admission()) {
                let Some(policy) = self.policies.policies().get(index) else { continue };
                let asked = policy.info().has_phase(*phase) && door.admits(&**policy, request);
                if !asked || resource.as_ref().is_some_and(|resource| self.is_off(index, &**policy, resource)) {
                    continue;
                }
                let upkeep = &policy.info().upkeep;
                for outcome in evaluate(&**policy, *phase, changed.as_ref().unwrap_or(request), environment) {
                    if let Effect::Patched(object) = &outcome.effect {
                        changed = Some(request.with_object(object.clone()));
                        answers.patched = Some(object.clone());
                    }
                    let elsewhere = matches!(door, Door::Admission { .. }) && *phase == Phase::Mutate;
                    if !(elsewhere && upkeep.rule(&outcome.rule).is_some_and(|rule| rule.targets)) {
                        answers.outcomes.push((index, outcome));
                    }
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
        request: &AdmissionRequest,
        judgement: Judgement,
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
            allowed: judgement.allowed,
            message: String::new(),
            warnings: Vec::new(),
            annotations: Vec::new(),
            findings: judgement.settled.into_iter().map(|settled| settled.finding).collect(),
            counts: judgement.counts,
            patched: judgement.patched,
            input_digest: Str::default(),
            ruleset_digest: self.digest.clone(),
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
    use palisade_policy::{Offline, Policy, PolicyInfo, PolicyMeta, PolicySet, RuleInfo, Variables};

    use super::*;
    use crate::selection::Overrides;
    use crate::waiver::Waivers;

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
        let set = PolicySet::new(policy.into_iter().collect());
        let ruleset = Ruleset::new(set, Overrides::default(), Waivers::default(), "");
        let variables = Variables::default();
        let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH, &Offline, &variables);
        ruleset.judge(request, Door::VALIDATE, &environment).allowed
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
