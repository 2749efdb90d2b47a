//! A report as a document, the same in both flavours but for its kind.
//!
//! Deliberately absent: more results than a request to the API server can hold; the summary counts them all.

use jiff::Timestamp;
use palisade_model::decision::Subject;
use palisade_model::{Map, Str, Value, Verdict, json};
use palisade_policy::digest;

use super::RuleResult;
use super::flavour::Flavour;
use crate::Kind;

/// The source that results name.
const SOURCE: &str = "palisade";

/// The annotation with the digest of a report's content.
const DIGEST: &str = "palisade.dev/digest";

/// What our reports' names begin with. Kyverno names its own by the identifier alone, in the same namespaces.
const PREFIX: &str = "palisade-";

/// The most results in a report.
const MOST_RESULTS: usize = 500;

/// The longest message, in characters.
const LONGEST_MESSAGE: usize = 1_000;

/// A report that is to be written.
pub(super) struct Report {
    pub(super) namespace: Str,
    /// The digest of its content, without the time.
    pub(super) digest: Str,
    scope: Value,
    owner: Value,
    uid: Str,
    summary: Value,
    results: Vec<Value>,
    time: Timestamp,
}

/// The name of the report about the object with this identifier.
pub(super) fn name_of(uid: &str) -> String {
    format!("{PREFIX}{uid}")
}

/// The object's identifier, the namespace and the digest of a report that is ours.
pub(super) fn recognise(report: &Value) -> Option<(Str, Str, Str)> {
    let metadata = report.get("metadata")?;
    let uid = metadata.get("name")?.as_str()?.strip_prefix(PREFIX)?;
    let digest = metadata.dig(["annotations", DIGEST])?.as_str()?;
    let namespace = metadata.get("namespace").and_then(Value::as_str).unwrap_or_default();
    Some((uid.into(), namespace.into(), digest.into()))
}

impl Report {
    pub(super) fn of(object: &Value, subject: &Subject, mut results: Vec<RuleResult>, time: Timestamp) -> Self {
        results.sort_by(|a, b| {
            let key = |result: &RuleResult| (std::cmp::Reverse(result.verdict), std::cmp::Reverse(result.severity));
            key(a).cmp(&key(b)).then_with(|| (&a.policy, &a.rule).cmp(&(&b.policy, &b.rule)))
        });
        let count = |verdict| i64::try_from(results.iter().filter(|result| result.verdict == verdict).count());
        let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Warn, Verdict::Error, Verdict::Skip];
        let summary: Map = verdicts
            .into_iter()
            .map(|verdict| (Str::from(verdict.to_string()), Value::Int(count(verdict).unwrap_or(i64::MAX))))
            .collect();
        let summary = Value::object(summary);
        let results: Vec<Value> = results.iter().take(MOST_RESULTS).map(result).collect();
        let member = |key: &str| object.get(key).cloned().unwrap_or_default();
        let owner = json!({
            "apiVersion": member("apiVersion"), "kind": member("kind"), "name": &*subject.name, "uid": &*subject.uid
        });
        let mut scope = owner.clone();
        if let Some(scope) = scope.as_object_mut().filter(|_| !subject.namespace.is_empty()) {
            scope.insert("namespace", subject.namespace.clone());
        }
        let content = Value::array(vec![scope.clone(), summary.clone(), Value::array(results.clone())]);
        Self {
            namespace: subject.namespace.clone(),
            digest: digest(&content.to_canonical_json()),
            scope,
            owner,
            uid: subject.uid.clone(),
            summary,
            results,
            time,
        }
    }

    /// The object that is sent to the API server.
    pub(super) fn body(&self, flavour: &Flavour, kind: &Kind) -> Value {
        let stamp = json!({"seconds": self.time.as_second(), "nanos": 0});
        let results = self.results.iter().map(|result| {
            let mut result = result.clone();
            if let Some(members) = result.as_object_mut() {
                members.insert("timestamp", stamp.clone());
            }
            result
        });
        let mut metadata = json!({
            "name": name_of(&self.uid),
            "labels": {"app.kubernetes.io/managed-by": SOURCE},
            "annotations": {DIGEST: &*self.digest},
            "ownerReferences": [self.owner]
        });
        if let Some(metadata) = metadata.as_object_mut().filter(|_| !self.namespace.is_empty()) {
            metadata.insert("namespace", self.namespace.clone());
        }
        let mut body = Map::new();
        body.insert("apiVersion", kind.gvk.api_version());
        body.insert("kind", kind.gvk.kind.clone());
        body.insert("metadata", metadata);
        if flavour.names_source {
            body.insert("source", SOURCE);
        }
        body.insert("scope", self.scope.clone());
        body.insert("summary", self.summary.clone());
        body.insert("results", results.collect::<Vec<_>>());
        Value::object(body)
    }
}

