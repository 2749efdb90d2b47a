//! Judging one object of the cluster, on a thread that may block: whether anything changed, and what the policies say then.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use palisade_model::{Checkpoint, Decision, Disposition, Resource, Str, Value, Verdict};
use palisade_policy::{
    AdmissionRequest, Environment, LookupError, Lookups, Namespace, Operation, Phase, Policy, Reads, Request,
    Variables, digest,
};
use palisade_verdict::{Door, Ruleset, Settled};

use crate::controller::{ObjectKey, Patience, uid_of};
use crate::reports::RuleResult;

/// What a verdict about an object rests on. Where nothing of it changed, neither did the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Basis {
    pub(super) uid: Str,
    /// The digest of the object, and of its namespace where a policy looks there.
    pub(super) object: Str,
    /// The policies that may have a say, and what was agreed on.
    pub(super) rules: u64,
    /// How often other objects that they look up changed; `None` where they look up none.
    pub(super) surroundings: Option<u64>,
    /// How often everything was to be judged anew.
    pub(super) round: u64,
}

/// An object with what its verdict rests on.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) object: Value,
    pub(super) basis: Basis,
}

/// The object as it is; `None` where it is gone.
///
/// # Errors
/// What the cache says where it cannot be asked.
pub(super) fn candidate(
    key: &ObjectKey,
    ruleset: &Ruleset,
    (surroundings, round): (u64, u64),
    lookups: &dyn Lookups,
) -> Result<Option<Candidate>, String> {
    let object = match lookups.get(&key.query()) {
        Ok(object) => object,
        Err(LookupError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let (reads, rules) = concern(ruleset, &request(&object));
    let mut text = reads.relevant(&object).to_canonical_json();
    if reads.namespace && !key.namespace.is_empty() {
        let namespace = match lookups.namespace(&key.namespace) {
            Namespace::Known(object) => object,
            Namespace::Missing => Value::Null,
            Namespace::Unknown(error) => return Err(error.to_string()),
        };
        for part in ["labels", "annotations"] {
            text.push('\n');
            text.push_str(&namespace.dig(["metadata", part]).unwrap_or(&Value::Null).to_canonical_json());
        }
    }
    let basis = Basis {
        uid: uid_of(&object),
        object: digest(&text),
        rules,
        surroundings: reads.looks_around().then_some(surroundings),
        round,
    };
    Ok(Some(Candidate { object, basis }))
}

/// The policies that are asked about existing objects.
pub(super) fn background(ruleset: &Ruleset) -> impl Iterator<Item = &dyn Policy> + Clone {
    let policies = ruleset.policies().iter().map(|policy| &**policy);
    policies.filter(|policy| policy.info().reach.background && policy.info().has_phase(Phase::Validate))
}

fn request(object: &Value) -> Request {
    Request::admission(AdmissionRequest::of(&Resource::in_memory(object.clone()), Operation::Create))
}

/// What the policies that may have a say about a request depend on, and which versions of them they are.
fn concern(ruleset: &Ruleset, request: &Request) -> (Reads, u64) {
    let mut hasher = DefaultHasher::new();
    if !(ruleset.overrides.is_empty() && ruleset.waivers.is_empty()) {
        ruleset.digest.hash(&mut hasher);
    }
    let mut reads = Reads::nothing();
    for policy in background(ruleset).filter(|policy| policy.may_apply(request)) {
        let info = policy.info();
        info.reference.hash(&mut hasher);
        reads.absorb(&info.reads);
    }
    (reads, hasher.finish())
}

/// What the policies say of an object, and every rule's answer where `every` asks for them.
pub(super) fn judge(
    candidate: &Candidate,
    ruleset: &Ruleset,
    now: Timestamp,
    lookups: &dyn Lookups,
    patience: &Patience,
    every: bool,
) -> (Decision, Vec<RuleResult>) {
    let variables = Variables::default();
    let environment = Environment { stop: Some(patience), ..Environment::new(now, lookups, &variables) };
    let request = request(&candidate.object);
    let judgement = ruleset.judge(&request, &Door::Scan { every }, &environment);
    let settled = judgement.settled.iter().filter(|_| every);
    let results = settled.map(|settled| result(settled, ruleset)).collect();
    let decision = ruleset.decision(Checkpoint::Scan, &request, judgement, &environment);
    (Decision { input_digest: candidate.basis.object.clone(), ..decision }, results)
}

/// What a report says of an answer; a violation that somebody answers for is reported as skipped.
fn result(Settled { finding, policy, .. }: &Settled, ruleset: &Ruleset) -> RuleResult {
    let (mut verdict, mut properties) = (finding.verdict, finding.facts.clone());
    if !matches!(verdict, Verdict::Pass | Verdict::Skip) {
        properties.push(("fingerprint".into(), finding.fingerprint.to_string().into()));
        properties.extend(Some(("path".into(), finding.path.clone())).filter(|_| !finding.path.is_empty()));
        properties.extend(finding.remediation.clone().map(|text| ("remediation".into(), text)));
    }
    if let Disposition::Waived(waiver) = &finding.disposition {
        verdict = Verdict::Skip;
        let facts =
            [("waived-by", &waiver.owner), ("waived-because", &waiver.reason), ("waived-until", &waiver.expires)];
        properties.extend(facts.map(|(key, text)| (key.into(), text.clone())));
    }
    let policy = ruleset.policies().get(*policy);
    RuleResult {
        policy: finding.policy.clone(),
        rule: finding.rule.clone(),
        verdict,
        severity: finding.severity,
        category: policy.and_then(|policy| policy.meta().category.clone()).unwrap_or_default(),
        message: finding.message.to_string(),
        properties,
    }
}
