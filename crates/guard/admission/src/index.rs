//! Which policies of a ruleset a request is offered to, found by the names that their reaches hold, so that the cost of a
//! request does not grow with policies about other kinds.

use std::collections::HashMap;
use std::sync::Arc;

use palisade_model::{Str, wildcard};
use palisade_policy::{AdmissionRequest, Matched, Objects, Policy};

/// Policies by the kinds and resources that they are about.
#[derive(Debug, Default)]
pub(crate) struct Index {
    by_resource: HashMap<Str, Vec<usize>>,
    by_kind: HashMap<Str, Vec<usize>>,
    /// Those that name any, or some by a pattern.
    others: Vec<usize>,
}

impl Index {
    pub(crate) fn new(policies: &[Arc<dyn Policy>]) -> Self {
        let mut index = Self::default();
        for (at, policy) in policies.iter().enumerate() {
            for matched in &policy.info().reach.matches {
                index.add(at, matched);
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
        let map = match &matched.objects {
            Objects::Resources { .. } => &mut self.by_resource,
            Objects::Kind { .. } => &mut self.by_kind,
        };
        for name in names {
            push(map.entry(name.into()).or_default(), at);
        }
    }

    /// The policies that may select the request, in order, each once.
    pub(crate) fn candidates(&self, request: &AdmissionRequest) -> Candidates<'_> {
        let by_resource = self.by_resource.get(&request.resource).map_or(&[][..], Vec::as_slice);
        let by_kind = self.by_kind.get(&request.parent_kind().kind).map_or(&[][..], Vec::as_slice);
        Candidates { lists: [by_resource, by_kind, &self.others] }
    }
}

/// Adds to a list that grows.
fn push(list: &mut Vec<usize>, at: usize) {
    if list.last() != Some(&at) {
        list.push(at);
    }
}

/// Three ascending lists, merged.
#[derive(Debug)]
pub(crate) struct Candidates<'a> {
    lists: [&'a [usize]; 3],
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
