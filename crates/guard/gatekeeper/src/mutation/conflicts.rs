//! Mutators that contradict each other about what a field is.
//!
//! Every location implies a piece of a schema for the kinds that it applies to. Where the pieces of two mutators do not
//! fit together, Gatekeeper applies neither.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use palisade_model::{GroupVersionKind, Str};

use super::location::Step;
use super::mutator::Mutator;
use crate::kinds::MutatorKind;

/// What a location implies a field to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    /// Assign may put anything there, which contradicts nothing.
    Unknown,
    Object,
    List,
    Set,
    Text,
}

#[derive(Debug, Default)]
struct Node {
    mutators: BTreeSet<usize>,
    children: BTreeMap<Str, BTreeMap<Shape, Node>>,
}

/// The indices of mutators that contradict another one.
pub(super) fn conflicting(mutators: &[Mutator]) -> BTreeSet<usize> {
    let mut schemas: HashMap<GroupVersionKind, Node> = HashMap::new();
    for (index, mutator) in mutators.iter().enumerate() {
        let kinds = mutator.apply_to.iter().flat_map(crate::matching::ApplyTo::combinations);
        for kind in kinds.filter(|_| mutator.kind != MutatorKind::AssignMetadata) {
            schemas.entry(kind).or_default().add(index, &mutator.location.0, terminal(mutator.kind));
        }
    }
    let mut found = BTreeSet::new();
    for schema in schemas.values() {
        schema.collect(&mut found);
    }
    found
}

fn terminal(kind: MutatorKind) -> Shape {
    match kind {
        MutatorKind::ModifySet => Shape::Set,
        MutatorKind::AssignImage => Shape::Text,
        MutatorKind::Assign | MutatorKind::AssignMetadata => Shape::Unknown,
    }
}

impl Node {
    fn add(&mut self, mutator: usize, steps: &[Step], terminal: Shape) {
        self.mutators.insert(mutator);
        let Some((step, rest)) = steps.split_first() else { return };
        let key = match step {
            Step::Field(name) => name,
            Step::Element { key, .. } => key,
        };
        let shape = match rest.first() {
            Some(Step::Field(_)) => Shape::Object,
            Some(Step::Element { .. }) => Shape::List,
            None => terminal,
        };
        self.children.entry(key.clone()).or_default().entry(shape).or_default().add(mutator, rest, terminal);
    }

    fn collect(&self, found: &mut BTreeSet<usize>) {
        for shapes in self.children.values() {
            let known = shapes.keys().filter(|shape| **shape != Shape::Unknown).count();
            for (shape, child) in shapes {
                let keys = *shape == Shape::List && child.children.len() > 1;
                if *shape != Shape::Unknown && (known > 1 || keys) {
                    found.extend(&child.mutators);
                }
                child.collect(found);
            }
        }
    }
}
