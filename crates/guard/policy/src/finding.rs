//! From a rule's outcome to a finding that can be shown and recognised again.

use std::sync::Arc;

use palisade_model::{Finding, Fingerprint, Path, PolicyRef, Resource, Str, Verdict};

use crate::policy::sha256;
use crate::{Enforcement, Policy, RuleOutcome};

/// How many offending fields are shown beside the first; a rule can name one per container and control.
const MAX_RELATED: usize = 9;

/// What people see of `outcome`: `policy` said it about `resource`, which is shown as `name`. `reference` is the
/// policy's own, shared by all of its findings.
pub fn finding(
    policy: &dyn Policy,
    reference: &Arc<PolicyRef>,
    outcome: &RuleOutcome,
    resource: &Resource,
    name: &Str,
) -> Finding {
    let meta = policy.meta();
    let path = outcome.paths.first().cloned().unwrap_or_default();
    let rule = policy.rules().iter().find(|rule| rule.name == outcome.rule);
    let shown_path = path.to_string();
    let further = outcome.paths.iter().skip(1).take(MAX_RELATED);
    let related = further.filter_map(|path| Some((path.to_string().into(), resource.locate(path)?))).collect();
    Finding {
        policy: reference.clone(),
        rule: outcome.rule.clone(),
        verdict: shown_verdict(outcome),
        severity: meta.severity,
        message: outcome.message.as_str().into(),
        resource: name.clone(),
        related,
        location: resource.locate(&most_telling(resource, path)),
        fingerprint: fingerprint(reference, outcome, resource, name, &shown_path),
        rule_location: rule.and_then(|rule| rule.location.clone()).or_else(|| meta.location.clone()),
        remediation: meta.remediation.clone(),
        controls: meta.controls.clone(),
        path: shown_path.into(),
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
fn most_telling(resource: &Resource, path: Path) -> Path {
    let name = Path::from_pointer("/metadata/name");
    if path.is_root() && name.resolve(&resource.object).is_some() { name } else { path }
}

/// A digest of what stays the same when lines move: policy, rule, resource and field.
fn fingerprint(policy: &PolicyRef, outcome: &RuleOutcome, resource: &Resource, name: &str, path: &str) -> Fingerprint {
    let gvk = resource.gvk().map(|gvk| gvk.to_string()).unwrap_or_default();
    let subject = format!("{policy}\n{}\n{gvk}\n{name}\n{path}", outcome.rule);
    let mut half = [0; 16];
    half.iter_mut().zip(sha256(&subject)).for_each(|(to, from)| *to = from);
    Fingerprint(half)
}
