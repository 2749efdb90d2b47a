//! From a rule's outcome to a finding that can be shown and recognised again.

use std::collections::HashSet;
use std::sync::Arc;

use palisade_model::{Disposition, Finding, Location, Part, Path, PolicyRef, Resource, Str, Verdict};

use crate::elements::Place;
use crate::identity::Identity;
use palisade_policy::{Enforcement, Policy, RuleOutcome};

/// How many offending fields are shown beside the first; a rule can name one per container and control.
const MAX_RELATED: usize = 9;

/// What a finding is about.
#[derive(Clone, Debug)]
pub struct About {
    /// The object with its places.
    pub resource: Resource,
    /// What it is shown as.
    pub name: Str,
    /// Which of the documents of its file, where several are alike otherwise.
    pub part: Str,
}

/// What people see of `outcome`, a violation at `places`: `policy` said it about something. `reference` is the policy's own,
/// shared by all of its findings.
pub fn finding(
    policy: &dyn Policy,
    reference: &Arc<PolicyRef>,
    outcome: &RuleOutcome,
    places: &[Place],
    about: &About,
) -> Finding {
    let About { resource, name, part } = about;
    let meta = outcome.meta.as_deref().unwrap_or_else(|| policy.meta());
    let whole = Place::new(Path::root(), &outcome.voice);
    let place = places.first().unwrap_or(&whole);
    let further = places.iter().skip(1).take(MAX_RELATED).map(|place| &place.path);
    let related = further.filter_map(|path| Some((path.to_string().into(), resource.locate(path)?))).collect();
    Finding {
        policy: reference.clone(),
        rule: outcome.rule.clone(),
        verdict: shown_verdict(outcome),
        severity: meta.severity,
        message: outcome.message.as_str().into(),
        resource: name.clone(),
        part: part.clone(),
        related,
        fingerprint: Identity::new(reference, outcome, about).fingerprint(place),
        location: resource.locate(&shown_at(resource, &place.path)),
        rule_location: rule_location(policy, outcome),
        remediation: meta.remediation.clone(),
        controls: meta.controls.clone(),
        facts: outcome.properties.clone(),
        path: place.path.to_string().into(),
        parts: Vec::new(),
        disposition: Disposition::default(),
    }
}

/// Every offending field of `outcome` with an identity of its own, for a baseline: a second container with the same
/// mistake is another part, not the same finding.
pub fn parts(reference: &PolicyRef, outcome: &RuleOutcome, places: &[Place], about: &About) -> Vec<Part> {
    let identity = Identity::new(reference, outcome, about);
    let mut seen = HashSet::new();
    let mut parts: Vec<Part> = places.iter().map(|place| identity.part(place)).collect();
    parts.retain(|part| seen.insert(part.fingerprint));
    parts
}

/// Where the rule is written: as it says itself, else as its policy knows, else where the policy is.
fn rule_location(policy: &dyn Policy, outcome: &RuleOutcome) -> Option<Location> {
    let own = outcome.meta.as_ref().and_then(|meta| meta.location.clone());
    let known = || policy.rules().iter().find(|rule| rule.name == outcome.rule)?.location.clone();
    own.or_else(known).or_else(|| policy.meta().location.clone())
}

/// A violation of a rule that only warns is a warning.
fn shown_verdict(outcome: &RuleOutcome) -> Verdict {
    match (outcome.verdict, outcome.enforcement) {
        (Verdict::Fail, Enforcement::Warn) => Verdict::Warn,
        (verdict, _) => verdict,
    }
}

/// A finding about the object as a whole points at its name, which is shorter to show and easier to find.
pub fn shown_at(resource: &Resource, path: &Path) -> Path {
    let name = Path::from_pointer("/metadata/name");
    if path.is_root() && name.resolve(&resource.object).is_some() { name } else { path.clone() }
}
