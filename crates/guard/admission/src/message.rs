//! The words: why a request is denied, what a user is warned of, what an audit log keeps.
//!
//! People meet these in `kubectl`'s output, where a denial is one paragraph behind the webhook's name, so each violation
//! is a sentence that names the rule, the field, what is wrong, the fix, and where to read on. Everything is bounded:
//! API servers cut what is longer.

use std::cmp::Reverse;
use std::fmt::Write as _;

use palisade_model::{Finding, Path, Str, Verdict};
use palisade_policy::AdmissionRequest;
use palisade_verdict::{Consequence, Judgement, Ruleset, Settled};

/// The most bytes of a denial.
const DENIAL: usize = 4_096;
/// The most bytes that a violation takes of it.
const VIOLATION: usize = 700;
/// API servers cut longer warnings.
const WARNING: usize = 256;
/// The most warnings; an API server keeps 4,096 bytes of them.
const WARNINGS: usize = 15;
/// The most fields that are named for a violation.
const FIELDS: usize = 3;
/// The most bytes of an audit annotation.
const ANNOTATION: usize = 1_024;
/// The longest name of an audit annotation.
const KEY: usize = 63;

/// A violation and what it leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Complaint<'a> {
    settled: &'a Settled,
    /// Whether `palisade explain` knows the policy.
    explained: bool,
}

impl<'a> Complaint<'a> {
    pub(crate) fn of(settled: &'a Settled, ruleset: &Ruleset) -> Self {
        let policy = ruleset.policies().get(settled.policy);
        Self { settled, explained: policy.is_some_and(|policy| policy.meta().example.is_some()) }
    }

    const fn finding(&self) -> &'a Finding {
        &self.settled.finding
    }

    fn fields(&self) -> String {
        let paths = self.settled.places.iter().map(|place| &place.path);
        let mut fields: Vec<String> = paths.filter(|path| !path.is_root()).map(Path::to_string).collect();
        fields.dedup();
        let further = fields.len().saturating_sub(FIELDS);
        fields.truncate(FIELDS);
        let mut text = fields.join(", ");
        if further > 0 {
            let _ = write!(text, " and {further} more");
        }
        text
    }

    /// Rule, fields and message: `image-tag at spec.containers[0].image: the image has no tag`.
    fn headline(&self) -> String {
        let (rule, fields) = (name(self.finding()), self.fields());
        let place = if fields.is_empty() { String::new() } else { format!(" at {fields}") };
        let message = self.finding().message.trim();
        match self.finding().verdict {
            Verdict::Error => format!("{rule} could not be evaluated: {message}"),
            _ => format!("{rule}{place}: {message}"),
        }
    }

    fn sentence(&self) -> String {
        let mut text = cut(&sentence(&self.headline()), VIOLATION);
        if let Some(remediation) = self.finding().remediation.as_deref().filter(|text| !text.trim().is_empty()) {
            let _ = write!(text, " Fix: {}", cut(&sentence(&one_line(remediation)), VIOLATION));
        }
        if self.explained {
            let _ = write!(text, " More: palisade explain {}", self.finding().policy.name);
        }
        text
    }
}

/// `policy/rule`, or the policy alone where its rule has no name of its own.
fn name(finding: &Finding) -> String {
    let policy = finding.policy.to_string();
    if finding.rule == finding.policy.name || finding.rule.is_empty() {
        policy
    } else {
        format!("{policy}/{}", finding.rule)
    }
}

