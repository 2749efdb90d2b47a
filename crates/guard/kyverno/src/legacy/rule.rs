//! The rule loop: which rules of a policy speak about a request, and what they say.
//!
//! For each rule, in order: selection, context entries, preconditions, exceptions, then the rule's body. A mutation is
//! seen by the rules after it. Deliberately absent: the order of policies and phases, which is the set's.

use std::borrow::Cow;

use palisade_model::{Str, Value, Verdict};
use palisade_policy::{AdmissionRequest, Effect, Environment, Operation, Phase, RuleOutcome, UserInfo};

use super::context::{Given, Names, RuleContext};
use super::exception::Exempted;
use super::generate;
use super::matching::{Subjects, selects};
use super::mutate;
use super::policy::{LegacyPolicy, ReadyRule};
use super::spec::{Body, FailureAction, Validation};
use super::validate::{Answer, Demand, Judge, evaluate as conditions_met};
use super::variables::substitute_text;
use super::verify_images;

/// The outcomes of the rules of `phase` that select the request.
pub(super) fn evaluate(
    policy: &LegacyPolicy,
    phase: Phase,
    request: &AdmissionRequest,
    environment: &Environment<'_>,
) -> Vec<RuleOutcome> {
    let mut request = effective(policy, request, environment);
    if !in_namespace(policy, &request) || !policy.conditions_hold(&request, environment) {
        return Vec::new();
    }
    let mut outcomes = Vec::new();
    let rules: Vec<&ReadyRule> = policy.rules_for(phase, &request.kind.kind).collect();
    for ready in rules {
        let said = Turn { policy, ready, request: &request, environment }.take();
        let patched = said.iter().find_map(|outcome| match &outcome.effect {
            Effect::Patched(object) => Some(object.clone()),
            _ => None,
        });
        if let Some(object) = patched {
            request.to_mut().object = object;
        }
        let applied =
            said.iter().any(|outcome| matches!(outcome.verdict, Verdict::Pass | Verdict::Warn | Verdict::Fail));
        outcomes.extend(said);
        if policy.spec.apply_one && applied {
            break;
        }
    }
    outcomes
}

/// The request as a values file changes it: another operation, other fields of the objects.
fn effective<'r>(
    policy: &LegacyPolicy,
    request: &'r AdmissionRequest,
    environment: &Environment<'_>,
) -> Cow<'r, AdmissionRequest> {
    let given = Given::of_resource(environment.variables, &policy.info.reference.name, &request.name);
    let Some(over) = given.get("request") else { return Cow::Borrowed(request) };
    let mut changed = request.clone();
    let operation = over.get("operation").and_then(Value::as_str).and_then(|text| text.parse().ok());
    if let (Some(operation), Operation::Create) = (operation, request.operation) {
        changed.operation = operation;
        match operation {
            Operation::Delete => changed.old_object = std::mem::take(&mut changed.object),
            Operation::Update => changed.old_object = changed.object.clone(),
            _ => {}
        }
    }
    for (key, object) in [("object", &mut changed.object), ("oldObject", &mut changed.old_object)] {
        if let (Some(over), false) = (over.get(key), object.is_null()) {
            *object = Given::merged(object, over);
        }
    }
    Cow::Owned(changed)
}

/// A namespaced policy judges its own namespace only.
fn in_namespace(policy: &LegacyPolicy, request: &AdmissionRequest) -> bool {
    let own = match policy.namespace() {
        "" => "default",
        namespace => namespace,
    };
    let namespace = |object: &Value| object.dig(["metadata", "namespace"]).and_then(Value::as_str) == Some(own);
    let unwritten = |object: &Value| object.dig(["metadata", "namespace"]).is_none() && *request.namespace == *own;
    let inside = |object: &Value| object.is_null() || namespace(object) || unwritten(object);
    !policy.namespaced || (inside(&request.object) && inside(&request.old_object))
}

/// One rule's turn.
struct Turn<'a> {
    policy: &'a LegacyPolicy,
    ready: &'a ReadyRule,
    request: &'a AdmissionRequest,
    environment: &'a Environment<'a>,
}

