//! SARIF 2.1.0 (OASIS), as GitHub code scanning and editors read it: one run, one rule entry per rule that spoke.

use std::collections::BTreeMap;
use std::io::{self, Write};

use palisade_model::{Disposition, Finding, Level, Location, Severity, Verdict};
use serde_json::{Value, json};

use super::{Report, write_json};
use crate::render::rule_id;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let findings: Vec<_> =
        report.findings.iter().filter(|f| !matches!(f.verdict, Verdict::Pass | Verdict::Skip)).collect();
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    for finding in &findings {
        rules.entry(rule_id(finding)).or_insert_with(|| rule(finding));
    }
    let index: BTreeMap<_, _> = rules.keys().enumerate().map(|(at, id)| (id.clone(), at)).collect();
    let results: Vec<_> =
        findings.iter().map(|finding| result(finding, report.fail_on.level(finding), &index)).collect();
    let notifications: Vec<_> = report.diagnostics.iter().map(notification).collect();
    let failed = report.diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error);
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "palisade",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": !failed, "toolExecutionNotifications": notifications}],
            "results": results,
        }],
    });
    write_json(&log, out)
}

fn rule(finding: &Finding) -> Value {
    let id = rule_id(finding);
    let mut rule = json!({
        "id": id,
        "shortDescription": {"text": format!("{} of {} {}", finding.rule, finding.policy.kind, finding.policy)},
        "properties": {
            "security-severity": security_severity(finding.severity),
            "tags": finding.controls.iter().map(|c| format!("{}:{}", c.framework, c.id)).collect::<Vec<_>>(),
        },
    });
    // A name that only repeats the identifier is to be left out (SARIF 2.1.0, section 3.49.7).
    if let Some(members) = rule.as_object_mut().filter(|_| *finding.rule != *id) {
        members.insert("name".into(), json!(&*finding.rule));
    }
    if let (Some(remediation), Some(members)) = (&finding.remediation, rule.as_object_mut()) {
        members.insert("help".into(), json!({"text": &**remediation}));
    }
    rule
}

/// The score by which GitHub sorts alerts into its four levels.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "0.0",
        Severity::Low => "3.0",
        Severity::Medium => "5.5",
        Severity::High => "8.0",
        Severity::Critical => "9.5",
    }
}

fn result(finding: &Finding, level: Level, rules: &BTreeMap<String, usize>) -> Value {
    let id = rule_id(finding);
    let related: Vec<_> = finding
        .related
        .iter()
        .map(|(path, at)| json!({"physicalLocation": physical(at), "message": {"text": &**path}}))
        .collect();
    let logical = json!([{"fullyQualifiedName": &*finding.resource, "kind": "resource"}]);
    let location = match &finding.location {
        Some(location) => json!({"physicalLocation": physical(location), "logicalLocations": logical}),
        None => json!({"logicalLocations": logical}),
    };
    let mut result = json!({
        "ruleId": id,
        "ruleIndex": rules.get(&id),
        "level": word(level),
        "kind": "fail",
        "message": {"text": format!("{}: {}", finding.resource, finding.message)},
        "locations": [location],
        "relatedLocations": related,
        "partialFingerprints": {"palisade/v1": finding.fingerprint},
    });
    let facts: BTreeMap<&str, &str> = finding.facts.iter().map(|(name, value)| (&**name, &**value)).collect();
    if let Some(members) = result.as_object_mut() {
        members.extend(suppression(&finding.disposition).map(|why| ("suppressions".to_owned(), json!([why]))));
        members.extend((!facts.is_empty()).then(|| ("properties".to_owned(), json!(facts))));
    }
    result
}

/// Why a result does not count.
fn suppression(disposition: &Disposition) -> Option<Value> {
    let external = |why: &str| json!({"kind": "external", "status": "accepted", "justification": why});
    match disposition {
        Disposition::Counted => None,
        Disposition::Audited => Some(external("audited: the configuration only records it")),
        Disposition::Known => Some(external("known: it is in the baseline")),
        Disposition::Waived(waiver) => {
            let why = format!("{} (waived by {} until {})", waiver.reason, waiver.owner, waiver.expires);
            let kind = if waiver.in_source { "inSource" } else { "external" };
            let mut suppression = json!({"kind": kind, "status": "accepted", "justification": why});
            if let (Some(location), Some(members)) = (&waiver.location, suppression.as_object_mut()) {
                members.insert("location".into(), json!({"physicalLocation": physical(location)}));
            }
            Some(suppression)
        }
    }
}

fn physical(location: &Location) -> Value {
    let (start, end) = (location.start(), location.end());
    json!({
        "artifactLocation": {"uri": uri(location.source.name())},
        "region": {
            "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column,
        },
    })
}

/// A relative URI: separators as slashes, other bytes that a URI cannot hold percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(byte)),
            _ => uri.extend(['%', hexadecimal(byte >> 4), hexadecimal(byte & 15)]),
        }
    }
    uri
}

fn notification(diagnostic: &palisade_model::Diagnostic) -> Value {
    let locations: Vec<_> =
        diagnostic.labels.iter().take(1).map(|l| json!({"physicalLocation": physical(&l.location)})).collect();
    json!({
        "descriptor": {"id": diagnostic.code},
        "level": word(diagnostic.level),
        "message": {"text": diagnostic.message},
        "locations": locations,
    })
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Note => "note",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

fn hexadecimal(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
}