/// Why the request is denied: the violations, hardest first.
pub(crate) fn denial(request: &AdmissionRequest, complaints: &[Complaint<'_>]) -> String {
    let mut denied: Vec<&Complaint<'_>> =
        complaints.iter().filter(|complaint| complaint.settled.consequence == Consequence::Denied).collect();
    denied.sort_by_key(|complaint| {
        (complaint.finding().verdict == Verdict::Error, Reverse(complaint.finding().severity))
    });
    let about = about(request);
    if let [only] = denied.as_slice() {
        let verb = if only.finding().verdict == Verdict::Error { "is refused:" } else { "breaks" };
        return cut(&format!("{about} {verb} {}", only.sentence()), DENIAL);
    }
    let failed = denied.iter().any(|complaint| complaint.finding().verdict == Verdict::Error);
    let verb = if failed { "is refused by" } else { "breaks" };
    let mut text = format!("{about} {verb} {} rules:", denied.len());
    for (index, complaint) in denied.iter().enumerate() {
        let line = format!("\n{}. {}", index + 1, complaint.sentence());
        let left = denied.len() - index;
        if text.len() + line.len() > DENIAL - 64 {
            let _ = write!(text, "\nand {left} more.");
            break;
        }
        text.push_str(&line);
    }
    text
}

/// The object as people name it: `Pod shop/web`, and `exec into`-like requests by their subresource: `pods/exec shop/web`.
fn about(request: &AdmissionRequest) -> String {
    let mut text = match &*request.sub_resource {
        "" => request.kind.kind.to_string(),
        sub_resource => format!("{}/{sub_resource}", request.resource),
    };
    let names = [&request.namespace, &request.name];
    let names: Vec<&str> = names.into_iter().map(|name| &**name).filter(|name| !name.is_empty()).collect();
    if !names.is_empty() {
        let _ = write!(text, " {}", names.join("/"));
    }
    text
}

/// What the user is told although the request may pass.
pub(crate) fn warnings(complaints: &[Complaint<'_>]) -> Vec<String> {
    let warned: Vec<&Complaint<'_>> =
        complaints.iter().filter(|complaint| complaint.settled.consequence == Consequence::Warned).collect();
    let mut texts: Vec<String> =
        warned.iter().take(WARNINGS).map(|complaint| cut(&one_line(&complaint.headline()), WARNING)).collect();
    if warned.len() > WARNINGS {
        texts.push(format!("and {} more warnings", warned.len() - WARNINGS));
    }
    texts
}

/// What the audit log of the API server keeps of a judgement.
pub(crate) fn record(judgement: &Judgement, ruleset: &Ruleset) -> Vec<(Str, Str)> {
    let mut record = Record::default();
    for (policy, annotations) in &judgement.annotations {
        if let Some(reference) = ruleset.references().get(*policy) {
            record.annotate(&reference.name, annotations);
        }
    }
    for settled in &judgement.settled {
        record.note(&settled.finding, settled.consequence);
    }
    record.into_annotations()
}

#[derive(Debug, Default)]
struct Record {
    /// Names of rules, by what their violation led to.
    lists: [String; 5],
    own: Vec<(Str, Str)>,
}

/// The annotations that list rules.
const LISTS: [&str; 5] = ["denied", "warned", "audited", "waived", "failed"];

impl Record {
    /// Keeps the annotations that a policy gives itself.
    fn annotate(&mut self, policy: &str, annotations: &[(Str, Str)]) {
        for (key, value) in annotations {
            self.own.push((qualified(&format!("{policy}.{key}")), cut(value, ANNOTATION).into()));
        }
    }

    fn note(&mut self, finding: &Finding, consequence: Consequence) {
        let mut add = |list: &str| {
            let at = LISTS.iter().position(|name| *name == list);
            let Some(text) = at.and_then(|at| self.lists.get_mut(at)) else { return };
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{}", name(finding));
        };
        add(match consequence {
            Consequence::Denied => "denied",
            Consequence::Warned => "warned",
            Consequence::Audited => "audited",
            Consequence::Waived => "waived",
            Consequence::Passed => return,
        });
        if finding.verdict == Verdict::Error {
            add("failed");
        }
    }

    fn into_annotations(self) -> Vec<(Str, Str)> {
        let lists = LISTS.into_iter().zip(self.lists).filter(|(_, text)| !text.is_empty());
        lists.map(|(name, text)| (name.into(), cut(&text, ANNOTATION).into())).chain(self.own).collect()
    }
}

/// A text as the name of an audit annotation: letters, digits, `-`, `_` and `.`, the first and the last alphanumeric.
fn qualified(text: &str) -> Str {
    let permitted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let key: String = text.chars().take(KEY).map(|c| if permitted(c) { c } else { '-' }).collect();
    key.trim_matches(|c: char| !c.is_ascii_alphanumeric()).into()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text with a mark at its end.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?', ':', ';']) { text.to_owned() } else { format!("{text}.") }
}

/// At most `limit` bytes of a text.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = (0..=limit.saturating_sub(3)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}...", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use palisade_model::{Disposition, Fingerprint, PolicyRef, Severity, json};
    use palisade_policy::Operation;
    use palisade_verdict::Place;
    use palisade_verdict::waiver::Ruling;

    use super::*;

    fn settled(message: &str, severity: Severity, consequence: Consequence) -> Settled {
        let policy = PolicyRef { kind: "Policy".into(), namespace: None, name: "images".into(), digest: "".into() };
        let finding = Finding {
            policy: policy.into(),
            rule: "tag".into(),
            verdict: Verdict::Fail,
            severity,
            message: message.into(),
            resource: "Pod web".into(),
            part: "".into(),
            path: "".into(),
            location: None,
            related: Vec::new(),
            rule_location: None,
            remediation: Some("mend\n  it".into()),
            controls: Vec::new().into(),
            facts: Vec::new(),
            fingerprint: Fingerprint([0; 16]),
            parts: Vec::new(),
            disposition: Disposition::Counted,
        };
        let path = |index: usize| Path::from_pointer(&format!("/spec/containers/{index}/image"));
        let places = (0..5).map(|index| Place { path: path(index), voice: "".into(), holding: None }).collect();
        Settled { finding, consequence, policy: 0, places, ruling: Ruling::default() }
    }

    fn complaints(settled: &[Settled]) -> Vec<Complaint<'_>> {
        settled.iter().map(|settled| Complaint { settled, explained: true }).collect()
    }

    fn pod() -> AdmissionRequest {
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}});
        AdmissionRequest::of(&palisade_model::Resource::in_memory(object), Operation::Create)
    }

    #[test]
    fn a_single_violation_is_one_sentence_with_its_fix() {
        let only = [settled("wrong", Severity::High, Consequence::Denied)];
        assert_eq!(
            denial(&pod(), &complaints(&only)),
            "Pod web breaks images/tag at spec.containers[0].image, spec.containers[1].image, spec.containers[2].image \
             and 2 more: wrong. Fix: mend it. More: palisade explain images"
        );
    }

    #[test]
    fn whatever_policies_say_an_answer_stays_small() {
        let long = "é".repeat(5_000);
        let many = |consequence| -> Vec<_> { (0..1_000).map(|_| settled(&long, Severity::Low, consequence)).collect() };
        let mut denied = many(Consequence::Denied);
        denied.push(settled("the worst", Severity::Critical, Consequence::Denied));
        let text = denial(&pod(), &complaints(&denied));
        assert!(text.len() <= DENIAL, "{}", text.len());
        assert!(text.starts_with("Pod web breaks 1001 rules:\n1. images/tag at"), "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.contains("the worst")), "{text}");
        assert!(text.ends_with(" more."), "{text}");
        let warned = warnings(&complaints(&many(Consequence::Warned)));
        assert!(warned.iter().all(|text| text.len() <= WARNING));
        assert!(warned.iter().map(String::len).sum::<usize>() <= 4_096);
        assert_eq!(warned.last().map(String::as_str), Some("and 985 more warnings"));
        let mut record = Record::default();
        for settled in &denied {
            record.note(&settled.finding, settled.consequence);
        }
        record.annotate("shop:policy", &[("a key/with signs".into(), long.as_str().into())]);
        let annotations = record.into_annotations();
        assert!(annotations.iter().all(|(_, text)| text.len() <= ANNOTATION));
        assert_eq!(annotations.last().map(|(key, _)| &**key), Some("shop-policy.a-key-with-signs"));
    }
}