impl<'a> Turn<'a> {
    /// What the rule says; nothing where it does not select the request or has nothing to say about it.
    fn take(&self) -> Vec<RuleOutcome> {
        let subject = Subjects::of(self.request, self.request.subject(), self.environment);
        if subject.object.is_null() || self.is_background_request() {
            return Vec::new();
        }
        let rule = &self.ready.rule;
        let selected = match selects(rule, &subject) {
            Ok(false) => self.replaced().map_or(Ok(false), |replaced| selects(rule, &replaced)),
            selected => selected,
        };
        let unknown = match selected {
            Ok(true) => None,
            Ok(false) => return Vec::new(),
            Err(why) => Some(Answer::new(Verdict::Error, format!("failed to match the resource: {why}"))),
        };
        let names =
            Names { policy: &self.policy.info.reference.name, namespace: self.policy.namespace(), rule: &rule.name };
        let context = RuleContext::new(names, self.request, self.environment, &self.policy.queries)
            .with_image_extractors(&rule.image_extractors);
        context.add_entries(&rule.context);
        let answered = unknown.or_else(|| self.preconditions(&context)).or_else(|| self.let_off(&subject, &context));
        let said = match answered {
            Some(answer) => vec![(answer, Effect::None)],
            None => self.body(&subject, &context),
        };
        said.into_iter().map(|(answer, effect)| self.outcome(answer, effect, &context)).collect()
    }

