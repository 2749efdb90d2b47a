//! A summary in Markdown, for a pull request's comment or a job's summary page.

use std::io::{self, Write};

use palisade_model::{Finding, Verdict};

use super::group::{Group, best_change, by_rule};
use super::{Report, count};
use crate::render::{facts, visible};

/// Findings that are listed of one rule; comments have a largest size.
const LISTED: usize = 20;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let concerning = |finding: &&Finding| !matches!(finding.verdict, Verdict::Pass | Verdict::Skip);
    let (counted, rest): (Vec<_>, Vec<_>) =
        report.findings.iter().filter(concerning).partition(|finding| finding.disposition.counts());
    let groups = by_rule(counted.iter().copied());
    let counts = report.counts.counted;
    writeln!(out, "## Palisade\n")?;
    writeln!(
        out,
        "{} judged by {}: {} passed, {} failed, {} warned, {} errors.\n",
        count(report.judged, "resource"),
        count(report.policies, "policy"),
        counts.pass,
        counts.fail,
        counts.warn,
        counts.error
    )?;
    if !groups.is_empty() {
        writeln!(out, "| severity | findings | files | rule |\n| --- | ---: | ---: | --- |")?;
        for group in &groups {
            let word = group.first().map(word).unwrap_or_default();
            writeln!(out, "| {word} | {} | {} | {} |", group.findings.len(), group.files(), code(&group.id))?;
        }
        writeln!(out)?;
    }
    if let Some(change) = best_change(&counted) {
        let wherever = change.text.map(|text| format!(" wherever it says {}", code(&text))).unwrap_or_default();
        let total = count(counted.len(), "finding");
        writeln!(out, "One change{wherever} removes {} of {total}: {}\n", change.findings, plain(change.remedy))?;
    }
    groups.iter().try_for_each(|group| details(group, out))?;
    if !rest.is_empty() {
        writeln!(out, "{} waived, known or audited.", count(rest.len(), "further finding"))?;
    }
    problems(report, out)
}

fn word(finding: &Finding) -> String {
    if finding.verdict == Verdict::Error { "error".into() } else { finding.severity.to_string() }
}

fn details(group: &Group<'_>, out: &mut dyn Write) -> io::Result<()> {
    let title = group.message().map(|message| format!(": {}", plain(message))).unwrap_or_default();
    writeln!(out, "<details><summary><code>{}</code>{title}</summary>\n", plain(&group.id))?;
    if let Some(remedy) = group.first().and_then(|finding| finding.remediation.as_deref()) {
        writeln!(out, "{}\n", plain(remedy))?;
    }
    for finding in group.findings.iter().take(LISTED) {
        let place = finding.location.as_ref().map(|at| format!("{} ", code(&at.to_string()))).unwrap_or_default();
        let message = if group.message().is_some() { String::new() } else { format!(": {}", plain(&finding.message)) };
        writeln!(out, "- {place}{}{message}{}", plain(&finding.resource), plain_facts(finding))?;
    }
    if group.findings.len() > LISTED {
        writeln!(out, "- and {} more", group.findings.len() - LISTED)?;
    }
    writeln!(out, "\n</details>\n")
}

/// The facts as text, with the blank that `plain` takes away.
fn plain_facts(finding: &Finding) -> String {
    let facts = plain(&facts(finding));
    if facts.is_empty() { facts } else { format!(" {facts}") }
}

fn problems(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if !report.diagnostics.is_empty() {
        writeln!(out, "### Problems\n")?;
    }
    report.diagnostics.iter().try_for_each(|diagnostic| writeln!(out, "- {}", plain(&diagnostic.to_string())))
}

/// Text of a policy or a document, which must not be read as markup.
fn plain(text: &str) -> String {
    let one_line = visible(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut plain = String::with_capacity(one_line.len());
    for c in one_line.chars() {
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '`' | '*' | '_' | '[' | ']' | '|' | '\\' | '#' | '@' => plain.extend(['\\', c]),
            _ => plain.push(c),
        }
    }
    plain
}

/// Text in code style; a backtick would end it.
fn code(text: &str) -> String {
    format!("`{}`", visible(text).replace('`', "'").replace(['\n', '\r'], " ").replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_text() {
        assert_eq!(plain("<img src=x>\n*a* | [b](c) @team"), "&lt;img src=x&gt; \\*a\\* \\| \\[b\\](c) \\@team");
        assert_eq!(code("a`b|c"), "`a'b\\|c`");
    }
}
