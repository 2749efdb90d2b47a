//! Judging a resource against a compiled pattern, in Kyverno's order and with Kyverno's rules for anchors.
//!
//! Anchors of an object are judged before its other members. A condition that does not hold skips the object it
//! stands in; a list whose elements were all skipped is itself skipped; a skip that reaches the root skips the rule.

use palisade_gotext::go_sprint;
use palisade_model::{Map, Path, Value};
use palisade_policy::steps::Steps;

use super::anchor::AnchorKind;
use super::compile::{Member, Members, Node};
use super::failure::{Failure, Kind, Trail, pointer};
use super::{Mismatch, PatternError};

static NULL: Value = Value::Null;

/// Steps for writing a message, which takes as long as some comparisons.
const MESSAGE_COST: usize = 16;

type Judgement = Result<(), Failure>;

/// One judgement of a resource.
pub(super) struct Walk<'w> {
    steps: &'w Steps<'w>,
    /// For each tracked anchor, whether it was reached, and whether its key was ever there.
    seen: Vec<(bool, bool)>,
}

impl<'w> Walk<'w> {
    pub(super) fn new(steps: &'w Steps<'w>, tracked: usize) -> Self {
        Self { steps, seen: vec![(false, false); tracked] }
    }

    /// What a failure at the root means for the rule.
    pub(super) fn conclude(&self, failure: Failure) -> PatternError {
        let Failure { kind, path, message } = failure;
        // Kyverno cannot say where it failed once an anchored key was absent, and reports an error for that.
        let absent = || self.seen.iter().any(|(reached, found)| *reached && !found);
        let mismatch = match kind {
            Kind::Condition | Kind::Skipped => Mismatch::Skip,
            Kind::Value if absent() => Mismatch::Error,
            Kind::Negation | Kind::Value => Mismatch::Fail,
            Kind::Unfit | Kind::Limit => Mismatch::Error,
        };
        let path = if mismatch == Mismatch::Fail { path } else { Path::root() };
        PatternError { mismatch, path, message }
    }

    fn spend(&self, steps: usize, at: &Trail<'_>) -> Judgement {
        if self.steps.take(steps as u64) {
            return Ok(());
        }
        Err(Failure::new(Kind::Limit, at, "the pattern takes too many steps; simplify it or split the rule"))
    }

    pub(super) fn judge(&mut self, node: &Node, value: &Value, at: &Trail<'_>) -> Judgement {
        self.spend(1, at)?;
        match node {
            Node::Object(members) => match value {
                Value::Object(resource) => self.object(members, resource, at),
                other => Err(Failure::new(
                    Kind::Value,
                    at,
                    format!(
                        "pattern and resource have different structures. Path: {}. Expected map[string]interface {{}}, found {}",
                        pointer(&at.path()),
                        go_sprint::resource_type_name(other)
                    ),
                )),
            },
            Node::List(patterns) => match value {
                Value::Array(items) => self.list(patterns, value, items, at),
                _ => Err(Failure::new(
                    Kind::Value,
                    at,
                    format!(
                        "validation rule failed at path {}, resource does not satisfy the expected overlay pattern",
                        pointer(&at.path())
                    ),
                )),
            },
            Node::Scalar { .. } => self.scalar(node, value, at),
            Node::TooDeep => Err(Failure::new(Kind::Limit, at, "the pattern is nested too deeply; flatten it")),
        }
    }

