//! Puts documents before the policies, on as many threads as asked for, and counts what comes back.

use palisade_document::Document;
use palisade_model::{Finding, Resource, Verdict};
use palisade_policy::{AdmissionRequest, Environment, Operation, Payload, PolicySet, Request, UserInfo, finding};

use crate::input::{in_parallel, is_object};

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
    /// Documents judged by at least one rule.
    pub(crate) judged: usize,
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

/// Judges all documents; `tick` is called after each.
pub(crate) fn judge(
    policies: &PolicySet,
    documents: &[Document],
    environment: &Environment<'_>,
    standing: &Standing,
    jobs: usize,
    tick: impl Fn() + Sync,
) -> Verdicts {
    let parts = in_parallel(documents, jobs, |document| {
        let part = judge_one(policies, document, environment, standing);
        tick();
        part
    });
    let mut all = Verdicts::default();
    for part in parts {
        all.counts.merge(part.counts);
        all.findings.extend(part.findings);
        all.judged += part.judged;
    }
    all
}

fn judge_one(
    policies: &PolicySet,
    document: &Document,
    environment: &Environment<'_>,
    standing: &Standing,
) -> Verdicts {
    let judgement = policies.judge(&request(document, standing), environment);
    let mut part = Verdicts { judged: usize::from(!judgement.outcomes.is_empty()), ..Verdicts::default() };
    let mut resource: Option<Resource> = None;
    for (index, outcome) in &judgement.outcomes {
        let worth_showing = matches!(outcome.verdict, Verdict::Fail | Verdict::Warn | Verdict::Error);
        if !worth_showing && !standing.keep_all {
            part.counts.add(outcome.verdict);
            continue;
        }
        let Some(policy) = policies.policies().get(*index) else { continue };
        let resource = resource.get_or_insert_with(|| document.resource());
        let finding = finding(&**policy, outcome, resource);
        part.counts.add(finding.verdict);
        part.findings.push(finding);
    }
    part
}
