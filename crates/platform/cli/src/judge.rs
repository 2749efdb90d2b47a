//! Puts documents before the policies, on as many threads as asked for, and counts what comes back.

mod combined;
mod request;

use palisade_document::Document;
use palisade_document::kind::kubernetes::is_object;
use palisade_intake::kustomize::{Patches, has_directive};
use palisade_intake::{Input, Tally, in_parallel};
use palisade_model::address::parts;
use palisade_model::{Diagnostic, Disposition, Finding, VerdictCounts};
use palisade_policy::{Environment, Phase};
use palisade_verdict::waiver::{InlineWaivers, Usage};
use palisade_verdict::{Door, Judgement, Ruleset, Sheet};
use serde::Serialize;

pub(crate) use self::request::{Asked, OldObjects, Standing};
use crate::adoption::Frame;
use crate::beside::Beside;
use crate::lookups::ManifestLookups;

/// As the API server orders webhooks, with what follows at the end.
const PHASES: &[Phase] = &[Phase::Mutate, Phase::Validate, Phase::Generate];

/// What came out of a run.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// Rules' answers by verdict.
    pub(crate) counts: VerdictCounts,
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
    pub(crate) waivers: Usage,
}

impl Verdicts {
    fn absorb(&mut self, other: Self) {
        self.counts += other.counts;
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

    /// Takes what was said of something in `file`.
    fn take(&mut self, judgement: Judgement, file: &str) {
        self.counts += judgement.counts;
        self.findings.reserve_exact(judgement.settled.len());
        for settled in judgement.settled {
            self.waivers.note(&settled, file);
            self.findings.push(settled.finding);
        }
    }
}

/// Answers by verdict; violations that do not count by the reason for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// What counts.
    #[serde(flatten)]
    pub(crate) counted: VerdictCounts,
    pub(crate) waived: u32,
    pub(crate) known: u32,
    pub(crate) audited: u32,
}

impl Counts {
    /// Of all answers, the findings among them.
    pub(crate) fn of(all: VerdictCounts, findings: &[Finding]) -> Self {
        let mut counts = Self { counted: all, ..Self::default() };
        for finding in findings {
            let aside = match finding.disposition {
                Disposition::Counted => continue,
                Disposition::Waived(_) => &mut counts.waived,
                Disposition::Known => &mut counts.known,
                Disposition::Audited => &mut counts.audited,
            };
            *aside += 1;
            let counted = counts.counted.of(finding.verdict);
            *counted = counted.saturating_sub(1);
        }
        counts
    }

    /// All answers.
    pub(crate) const fn total(self) -> u32 {
        self.counted.total() + self.waived + self.known + self.audited
    }
}

/// The inputs without the files that kustomizations name as patches, and those files.
pub(crate) fn without_patches(inputs: Vec<Input>) -> (Vec<Input>, Vec<Input>) {
    let patches = Patches::of(&inputs);
    inputs.into_iter().partition(|input| !patches.has(input))
}

/// What is to be said of files that are patches: how many documents they hold, and what is wrong with them.
pub(crate) fn patches(files: &[Input]) -> (Tally, Vec<Diagnostic>) {
    let (mut tally, mut diagnostics) = (Tally::default(), Vec::new());
    for contents in files.iter().map(Input::contents) {
        tally.patches += contents.parsed.documents.len();
        diagnostics.extend(contents.parsed.diagnostics);
    }
    (tally, diagnostics)
}

/// Whether a document directs how it is merged. What is piped in has been built, so that a directive there is a mistake that
/// nothing else would find.
fn is_patch(input: &Input, document: &Document) -> bool {
    input.path().is_some() && is_object(&document.value) && has_directive(&document.value)
}

/// What judges files, and how they are put.
pub(crate) struct Judge<'a> {
    /// The policies, and what the repository has agreed on about them.
    pub(crate) ruleset: &'a Ruleset,
    /// What surrounds an evaluation.
    pub(crate) environment: Environment<'a>,
    /// What is known of the run as a whole.
    pub(crate) manifests: &'a ManifestLookups<'a>,
    /// How documents are put before the policies.
    pub(crate) standing: &'a Standing,
    /// Where paths start from.
    pub(crate) frame: &'a Frame,
    /// Whether every offending field needs an identity, for a baseline.
    pub(crate) parts: bool,
}

impl Judge<'_> {
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
        let file = self.frame.relative(&input.name());
        let inline = InlineWaivers::read(&parsed.documents, self.environment.now);
        let mut part = Verdicts { tally, diagnostics: parsed.diagnostics, ..Verdicts::default() };
        let parts = parts(parsed.documents.iter().map(|document| &document.value));
        for ((index, document), place) in parsed.documents.iter().enumerate().zip(&parts) {
            if is_patch(input, document) {
                part.tally.patches += 1;
                continue;
            }
            let asked = match self.standing.ask(document, self.manifests).map(Asked::completed) {
                Ok(asked) => asked,
                Err(diagnostic) => {
                    part.diagnostics.push(*diagnostic);
                    continue;
                }
            };
            let resource = asked.about(document).resource();
            let sheet = Sheet {
                part: place,
                inline: Some((&inline, index)),
                parts: self.parts,
                every: self.standing.keep_all,
                ..Sheet::new(PHASES, &resource, &file)
            };
            let namespace = asked.request.as_admission().map(|request| request.namespace.clone()).unwrap_or_default();
            let beside = Beside::new(self.manifests, document, namespace);
            let environment = Environment { lookups: &beside, ..self.environment };
            let judgement = self.ruleset.judge(&asked.request, &Door::Files(sheet), &environment);
            part.documents += 1;
            part.judged += usize::from(judgement.judged);
            part.take(judgement, &file);
        }
        part.diagnostics.extend(inline.review());
        part
    }
}
