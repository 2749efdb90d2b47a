//! The table of output formats. Adding one is a file here and a line in [`REPORTERS`].

use std::io::{self, Write};

use palisade_intake::{Tally, in_parallel};
use palisade_model::{Diagnostic, Disposition, Finding, Verdict, nearest};

use crate::args::Global;
use crate::judge::Counts;

mod github;
mod gitlab;
mod group;
mod human;
mod json;
mod junit;
mod level;
mod markdown;
mod sarif;

pub(crate) use group::group_id;
pub(crate) use json::{DiagnosticEntry, diagnostic_entry, write_json};
pub(crate) use level::FailOn;

/// What a run of `check` has to tell.
#[derive(Debug)]
pub(crate) struct Report {
    /// Findings to show, in the order of the documents.
    pub(crate) findings: Vec<Finding>,
    /// All answers by verdict, those not shown included.
    pub(crate) counts: Counts,
    /// What was wrong with the input.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Policies that took part.
    pub(crate) policies: usize,
    /// What became of the files.
    pub(crate) tally: Tally,
    /// Files and documents read, and documents that at least one rule judged.
    pub(crate) files: usize,
    pub(crate) documents: usize,
    pub(crate) judged: usize,
    /// Threads to render with.
    pub(crate) jobs: usize,
    /// What fails the run, and so is shown as an error.
    pub(crate) fail_on: FailOn,
    /// How much people want to read.
    pub(crate) detail: Detail,
}

/// How much of a result is shown to people; formats for programs are always whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A line a finding.
    Quiet,
    /// By rule, with a few excerpts of each.
    #[default]
    Normal,
    /// Every excerpt, and what passed.
    Verbose,
}

/// Findings that are rendered before they are written: enough to keep every thread busy, few enough to stay small.
const WINDOW: usize = 2_048;

impl Report {
    /// Writes what `render` makes of each finding, in order. Rendering hundreds of thousands of findings takes about as
    /// long as judging them, so it is done on all threads.
    fn write_findings(
        &self,
        render: impl Fn(&Finding) -> io::Result<Vec<u8>> + Sync,
        separator: &[u8],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut first = true;
        for window in self.findings.chunks(WINDOW) {
            for text in in_parallel(window, self.jobs, &render) {
                if !std::mem::take(&mut first) {
                    out.write_all(separator)?;
                }
                out.write_all(&text?)?;
            }
        }
        Ok(())
    }
}

impl Report {
    /// Rules by how many findings they have, waived ones left out: number, severity, name.
    pub(crate) fn frequent_rules(&self) -> Vec<(usize, String, String)> {
        let concern = |finding: &&Finding| matches!(finding.verdict, Verdict::Fail | Verdict::Warn);
        let waived = |finding: &&Finding| matches!(finding.disposition, Disposition::Waived(_));
        let groups = group::by_rule(self.findings.iter().filter(concern).filter(|finding| !waived(finding)));
        let row = |group: group::Group<'_>| Some((group.findings.len(), group.first()?.severity.to_string(), group.id));
        let mut rows: Vec<_> = groups.into_iter().filter_map(row).collect();
        rows.sort_by_key(|(number, ..)| std::cmp::Reverse(*number));
        rows
    }
}

impl Detail {
    /// As `--quiet` and `--verbose` ask.
    pub(crate) fn of(global: &Global) -> Self {
        match (global.quiet, global.verbose) {
            (true, _) => Self::Quiet,
            (_, true) => Self::Verbose,
            _ => Self::Normal,
        }
    }
}

/// A format of [`Report`].
pub(crate) struct Reporter {
    /// The name that `--format` and `--report` take.
    pub(crate) id: &'static str,
    /// What it is for.
    pub(crate) summary: &'static str,
    /// Whether it is JSON, which escapes what a terminal would obey.
    pub(crate) is_json: bool,
    /// Writes the report.
    pub(crate) write: fn(&Report, &mut dyn Write) -> io::Result<()>,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

/// Every format of `palisade check`.
pub(crate) const REPORTERS: &[Reporter] = &[
    Reporter {
        id: "human",
        summary: "findings by rule, with the lines and the fix",
        is_json: false,
        write: human::write,
    },
    Reporter { id: "json", summary: "every finding with its place and fingerprint", is_json: true, write: json::write },
    Reporter { id: "sarif", summary: "SARIF 2.1.0 for code scanning", is_json: true, write: sarif::write },
    Reporter { id: "junit", summary: "JUnit XML for CI test views", is_json: false, write: junit::write },
    Reporter { id: "github", summary: "annotations of GitHub Actions", is_json: false, write: github::write },
    Reporter { id: "gitlab", summary: "Code Quality report of GitLab", is_json: true, write: gitlab::write },
    Reporter { id: "markdown", summary: "a summary for pull requests", is_json: false, write: markdown::write },
];

/// The reporter called `id`; an error lists the others.
pub(crate) fn reporter(id: &str) -> Result<&'static Reporter, String> {
    REPORTERS.iter().find(|reporter| reporter.id == id).ok_or_else(|| {
        let known: Vec<_> = REPORTERS.iter().map(|reporter| reporter.id).collect();
        let near =
            nearest(id, known.iter().copied()).map(|near| format!(", did you mean `{near}`")).unwrap_or_default();
        format!("unknown format `{id}`{near}: one of {}", known.join(", "))
    })
}

/// `1 finding`, `2 findings`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}