    fn scalar(&self, node: &Node, value: &Value, at: &Trail<'_>) -> Judgement {
        let Node::Scalar { scalar, source } = node else { return Ok(()) };
        let values = match value {
            Value::Array(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        for item in values {
            self.spend(scalar.cost(item), at)?;
            if !scalar.matches(item) {
                self.spend(MESSAGE_COST, at)?;
                let message = format!(
                    "resource value '{}' does not match '{}' at path {}",
                    go_sprint::resource_excerpt(value),
                    go_sprint::excerpt(source),
                    pointer(&at.path())
                );
                return Err(Failure::new(Kind::Value, at, message));
            }
        }
        Ok(())
    }

    fn object(&mut self, members: &Members, resource: &Map, at: &Trail<'_>) -> Judgement {
        self.spend(members.expansion_cost(resource), at)?;
        let expanded = members.expand(resource);
        let members = expanded.as_ref().unwrap_or(members);
        for member in &members.anchors {
            if let Some(seen) = member.tracked.and_then(|at| self.seen.get_mut(at)) {
                *seen = (true, seen.1 || resource.contains_key(&member.key));
            }
        }
        self.anchors(&members.anchors, resource, at)?;
        members.fields.iter().try_for_each(|member| self.member(member, resource, at))
    }

    /// Judges the anchors of an object. A failed condition hides the failures of the anchors after it.
    fn anchors(&mut self, anchors: &[Member], resource: &Map, at: &Trail<'_>) -> Judgement {
        let mut skipped: Vec<Failure> = Vec::new();
        let mut applied = false;
        for member in anchors {
            match self.member(member, resource, at) {
                Ok(()) => applied = true,
                Err(failure) if failure.kind == Kind::Limit => return Err(failure),
                Err(failure) if failure.skips() => skipped.push(failure),
                Err(failure) if skipped.iter().all(|skip| skip.kind == Kind::Skipped) => return Err(failure),
                Err(_) => {}
            }
        }
        // Skipped lists do not skip this object as long as another anchor applied; failed conditions do.
        if skipped.is_empty() || applied && skipped.iter().all(|skip| skip.kind == Kind::Skipped) {
            return Ok(());
        }
        Err(Failure::all_skipped(&skipped, at))
    }

    fn member(&mut self, member: &Member, resource: &Map, at: &Trail<'_>) -> Judgement {
        let value = resource.get(&member.key);
        let inside = at.key(&member.key);
        match (member.anchor, value) {
            (Some(AnchorKind::Condition), Some(value)) => {
                self.judge(&member.node, value, &inside).map_err(|failure| failure.through("conditional"))
            }
            (Some(AnchorKind::Condition), None) => Err(Failure::new(
                Kind::Condition,
                &inside,
                "conditional anchor mismatch: conditional anchor key doesn't exist in the resource",
            )),
            (Some(AnchorKind::Global), Some(value)) => {
                self.judge(&member.node, value, &inside).map_err(|failure| failure.through("global"))
            }
            (Some(AnchorKind::Equality), Some(value)) => self.judge(&member.node, value, &inside),
            (Some(AnchorKind::Existence), Some(value)) => self.existence(&member.node, value, &inside),
            (Some(AnchorKind::Negation), Some(_)) => {
                let message =
                    format!("negation anchor matched in resource: {} is not allowed", pointer(&inside.path()));
                Err(Failure::new(Kind::Negation, &inside, message))
            }
            (Some(AnchorKind::Global | AnchorKind::Equality | AnchorKind::Existence | AnchorKind::Negation), None) => {
                Ok(())
            }
            (None | Some(AnchorKind::AddIfAbsent), value) => self.field(member, value.unwrap_or(&NULL), at, &inside),
        }
    }

    fn field(&mut self, member: &Member, value: &Value, at: &Trail<'_>, inside: &Trail<'_>) -> Judgement {
        let star = matches!(&*member.node, Node::Scalar { scalar, .. } if scalar.is_star());
        if !star {
            return self.judge(&member.node, value, inside);
        }
        if value.is_null() {
            // Kyverno names the parent here.
            return Err(Failure::new(Kind::Value, at, format!("{}/{} not found", pointer(&at.path()), member.key)));
        }
        Ok(())
    }

    /// Each pattern of the list must match at least one element.
    fn existence(&mut self, node: &Node, value: &Value, at: &Trail<'_>) -> Judgement {
        let Value::Array(items) = value else {
            let message = format!(
                "invalid resource type {}: Existence ^ () anchor can be used only on list/array type resource",
                go_sprint::resource_type_name(value)
            );
            return Err(Failure::new(Kind::Value, at, message));
        };
        let Node::List(patterns) = node else {
            return Err(invalid_existence(node, "list to compare against resource", at));
        };
        for pattern in patterns {
            if !matches!(pattern, Node::Object(_)) {
                return Err(invalid_existence(node, "type map to compare against items in resource", at));
            }
            let mut found = false;
            for (index, item) in items.iter().enumerate() {
                match self.judge(pattern, item, &at.index(index)) {
                    Ok(()) => found = true,
                    Err(failure) if failure.kind == Kind::Limit => return Err(failure),
                    Err(_) => {}
                }
                if found {
                    break;
                }
            }
            if !found {
                let message = format!("existence anchor validation failed at path {}", pointer(&at.path()));
                return Err(Failure::new(Kind::Value, at, message));
            }
        }
        Ok(())
    }

    /// The first pattern decides: an object or a leaf is for every element, a list for the element at its place.
    fn list(&mut self, patterns: &[Node], value: &Value, items: &[Value], at: &Trail<'_>) -> Judgement {
        match patterns.first() {
            None => Err(Failure::new(Kind::Value, at, "pattern Array empty")),
            Some(leaf @ Node::Scalar { .. }) => self.scalar(leaf, value, at),
            Some(pattern @ Node::Object(_)) => self.elements(items.iter().map(|item| (pattern, item)), at),
            Some(_) if items.len() < patterns.len() => {
                let (resource, pattern) = (items.len(), patterns.len());
                let message = format!(
                    "validate Array failed, array length mismatch, resource Array len is {resource} and pattern Array len is {pattern}"
                );
                Err(Failure::new(Kind::Unfit, at, message))
            }
            Some(_) => self.elements(patterns.iter().zip(items), at),
        }
    }

    /// Judges pairs of pattern and element; skipped elements do not count unless all are.
    fn elements<'v>(&mut self, pairs: impl Iterator<Item = (&'v Node, &'v Value)>, at: &Trail<'_>) -> Judgement {
        let mut skipped = Vec::new();
        let mut applied = false;
        for (index, (pattern, item)) in pairs.enumerate() {
            match self.judge(pattern, item, &at.index(index)) {
                Ok(()) => applied = true,
                Err(failure) if failure.skips() => skipped.push(failure),
                Err(failure) => return Err(failure),
            }
        }
        if applied || skipped.is_empty() { Ok(()) } else { Err(Failure::all_skipped(&skipped, at)) }
    }
}

fn invalid_existence(node: &Node, expected: &str, at: &Trail<'_>) -> Failure {
    let name = match node {
        Node::Object(_) => "map[string]interface {}",
        Node::List(_) | Node::TooDeep => "[]interface {}",
        Node::Scalar { source, .. } => go_sprint::type_name(source),
    };
    Failure::new(Kind::Value, at, format!("invalid pattern type {name}: Pattern has to be of {expected}"))
}
