//! Puts documents before the policies, on as many threads as asked for, and counts what comes back.

mod combined;

use std::borrow::Cow;
use std::sync::Arc;

use palisade_document::Document;
use palisade_document::kind::kubernetes::{as_stored, is_object};
use palisade_intake::{Input, Tally, in_parallel};
use palisade_model::{Diagnostic, Disposition, Finding, Path, PolicyRef, Resource, Str, Verdict, Waiver};
use palisade_policy::{
    AdmissionRequest, Environment, Judgement, Operation, Payload, Phase, PolicySet, Request, RuleOutcome, UserInfo,
};
use palisade_verdict::elements::offending_fields;
use palisade_verdict::selection::{Mode, Subject};
use palisade_verdict::{finding, parts};

use crate::adoption::{Agreement, InlineWaivers, Use};

/// How the documents are put.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// What happens to the objects.
    pub(crate) operation: Operation,
    /// Who asks.
    pub(crate) user: UserInfo,
    /// Whether passed and skipped rules are wanted too.
    pub(crate) keep_all: bool,
}

/// What came out of a run.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// Rules' answers by verdict.
    pub(crate) counts: Counts,
    /// Findings in the order of the documents: failures, warnings and errors, or all where asked.
    pub(crate) findings: Vec<Finding>,
    /// What became of the files.
    pub(crate) tally: Tally,
    /// Documents read.
    pub(crate) documents: usize,
    /// Documents judged by at least one rule.
    pub(crate) judged: usize,
    /// What was wrong with the inputs.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Which waivers of the waiver file were about something.
    pub(crate) waivers: Use,
}

impl Verdicts {
    fn absorb(&mut self, other: Self) {
        self.counts.merge(other.counts);
        if self.findings.capacity() == 0 {
            self.findings = other.findings;
        } else {
            self.findings.extend(other.findings);
        }
        self.tally.absorb(other.tally);
        self.documents += other.documents;
        self.judged += other.judged;
        self.diagnostics.extend(other.diagnostics);
        self.waivers.absorb(other.waivers);
    }
}

/// Answers by verdict; violations that do not count by the reason for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) pass: usize,
    pub(crate) fail: usize,
    pub(crate) warn: usize,
    pub(crate) skip: usize,
    pub(crate) error: usize,
    pub(crate) waived: usize,
    pub(crate) known: usize,
    pub(crate) audited: usize,
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Warn => &mut self.warn,
            Verdict::Skip => &mut self.skip,
            Verdict::Error => &mut self.error,
        } += 1;
    }

    /// Counts a finding: by its verdict, or by why it does not count.
    fn note(&mut self, finding: &Finding) {
        match finding.disposition {
            Disposition::Counted => self.add(finding.verdict),
            Disposition::Waived(_) => self.waived += 1,
            Disposition::Known => self.known += 1,
            Disposition::Audited => self.audited += 1,
        }
    }

    /// Moves the findings that a baseline knows from their verdicts to what is known.
    pub(crate) fn know(&mut self, findings: &[Finding]) {
        for finding in findings.iter().filter(|finding| matches!(finding.disposition, Disposition::Known)) {
            match finding.verdict {
                Verdict::Fail => self.fail -= 1,
                _ => self.warn -= 1,
            }
            self.known += 1;
        }
    }

    /// All answers.
    pub(crate) fn total(self) -> usize {
        self.pass + self.fail + self.warn + self.skip + self.error + self.waived + self.known + self.audited
    }

    fn merge(&mut self, other: Self) {
        self.pass += other.pass;
        self.fail += other.fail;
        self.warn += other.warn;
        self.skip += other.skip;
        self.error += other.error;
        self.waived += other.waived;
        self.known += other.known;
        self.audited += other.audited;
    }
}

/// The request that stands for a document: an admission request for a Kubernetes object, else its JSON.
pub(crate) fn request(document: &Document, standing: &Standing) -> Request {
    if !is_object(&document.value) {
        return Request::new(Payload::Document(document.value.clone()));
    }
    let mut request = AdmissionRequest::of(&document.resource(), standing.operation);
    request.user = standing.user.clone();
    Request::admission(request)
}

/// A set of policies with what every finding about them shares.
pub(crate) struct Judge<'a> {
    policies: &'a PolicySet,
    references: Vec<Arc<PolicyRef>>,
    environment: Environment<'a>,
    standing: Standing,
    agreement: &'a Agreement,
}

/// A document before the policies.
struct Case<'a> {
    /// Which of the file's documents it is, list items counted one by one.
    index: usize,
    /// The file, as the configuration knows it.
    file: &'a str,
    resource: Resource,
    name: Str,
    /// What validating policies were asked.
    request: &'a Request,
}

impl<'a> Judge<'a> {
    /// Policies, their surroundings, how documents are put before them, and what the repository has agreed on.
    pub(crate) fn new(
        policies: &'a PolicySet,
        environment: Environment<'a>,
        standing: Standing,
        agreement: &'a Agreement,
    ) -> Self {
        let references = policies.policies().iter().map(|policy| Arc::new(policy.reference().clone())).collect();
        Self { policies, references, environment, standing, agreement }
    }

    /// Judges all inputs on `jobs` threads; `tick` is called after each. An input's documents are gone before the next
    /// ones are read, so that memory does not grow with the number of files.
    pub(crate) fn all(&self, inputs: &[Input], jobs: usize, tick: impl Fn() + Sync) -> Verdicts {
        let parts = in_parallel(inputs, jobs, |input| {
            let part = self.input(input);
            tick();
            part
        });
        let mut all = Verdicts::default();
        all.findings.reserve_exact(parts.iter().map(|part| part.findings.len()).sum());
        for part in parts {
            all.absorb(part);
        }
        all
    }

