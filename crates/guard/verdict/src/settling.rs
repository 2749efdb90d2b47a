//! What answers lead to: a denial, a warning, a record, or nothing where somebody answers for the violation.
//!
//! A violation leads to what its rule says, unless the configuration says something else for the place, or a waiver
//! covers it. What could not be evaluated is never waived: at admission the policy's failure policy decides, and a file with
//! it does not pass. Waivers that the object carries itself count for files only, because whoever may create an object could
//! let it off; a review of its file is what they are for.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use palisade_model::{
    Disposition, Finding, Fingerprint, Path, PolicyRef, Resource, Str, Value, Verdict, VerdictCounts, Waiver,
};
use palisade_policy::{Enforcement, Environment, FailurePolicy, Phase, Policy, Request, RuleOutcome};

use crate::elements::{Place, Search, Witness};
use crate::finding::{About, finding, parts};
use crate::identity::Identity;
use crate::judge::{Answers, object};
use crate::selection::{Mode, Settings, Subject};
use crate::waiver::{Ruling, Split};
use crate::{Door, Ruleset, Sheet};

/// What all answers about a request come to.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Whether nothing stands in the way. A payload that no rule has a say about is only let through where that is what
    /// the API server would do: as a request of the Kubernetes API.
    pub allowed: bool,
    /// Whether any rule had a say.
    pub judged: bool,
    /// Failures, warnings and errors, in order of phase and policy; what passed and was skipped too, where the door asks
    /// for it.
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
    /// Where.
    pub places: Vec<Place>,
    /// Which granted waivers are about it.
    pub ruling: Ruling,
}

/// What an answer leads to.
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
    /// Nothing: the rule is satisfied, or declined to judge.
    Passed,
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

impl Ruleset {
    /// What answers about `request` lead to at this door. A finding is about the document that the door names, else about
    /// the object of the request.
    pub fn settle(
        &self,
        request: &Request,
        door: &Door<'_>,
        answers: Answers,
        environment: &Environment<'_>,
    ) -> Judgement {
        let asked = answers.changed.as_ref().unwrap_or(request);
        let (about, witness) = (OnceCell::new(), RefCell::default());
        let settling = Settling { ruleset: self, first: request, request: asked, door, environment, about, witness };
        let judged = !answers.outcomes.is_empty();
        let mut judgement = Judgement { judged, patched: answers.patched, ..Judgement::default() };
        let alone = if settling.asks_again(&answers.outcomes) { alone(&answers.outcomes) } else { Vec::new() };
        for (at, (index, outcome)) in answers.outcomes.into_iter().enumerate() {
            let alone = alone.get(at).is_some_and(|alone| *alone);
            settling.outcome(index, outcome, alone, &mut judgement);
        }
        let denied = judgement.settled.iter().any(|settled| settled.consequence == Consequence::Denied);
        judgement.allowed = !denied && (judged || request.as_admission().is_some());
        judgement
    }
}

/// For each answer, whether its rule gave no other.
fn alone(outcomes: &[(usize, RuleOutcome)]) -> Vec<bool> {
    let mut times: HashMap<(usize, &str), usize> = HashMap::new();
    for (index, outcome) in outcomes {
        *times.entry((*index, &outcome.rule)).or_default() += 1;
    }
    outcomes.iter().map(|(index, outcome)| times.get(&(*index, &*outcome.rule)) == Some(&1)).collect()
}

struct Settling<'a> {
    ruleset: &'a Ruleset,
    /// What the policies were asked first.
    first: &'a Request,
    /// What the policies were asked last: mutation may have changed it.
    request: &'a Request,
    door: &'a Door<'a>,
    environment: &'a Environment<'a>,
    /// The object with the name that it is shown by, made for the first violation.
    about: OnceCell<About>,
    /// The policy that was asked again last.
    witness: RefCell<Option<(usize, Rc<Witness<'a>>)>>,
}

/// Who said something, and what the configuration says of that.
struct Speaker<'a> {
    index: usize,
    policy: &'a dyn Policy,
    reference: &'a Arc<PolicyRef>,
    subject: Subject<'a>,
    settings: Settings,
}

const fn is_violation(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Warn)
}

impl<'a> Settling<'a> {
    fn about(&self) -> &About {
        self.about.get_or_init(|| {
            let in_memory = || Resource::in_memory(object(self.request).clone());
            let sheet = self.door.sheet();
            let resource = sheet.map_or_else(in_memory, |sheet| sheet.resource.clone());
            let name = sheet.and_then(|sheet| sheet.called).map_or_else(|| resource.to_string().into(), Str::from);
            About { resource, name, part: sheet.map(|sheet| sheet.part.into()).unwrap_or_default() }
        })
    }