    /// The object that an update replaces: a rule that selected it has its say about what becomes of it. But what it
    /// generated for it is not wanted any more.
    fn replaced(&self) -> Option<Subjects<'a>> {
        let generates = matches!(self.ready.rule.body, Body::Generate(_));
        let replaces = !generates && !self.request.object.is_null() && !self.request.old_object.is_null();
        replaces.then(|| Subjects::of(self.request, &self.request.old_object, self.environment))
    }

    /// Requests of Kyverno's own background controller, which would otherwise set off the rules that caused them.
    fn is_background_request(&self) -> bool {
        self.ready.rule.skip_background_requests
            && !self.request.user.is_nobody()
            && &*self.request.user.username == "system:serviceaccount:kyverno:kyverno-background-controller"
    }

    /// The answer of a rule whose preconditions do not hold.
    fn preconditions(&self, context: &RuleContext<'a>) -> Option<Answer> {
        let conditions = self.ready.rule.preconditions.as_ref()?;
        match conditions_met(conditions, context) {
            Ok(outcome) if outcome.met => None,
            Ok(outcome) if outcome.message.is_empty() => Some(Answer::new(Verdict::Skip, "preconditions not met")),
            Ok(outcome) => Some(Answer::new(Verdict::Skip, format!("preconditions not met; {}", outcome.message))),
            Err(error) => Some(Answer::new(Verdict::Error, format!("failed to evaluate preconditions: {error}"))),
        }
    }

    /// The answer of a rule that exceptions let the resource off.
    fn let_off(&self, subject: &Subjects<'_>, context: &RuleContext<'a>) -> Option<Answer> {
        let exempted = self.exempted(subject, context);
        let keeps_judging = matches!(self.ready.demand, Some(Demand::PodSecurity(_)))
            && exempted.iter().all(|exempted| !exempted.pod_security.is_empty());
        if exempted.is_empty() || keeps_judging {
            return None;
        }
        let keys: Vec<Str> = exempted.iter().map(|exempted| exempted.key.clone()).collect();
        let message = format!("rule is skipped due to policy exceptions {}", keys.join(", "));
        Some(Answer { exceptions: keys, ..Answer::new(Verdict::Skip, message) })
    }

    fn body(&self, subject: &Subjects<'_>, context: &RuleContext<'a>) -> Vec<(Answer, Effect)> {
        let rule = &self.ready.rule;
        let plain = |answer: Option<Answer>| answer.into_iter().map(|answer| (answer, Effect::None)).collect();
        match (&rule.body, &self.ready.demand) {
            (Body::Validate(validation), Some(demand)) => {
                plain(self.validate(validation, demand, &self.exempted(subject, context), context))
            }
            (Body::Validate(_), None) => Vec::new(),
            (Body::VerifyImages(rules), _) => plain(verify_images::judge(rules, context)),
            (Body::Mutate(mutation), _) if mutation.targets.is_empty() && self.request.object.is_null() => Vec::new(),
            (Body::Mutate(mutation), _) => mutate::apply_rule(rule, mutation, subject.object, context)
                .into_iter()
                .map(|mutated| (Answer::new(mutated.verdict, mutated.message), mutated.effect))
                .collect(),
            (Body::Generate(generation), _) => {
                let generated = generate::apply_rule(generation, subject.object, context);
                vec![(Answer::new(generated.verdict, generated.message), generated.effect)]
            }
        }
    }

    fn exempted(&self, subject: &Subjects<'_>, context: &RuleContext<'a>) -> Vec<Exempted<'a>> {
        let applying = self.ready.exceptions.iter().filter(|exception| exception.applies(subject, context));
        applying
            .map(|exception| Exempted { key: exception.key.clone(), pod_security: &exception.pod_security })
            .collect()
    }

    fn validate(
        &self,
        validation: &'a Validation,
        demand: &'a Demand,
        exempted: &[Exempted<'a>],
        context: &RuleContext<'a>,
    ) -> Option<Answer> {
        let judge =
            Judge { name: &self.ready.rule.name, validation, demand, admission: self.request, context, exempted };
        let answer = judge.judge()?;
        let enforced = validation.failure_action.unwrap_or(self.policy.spec.failure_action) == FailureAction::Enforce;
        let forgiving = enforced
            && validation.allow_existing_violations
            && answer.verdict == Verdict::Fail
            && !matches!(demand, Demand::Cel(_))
            && Judge::is_update(self.request);
        if forgiving && let Some(answer) = self.forgiven(&judge) {
            return Some(answer);
        }
        Some(answer)
    }

    /// The answer to an update of an object that violated the rule before; `None` where it did not.
    fn forgiven(&self, judge: &Judge<'_, 'a>) -> Option<Answer> {
        // Of an object of which nobody knows what it was, nothing is known to have been violated.
        if self.request.old_object.is_null() {
            return None;
        }
        if self.request.operation != Operation::Update {
            return Some(Answer::new(Verdict::Skip, "failed to validate old object"));
        }
        let context = judge.context;
        context.set_request(Operation::Create, self.request.old_object.clone(), Value::Null);
        let prior = self.selects_old(context).then(|| judge.judge()).flatten();
        context.set_request(Operation::Update, self.request.object.clone(), self.request.old_object.clone());
        let message = "skipping the rule evaluation as pre-existing violations are allowed";
        prior.filter(|prior| prior.verdict == Verdict::Fail).map(|_| Answer::new(Verdict::Skip, message))
    }

    /// Whether the rule would have selected the old object when nobody it names had asked for it.
    fn selects_old(&self, context: &RuleContext<'a>) -> bool {
        let nobody = AdmissionRequest {
            operation: Operation::Create,
            object: self.request.old_object.clone(),
            old_object: Value::Null,
            user: UserInfo { username: "kyverno:kyverno-invalid-controller".into(), ..UserInfo::default() },
            roles: Vec::new(),
            cluster_roles: Vec::new(),
            ..self.request.clone()
        };
        let subject = Subjects::of(&nobody, &nobody.object, self.environment);
        self.preconditions(context).is_none() && selects(&self.ready.rule, &subject) == Ok(true)
    }

    fn outcome(&self, answer: Answer, effect: Effect, context: &RuleContext<'a>) -> RuleOutcome {
        let rule = &self.ready.rule;
        let (answer, effect) = match context.unavailable() {
            Some(missing) if answer.verdict != Verdict::Error => (Answer::new(Verdict::Error, missing), Effect::None),
            _ => (answer, effect),
        };
        let verdict = match answer.verdict {
            Verdict::Fail if !self.policy.scored => Verdict::Warn,
            verdict => verdict,
        };
        let property = |(key, text): &(Str, Str)| {
            let value = match substitute_text(text, context) {
                Ok(Value::String(text)) => text,
                Ok(other) => other.to_json().into(),
                Err(_) => text.clone(),
            };
            (key.clone(), value)
        };
        let properties = rule.report_properties.iter().map(property).chain(answer.properties).collect();
        RuleOutcome {
            paths: answer.paths,
            enforcement: self.policy.enforcement(rule, self.request, self.environment),
            exceptions: answer.exceptions,
            properties,
            effect,
            ..RuleOutcome::new(rule.name.clone(), self.ready.phase, verdict, answer.message)
        }
    }
}
