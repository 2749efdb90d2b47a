//! From what policies match to the rules of a webhook: by resource, without repetition.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::{Str, wildcard};
use palisade_policy::{Matched, Objects, Operation};
use serde_json::json;

use super::exempt::is_exempt;
use crate::{Discovery, Kind};

/// A rule of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// API groups.
    pub groups: Vec<Str>,
    /// API versions.
    pub versions: Vec<Str>,
    /// Resources, with subresources behind a slash.
    pub resources: Vec<Str>,
    /// Operations, as Kubernetes writes them.
    pub operations: Vec<&'static str>,
    /// `Cluster`, `Namespaced` or `*`.
    pub scope: &'static str,
}

impl Rule {
    pub(super) fn to_json(&self) -> serde_json::Value {
        json!({
            "apiGroups": self.groups,
            "apiVersions": self.versions,
            "resources": self.resources,
            "operations": self.operations,
            "scope": self.scope,
        })
    }

    /// Whether it may match resources that nobody thought of.
    pub(super) fn has_wildcards(&self) -> bool {
        let any = |names: &[Str]| names.iter().any(|name| name.contains('*'));
        any(&self.groups) || any(&self.resources)
    }
}

/// One resource of one version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    group: Str,
    version: Str,
    resource: Str,
    scope: &'static str,
}

impl Place {
    /// Whether every request of `other` is one of this too.
    fn covers(&self, other: &Self) -> bool {
        let covered = |own: &Str, other: &Str| **own == *"*" || own == other;
        let scope = self.scope == "*" || self.scope == other.scope;
        scope
            && covered(&self.group, &other.group)
            && covered(&self.version, &other.version)
            && covers_resource(&self.resource, &other.resource)
    }
}

fn covers_resource(own: &str, other: &str) -> bool {
    match (own, own.split_once('/'), other.split_once('/')) {
        ("*/*", ..) | ("*", _, None) => true,
        (_, Some((plural, sub)), Some((other_plural, other_sub))) => {
            (plural == "*" || plural == other_plural) && (sub == "*" || sub == other_sub)
        }
        // By Kubernetes' words `pods/*` is only the subresources of pods.
        _ => own == other,
    }
}

/// The requests that policies match, collected.
#[derive(Debug, Default)]
pub(super) struct Requests(BTreeMap<Place, BTreeSet<&'static str>>);

impl Requests {
    /// Adds what a policy matches; returns whether any of it can be registered now. `default` are the operations of a match
    /// that names none.
    pub(super) fn add(&mut self, matched: &Matched, default: &[Operation], discovery: &Discovery) -> bool {
        let operations = if matched.operations.is_empty() { default } else { &matched.operations };
        let places = places(&matched.objects, discovery);
        let places: Vec<_> = places.into_iter().filter(|place| !is_exempt(&place.group, &place.resource)).collect();
        let any = !places.is_empty() && !operations.is_empty();
        for place in places {
            self.0.entry(place).or_default().extend(operations.iter().map(|operation| operation.as_str()));
        }
        any
    }

    /// The fewest rules that say the same.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let mut left: BTreeMap<&Place, BTreeSet<&'static str>> = BTreeMap::new();
        for (place, operations) in &self.0 {
            let mut own = operations.clone();
            for (other, others) in &self.0 {
                if other != place && other.covers(place) {
                    own.retain(|operation| !others.contains(operation));
                }
            }
            if !own.is_empty() {
                left.insert(place, own);
            }
        }
        // First the resources of a group, then the groups that have the same resources.
        let mut by_group: BTreeMap<_, BTreeSet<Str>> = BTreeMap::new();
        for (place, operations) in left {
            let key = (place.group.clone(), place.version.clone(), operations, place.scope);
            by_group.entry(key).or_default().insert(place.resource.clone());
        }
        let mut by_resources: BTreeMap<_, BTreeSet<Str>> = BTreeMap::new();
        for ((group, version, operations, scope), resources) in by_group {
            by_resources.entry((version, operations, scope, resources)).or_default().insert(group);
        }
        let rule =
            |((version, operations, scope, resources), groups): ((Str, _, _, BTreeSet<Str>), BTreeSet<Str>)| Rule {
                groups: groups.into_iter().collect(),
                versions: vec![version],
                resources: resources.into_iter().collect(),
                operations: BTreeSet::into_iter(operations).collect(),
                scope,
            };
        let mut rules: Vec<Rule> = by_resources.into_iter().map(rule).collect();
        rules.sort();
        rules
    }
}

