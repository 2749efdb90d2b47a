//! For people at a terminal: findings by rule with the lines in question, then a table of what to fix first.
//!
//! Quiet output is one line a finding, for editors and scripts; verbose output shows every excerpt.

use std::io::{self, Write};

use palisade_intake::in_parallel;
use palisade_model::{Finding, Verdict};

use super::group::{Group, best_change, by_rule};
use super::{Detail, Report, count};
use crate::render::{self, facts, in_a_line, rule_id, visible};

/// Excerpts that are shown of one rule.
const EXCERPTS: usize = 3;
/// The longest message in the table, in characters.
const MESSAGE: usize = 60;
/// Rules that the table lists.
const ROWS: usize = 20;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (counted, rest): (Vec<_>, Vec<_>) =
        report.findings.iter().partition(|finding| finding.disposition.counts() || report.detail == Detail::Verbose);
    if report.detail == Detail::Quiet {
        return counted.iter().try_for_each(|finding| writeln!(out, "{}", line(finding)));
    }
    let groups = by_rule(counted.iter().copied());
    let excerpts = if report.detail == Detail::Verbose { usize::MAX } else { EXCERPTS };
    for text in in_parallel(&groups, report.jobs, |group| {
        render::findings(&group.findings, excerpts, report.fail_on.worst(&group.findings))
    }) {
        writeln!(out, "{text}\n")?;
    }
    let failing: Vec<_> = groups.iter().filter(|group| group.first().is_some_and(concerns)).collect();
    if failing.len() > 1 {
        table(&failing, out)?;
    }
    advice(&counted, out)?;
    if !rest.is_empty() {
        writeln!(out, "{} waived, known or audited; --verbose shows them\n", count(rest.len(), "finding"))?;
    }
    Ok(())
}

fn concerns(finding: &Finding) -> bool {
    !matches!(finding.verdict, Verdict::Pass | Verdict::Skip)
}

/// `file:line:column: severity rule: message (resource)`
fn line(finding: &Finding) -> String {
    let place = finding.location.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
    let word = if finding.verdict == Verdict::Error { "error".into() } else { finding.severity.to_string() };
    let message = finding.message.split_whitespace().collect::<Vec<_>>().join(" ");
    in_a_line(&format!("{place}{word} {}: {message}{} ({})", rule_id(finding), facts(finding), finding.resource))
}

fn table(groups: &[&Group<'_>], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<9} {:>8} {:>6}  rule", "severity", "findings", "files")?;
    for group in groups.iter().take(ROWS) {
        let word = match group.first() {
            Some(finding) if finding.verdict == Verdict::Error => "error".into(),
            Some(finding) => finding.severity.to_string(),
            None => continue,
        };
        let said = group.message().map(|message| format!(": {}", short(message))).unwrap_or_default();
        writeln!(out, "{word:<9} {:>8} {:>6}  {}{said}", group.findings.len(), group.files(), group.id)?;
    }
    if groups.len() > ROWS {
        writeln!(out, "and {}", count(groups.len() - ROWS, "further rule"))?;
    }
    writeln!(out)
}

/// The beginning of a message, in one line.
fn short(message: &str) -> String {
    let message = visible(message);
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or(line)),
        None => line.to_owned(),
    }
}

/// The one change that removes the most findings.
fn advice(findings: &[&Finding], out: &mut dyn Write) -> io::Result<()> {
    let Some(change) = best_change(findings) else { return Ok(()) };
    let wherever = change.text.map(|text| format!(" wherever it says `{}`", visible(&text))).unwrap_or_default();
    writeln!(
        out,
        "start here: one change{wherever} removes {} of {}: {} ({})\n",
        change.findings,
        count(findings.len(), "finding"),
        visible(change.remedy),
        change.rules.join(", ")
    )
}
