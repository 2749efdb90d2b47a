//! Findings by rule, what hits hardest and most often first, and the one change that removes the most of them.

use std::collections::{BTreeMap, HashMap};

use palisade_model::{Finding, Severity, Str, Verdict};

use crate::render::rule_id;

/// The findings of one rule.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// The rule, as reports name it.
    pub(super) id: String,
    /// In the order of the documents; never empty.
    pub(super) findings: Vec<&'a Finding>,
}

impl<'a> Group<'a> {
    /// The finding that speaks for the group.
    pub(super) fn first(&self) -> Option<&'a Finding> {
        self.findings.first().copied()
    }

    /// What all of its findings say, where they say the same.
    pub(super) fn message(&self) -> Option<&'a Str> {
        let message = &self.first()?.message;
        self.findings.iter().all(|finding| finding.message == *message).then_some(message)
    }

    /// The number of files that its findings are in.
    pub(super) fn files(&self) -> usize {
        let mut files: Vec<_> = self.findings.iter().filter_map(|finding| file(finding)).collect();
        files.sort_unstable();
        files.dedup();
        files.len()
    }

    /// Errors before failures before warnings, then by severity, then by number.
    fn rank(&self) -> (u8, std::cmp::Reverse<Severity>, std::cmp::Reverse<usize>) {
        let (verdict, severity) =
            self.first().map_or((Verdict::Skip, Severity::Info), |finding| (finding.verdict, finding.severity));
        let order = match verdict {
            Verdict::Error => 0,
            Verdict::Fail => 1,
            Verdict::Warn => 2,
            Verdict::Skip => 3,
            Verdict::Pass => 4,
        };
        (order, std::cmp::Reverse(severity), std::cmp::Reverse(self.findings.len()))
    }
}

/// The findings by rule and verdict. Definitions of one name that stand in different places are different rules.
pub(super) fn by_rule<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    let mut known: HashMap<_, usize> = HashMap::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for finding in findings {
        let place = finding.rule_location.as_ref().map(|at| (at.source.name(), at.span));
        let key = (&*finding.policy, written_rule(&finding.rule), place, finding.verdict as u8);
        let at = *known.entry(key).or_insert_with(|| {
            groups.push(Group { id: group_id(finding), findings: Vec::new() });
            groups.len() - 1
        });
        groups.get_mut(at).into_iter().for_each(|group| group.findings.push(finding));
    }
    groups.sort_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| a.id.cmp(&b.id)));
    groups
}

/// The rule as it is written: what Kyverno derives from it for workloads is the same rule to people.
fn written_rule(rule: &str) -> &str {
    rule.strip_prefix("autogen-cronjob-").or_else(|| rule.strip_prefix("autogen-")).unwrap_or(rule)
}

/// The rule's name in reports, without what was derived.
pub(crate) fn group_id(finding: &Finding) -> String {
    let id = rule_id(finding);
    match id.strip_suffix(&*finding.rule) {
        Some(policy) => format!("{policy}{}", written_rule(&finding.rule)),
        None => id,
    }
}

/// The one change that removes the most findings.
#[derive(Debug, PartialEq)]
pub(super) struct Change<'a> {
    /// What to do.
    pub(super) remedy: &'a str,
    /// The text that stands in every one of the places, where it does.
    pub(super) text: Option<String>,
    /// The rules that it satisfies.
    pub(super) rules: Vec<String>,
    /// How many findings it removes.
    pub(super) findings: usize,
}

/// The longest offending text that is worth quoting.
const MAX_QUOTED: usize = 60;

/// Looks for the text that offends in the most places, and for the rule that fails the most; `None` where no change
/// removes more than one finding.
pub(super) fn best_change<'a>(findings: &[&'a Finding]) -> Option<Change<'a>> {
    let mut clusters: BTreeMap<(&str, Option<&str>), Vec<&'a Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.verdict == Verdict::Fail) {
        let Some(remedy) = finding.remediation.as_deref() else { continue };
        clusters.entry((remedy, None)).or_default().push(finding);
        if let Some(text) = offending_text(finding) {
            clusters.entry((remedy, Some(text))).or_default().push(finding);
        }
    }
    // A text that accounts for a whole rule says more than the rule.
    let best = clusters.into_iter().filter(|(_, members)| members.len() > 1);
    let ((remedy, text), members) = best.max_by_key(|((_, text), members)| (members.len(), text.is_some()))?;
    let mut rules: Vec<_> = members.iter().map(|finding| group_id(finding)).collect();
    rules.sort();
    rules.dedup();
    Some(Change { remedy, text: text.map(str::to_owned), rules, findings: members.len() })
}

/// The value in the offending field, where it is short enough to be one.
fn offending_text(finding: &Finding) -> Option<&str> {
    let location = finding.location.as_ref()?;
    let text = location.source.slice(location.span).trim();
    (!text.is_empty() && text.len() <= MAX_QUOTED && !text.contains('\n')).then_some(text)
}

/// The file of a finding.
pub(super) fn file(finding: &Finding) -> Option<&str> {
    finding.location.as_ref().map(|location| location.source.name())
}
