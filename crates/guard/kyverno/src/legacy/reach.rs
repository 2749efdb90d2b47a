//! Where a ClusterPolicy or Policy is asked: the kinds and operations of its `match` blocks, and its settings.
//!
//! Wider than what the rules select: labels, names, namespaces, users and `exclude` are left to the rules.

use palisade_model::{Resource, wildcard};
use palisade_policy::{Matched, Objects, Operation, Phase, Reach};

use super::policy::ReadyRule;
use super::spec::{Body, KindSelector, MatchBlock, PolicySpec, ResourceFilter, Rule};

/// Where the policy that `document` holds is asked.
pub(super) fn of(document: &Resource, spec: &PolicySpec, rules: &[ReadyRule]) -> Reach {
    let mut matches: Vec<Matched> = Vec::new();
    for ready in rules {
        for matched in of_block(&ready.rule.matches, usual_operations(ready)) {
            if !matches.contains(&matched) {
                matches.push(matched);
            }
        }
    }
    // Generation, and the change of what exists, are a controller's to bring about.
    let at_admission = |ready: &ReadyRule| match &ready.rule.body {
        Body::Mutate(mutation) => mutation.targets.is_empty(),
        _ => ready.phase == Phase::Validate,
    };
    let names_users = |rule: &Rule| {
        [Some(&rule.matches), rule.exclude.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(MatchBlock::filters)
            .any(ResourceFilter::names_users)
    };
    Reach {
        admission: spec.admission && rules.iter().any(at_admission),
        background: spec.background
            && rules.iter().any(|ready| ready.phase == Phase::Validate)
            && !rules.iter().any(|ready| names_users(&ready.rule)),
        ..Reach::of(matches, document)
    }
}

/// Requests of these kinds are put before the policy, as the kinds of a cleanup policy are before its schedule.
pub(super) fn of_block(block: &MatchBlock, usual: &[Operation]) -> Vec<Matched> {
    let filters: Vec<&ResourceFilter> = match (block.any.is_empty(), block.all.is_empty()) {
        (false, _) => block.any.iter().collect(),
        // All must hold, so that any one of them is wide enough: one that names kinds, where there is one.
        (true, false) => {
            let named = block.all.iter().find(|filter| !filter.resources.kinds.is_empty());
            named.or(block.all.first()).into_iter().collect()
        }
        (true, true) => vec![&block.direct],
    };
    filters.into_iter().flat_map(|filter| of_filter(filter, usual)).collect()
}

fn of_filter(filter: &ResourceFilter, usual: &[Operation]) -> Vec<Matched> {
    let description = &filter.resources;
    let operations = if description.operations.is_empty() { usual } else { &description.operations };
    let matched = |objects| Matched { objects, operations: operations.to_vec() };
    if description.kinds.is_empty() {
        let kind = Objects::Kind { group: "*".into(), version: "*".into(), kind: "*".into(), sub_resource: "*".into() };
        return vec![matched(kind)];
    }
    let mut all = Vec::new();
    for selector in &description.kinds {
        let KindSelector { group, version, kind, subresource, .. } = selector;
        let of = |sub_resource: &str| Objects::Kind {
            group: group.clone(),
            version: version.clone(),
            kind: kind.clone(),
            sub_resource: sub_resource.into(),
        };
        all.push(matched(of(subresource)));
        // Rules for Pods also get the containers that are added to them later.
        if wildcard::matches(kind, "Pod") && subresource.is_empty() {
            let Objects::Kind { group, version, .. } = of("") else { continue };
            let (kind, sub_resource) = ("Pod".into(), "ephemeralcontainers".into());
            all.push(matched(Objects::Kind { group, version, kind, sub_resource }));
        }
    }
    all
}

/// What a rule is asked about where it names no operations: a change needs a new object.
fn usual_operations(ready: &ReadyRule) -> &'static [Operation] {
    match &ready.rule.body {
        Body::Mutate(mutation) if mutation.targets.is_empty() => {
            let plain = ready.rule.matches.kinds().all(|selector| selector.subresource.is_empty());
            if plain { &[Operation::Create, Operation::Update] } else { &[] }
        }
        _ => &[],
    }
}
