//! From a rule's outcome to a finding that can be shown and recognised again.

use palisade_model::{Finding, Fingerprint, Path, Resource, Verdict};

use crate::policy::digest;
use crate::{Enforcement, Policy, RuleOutcome};

/// What people see of `outcome`: `policy` said it about `resource`.
pub fn finding(policy: &dyn Policy, outcome: &RuleOutcome, resource: &Resource) -> Finding {
    let meta = policy.meta();
    let path = outcome.paths.first().cloned().unwrap_or_default();
    let rule = policy.rules().iter().find(|rule| rule.name == outcome.rule);
    Finding {
        policy: policy.reference().clone(),
        rule: outcome.rule.clone(),
        verdict: shown_verdict(outcome),
        severity: meta.severity,
        message: outcome.message.clone(),
        resource: resource.to_string(),
        location: resource.locate(&most_telling(resource, &path)),
        fingerprint: fingerprint(policy, outcome, resource, &path),
        rule_location: rule.and_then(|rule| rule.location.clone()).or_else(|| meta.location.clone()),
        remediation: meta.remediation.clone(),
        controls: meta.controls.clone(),
        path,
    }
}

/// A violation of a rule that only warns is a warning.
fn shown_verdict(outcome: &RuleOutcome) -> Verdict {
    match (outcome.verdict, outcome.enforcement) {
        (Verdict::Fail, Enforcement::Warn) => Verdict::Warn,
        (verdict, _) => verdict,
    }
}

/// A finding about the object as a whole points at its name, which is shorter to show and easier to find.
fn most_telling(resource: &Resource, path: &Path) -> Path {
    let name = Path::from_pointer("/metadata/name");
    if path.is_root() && name.resolve(&resource.object).is_some() { name } else { path.clone() }
}

/// A digest of what stays the same when lines move: policy, rule, resource and field.
fn fingerprint(policy: &dyn Policy, outcome: &RuleOutcome, resource: &Resource, path: &Path) -> Fingerprint {
    let gvk = resource.gvk().map(|gvk| gvk.to_string()).unwrap_or_default();
    let subject =
        [&policy.reference().to_string(), &*outcome.rule, &gvk, &resource.to_string(), &path.to_string()].join("\n");
    Fingerprint(digest(&subject).get(..32).unwrap_or_default().to_owned())
}