fn places(objects: &Objects, discovery: &Discovery) -> Vec<Place> {
    match objects {
        Objects::Resources { groups, versions, resources } => {
            let mut places = Vec::new();
            for group in groups {
                for version in versions {
                    for resource in resources {
                        let scope = scope_of(group, resource, discovery);
                        places.push(Place {
                            group: group.clone(),
                            version: version.clone(),
                            resource: resource.clone(),
                            scope,
                        });
                    }
                }
            }
            places
        }
        Objects::Kind { group, version, kind, sub_resource } => of_kind(group, version, kind, sub_resource, discovery),
    }
}

fn scope_of(group: &str, resource: &str, discovery: &Discovery) -> &'static str {
    let plural = resource.split_once('/').map_or(resource, |(plural, _)| plural);
    discovery
        .kinds()
        .iter()
        .find(|kind| *kind.gvk.group == *group && *kind.plural == *plural)
        .map_or("*", |kind| scope(kind))
}

fn scope(kind: &Kind) -> &'static str {
    if kind.namespaced { "Namespaced" } else { "Cluster" }
}

/// The resources that carry a kind: its own, and subresources that objects of the kind are sent to (`PodExecOptions`).
fn of_kind(group: &Str, version: &Str, kind: &Str, sub: &Str, discovery: &Discovery) -> Vec<Place> {
    if **kind == *"*" {
        let resource = if sub.is_empty() { "*".into() } else { format!("*/{sub}").into() };
        let any = |text: &Str| if text.is_empty() { Str::from("*") } else { text.clone() };
        let place = Place { group: group.clone(), version: any(version), resource, scope: "*" };
        if !wildcard::contains_wildcard(group) || **group == *"*" {
            return vec![place];
        }
    }
    let mut places = Vec::new();
    for known in discovery.kinds() {
        if !wildcard::matches(group, &known.gvk.group) {
            continue;
        }
        // A policy that takes any version takes those to come as well.
        let open = **version == *"*" || version.is_empty();
        if !open && !wildcard::matches(version, &known.gvk.version) {
            continue;
        }
        let version: Str = if open { "*".into() } else { known.gvk.version.clone() };
        let mut add = |resource: Str| {
            places.push(Place {
                group: known.gvk.group.clone(),
                version: version.clone(),
                resource,
                scope: scope(known),
            });
        };
        if wildcard::matches(kind, &known.gvk.kind) && known.can("create") | known.can("update") | known.can("delete") {
            if sub.is_empty() {
                add(known.plural.clone());
                // Containers that are added to a running pod arrive here, as a pod.
                if known.has_sub_resource("ephemeralcontainers") {
                    add(format!("{}/ephemeralcontainers", known.plural).into());
                }
            } else if sub.contains('*') || known.has_sub_resource(sub) {
                add(format!("{}/{sub}", known.plural).into());
            }
        } else if sub.is_empty() {
            let sent = known.sub_resources.iter().filter(|sub| {
                sub.gvk.as_ref().is_some_and(|gvk| gvk.kind != known.gvk.kind && wildcard::matches(kind, &gvk.kind))
            });
            sent.for_each(|sub| add(format!("{}/{}", known.plural, sub.name).into()));
        }
    }
    places.sort();
    places.dedup();
    places
}
