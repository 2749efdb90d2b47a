//! Puts documents before the policies, on as many threads as asked for, and counts what comes back.

use std::borrow::Cow;
use std::sync::Arc;

use palisade_document::Document;
use palisade_model::{Diagnostic, Finding, GroupVersionKind, PolicyRef, Resource, Str, Verdict};
use palisade_policy::{AdmissionRequest, Environment, Operation, Payload, PolicySet, Request, UserInfo, finding};

use crate::input::{Input, in_parallel, is_object};

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
    /// Documents read.
    pub(crate) documents: usize,
    /// Documents judged by at least one rule.
    pub(crate) judged: usize,
    /// What was wrong with the inputs.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Verdicts {
    fn absorb(&mut self, other: Self) {
        self.counts.merge(other.counts);
        self.findings.extend(other.findings);
        self.documents += other.documents;
        self.judged += other.judged;
        self.diagnostics.extend(other.diagnostics);
    }
}

/// Answers by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) pass: usize,
    pub(crate) fail: usize,
    pub(crate) warn: usize,
    pub(crate) skip: usize,
    pub(crate) error: usize,
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

    /// All answers.
    pub(crate) fn total(self) -> usize {
        self.pass + self.fail + self.warn + self.skip + self.error
    }

    fn merge(&mut self, other: Self) {
        self.pass += other.pass;
        self.fail += other.fail;
        self.warn += other.warn;
        self.skip += other.skip;
        self.error += other.error;
    }
}

/// The request that stands for a document: an admission request for a Kubernetes object, else its JSON.
pub(crate) fn request(document: &Document, standing: &Standing) -> Request {
    if !is_object(document) {
        return Request::new(Payload::Json(document.value.clone()));
    }
    let mut request = AdmissionRequest::of(&document.resource(), standing.operation);
    request.user = standing.user.clone();
    Request::admission(request)
}

/// The document as policies in a cluster see it: of its own kinds, the API server drops members that are null (which
/// templates leave behind where a list is empty) before it asks anybody.
fn as_stored(document: &Document) -> Cow<'_, Document> {
    let built_in = |gvk: GroupVersionKind| !gvk.group.contains('.') || gvk.group.ends_with(".k8s.io");
    if !GroupVersionKind::of(&document.value).is_some_and(built_in) || !document.value.has_null_members() {
        return Cow::Borrowed(document);
    }
    Cow::Owned(Document { value: document.value.without_null_members(), ..document.clone() })
}

/// A set of policies with what every finding about them shares.
pub(crate) struct Judge<'a> {
    policies: &'a PolicySet,
    references: Vec<Arc<PolicyRef>>,
    environment: Environment<'a>,
    standing: Standing,
}

impl<'a> Judge<'a> {
    /// Policies, their surroundings, and how documents are put before them.
    pub(crate) fn new(policies: &'a PolicySet, environment: Environment<'a>, standing: Standing) -> Self {
        let references = policies.policies().iter().map(|policy| Arc::new(policy.reference().clone())).collect();
        Self { policies, references, environment, standing }
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
        for part in parts {
            all.absorb(part);
        }
        all
    }

    fn input(&self, input: &Input) -> Verdicts {
        let parsed = input.read();
        let mut part = Verdicts { diagnostics: parsed.diagnostics, ..Verdicts::default() };
        for document in &parsed.documents {
            part.absorb(self.document(document));
        }
        part
    }

    fn document(&self, document: &Document) -> Verdicts {
        let judgement = self.policies.judge(&request(&as_stored(document), &self.standing), &self.environment);
        let judged = usize::from(!judgement.outcomes.is_empty());
        let mut part = Verdicts { documents: 1, judged, ..Verdicts::default() };
        let mut named: Option<(Resource, Str)> = None;
        for (index, outcome) in &judgement.outcomes {
            let worth_showing = matches!(outcome.verdict, Verdict::Fail | Verdict::Warn | Verdict::Error);
            if !worth_showing && !self.standing.keep_all {
                part.counts.add(outcome.verdict);
                continue;
            }
            let Some((policy, reference)) = self.policies.policies().get(*index).zip(self.references.get(*index))
            else {
                continue;
            };
            let (resource, name) = named.get_or_insert_with(|| {
                let resource = document.resource();
                let name = resource.to_string().into();
                (resource, name)
            });
            let finding = finding(&**policy, reference, outcome, resource, name);
            part.counts.add(finding.verdict);
            part.findings.push(finding);
        }
        part
    }
}