    fn input(&self, input: &Input) -> Verdicts {
        let contents = input.contents();
        let tally = contents.tally(&input.name());
        let parsed = contents.parsed;
        let file = self.agreement.frame.relative(&input.name());
        let mut inline = self.agreement.inline(&parsed.documents);
        let mut part = Verdicts { tally, diagnostics: parsed.diagnostics, ..Verdicts::default() };
        for (index, document) in parsed.documents.iter().enumerate() {
            part.absorb(self.document(document, index, &file, &mut inline));
        }
        part.diagnostics.extend(inline.review());
        part
    }

    fn document(&self, document: &Document, index: usize, file: &str, inline: &mut InlineWaivers) -> Verdicts {
        let request = request(&as_stored(document), &self.standing);
        let judgement = self.ask(document, file, &request);
        let judged = usize::from(!judgement.outcomes.is_empty());
        let mut part = Verdicts { documents: 1, judged, ..Verdicts::default() };
        let mutated = judgement.patched.as_ref().map(|object| request.with_object(object.clone()));
        let worth_showing =
            |outcome: &RuleOutcome| matches!(outcome.verdict, Verdict::Fail | Verdict::Warn | Verdict::Error);
        let shown = |outcome: &RuleOutcome| self.standing.keep_all || worth_showing(outcome);
        part.findings.reserve_exact(judgement.outcomes.iter().filter(|(_, outcome)| shown(outcome)).count());
        let mut case: Option<Case<'_>> = None;
        for (at, outcome) in &judgement.outcomes {
            if !shown(outcome) {
                part.counts.add(outcome.verdict);
                continue;
            }
            let case = case.get_or_insert_with(|| {
                let resource = document.resource();
                let name = resource.to_string().into();
                Case { index, file, resource, name, request: mutated.as_ref().unwrap_or(&request) }
            });
            let same_rule = |(other, o): &&(usize, RuleOutcome)| other == at && o.rule == outcome.rule;
            let alone = || judgement.outcomes.iter().filter(same_rule).nth(1).is_none();
            for finding in self.findings(case, *at, outcome, alone, inline, &mut part.waivers) {
                part.counts.note(&finding);
                part.findings.push(finding);
            }
        }
        part
    }

    /// The policies' answers, without the policies that are switched off for this object.
    fn ask(&self, document: &Document, file: &str, request: &Request) -> Judgement {
        let Some((on, policies)) = self.agreement.switched_on(self.policies, &document.resource(), file) else {
            return self.policies.judge(request, &self.environment);
        };
        let mut judgement = policies.judge(request, &self.environment);
        for (index, _) in &mut judgement.outcomes {
            *index = on.get(*index).copied().unwrap_or(usize::MAX);
        }
        judgement
    }

    /// What is shown of an outcome: nothing for a rule that is switched off here, two findings where a waiver covers
    /// some of the fields. `alone` tells whether the rule gave no other answer about the object.
    fn findings(
        &self,
        case: &Case<'_>,
        at: usize,
        outcome: &RuleOutcome,
        alone: impl Fn() -> bool,
        inline: &mut InlineWaivers,
        usage: &mut Use,
    ) -> Vec<Finding> {
        let Some((policy, reference)) = self.policies.policies().get(at).zip(self.references.get(at)) else {
            return Vec::new();
        };
        let resource = &case.resource;
        let subject = Subject { policy: reference, rule: &outcome.rule, resource, file: case.file };
        let settings = self.agreement.settings(&subject);
        if settings.mode == Some(Mode::Off) {
            return Vec::new();
        }
        let mut outcome = Cow::Borrowed(outcome);
        let violated = matches!(outcome.verdict, Verdict::Fail | Verdict::Warn);
        let concern = inline.concern(case.index, &subject);
        let by_element = concern == Some(true) || self.agreement.parts;
        if violated && by_element && outcome.phase == Phase::Validate && !outcome.paths.is_empty() && alone() {
            outcome.to_mut().paths = offending_fields(&**policy, case.request, &outcome, &self.environment);
        }
        let settle = |outcome: &RuleOutcome, waiver: Option<Arc<Waiver>>, usage: &mut Use| {
            let mut finding = finding(&**policy, reference, outcome, resource, &case.name);
            finding.disposition = waiver.map_or(Disposition::Counted, Disposition::Waived);
            self.agreement.settle(&mut finding, &subject, settings, usage);
            if self.agreement.parts && violated && finding.disposition.counts() {
                finding.parts = parts(reference, outcome, resource, &case.name);
            }
            finding
        };
        if concern.is_some() && outcome.verdict == Verdict::Error {
            inline.excuse(case.index, &subject);
        }
        if concern.is_none() || !violated {
            return vec![settle(&outcome, None, usage)];
        }
        let fields = if outcome.paths.is_empty() { vec![Path::root()] } else { outcome.paths.clone() };
        let split = inline.split(case.index, &subject, fields);
        let mut findings = Vec::new();
        if !split.left.is_empty() {
            findings.push(settle(&RuleOutcome { paths: split.left, ..outcome.clone().into_owned() }, None, usage));
        }
        if let Some(waiver) = split.waiver {
            let waived = RuleOutcome { paths: split.covered, ..outcome.into_owned() };
            findings.push(settle(&waived, Some(waiver), usage));
        }
        findings
    }
}
