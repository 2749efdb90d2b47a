//! For programs: every finding with its place and fingerprint. `schema_version` changes when a field changes meaning.

use std::collections::BTreeMap;
use std::io::{self, Write};

use palisade_model::{Control, Diagnostic, Disposition, Finding, Fingerprint, Location};
use serde::Serialize;

use super::Report;
use crate::judge::Counts;

const SCHEMA_VERSION: &str = "1";

/// What patches of kustomizations are counted as; extensions begin with a dot.
const PATCH: &str = "kustomize-patch";

#[derive(Serialize)]
struct Summary<'a> {
    policies: usize,
    files: usize,
    documents: usize,
    judged: usize,
    #[serde(flatten)]
    counts: Counts,
    /// Files read as documents, by kind.
    kinds: &'a BTreeMap<&'static str, usize>,
    /// Files of text, by kind.
    text: &'a BTreeMap<&'static str, usize>,
    /// Files of no known kind, by extension, and documents that are patches.
    left_alone: BTreeMap<&'a str, usize>,
}

#[derive(Serialize)]
struct Entry<'a> {
    policy: Policy<'a>,
    rule: &'a str,
    verdict: palisade_model::Verdict,
    severity: palisade_model::Severity,
    message: &'a str,
    resource: &'a str,
    /// Which of the documents of its file, where several are alike otherwise.
    #[serde(skip_serializing_if = "str::is_empty")]
    part: &'a str,
    path: &'a str,
    location: Option<Place<'a>>,
    related: Vec<Related<'a>>,
    rule_location: Option<Place<'a>>,
    remediation: Option<&'a str>,
    controls: &'a [Control],
    /// What the rule knows beside its words.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    facts: BTreeMap<&'a str, &'a str>,
    fingerprint: Fingerprint,
    /// `counted`, or why it does not count: `waived`, `known`, `audited`.
    disposition: &'static str,
    waiver: Option<WaiverEntry<'a>>,
}

/// Who answers for a finding that does not count.
#[derive(Serialize)]
struct WaiverEntry<'a> {
    reason: &'a str,
    owner: &'a str,
    expires: &'a str,
    location: Option<Place<'a>>,
}

impl<'a> WaiverEntry<'a> {
    fn of(disposition: &'a Disposition) -> Option<Self> {
        let Disposition::Waived(waiver) = disposition else { return None };
        let location = waiver.location.as_ref().map(Place::of);
        Some(Self { reason: &waiver.reason, owner: &waiver.owner, expires: &waiver.expires, location })
    }
}

/// A further offending field.
#[derive(Serialize)]
struct Related<'a> {
    path: &'a str,
    location: Place<'a>,
}

#[derive(Serialize)]
struct Policy<'a> {
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
    digest: &'a str,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl<'a> Place<'a> {
    fn of(location: &'a Location) -> Self {
        let (start, end) = (location.start(), location.end());
        Self {
            file: location.source.name(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

/// A diagnostic as JSON reports carry it.
#[derive(Serialize)]
pub(crate) struct DiagnosticEntry<'a> {
    code: &'a str,
    level: String,
    message: &'a str,
    location: Option<Place<'a>>,
    help: &'a [String],
}

/// A diagnostic for a JSON report.
pub(crate) fn diagnostic_entry(diagnostic: &Diagnostic) -> DiagnosticEntry<'_> {
    DiagnosticEntry {
        code: diagnostic.code,
        level: diagnostic.level.to_string(),
        message: &diagnostic.message,
        location: diagnostic.labels.first().map(|label| Place::of(&label.location)),
        help: &diagnostic.help,
    }
}

/// Indented JSON and a final line break.
pub(crate) fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// One line per finding: half the bytes of indented JSON, which matters for hundreds of thousands of them, and lines
/// that can be searched and compared.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut left_alone: BTreeMap<_, _> =
        report.tally.left_alone.iter().map(|(extension, number)| (&**extension, *number)).collect();
    left_alone.extend((report.tally.patches > 0).then_some((PATCH, report.tally.patches)));
    let summary = Summary {
        policies: report.policies,
        files: report.files,
        documents: report.documents,
        judged: report.judged,
        counts: report.counts,
        kinds: &report.tally.documents,
        text: &report.tally.text,
        left_alone,
    };
    write!(out, "{{\"schema_version\": \"{SCHEMA_VERSION}\",\n\"summary\": ")?;
    serde_json::to_writer(&mut *out, &summary)?;
    out.write_all(b",\n\"findings\": [\n")?;
    report.write_findings(|finding| line(&entry(finding)), b",\n", out)?;
    out.write_all(b"],\n\"diagnostics\": ")?;
    let diagnostics: Vec<_> = report.diagnostics.iter().map(diagnostic_entry).collect();
    serde_json::to_writer(&mut *out, &diagnostics)?;
    writeln!(out, "}}")
}

/// Most findings are shorter, so that their buffers never grow.
const LINE: usize = 640;

fn line(entry: &Entry<'_>) -> io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(LINE);
    serde_json::to_writer(&mut line, entry)?;
    Ok(line)
}

fn entry(finding: &Finding) -> Entry<'_> {
    Entry {
        policy: Policy {
            kind: &finding.policy.kind,
            namespace: finding.policy.namespace.as_deref(),
            name: &finding.policy.name,
            digest: &finding.policy.digest,
        },
        rule: &finding.rule,
        verdict: finding.verdict,
        severity: finding.severity,
        message: &finding.message,
        resource: &finding.resource,
        part: &finding.part,
        path: &finding.path,
        location: finding.location.as_ref().map(Place::of),
        related: finding.related.iter().map(|(path, at)| Related { path, location: Place::of(at) }).collect(),
        rule_location: finding.rule_location.as_ref().map(Place::of),
        remediation: finding.remediation.as_deref(),
        controls: &finding.controls,
        facts: finding.facts.iter().map(|(name, value)| (&**name, &**value)).collect(),
        fingerprint: finding.fingerprint,
        disposition: finding.disposition.as_str(),
        waiver: WaiverEntry::of(&finding.disposition),
    }
}
