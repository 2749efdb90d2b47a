//! What the solutions of a block are collected into.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use palisade_rego_value::{Object, Set, Value};

use super::error::{ErrorCode, EvalError};
use super::solutions::Solution;
use crate::plan::{Collect, Emit, Rule, RuleKind};

/// Sets are freed of duplicates when they have grown to this many solutions, then whenever they have doubled.
const COMPACT_FROM: usize = 4_096;

/// What solutions go into, and whether there was one.
#[derive(Debug)]
pub(super) struct Sink {
    /// Whether there was a solution since this was last cleared.
    pub(super) found: bool,
    /// What is wrong with a second value.
    pub(super) conflict: &'static str,
    pub(super) gathered: Gathered,
}

const ONE_VALUE: &str = "complete rules must not produce multiple outputs";
const ONE_OUTPUT: &str = "functions must not produce multiple outputs for same inputs";

/// What solutions go into.
#[derive(Debug)]
pub(super) enum Gathered {
    /// Nothing.
    Nothing,
    /// The one value.
    Value(Option<Value>),
    /// All elements, in order.
    Array(Vec<Value>),
    /// Elements, and the number at which duplicates are removed.
    Set(Vec<Value>, usize),
    /// Members of an object.
    Members(Vec<(Value, Value)>),
    /// Members of an object whose parts may be defined apart.
    Partial(BTreeMap<Value, Part>),
    /// Values with the registers that they came of.
    Solutions(Vec<Solution>),
}

/// What is at a key of a partial object.
#[derive(Debug)]
pub(super) enum Part {
    Leaf(Value),
    Set(Vec<Value>),
    Object(BTreeMap<Value, Part>),
}

impl Sink {
    pub(super) fn new(gathered: Gathered) -> Self {
        Self { found: false, conflict: ONE_VALUE, gathered }
    }

    pub(super) fn of(collect: Collect) -> Self {
        Self::new(match collect {
            Collect::Array => Gathered::Array(Vec::new()),
            Collect::Set => Gathered::Set(Vec::new(), COMPACT_FROM),
            Collect::Object => Gathered::Members(Vec::new()),
        })
    }

    /// What the definitions of a rule gather.
    pub(super) fn of_rule(rule: &Rule) -> Self {
        match rule.kind {
            RuleKind::Complete => Self::new(Gathered::Value(None)),
            RuleKind::Function { .. } => Self { conflict: ONE_OUTPUT, ..Self::new(Gathered::Value(None)) },
            RuleKind::Set => Self::of(Collect::Set),
            RuleKind::Object if has_parts(rule) => Self::new(Gathered::Partial(BTreeMap::new())),
            RuleKind::Object => Self::of(Collect::Object),
        }
    }

    pub(super) fn add_element(&mut self, value: Value) {
        match &mut self.gathered {
            Gathered::Array(items) => items.push(value),
            Gathered::Set(items, threshold) => {
                items.push(value);
                if items.len() >= *threshold {
                    items.sort();
                    items.dedup();
                    *threshold = (items.len() * 2).max(COMPACT_FROM);
                }
            }
            _ => {}
        }
    }

    pub(super) fn add_member(&mut self, path: Vec<Value>, value: Value) -> Result<(), Box<EvalError>> {
        match &mut self.gathered {
            Gathered::Members(members) => {
                members.extend(path.into_iter().next().map(|key| (key, value)));
                Ok(())
            }
            Gathered::Partial(parts) => insert(parts, path, Part::Leaf(value)),
            _ => Ok(()),
        }
    }

    pub(super) fn add_nested(&mut self, path: Vec<Value>, value: Value) -> Result<(), Box<EvalError>> {
        match &mut self.gathered {
            Gathered::Partial(parts) => insert(parts, path, Part::Set(vec![value])),
            _ => Ok(()),
        }
    }

    /// What has been collected; `None` where there was no solution for a value.
    pub(super) fn finish(self) -> Result<Option<Value>, Box<EvalError>> {
        Ok(match self.gathered {
            Gathered::Nothing | Gathered::Solutions(_) => None,
            Gathered::Value(value) => value,
            Gathered::Array(items) => Some(Value::array(items)),
            Gathered::Set(items, _) => Some(Value::from(Set::from(items))),
            Gathered::Members(members) => Some(object(members)?),
            Gathered::Partial(parts) => Some(assemble(parts)),
        })
    }
}

/// Whether definitions name members of members.
fn has_parts(rule: &Rule) -> bool {
    rule.definitions.iter().flat_map(|definition| &definition.branches).any(|branch| match &branch.emit {
        Emit::Nested(..) => true,
        Emit::Member(path, _) => path.len() > 1,
        _ => false,
    })
}

fn conflict() -> Box<EvalError> {
    EvalError::new(ErrorCode::Conflict, "object keys must be unique")
}

/// An object of members of which equal keys must have equal values.
fn object(mut members: Vec<(Value, Value)>) -> Result<Value, Box<EvalError>> {
    if !members.is_sorted_by(|(a, _), (b, _)| a < b) {
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        let disagree = |pair: &[(Value, Value)]| matches!(pair, [(a, x), (b, y)] if a == b && x != y);
        if members.windows(2).any(disagree) {
            return Err(conflict());
        }
    }
    Ok(Value::from(Object::from(members)))
}

fn insert(parts: &mut BTreeMap<Value, Part>, path: Vec<Value>, part: Part) -> Result<(), Box<EvalError>> {
    let mut path = path.into_iter();
    let Some(mut key) = path.next() else { return Ok(()) };
    let mut parts = parts;
    for next in path {
        let entry = parts.entry(key).or_insert_with(|| Part::Object(BTreeMap::new()));
        let Part::Object(below) = entry else { return Err(conflict()) };
        parts = below;
        key = next;
    }
    match parts.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(part);
            Ok(())
        }
        Entry::Occupied(mut entry) => join(entry.get_mut(), part),
    }
}

fn join(old: &mut Part, new: Part) -> Result<(), Box<EvalError>> {
    match (old, new) {
        (Part::Leaf(old), Part::Leaf(new)) if *old == new => Ok(()),
        (Part::Set(items), Part::Set(new)) => {
            items.extend(new);
            Ok(())
        }
        _ => Err(conflict()),
    }
}

/// Levels are as many as the head of a rule has parts.
fn assemble(parts: BTreeMap<Value, Part>) -> Value {
    let finish = |part| match part {
        Part::Leaf(value) => value,
        Part::Set(items) => Value::set(items),
        Part::Object(parts) => assemble(parts),
    };
    Value::from(parts.into_iter().map(|(key, part)| (key, finish(part))).collect::<Object>())
}
