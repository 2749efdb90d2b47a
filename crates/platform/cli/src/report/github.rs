//! GitHub Actions workflow commands, which show findings beside the lines of a pull request
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
//!
//! GitHub shows ten annotations of each level and step, so the worst come first.

use std::io::{self, Write};

use palisade_model::{Finding, Level, Location, Verdict};

use super::{Report, group};
use crate::render::{facts, rule_id};

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in &report.diagnostics {
        let place = diagnostic.labels.first().map(|label| &label.location);
        let body = std::iter::once(&diagnostic.message).chain(&diagnostic.help).cloned().collect::<Vec<_>>().join("\n");
        command(level(diagnostic.level), place, diagnostic.code, &body, out)?;
    }
    let concerning = report.findings.iter().filter(|finding| finding.disposition.counts());
    for group in group::by_rule(concerning.filter(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::Skip)))
    {
        for finding in group.findings {
            let level = level(report.fail_on.level(finding));
            command(level, finding.location.as_ref(), &rule_id(finding), &body(finding), out)?;
        }
    }
    Ok(())
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    }
}

/// What is wrong, where in the object, and the fix.
fn body(finding: &Finding) -> String {
    let subject = match &*finding.path {
        "" => finding.resource.to_string(),
        path => format!("{path} of {}", finding.resource),
    };
    let remedy = finding.remediation.as_deref().map(|remedy| format!("\n{remedy}")).unwrap_or_default();
    format!("{}{}\n{subject} ({} severity){remedy}", finding.message, facts(finding), finding.severity)
}

fn command(level: &str, place: Option<&Location>, title: &str, body: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut properties = format!("title={}", property(title));
    if let Some(location) = place {
        let (start, end) = (location.start(), location.end());
        let file = property(location.source.name());
        properties = format!("file={file},line={},endLine={},col={},{properties}", start.line, end.line, start.column);
    }
    writeln!(out, "::{level} {properties}::{}", data(body))
}

/// A message: line breaks and percent signs are escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property: what separates properties is escaped too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_start_a_command_of_its_own() {
        let mut out = Vec::new();
        command("error", None, "a,b::c", "first\n::set-output name=x::y%", &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "::error title=a%2Cb%3A%3Ac::first%0A::set-output name=x::y%25\n");
    }
}
