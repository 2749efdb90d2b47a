//! The baseline of a run: read before, compared after, written when asked.

use std::collections::HashSet;
use std::path::Path as FilePath;
use std::sync::Arc;

use palisade_model::{Diagnostic, Disposition, Finding, Level, Part, Verdict};
use palisade_policy::Policy;
use palisade_verdict::baseline::{Baseline, Comparison, Entry, FileState, Occurrence};
use palisade_verdict::codes;

use super::Frame;
use crate::judge::Verdicts;
use crate::render::rule_id;
use crate::report::count;

use crate::Failure;

/// The most fixed findings that are listed one by one.
const MAX_LISTED: usize = 5;

/// A baseline and the files that the run looks at.
#[derive(Debug)]
pub(crate) struct KnownFindings<'a> {
    baseline: Baseline,
    frame: &'a Frame,
    judged: HashSet<&'a str>,
    /// The policies that were asked, where that is only a part of them.
    policies: Option<HashSet<String>>,
}

impl<'a> KnownFindings<'a> {
    /// No baseline yet, for a run that judges `files`.
    pub(crate) fn new(frame: &'a Frame, files: &'a [String]) -> Self {
        let judged = files.iter().map(String::as_str).collect();
        Self { baseline: Baseline::default(), frame, judged, policies: None }
    }

    /// Only these policies were asked: nothing is known of findings of others.
    pub(crate) fn limit_to(&mut self, policies: &[Arc<dyn Policy>]) {
        self.policies = Some(policies.iter().map(|policy| policy.reference().to_string()).collect());
    }

    /// Reads the baseline in `file`; warnings are added to `diagnostics`.
    pub(crate) fn read(&mut self, file: &FilePath, diagnostics: &mut Vec<Diagnostic>) -> Result<(), Failure> {
        let parsed = palisade_intake::read(file);
        if palisade_intake::has_errors(&parsed.diagnostics) {
            return Err(Failure::Input(parsed.diagnostics));
        }
        let mut documents = parsed.documents.into_iter();
        let (Some(document), None) = (documents.next(), documents.next()) else {
            return Err(Failure::new(
                format!("`{}` is no baseline", file.display()),
                "write it with `palisade check PATH --write-baseline FILE`",
            ));
        };
        let (baseline, warnings) =
            Baseline::read(&document.into_resource()).map_err(|diagnostic| Failure::Input(vec![diagnostic]))?;
        diagnostics.extend(warnings);
        self.baseline = baseline;
        Ok(())
    }

    fn state(&self, entry: &Entry) -> FileState {
        let file = &*entry.file;
        if !self.asked(&entry.rule) {
            FileState::NotJudged
        } else if self.judged.contains(file) {
            FileState::Judged
        } else if file.starts_with('<') || self.frame.exists(file) {
            FileState::NotJudged
        } else {
            FileState::Gone
        }
    }

    /// Whether the policy of `policy/rule` was asked.
    fn asked(&self, rule: &str) -> bool {
        let Some(policies) = &self.policies else { return true };
        let ends = rule.match_indices('/').map(|(at, _)| at).chain([rule.len()]);
        ends.filter_map(|end| rule.get(..end)).any(|policy| policies.contains(policy))
    }

    /// Marks what the baseline has as known, and returns what became of the baseline. A finding of which it has some fields
    /// becomes two, so that what is new is shown where it is.
    pub(crate) fn mark(&self, verdicts: &mut Verdicts) -> Comparison {
        let findings = &mut verdicts.findings;
        let found: Vec<_> = findings.iter().filter(|finding| is_candidate(finding)).map(|f| self.seen(f)).collect();
        let comparison = self.baseline.compare(&found, &|entry| self.state(entry));
        drop(found);
        let mut partly = Vec::new();
        let candidates = findings.iter_mut().enumerate().filter(|(_, finding)| is_candidate(finding));
        // Both go through the same findings in the same order; marking one does not change what the next one is.
        for ((at, finding), fresh) in candidates.zip(&comparison.fresh) {
            if fresh.is_empty() {
                finding.disposition = Disposition::Known;
            } else if fresh.len() < finding.parts.len() {
                let parts = std::mem::take(&mut finding.parts).into_iter().enumerate();
                let (new, known): (Vec<_>, Vec<_>) = parts.partition(|(index, _)| fresh.contains(index));
                let about =
                    |parts: Vec<(usize, Part)>| finding.about(parts.into_iter().map(|(_, part)| part).collect());
                let (new, known) = (about(new), about(known));
                *finding = new;
                partly.push((at + 1, Finding { disposition: Disposition::Known, ..known }));
            }
        }
        // From the last to the first, so that positions stay true.
        for (at, known) in partly.into_iter().rev() {
            verdicts.counts.add(known.verdict);
            verdicts.findings.insert(at, known);
        }
        comparison
    }

    /// The baseline of what is found now.
    pub(crate) fn of(&self, findings: &[Finding]) -> Baseline {
        let found: Vec<_> = findings.iter().filter(|finding| is_candidate(finding)).map(|f| self.seen(f)).collect();
        Baseline::of(&found, &self.baseline, &|entry| self.state(entry))
    }

    fn seen<'f>(&self, finding: &'f Finding) -> Occurrence<'f> {
        let name = finding.location.as_ref().map(|at| at.source.name()).unwrap_or_default();
        let (file, resource) = (self.frame.relative(name).into(), finding.resource.clone());
        Occurrence { file, resource, rule: rule_id(finding).into(), parts: &finding.parts }
    }
}

/// What can be in a baseline: violations that count. What could not be evaluated cannot.
fn is_candidate(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Fail | Verdict::Warn) && finding.disposition.counts()
}

/// Marks everything that can be in a baseline as known.
pub(crate) fn accept(findings: &mut [Finding]) {
    for finding in findings.iter_mut().filter(|finding| is_candidate(finding)) {
        finding.disposition = Disposition::Known;
    }
}

/// What is to be said of entries that are about more than one element.
pub(crate) fn vague(comparison: &Comparison) -> Option<Diagnostic> {
    let message = format!(
        "{} known only because the baseline is of version 1, whose entries may be about whole lists",
        match comparison.vague {
            0 => return None,
            1 => "1 violation is".to_owned(),
            more => format!("{more} violations are"),
        }
    );
    let help =
        "look at them, then write it anew with `--write-baseline`: what is added to such a list passes until then";
    Some(Diagnostic::warning(codes::BASELINE, message).help(help))
}

/// What is to be said of findings that are gone.
pub(crate) fn fixed(comparison: &Comparison) -> Option<Diagnostic> {
    let number = comparison.fixed.iter().fold(0, |sum, entry| entry.count.saturating_add(sum));
    if number == 0 {
        return None;
    }
    let verb = if number == 1 { "occurs" } else { "occur" };
    let message = format!("{} of the baseline no longer {verb}", count(number, "finding"));
    let mut diagnostic = Diagnostic::new(codes::BASELINE_FIXED, Level::Note, message);
    for entry in comparison.fixed.iter().take(MAX_LISTED) {
        let path = if entry.path.is_empty() { String::new() } else { format!(", {}", entry.path) };
        diagnostic = diagnostic.help(format!("fixed: {} in {}{path} ({})", entry.rule, entry.resource, entry.file));
    }
    if comparison.fixed.len() > MAX_LISTED {
        diagnostic = diagnostic.help(format!("and {} more", comparison.fixed.len() - MAX_LISTED));
    }
    Some(diagnostic.help("`--prune-baseline` takes them out, so that they cannot come back"))
}
