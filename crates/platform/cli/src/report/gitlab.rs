//! GitLab's Code Quality report (<https://docs.gitlab.com/ci/testing/code_quality/>): findings with a place in a file.

use std::io::{self, Write};

use palisade_model::{Finding, Severity, Verdict};
use serde::Serialize;

use super::{Report, write_json};
use crate::render::{facts, rule_id};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Place<'a>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let concerning =
        |finding: &&Finding| finding.disposition.counts() && !matches!(finding.verdict, Verdict::Pass | Verdict::Skip);
    let issues: Vec<_> = report.findings.iter().filter(concerning).map(issue).collect();
    write_json(&issues, out)
}

/// GitLab refuses issues without a place, so what has none is placed at the start of the file that it came from.
fn issue(finding: &Finding) -> Issue<'_> {
    let (path, begin) = finding.location.as_ref().map_or(("unknown", 1), |at| (at.source.name(), at.start().line));
    Issue {
        description: format!("{}: {}{}", finding.resource, finding.message, facts(finding)),
        check_name: rule_id(finding),
        fingerprint: finding.fingerprint.to_string(),
        severity: severity(finding),
        location: Place { path, lines: Lines { begin } },
    }
}

fn severity(finding: &Finding) -> &'static str {
    match (finding.verdict, finding.severity) {
        (Verdict::Error, _) | (_, Severity::Critical) => "blocker",
        (_, Severity::High) => "critical",
        (_, Severity::Medium) => "major",
        (_, Severity::Low) => "minor",
        (_, Severity::Info) => "info",
    }
}
