//! ValidatingPolicy about Kubernetes objects and JSON documents.

use std::sync::Arc;

use palisade_cel::admission::binding::enforcement;
use palisade_cel::admission::{Compiler, Conditions, Decision, Dialect, Node, Purpose, Reader, Subject, Validations};
use palisade_model::{Path, Str, Value, Verdict};
use palisade_policy::{
    AdmissionRequest, Enforcement, Environment, Payload, Phase, Policy, PolicyInfo, Request, RuleOutcome,
};

use super::autogen;
use super::exception::Exception;
use super::extraction::{HiddenPods, pod_requests};
use super::identity::Identity;
use super::judging::{self, Gate};
use super::kind::Kind;
use super::rule::Rule;

/// A loaded ValidatingPolicy.
#[derive(Debug)]
pub(super) struct ValidatingPolicy {
    identity: Identity,
    enforcement: Enforcement,
    /// Whether documents are judged as they are, whatever they are.
    any_json: bool,
    /// Whether pods count wherever they are found, in kinds that no rule names too.
    everywhere: bool,
    rules: Vec<Rule<Validations>>,
}

impl ValidatingPolicy {
    pub(super) fn read(reader: &mut Reader<'_>, exceptions: &[Exception], any_json: bool) -> Option<Self> {
        let (identity, spec) = Identity::read(reader, Kind::Validating)?;
        let enforcement = enforcement(&reader.texts(&spec, "validationActions"));
        let compile = |reader: &mut Reader<'_>, spec: &Node<'_>| compile(reader, &identity, spec, exceptions);
        let rules = if any_json {
            Rule::about_documents(compile(reader, &spec))
        } else {
            Rule::about_objects(reader, &spec, autogen::rewrite_spec, compile)
        };
        let mut identity = identity.reaching(reader, Rule::reach(&rules));
        let everywhere = rules.len() > 1 && autogen::is_about_all(reader.document());
        identity.info.reach.hidden_pods = everywhere;
        (!reader.failed()).then_some(Self { identity, enforcement, any_json, everywhere, rules })
    }

    fn judge_admission(
        &self,
        rule: &Rule<Validations>,
        (whole, request): (&Request, &AdmissionRequest),
        environment: &Environment<'_>,
    ) -> Option<RuleOutcome> {
        // Most rules are variants about other kinds: they are told apart before anything is built for them.
        if !rule.may_select(request) {
            return None;
        }
        let subject = Subject::of_request(whole, request, environment, Dialect::Kyverno);
        match judging::selects(&self.identity, &rule.constraints, request, &subject) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(outcome) => return Some(*outcome),
        }
        Some(if rule.extracts {
            self.judge_pods(rule, request, environment)
        } else {
            self.judge(rule, &subject, environment)
        })
    }

    fn judge(&self, rule: &Rule<Validations>, subject: &Subject<'_>, environment: &Environment<'_>) -> RuleOutcome {
        let evaluation = match rule.gate.open(&self.identity, subject, environment) {
            Ok(evaluation) => evaluation,
            Err(outcome) => return *outcome,
        };
        let index = |index: usize| (Str::from("cel.validationIndex"), Str::from(index.to_string()));
        let decision = match rule.work.settle(&evaluation) {
            Ok(decision) => decision,
            Err(message) => return self.identity.outcome(Verdict::Skip, message),
        };
        let outcome = match decision {
            Decision::Pass => self.identity.outcome(Verdict::Pass, "success"),
            Decision::Fail { index: at, message, paths } => {
                let outcome = self.identity.outcome(Verdict::Fail, message);
                RuleOutcome { paths, voice: Decision::voice(at), properties: vec![index(at)], ..outcome }
            }
            Decision::Error { index: at, message } => {
                let outcome = self.identity.outcome(Verdict::Error, message);
                return RuleOutcome { properties: vec![index(at)], ..outcome };
            }
        };
        match rule.work.annotate(&evaluation) {
            Ok(annotations) => outcome.annotated(annotations),
            Err(message) => self.identity.outcome(Verdict::Error, message),
        }
    }

    /// Judges every pod of a custom workload; the first that violates the rule decides, then one that cannot be judged.
    fn judge_pods(
        &self,
        rule: &Rule<Validations>,
        request: &AdmissionRequest,
        environment: &Environment<'_>,
    ) -> RuleOutcome {
        match pod_requests(request) {
            Ok(pods) => self.judge_each(rule, &pods, environment),
            Err(message) => self.identity.outcome(Verdict::Error, message),
        }
    }

    /// Judges the pods of a kind that no rule names, by the rule as it is written.
    fn judge_hidden(&self, request: &Request, environment: &Environment<'_>) -> Option<RuleOutcome> {
        let pods = self.hidden(request)?;
        Some(self.judge_each(self.rules.first()?, &pods.0, environment))
    }

    /// The pods of a kind that no rule names, where there are any.
    fn hidden(&self, request: &Request) -> Option<Arc<HiddenPods>> {
        let admission = request.as_admission().filter(|_| self.everywhere)?;
        let named = self.rules.iter().any(|rule| rule.may_select(admission));
        let pods = || request.derived(|_| HiddenPods::of(admission));
        (!named).then(pods).filter(|pods| !pods.0.is_empty())
    }

    fn judge_each(
        &self,
        rule: &Rule<Validations>,
        pods: &[(Path, AdmissionRequest)],
        environment: &Environment<'_>,
    ) -> RuleOutcome {
        let (mut passed, mut skipped, mut unknown) = (None, None, None);
        for (path, pod) in pods {
            let subject = Subject::admission(pod, environment, Dialect::Kubernetes).carrying_objects();
            let outcome = self.judge(rule, &subject, environment);
            match outcome.verdict {
                Verdict::Fail => return in_template(outcome, path),
                Verdict::Error => _ = unknown.get_or_insert_with(|| in_template(outcome, path)),
                Verdict::Pass if outcome.exceptions.is_empty() => passed = Some(outcome),
                _ => skipped = Some(outcome),
            }
        }
        unknown.or(passed).or(skipped).unwrap_or_else(|| self.identity.declined())
    }
}