    /// The document, where its policies can be asked about it alone.
    fn sheet(&self) -> Option<&Sheet<'a>> {
        self.door.sheet().filter(|sheet| !sheet.together)
    }

    /// Whether any violation may have to be looked at more closely.
    fn asks_again(&self, outcomes: &[(usize, RuleOutcome)]) -> bool {
        let told_apart = |sheet: &Sheet<'_>| {
            sheet.parts
                || self.ruleset.waivers.names_fingerprints()
                || sheet.inline.is_some_and(|(waivers, _)| !waivers.is_empty())
                || outcomes.iter().any(|(_, outcome)| self.names_a_list(outcome))
        };
        self.sheet().is_some_and(told_apart)
    }

    fn names_a_list(&self, outcome: &RuleOutcome) -> bool {
        let is_list = |path: &Path| path.resolve(object(self.request)).is_some_and(|node| node.as_array().is_some());
        is_violation(outcome.verdict) && outcome.paths.iter().any(is_list)
    }

    /// Counts an answer, and keeps what is wanted of it.
    fn outcome(&self, index: usize, mut outcome: RuleOutcome, alone: bool, judgement: &mut Judgement) {
        if !outcome.annotations.is_empty() {
            judgement.annotations.push((index, std::mem::take(&mut outcome.annotations)));
        }
        if matches!(outcome.verdict, Verdict::Pass | Verdict::Skip) && !self.door.wants_all() {
            judgement.counts.add(outcome.verdict);
            return;
        }
        let policies = self.ruleset.policies();
        let Some((policy, reference)) = policies.get(index).zip(self.ruleset.references().get(index)) else { return };
        let rule = outcome.rule.clone();
        let subject =
            Subject { policy: reference, rule: &rule, resource: &self.about().resource, file: self.door.file() };
        let settings = self.ruleset.overrides.settings(&subject);
        if settings.mode == Some(Mode::Off) {
            return;
        }
        let speaker = Speaker { index, policy: &**policy, reference, subject, settings };
        self.answer(&speaker, &outcome, alone, |settled| {
            judgement.counts.add(settled.finding.verdict);
            judgement.settled.push(settled);
        });
    }

    /// One finding, or several where waivers cover some of the places.
    fn answer(&self, speaker: &Speaker<'_>, outcome: &RuleOutcome, alone: bool, mut keep: impl FnMut(Settled)) {
        let inline = self.door.sheet().and_then(|sheet| sheet.inline).and_then(|(waivers, document)| {
            waivers.concern(document, &speaker.subject).map(|of_a_part| (waivers, document, of_a_part))
        });
        if !is_violation(outcome.verdict) {
            if let Some((waivers, document, _)) = inline.filter(|_| outcome.verdict == Verdict::Error) {
                waivers.excuse(document, &speaker.subject);
            }
            return keep(self.settled(speaker, outcome, Place::named(outcome), Ruling::default(), None));
        }
        let places = self.places(speaker, outcome, alone, inline.is_some_and(|(.., of_a_part)| of_a_part));
        let split = match inline {
            Some((waivers, document, _)) => waivers.split(document, &speaker.subject, places),
            None => Split { left: places, ..Split::default() },
        };
        for (ruling, places) in self.rulings(speaker, outcome, split.left) {
            let granted = ruling.by.and_then(|by| self.ruleset.waivers.entries().get(by));
            let waiver = granted.map(|entry| entry.waiver.clone());
            keep(self.settled(speaker, outcome, places, ruling, waiver));
        }
        if split.waiver.is_some() {
            keep(self.settled(speaker, outcome, split.covered, Ruling::default(), split.waiver));
        }
    }

    /// The places of a violation: as the rule names them, or each element by itself where a waiver or a baseline may be
    /// about one.
    fn places(&self, speaker: &Speaker<'_>, outcome: &RuleOutcome, alone: bool, inline: bool) -> Vec<Place> {
        let Some(sheet) = self.sheet() else { return Place::named(outcome) };
        let all = inline || sheet.parts || self.ruleset.waivers.names_fingerprints();
        if !all && !self.names_a_list(outcome) {
            return Place::named(outcome);
        }
        let mut known = self.witness.borrow_mut();
        let witness = match &*known {
            Some((index, witness)) if *index == speaker.index => witness.clone(),
            _ => {
                let policy = self.ruleset.policies().get(speaker.index);
                let Some(policy) = policy else { return Place::named(outcome) };
                let witness = Rc::new(Witness::new(&**policy, self.request, self.environment));
                *known = Some((speaker.index, witness.clone()));
                witness
            }
        };
        Search::new(&witness, outcome, alone).places(all)
    }

    /// Which granted waivers are about the places: one answer, unless waivers name violations one by one.
    fn rulings(&self, speaker: &Speaker<'_>, outcome: &RuleOutcome, places: Vec<Place>) -> Vec<(Ruling, Vec<Place>)> {
        let rule = |prints: &[Fingerprint]| self.ruleset.waivers.rule(&speaker.subject, prints, self.environment.now);
        let mut rulings: Vec<(Ruling, Vec<Place>)> = Vec::new();
        if !self.ruleset.waivers.names_fingerprints() {
            rulings.extend((!places.is_empty()).then(|| (rule(&[]), places)));
            return rulings;
        }
        let identity = Identity::new(speaker.reference, outcome, self.about());
        let only = places.len() == 1;
        for place in places {
            let part = identity.part(&place);
            // What an earlier version called the violation means it, where it is the only one that may be meant.
            let former = part.formerly.into_iter().filter(|_| only);
            let ruling = rule(&std::iter::once(part.fingerprint).chain(former).collect::<Vec<_>>());
            match rulings.iter_mut().find(|(known, _)| *known == ruling) {
                Some((_, together)) => together.push(place),
                None => rulings.push((ruling, vec![place])),
            }
        }
        rulings
    }

    fn settled(
        &self,
        speaker: &Speaker<'_>,
        outcome: &RuleOutcome,
        places: Vec<Place>,
        ruling: Ruling,
        waiver: Option<Arc<Waiver>>,
    ) -> Settled {
        let Speaker { policy, reference, settings, .. } = speaker;
        let mut finding = finding(*policy, reference, outcome, &places, self.about());
        finding.severity = settings.severity.unwrap_or(finding.severity);
        if is_violation(outcome.verdict) {
            finding.facts.extend(by_default(self.first, &outcome.paths));
            finding.verdict = verdict(outcome, *settings);
        }
        let consequence = match (outcome.verdict, waiver) {
            (_, Some(waiver)) => {
                finding.disposition = Disposition::Waived(waiver);
                Consequence::Waived
            }
            (Verdict::Pass | Verdict::Skip, _) => Consequence::Passed,
            (Verdict::Error, _) => self.failure(*policy, outcome),
            _ => self.violation(outcome, *settings),
        };
        if consequence == Consequence::Audited
            || (consequence == Consequence::Warned && outcome.verdict == Verdict::Error)
        {
            finding.disposition = Disposition::Audited;
        }
        let counted = is_violation(outcome.verdict) && finding.disposition.counts();
        if counted && self.door.sheet().is_some_and(|sheet| sheet.parts) {
            finding.parts = parts(reference, outcome, &places, self.about());
        }
        Settled { finding, consequence, policy: speaker.index, places, ruling }
    }

    /// What it leads to that a rule could not be evaluated: before a cluster the policy's failure policy decides, then
    /// whether the rule enforces anything. An object that could not be changed as it must be does not pass.
    fn failure(&self, policy: &dyn Policy, outcome: &RuleOutcome) -> Consequence {
        match (policy.info().reach.failure_policy, outcome.phase) {
            _ if self.door.sheet().is_some() => Consequence::Denied,
            (FailurePolicy::Ignore, _) => Consequence::Warned,
            (FailurePolicy::Fail, Phase::Mutate) => Consequence::Denied,
            (FailurePolicy::Fail, _) => outcome.enforcement.into(),
        }
    }

    /// What a violation leads to: what the configuration says of the place, else what the rule says. A rule that only
    /// audits in a cluster fails a file: that it does not deny yet is no reason to write more of the same.
    fn violation(&self, outcome: &RuleOutcome, settings: Settings) -> Consequence {
        match settings.mode {
            Some(Mode::Enforce) => Consequence::Denied,
            Some(Mode::Warn) => Consequence::Warned,
            Some(Mode::Audit) => Consequence::Audited,
            Some(Mode::Off) | None if self.door.sheet().is_some() && outcome.enforcement == Enforcement::Audit => {
                Consequence::Denied
            }
            Some(Mode::Off) | None => outcome.enforcement.into(),
        }
    }
}

/// The first offending field that nobody wrote, with what an API server fills in.
fn by_default(request: &Request, paths: &[Path]) -> Option<(Str, Str)> {
    let path = paths.iter().find(|path| path.resolve(request.written()).is_none())?;
    let value = path.resolve(object(request))?;
    Some(("by default".into(), format!("{path} = {value}").into()))
}

/// The verdict that is shown of a violation.
const fn verdict(outcome: &RuleOutcome, settings: Settings) -> Verdict {
    match (outcome.verdict, outcome.enforcement, settings.mode) {
        (_, _, Some(Mode::Enforce)) => Verdict::Fail,
        (_, _, Some(Mode::Warn)) | (Verdict::Fail, Enforcement::Warn, _) => Verdict::Warn,
        (verdict, ..) => verdict,
    }
}