fn result(result: &RuleResult) -> Value {
    let message: String = result.message.chars().take(LONGEST_MESSAGE).collect();
    let mut members = Map::new();
    for (key, text) in [
        ("source", SOURCE.to_owned()),
        ("policy", result.policy.to_string()),
        ("rule", result.rule.to_string()),
        ("category", result.category.clone()),
        ("severity", result.severity.to_string()),
        ("result", result.verdict.to_string()),
        ("message", message),
    ] {
        if !text.is_empty() {
            members.insert(key, text);
        }
    }
    members.insert("scored", true);
    if !result.properties.is_empty() {
        let properties = result.properties.iter().map(|(key, text)| (key.clone(), Value::from(text.clone())));
        members.insert("properties", properties.collect::<Map>());
    }
    Value::object(members)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use palisade_model::{PolicyRef, Severity};

    use super::*;

    fn rule(name: &str, verdict: Verdict) -> RuleResult {
        let policy =
            PolicyRef { kind: "ClusterPolicy".into(), namespace: None, name: "images".into(), digest: "1".into() };
        RuleResult {
            policy: Arc::new(policy),
            rule: name.into(),
            verdict,
            severity: Severity::High,
            category: "Supply chain".into(),
            message: "m".repeat(2_000),
            properties: vec![("path".into(), "spec".into())],
        }
    }

    fn report(results: Vec<RuleResult>, time: Timestamp) -> Report {
        let object = json!({"apiVersion": "v1", "kind": "Pod"});
        let subject = Subject { namespace: "shop".into(), name: "web".into(), uid: "u1".into(), ..Subject::default() };
        Report::of(&object, &subject, results, time)
    }

    #[test]
    fn a_report_counts_its_results_and_puts_the_worst_first() {
        let report = report(vec![rule("a", Verdict::Pass), rule("b", Verdict::Fail)], Timestamp::UNIX_EPOCH);
        assert_eq!(report.summary, json!({"pass": 1, "fail": 1, "warn": 0, "error": 0, "skip": 0}));
        let first = &report.results[0];
        assert_eq!(first.get("rule"), Some(&Value::from("b")));
        assert_eq!(first.get("message").and_then(Value::as_str).map(str::len), Some(LONGEST_MESSAGE));
    }

    #[test]
    fn the_digest_is_of_what_is_said_and_not_of_when() {
        let later: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let one = report(vec![rule("a", Verdict::Pass)], Timestamp::UNIX_EPOCH);
        assert_eq!(one.digest, report(vec![rule("a", Verdict::Pass)], later).digest);
        assert_ne!(one.digest, report(vec![rule("a", Verdict::Fail)], later).digest);
    }

    #[test]
    fn only_our_own_reports_are_recognised() {
        let ours = json!({"metadata": {"name": "palisade-u1", "namespace": "shop", "annotations": {DIGEST: "d"}}});
        assert_eq!(recognise(&ours), Some(("u1".into(), "shop".into(), "d".into())));
        assert_eq!(recognise(&json!({"metadata": {"name": "u1", "annotations": {DIGEST: "d"}}})), None);
        assert_eq!(recognise(&json!({"metadata": {"name": "palisade-u1"}})), None);
    }
}