/// An answer about a pod, told of the workload that it was taken from.
fn in_template(mut outcome: RuleOutcome, template: &Path) -> RuleOutcome {
    outcome.message = format!("{} (pod template at {template})", outcome.message);
    for path in &mut outcome.paths {
        path.0.splice(0..0, template.0.iter().cloned());
    }
    outcome
}

fn compile(
    reader: &mut Reader<'_>,
    identity: &Identity,
    spec: &Node<'_>,
    exceptions: &[Exception],
) -> (Gate, Validations) {
    let ignore_failures = judging::ignores_failures(reader, spec);
    let mut compiler = Compiler::new(reader, identity.environment(Purpose::Validation));
    let conditions = Conditions::compile(&mut compiler, spec, "matchConditions");
    compiler.declare_variables(spec, "variables");
    let validations = Validations::compile(&mut compiler, spec, Dialect::Kyverno);
    let (variables, exceptions) = (compiler.into_variables(), exceptions.to_vec());
    (Gate { exceptions, conditions, variables, ignore_failures }, validations)
}

impl Policy for ValidatingPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.identity.info
    }

    fn may_apply(&self, whole: &Request) -> bool {
        match whole.payload() {
            Payload::Kubernetes(_) | Payload::Document(_) if self.any_json => true,
            Payload::Kubernetes(request) => {
                self.identity.reaches(request)
                    && (self.rules.iter().any(|rule| rule.may_select(request)) || self.hidden(whole).is_some())
            }
            _ => false,
        }
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        if phase != self.identity.phase() {
            return Vec::new();
        }
        let judge_document = |document: &Value| {
            let subject = Subject::payload(document);
            self.rules.iter().map(|rule| self.judge(rule, &subject, environment)).collect()
        };
        let mut outcomes: Vec<RuleOutcome> = match request.payload() {
            Payload::Kubernetes(request) if self.any_json => judge_document(request.subject()),
            Payload::Document(document) if self.any_json => judge_document(document),
            Payload::Kubernetes(admission) if self.identity.reaches(admission) => {
                let judge = |rule| self.judge_admission(rule, (request, admission), environment);
                self.rules.iter().filter_map(judge).chain(self.judge_hidden(request, environment)).collect()
            }
            _ => Vec::new(),
        };
        for outcome in &mut outcomes {
            outcome.enforcement = self.enforcement;
        }
        outcomes
    }
}
