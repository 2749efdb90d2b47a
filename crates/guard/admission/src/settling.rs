//! What answers lead to: a denial, a warning, a record, or nothing where somebody answers for the violation.
//!
//! A violation leads to what its rule says, unless the configuration says something else for the place, or a waiver
//! covers it. What could not be evaluated is never waived: the policy's failure policy decides. Waivers that the object
//! carries itself do not count here, because whoever may create an object could let it off; a review of its file, which
//! `palisade check` stands for, is what they are for.

use palisade_model::{Disposition, Finding, Resource, Str, Verdict, VerdictCounts};
use palisade_policy::selection::{self, Mode, Settings};
use palisade_policy::{AdmissionRequest, Enforcement, Environment, FailurePolicy, Phase, Policy, RuleOutcome, finding};

use crate::Ruleset;
use crate::message::{Complaint, Record, denial, warnings};

/// What all answers about a request come to.
#[derive(Debug, Default)]
pub(crate) struct Settlement {
    pub(crate) allowed: bool,
    pub(crate) message: String,
    pub(crate) warnings: Vec<String>,
    pub(crate) annotations: Vec<(Str, Str)>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) counts: VerdictCounts,
}

/// What a violation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    Denied,
    Warned,
    Audited,
    Waived,
}

impl From<Enforcement> for Consequence {
    fn from(enforcement: Enforcement) -> Self {
        match enforcement {
            Enforcement::Enforce => Self::Denied,
            Enforcement::Warn => Self::Warned,
            Enforcement::Audit => Self::Audited,
        }
    }
}

impl Settlement {
    /// Settles the answers about `request`.
    pub(crate) fn of(
        ruleset: &Ruleset,
        request: &AdmissionRequest,
        answers: Vec<(usize, RuleOutcome)>,
        environment: &Environment<'_>,
    ) -> Self {
        let mut settling = Settling { ruleset, request, environment, about: None, settlement: Self::default() };
        let mut record = Record::default();
        let mut complaints = Vec::new();
        for (index, outcome) in answers {
            let Some(policy) = ruleset.policies.policies().get(index) else { continue };
            record.annotate(&policy.reference().name, &outcome.annotations);
            if let Some((finding, consequence)) = settling.outcome(index, &**policy, &outcome) {
                record.note(&finding, consequence);
                complaints.push(Complaint {
                    finding,
                    consequence,
                    paths: outcome.paths,
                    explained: policy.meta().example.is_some(),
                });
            }
        }
        let mut settlement = settling.settlement;
        settlement.annotations = record.into_annotations();
        settlement.allowed = complaints.iter().all(|complaint| complaint.consequence != Consequence::Denied);
        if !settlement.allowed {
            settlement.message = denial(request, &complaints);
        }
        settlement.warnings = warnings(&complaints);
        settlement.findings = complaints.into_iter().map(|complaint| complaint.finding).collect();
        settlement
    }
}

struct Settling<'a> {
    ruleset: &'a Ruleset,
    request: &'a AdmissionRequest,
    environment: &'a Environment<'a>,
    /// The object with the name that it is shown by, made for the first violation.
    about: Option<(Resource, Str)>,
    settlement: Settlement,
}

impl Settling<'_> {
    /// Counts an outcome; what is wrong and what it leads to.
    fn outcome(&mut self, index: usize, policy: &dyn Policy, outcome: &RuleOutcome) -> Option<(Finding, Consequence)> {
        let counts = &mut self.settlement.counts;
        match outcome.verdict {
            Verdict::Pass => counts.pass += 1,
            Verdict::Skip => counts.skip += 1,
            Verdict::Fail | Verdict::Warn | Verdict::Error => return self.violation(index, policy, outcome),
        }
        None
    }

    fn violation(
        &mut self,
        index: usize,
        policy: &dyn Policy,
        outcome: &RuleOutcome,
    ) -> Option<(Finding, Consequence)> {
        let reference = self.ruleset.references().get(index)?;
        let (resource, name) = self.about.get_or_insert_with(|| {
            let resource = Resource::in_memory(self.request.subject().clone());
            let name = resource.to_string().into();
            (resource, name)
        });
        let subject = selection::Subject { policy: reference, rule: &outcome.rule, resource, file: "" };
        let settings = self.ruleset.overrides.settings(&subject);
        if settings.mode == Some(Mode::Off) {
            return None;
        }
        let mut finding = finding(policy, reference, outcome, resource, name);
        finding.severity = settings.severity.unwrap_or(finding.severity);
        let consequence = if outcome.verdict == Verdict::Error {
            failure(policy, outcome)
        } else {
            let waiver = self.ruleset.waivers.holding(&subject, finding.fingerprint, self.environment.now);
            let enforced = consequence(outcome, settings);
            finding.verdict = verdict(outcome, settings);
            waiver.map_or(enforced, |waiver| {
                finding.disposition = Disposition::Waived(waiver);
                Consequence::Waived
            })
        };
        if consequence == Consequence::Audited
            || (consequence == Consequence::Warned && outcome.verdict == Verdict::Error)
        {
            finding.disposition = Disposition::Audited;
        }
        let counts = &mut self.settlement.counts;
        *match finding.verdict {
            Verdict::Warn => &mut counts.warn,
            Verdict::Error => &mut counts.error,
            _ => &mut counts.fail,
        } += 1;
        Some((finding, consequence))
    }
}

/// What it leads to that a rule could not be evaluated: the policy's failure policy decides, then whether the rule
/// enforces anything. An object that could not be changed as it must be does not pass.
fn failure(policy: &dyn Policy, outcome: &RuleOutcome) -> Consequence {
    match (policy.info().reach.failure_policy, outcome.phase) {
        (FailurePolicy::Ignore, _) => Consequence::Warned,
        (FailurePolicy::Fail, Phase::Mutate) => Consequence::Denied,
        (FailurePolicy::Fail, _) => outcome.enforcement.into(),
    }
}

/// What a violation leads to: what the configuration says of the place, else what the rule says.
fn consequence(outcome: &RuleOutcome, settings: Settings) -> Consequence {
    match settings.mode {
        Some(Mode::Enforce) => Consequence::Denied,
        Some(Mode::Warn) => Consequence::Warned,
        Some(Mode::Audit) => Consequence::Audited,
        Some(Mode::Off) | None => outcome.enforcement.into(),
    }
}

/// The verdict that is shown, the same as `palisade check` shows.
fn verdict(outcome: &RuleOutcome, settings: Settings) -> Verdict {
    match (outcome.verdict, outcome.enforcement, settings.mode) {
        (_, _, Some(Mode::Enforce)) => Verdict::Fail,
        (_, _, Some(Mode::Warn)) | (Verdict::Fail, Enforcement::Warn, _) => Verdict::Warn,
        (verdict, ..) => verdict,
    }
}
