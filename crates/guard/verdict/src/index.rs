//! Which policies of a ruleset a request is offered to, found by the names that their reaches hold, so that the cost of a
//! request does not grow with policies about other kinds.

use std::sync::Arc;

use palisade_model::{Str, wildcard};
use palisade_policy::{AdmissionRequest, Matched, Objects, Policy};

/// Policies by the kinds and resources that they are about.
#[derive(Debug, Default)]
pub(crate) struct Index {
    by_resource: Names,
    by_kind: Names,
    /// Those that name any, or some by a pattern.
    others: Vec<usize>,
    /// Those about pods that custom kinds hold.
    hidden_pods: Vec<usize>,
    all: Vec<usize>,
}

impl Index {
    pub(crate) fn new(policies: &[Arc<dyn Policy>]) -> Self {
        let mut index = Self { all: (0..policies.len()).collect(), ..Self::default() };
        for (at, policy) in policies.iter().enumerate() {
            for matched in &policy.info().reach.matches {
                index.add(at, matched);
            }
            if policy.info().reach.hidden_pods {
                index.hidden_pods.push(at);
            }
        }
        index
    }

    fn add(&mut self, at: usize, matched: &Matched) {
        let names: Vec<&str> = match &matched.objects {
            Objects::Resources { resources, .. } => {
                resources.iter().map(|text| text.split_once('/').map_or(&**text, |(resource, _)| resource)).collect()
            }
            Objects::Kind { kind, .. } => vec![kind],
        };
        if names.iter().any(|name| wildcard::contains_wildcard(name)) {
            push(&mut self.others, at);
            return;
        }
        let names_of = match &matched.objects {
            Objects::Resources { .. } => &mut self.by_resource,
            Objects::Kind { .. } => &mut self.by_kind,
        };
        for name in names {
            push(names_of.list_mut(name), at);
        }
    }

    /// The policies that may select the request, in order, each once; all of them for other payloads.
    pub(crate) fn candidates(&self, request: Option<&AdmissionRequest>) -> Candidates<'_> {
        let Some(request) = request else { return Candidates { lists: [&self.all, &[], &[], &[]] } };
        let by_resource = self.by_resource.list(&request.resource);
        let by_kind = self.by_kind.list(&request.parent_kind().kind);
        let custom = request.kind.group.contains('.') || &*request.kind.kind == "PodTemplate";
        let hidden_pods = if custom { &*self.hidden_pods } else { &[] };
        Candidates { lists: [by_resource, by_kind, &self.others, hidden_pods] }
    }
}

/// Policies by a name, sorted: the names are few, and comparing some is cheaper than hashing one.
#[derive(Debug, Default)]
struct Names(Vec<(Str, Vec<usize>)>);

impl Names {
    fn search(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name))
    }

    fn list(&self, name: &str) -> &[usize] {
        let found = self.search(name).ok().and_then(|at| self.0.get(at));
        found.map_or(&[], |(_, policies)| policies)
    }

    fn list_mut(&mut self, name: &str) -> &mut Vec<usize> {
        let at = self.search(name).unwrap_or_else(|at| {
            self.0.insert(at, (name.into(), Vec::new()));
            at
        });
        #[expect(clippy::indexing_slicing, reason = "`at` was found or inserted above")]
        &mut self.0[at].1
    }
}

/// Adds to a list that grows.
fn push(list: &mut Vec<usize>, at: usize) {
    if list.last() != Some(&at) {
        list.push(at);
    }
}

/// Ascending lists, merged.
#[derive(Clone, Debug)]
pub(crate) struct Candidates<'a> {
    lists: [&'a [usize]; 4],
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let next = self.lists.iter().filter_map(|list| list.first()).min().copied()?;
        for list in &mut self.lists {
            if let Some((first, rest)) = list.split_first()
                && *first == next
            {
                *list = rest;
            }
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::{GroupVersionKind, Resource, json};
    use palisade_policy::Operation;

    use super::*;

    #[test]
    fn candidates_come_in_order_each_once() {
        let matched = |objects| Matched { objects, operations: Vec::new() };
        let any = || vec![Str::from("*")];
        let resources =
            |name: &str| matched(Objects::Resources { groups: any(), versions: any(), resources: vec![name.into()] });
        let mut index = Index::default();
        for (at, reach) in [
            (0, resources("pods")),
            (1, matched(Objects::kind("Pod"))),
            (2, resources("services")),
            (3, resources("*/*")),
            (4, matched(Objects::kind("P*"))),
            (5, resources("pods/exec")),
            (5, matched(Objects::kind("Pod"))),
        ] {
            index.add(at, &reach);
        }
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}});
        let request = AdmissionRequest::of(&Resource::in_memory(pod), Operation::Create);
        assert_eq!(index.candidates(Some(&request)).collect::<Vec<_>>(), [0, 1, 3, 4, 5]);
        let exec = AdmissionRequest {
            kind: GroupVersionKind::new("v1", "PodExecOptions"),
            sub_resource: "exec".into(),
            ..request
        };
        assert_eq!(index.candidates(Some(&exec)).collect::<Vec<_>>(), [0, 1, 3, 4, 5]);
    }
}
