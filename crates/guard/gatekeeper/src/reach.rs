//! Where constraints and mutators are asked.
//!
//! Gatekeeper's webhooks are about objects that are created or changed, with a few subresources, unless a template names
//! other operations; an object that is deleted is no violation of what it looked like. Kinds that only subresources have
//! (`PodExecOptions`) are asked about by the subresource, connections included.

use palisade_model::Str;
use palisade_policy::{Matched, Objects, Operation};

use crate::matching::{Criteria, Kinds};

/// What is asked about where nothing else is said.
const USUAL: [Operation; 2] = [Operation::Create, Operation::Update];

/// Kinds that are no objects of their own, with the subresources that have them.
const SUBRESOURCES: [(&str, &str, &[Operation]); 9] = [
    ("PodExecOptions", "pods/exec", &[Operation::Connect]),
    ("PodAttachOptions", "pods/attach", &[Operation::Connect]),
    ("PodPortForwardOptions", "pods/portforward", &[Operation::Connect]),
    ("PodProxyOptions", "pods/proxy", &[Operation::Connect]),
    ("ServiceProxyOptions", "services/proxy", &[Operation::Connect]),
    ("NodeProxyOptions", "nodes/proxy", &[Operation::Connect]),
    ("Eviction", "pods/eviction", &[Operation::Create]),
    ("Binding", "pods/binding", &[Operation::Create]),
    ("Scale", "*/scale", &[Operation::Update]),
];

/// The resources of constraints that name no kinds, as Gatekeeper registers them.
const EVERYTHING: [&str; 6] =
    ["*", "pods/ephemeralcontainers", "pods/eviction", "pods/binding", "*/scale", "services/status"];

/// The requests that `criteria` may select; `operations` are those of the template.
pub(crate) fn of(criteria: &Criteria, operations: &[Operation]) -> Vec<Matched> {
    let kinds = criteria.kinds();
    if kinds.is_empty() {
        return vec![matched(resources(&EVERYTHING), operations)];
    }
    kinds.iter().flat_map(|entry| of_entry(entry, operations)).collect()
}

fn of_entry(entry: &Kinds, operations: &[Operation]) -> Vec<Matched> {
    let any = || vec![Str::from("*")];
    let listed = |list: &[Str]| if list.is_empty() { any() } else { list.to_vec() };
    let (groups, kinds) = (listed(&entry.groups), listed(&entry.kinds));
    let mut all = Vec::new();
    for kind in &kinds {
        if &**kind == "*" {
            let objects = Objects::Resources {
                groups: groups.clone(),
                versions: any(),
                resources: EVERYTHING.iter().copied().map(Str::from).collect(),
            };
            all.push(matched(objects, operations));
        } else {
            all.extend(groups.iter().map(|group| matched(object(group, kind, ""), operations)));
        }
        if &**kind == "Pod" {
            all.push(matched(object("", kind, "ephemeralcontainers"), operations));
        }
        let of_kind = SUBRESOURCES.iter().filter(|(name, ..)| *name == &**kind);
        all.extend(of_kind.map(|(_, resource, own)| {
            let operations = if operations.is_empty() { own.to_vec() } else { operations.to_vec() };
            Matched { objects: resources(&[resource]), operations }
        }));
    }
    all
}

pub(crate) fn object(group: &str, kind: &str, sub_resource: &str) -> Objects {
    Objects::Kind { group: group.into(), version: "*".into(), kind: kind.into(), sub_resource: sub_resource.into() }
}

pub(crate) fn matched(objects: Objects, operations: &[Operation]) -> Matched {
    let operations = if operations.is_empty() { USUAL.to_vec() } else { operations.to_vec() };
    Matched { objects, operations }
}

fn resources(resources: &[&str]) -> Objects {
    let any = || vec![Str::from("*")];
    let resources = resources.iter().copied().map(Str::from).collect();
    Objects::Resources { groups: any(), versions: any(), resources }
}
