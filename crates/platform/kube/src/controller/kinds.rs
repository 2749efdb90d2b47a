//! Which kinds of a cluster policies are about.
//!
//! Every kind counts once, in the version that the cluster prefers where the policy's words allow it. Deliberately absent:
//! subresources, which do not exist by themselves.

use std::sync::Arc;

use palisade_model::{Str, wildcard};
use palisade_policy::{AdmissionRequest, Objects, Operation, Policy, Reach, Reads, Request};

use crate::{Discovery, Kind};

/// Groups of which nothing is followed unless a policy names a kind: records that change all the time, and reports.
const RECORDS: [&str; 6] = [
    "events.k8s.io",
    "coordination.k8s.io",
    "wgpolicyk8s.io",
    "openreports.io",
    "reports.kyverno.io",
    "metrics.k8s.io",
];

/// How a policy means a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meant {
    /// By a pattern that stands for very many.
    Broadly,
    /// By name.
    ByName,
}

/// The kinds that some of the policies may be about.
pub(crate) fn concerned<'p>(discovery: &Discovery, policies: impl Iterator<Item = &'p dyn Policy>) -> Vec<Arc<Kind>> {
    let policies: Vec<&dyn Policy> = policies.collect();
    let meant = |kind: &Kind| {
        let meanings = policies.iter().copied().filter(|policy| may_apply(*policy, kind));
        let meanings = meanings.filter_map(|policy| meaning(&policy.info().reach, kind));
        meanings.max().is_some_and(|meant| meant == Meant::ByName || !is_record(kind))
    };
    let mut kinds: Vec<Arc<Kind>> = Vec::new();
    let watchable = || discovery.kinds().iter().filter(|kind| kind.is_watchable());
    for kind in watchable().filter(|kind| kind.preferred).chain(watchable().filter(|kind| !kind.preferred)) {
        let known = kinds.iter().any(|other| other.gvk.group == kind.gvk.group && other.plural == kind.plural);
        if !known && meant(kind) {
            kinds.push(kind.clone());
        }
    }
    kinds
}

/// The kinds whose objects some of the policies look up.
pub(crate) fn looked_up<'p>(discovery: &Discovery, reads: impl Iterator<Item = &'p Reads>) -> Vec<Arc<Kind>> {
    let reads: Vec<&Reads> = reads.collect();
    let wanted = |kind: &Arc<Kind>| {
        let namespace = *kind.gvk.kind == *"Namespace" && kind.gvk.group.is_empty();
        kind.is_watchable()
            && !is_record(kind)
            && reads.iter().any(|reads| reads.names(&kind.gvk.kind) || (namespace && reads.namespace))
    };
    discovery.preferred().filter(|kind| wanted(kind)).cloned().collect()
}

/// Whether the policy itself says that it may be about objects of the kind, whatever happens to them.
fn may_apply(policy: &dyn Policy, kind: &Kind) -> bool {
    let namespace = policy.reference().namespace.clone().unwrap_or_else(|| "default".into());
    [Operation::Create, Operation::Update, Operation::Delete].into_iter().any(|operation| {
        policy.may_apply(&Request::admission(AdmissionRequest {
            operation,
            kind: kind.gvk.clone(),
            resource: kind.plural.clone(),
            namespace: if kind.namespaced { namespace.clone() } else { "".into() },
            ..AdmissionRequest::default()
        }))
    })
}

fn is_record(kind: &Kind) -> bool {
    RECORDS.contains(&&*kind.gvk.group) || (kind.gvk.group.is_empty() && *kind.gvk.kind == *"Event")
}

fn meaning(reach: &Reach, kind: &Kind) -> Option<Meant> {
    reach.matches.iter().filter_map(|matched| means(&matched.objects, kind)).max()
}

fn means(objects: &Objects, kind: &Kind) -> Option<Meant> {
    let gvk = &kind.gvk;
    let any = |patterns: &[Str], text: &str| patterns.iter().any(|pattern| wildcard::matches(pattern, text));
    let name = match objects {
        Objects::Resources { groups, versions, resources } => {
            let whole = |pattern: &&Str| {
                let resource = pattern.strip_suffix("/*").filter(|stem| *stem == "*").unwrap_or(pattern);
                wildcard::matches(resource, &kind.plural)
            };
            let resource = resources.iter().find(whole)?;
            (any(groups, &gvk.group) && any(versions, &gvk.version)).then_some(resource)?
        }
        Objects::Kind { group, version, kind: name, sub_resource } => {
            let fits = wildcard::matches(group, &gvk.group)
                && wildcard::matches(version, &gvk.version)
                && wildcard::matches(name, &gvk.kind)
                && (sub_resource.is_empty() || **sub_resource == *"*");
            fits.then_some(name)?
        }
    };
    Some(if wildcard::contains_wildcard(name) { Meant::Broadly } else { Meant::ByName })
}

#[cfg(test)]
mod tests {
    use palisade_model::GroupVersionKind;

    use super::*;

    fn kind(api_version: &str, name: &str, preferred: bool) -> Kind {
        Kind {
            gvk: GroupVersionKind::new(api_version, name),
            plural: palisade_model::resource::plural(name).into(),
            namespaced: true,
            verbs: vec!["list".into(), "watch".into()],
            sub_resources: Vec::new(),
            preferred,
        }
    }

    #[test]
    fn kinds_are_meant_by_name_or_pattern() {
        let resources = |group: &str, version: &str, resource: &str| Objects::Resources {
            groups: vec![group.into()],
            versions: vec![version.into()],
            resources: vec![resource.into()],
        };
        let named = |group: &str, name: &str| Objects::Kind {
            group: group.into(),
            version: "*".into(),
            kind: name.into(),
            sub_resource: "".into(),
        };
        let pod = kind("v1", "Pod", true);
        for (objects, expected) in [
            (resources("", "v1", "pods"), Some(Meant::ByName)),
            (resources("", "v1", "pods/exec"), None),
            (resources("*", "*", "*/*"), Some(Meant::Broadly)),
            (resources("apps", "v1", "*"), None),
            (named("*", "Pod"), Some(Meant::ByName)),
            (named("*", "*"), Some(Meant::Broadly)),
            (named("apps", "Pod"), None),
        ] {
            assert_eq!(means(&objects, &pod), expected, "{objects:?}");
        }
        assert!(is_record(&kind("v1", "Event", true)) && !is_record(&pod));
    }
}
