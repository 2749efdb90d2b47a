//! What answers lead to: a denial, a warning, a record, or nothing where somebody answers for the violation.
//!
//! A violation leads to what its rule says, unless the configuration says something else for the place, or a waiver
//! covers it. What could not be evaluated is never waived: the policy's failure policy decides. Waivers that the object
//! carries itself do not count here, because whoever may create an object could let it off; a review of its file, which
//! `palisade check` stands for, is what they are for.

use palisade_model::{Disposition, Finding, Path, Resource, Str, Value, Verdict, VerdictCounts};
use palisade_policy::{Enforcement, Environment, FailurePolicy, Phase, Policy, Request, RuleOutcome};

use crate::Ruleset;
use crate::finding::finding;
use crate::judge::{Answers, object};
use crate::selection::{Mode, Settings, Subject};

/// What all answers about a request come to.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Whether nothing stands in the way. A payload that no rule has a say about is only let through where that is what
    /// the API server would do: as a request of the Kubernetes API.
    pub allowed: bool,
    /// Failures, warnings and errors, in order of phase and policy.
    pub settled: Vec<Settled>,
    /// All answers.
    pub counts: VerdictCounts,
    /// What policies want in the audit log of the API server, by policy.
    pub annotations: Vec<(usize, Vec<(Str, Str)>)>,
    /// The object after mutation, where a mutation changed it.
    pub patched: Option<Value>,
}

/// A finding and what it leads to.
#[derive(Debug)]
pub struct Settled {
    /// What was found.
    pub finding: Finding,
    /// What it leads to.
    pub consequence: Consequence,
    /// Which policy of the ruleset said so, counted from 0.
    pub policy: usize,
    /// All offending fields.
    pub paths: Vec<Path>,
}

/// What a violation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The request is denied.
    Denied,
    /// Whoever asked is told.
    Warned,
    /// It is recorded.
    Audited,
    /// Nothing: somebody answers for it.
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

impl Judgement {
    /// Settles the answers about `request`.
    pub(crate) fn of(ruleset: &Ruleset, request: &Request, answers: Answers, environment: &Environment<'_>) -> Self {
        let judged = request.as_admission().is_some() || !answers.outcomes.is_empty();
        let mut settling = Settling { ruleset, request, environment, about: None, judgement: Self::default() };
        for (index, outcome) in answers.outcomes {
            settling.outcome(index, outcome);
        }
        let judgement = settling.judgement;
        let denied = judgement.settled.iter().any(|settled| settled.consequence == Consequence::Denied);
        Self { allowed: judged && !denied, patched: answers.patched, ..judgement }
    }
}

struct Settling<'a> {
    ruleset: &'a Ruleset,
    request: &'a Request,
    environment: &'a Environment<'a>,
    /// The object with the name that it is shown by, made for the first violation.
    about: Option<(Resource, Str)>,
    judgement: Judgement,
}

impl Settling<'_> {
    /// Counts an outcome, and keeps what is wrong.
    fn outcome(&mut self, index: usize, mut outcome: RuleOutcome) {
        if !outcome.annotations.is_empty() {
            self.judgement.annotations.push((index, std::mem::take(&mut outcome.annotations)));
        }
        if matches!(outcome.verdict, Verdict::Pass | Verdict::Skip) {
            self.judgement.counts.add(outcome.verdict);
        } else if let Some((finding, consequence)) = self.violation(index, &outcome) {
            self.judgement.counts.add(finding.verdict);
            self.judgement.settled.push(Settled { finding, consequence, policy: index, paths: outcome.paths });
        }
    }

    fn violation(&mut self, index: usize, outcome: &RuleOutcome) -> Option<(Finding, Consequence)> {
        let policy = &**self.ruleset.policies.policies().get(index)?;
        let reference = self.ruleset.references().get(index)?;
        let (resource, name) = self.about.get_or_insert_with(|| {
            let resource = Resource::in_memory(object(self.request).clone());
            let name = resource.to_string().into();
            (resource, name)
        });
        let subject = Subject { policy: reference, rule: &outcome.rule, resource, file: "" };
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

/// The verdict that is shown.
fn verdict(outcome: &RuleOutcome, settings: Settings) -> Verdict {
    match (outcome.verdict, outcome.enforcement, settings.mode) {
        (_, _, Some(Mode::Enforce)) => Verdict::Fail,
        (_, _, Some(Mode::Warn)) | (Verdict::Fail, Enforcement::Warn, _) => Verdict::Warn,
        (verdict, ..) => verdict,
    }
}
