//! ValidatingAdmissionPolicy: judges requests.

use std::sync::Arc;

use palisade_model::{Value, Verdict};
use palisade_policy::{AdmissionRequest, Enforcement, Environment, Phase, Policy, PolicyInfo, Request, RuleOutcome};

use super::binding::Binding;
use super::document::Reader;
use super::environments::Purpose;
use super::policy::Frame;
use super::subject::{Dialect, Subject};
use super::validation::{Decision, Validations};

/// A loaded ValidatingAdmissionPolicy with its bindings.
#[derive(Debug)]
pub(super) struct ValidatingAdmissionPolicy {
    frame: Frame,
    validations: Validations,
}

impl ValidatingAdmissionPolicy {
    pub(super) fn read(reader: &mut Reader<'_>, bindings: Vec<Binding>, others: Arc<[Value]>) -> Option<Self> {
        let kind = (Phase::Validate, Purpose::Validation);
        let (frame, validations) = Frame::read(reader, kind, bindings, others, |compiler, spec| {
            Validations::compile(compiler, spec, Dialect::Kubernetes)
        })?;
        (!reader.failed()).then_some(Self { frame, validations })
    }

    fn outcome(&self, verdict: Verdict, message: impl Into<String>) -> RuleOutcome {
        self.frame.outcome(Phase::Validate, verdict, message)
    }

    /// What one binding makes of the request; the first parameter that is violated decides.
    fn under(
        &self,
        binding: Option<&Binding>,
        request: &AdmissionRequest,
        subject: &Subject<'_>,
        environment: &Environment<'_>,
    ) -> Option<RuleOutcome> {
        let frame = &self.frame;
        let mut outcome = match frame.params(binding, request, subject, environment) {
            Ok(None) => return None,
            Err(message) => self.outcome(Verdict::Error, message),
            Ok(Some(params)) => {
                let outcomes = params.iter().map(|params| self.with_params(params, subject, environment));
                worst(outcomes)?
            }
        };
        outcome.enforcement = binding.map_or_else(Enforcement::default, |binding| binding.enforcement);
        if outcome.verdict == Verdict::Error && frame.ignore_failures {
            outcome.enforcement = Enforcement::Audit;
        }
        outcome.properties.extend(binding.map(|binding| ("binding".into(), binding.name.clone())));
        Some(outcome)
    }

    fn with_params(&self, params: &Value, subject: &Subject<'_>, environment: &Environment<'_>) -> RuleOutcome {
        let evaluation = self.frame.evaluation(subject, params, environment);
        match self.frame.conditions_hold(&evaluation) {
            Ok(true) => {}
            Ok(false) => return self.outcome(Verdict::Skip, "the match conditions do not hold"),
            Err(message) => return self.outcome(Verdict::Error, message),
        }
        let outcome = match self.validations.decide(&evaluation) {
            Decision::Pass => self.outcome(Verdict::Pass, ""),
            Decision::Error { message, .. } => self.outcome(Verdict::Error, message),
            Decision::Fail { index, message, paths } => {
                RuleOutcome { paths, voice: Decision::voice(index), ..self.outcome(Verdict::Fail, message) }
            }
        };
        // An annotation that cannot be computed changes no verdict.
        outcome.annotated(self.validations.annotate(&evaluation).unwrap_or_default())
    }
}

/// The outcome that matters most: an enforced one before a reported one, then the worse verdict (what is violated is
/// known, whatever could not be evaluated), then the first.
fn worst(outcomes: impl Iterator<Item = RuleOutcome>) -> Option<RuleOutcome> {
    let weight = |outcome: &RuleOutcome| {
        let violated = matches!(outcome.verdict, Verdict::Fail | Verdict::Error);
        let strictness = match outcome.enforcement {
            Enforcement::Enforce => 2,
            Enforcement::Warn => 1,
            Enforcement::Audit => 0,
        };
        let known = outcome.verdict == Verdict::Fail;
        (violated, if violated { strictness } else { 0 }, known, outcome.verdict != Verdict::Skip)
    };
    outcomes.reduce(|first, second| if weight(&second) > weight(&first) { second } else { first })
}

impl Policy for ValidatingAdmissionPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.frame.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        request.as_admission().is_some_and(|request| self.frame.constraints.may_match(request))
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        let whole = request;
        let Some(request) = whole.as_admission().filter(|_| phase == Phase::Validate) else { return Vec::new() };
        let subject = Subject::of_request(whole, request, environment, Dialect::Kubernetes);
        match self.frame.selects(request, &subject) {
            Ok(true) => {}
            Ok(false) => return Vec::new(),
            Err(message) => return vec![self.frame.failure(phase, message)],
        }
        let bindings = self.frame.bindings();
        let outcomes = bindings.filter_map(|binding| self.under(binding, request, &subject, environment));
        worst(outcomes).into_iter().collect()
    }
}
