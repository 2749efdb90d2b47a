//! Turning an overlay into a plain patch for one resource.
//!
//! Conditions `(key)` and `<(key)` are checked against the resource and taken out, `+(key)` stays only where the
//! resource has no such key, and an element of a list that carries anchors becomes one element for each element of
//! the resource that satisfies it, tied to it by `name`.

use palisade_gotext::go_json::with_doubles;
use palisade_model::{Map, Str, Value};
use palisade_policy::steps::Steps;

use super::merge::MergeError;
use super::{scalar_text, spend};
use crate::legacy::pattern::{Anchor, AnchorKind, Pattern};

/// Why an overlay does not apply.
#[derive(Debug)]
pub(super) enum Halt {
    /// A condition does not hold: a list element is passed over, anything else ends the patch.
    Condition(String),
    /// A global condition does not hold for any element of its list, which ends the patch.
    Global(String),
    /// The overlay cannot be used.
    Broken(MergeError),
}

impl From<MergeError> for Halt {
    fn from(error: MergeError) -> Self {
        Self::Broken(error)
    }
}

type Step<T = ()> = Result<T, Halt>;

/// The patch that an overlay means for a resource.
pub(super) fn resolve(overlay: &Value, resource: &Value, steps: &Steps<'_>) -> Step<Value> {
    // Upstream meets members by name, anchors included, which decides which of several refusals counts.
    let mut patch = overlay.sorted();
    let resolver = Resolver { steps };
    resolver.node(&mut patch, Some(resource))?;
    let Some(members) = patch.as_object_mut() else {
        let message = format!("patchStrategicMerge must be an object, not {}", overlay.type_name());
        return Err(Halt::Broken(MergeError::Overlay(message)));
    };
    retain(members, |key, value| {
        let condition = Anchor::parse(key).is_some_and(is_condition);
        prune(value, condition).map(|empty| !empty)
    })?;
    Ok(patch)
}

fn is_condition(anchor: Anchor<'_>) -> bool {
    matches!(anchor.kind, AnchorKind::Condition | AnchorKind::Global)
}

fn is_resolved(anchor: Anchor<'_>) -> bool {
    is_condition(anchor) || anchor.kind == AnchorKind::AddIfAbsent
}

fn is_global(anchor: Anchor<'_>) -> bool {
    anchor.kind == AnchorKind::Global
}

fn broken<T>(message: impl Into<String>) -> Step<T> {
    Err(Halt::Broken(MergeError::Overlay(message.into())))
}

struct Resolver<'a> {
    steps: &'a Steps<'a>,
}

impl Resolver<'_> {
    fn node(&self, pattern: &mut Value, resource: Option<&Value>) -> Step {
        spend(self.steps, 1)?;
        match pattern {
            Value::Object(_) => self.object(pattern, resource),
            Value::Array(items) if matches!(items.first(), Some(Value::Object(_))) => {
                self.list_of_objects(pattern, resource)
            }
            _ => Ok(()),
        }
    }

    fn object(&self, pattern: &mut Value, resource: Option<&Value>) -> Step {
        add_if_absent(pattern, resource);
        self.check(pattern, resource, AnchorKind::Global).map_err(|halt| as_kind(halt, Halt::Global))?;
        self.check(pattern, resource, AnchorKind::Condition).map_err(|halt| as_kind(halt, Halt::Condition))?;
        let Some(members) = pattern.as_object_mut() else { return Ok(()) };
        for (key, value) in members.iter_mut() {
            if !Anchor::parse(key).is_some_and(is_resolved) {
                self.node(value, resource.and_then(|resource| resource.get(key)))?;
            }
        }
        Ok(())
    }

    /// Checks the conditions of one kind among the keys of an object.
    fn check(&self, pattern: &mut Value, resource: Option<&Value>, kind: AnchorKind) -> Step {
        let Some(members) = pattern.as_object_mut() else { return Ok(()) };
        for (name, value) in members.iter_mut() {
            let Some(anchor) = Anchor::parse(name).filter(|anchor| anchor.kind == kind) else { continue };
            let Some(actual) = resource.and_then(|resource| resource.get(anchor.key)) else {
                return Err(Halt::Condition(format!("there is no `{}` in the resource", anchor.key)));
            };
            // A condition that itself adds keys is taken to hold.
            if add_if_absent(value, Some(actual)) > 0 {
                continue;
            }
            Pattern::compile(&comparable(value))
                .validate(&comparable(actual), self.steps)
                .map_err(|error| Halt::Condition(error.message))?;
        }
        Ok(())
    }

    /// Makes an element for each element of the resource that an anchored element selects.
    fn list_of_objects(&self, pattern: &mut Value, resource: Option<&Value>) -> Step {
        let own = match resource {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(items)) => items,
            Some(other) => return broken(format!("a list of objects meets {}", other.type_name())),
        };
        let Some(items) = pattern.as_array_mut() else { return Ok(()) };
        for element in items.clone() {
            if !has_anchor(&element, is_resolved) {
                continue;
            }
            let global = has_anchor(&element, is_global);
            // One copy serves all elements, so what the first one changes in it stays for the next, as upstream.
            let mut selected = element.clone();
            let mut refused = None;
            let mut passed = false;
            for candidate in own {
                match self.node(&mut selected, Some(candidate)) {
                    Ok(()) if global => passed = true,
                    Ok(()) => items.extend(tied(&selected, candidate)?),
                    Err(Halt::Condition(_)) => {}
                    Err(halt @ Halt::Global(_)) => refused = Some(halt),
                    Err(broken) => return Err(broken),
                }
            }
            if resource.is_none() {
                match self.node(&mut selected, None) {
                    Err(Halt::Condition(_)) => continue,
                    other => other?,
                }
            }
            if let (Some(halt), false) = (refused, passed) {
                return Err(halt);
            }
        }
        Ok(())
    }
}

fn as_kind(halt: Halt, kind: fn(String) -> Halt) -> Halt {
    match halt {
        Halt::Condition(message) | Halt::Global(message) => kind(message),
        broken @ Halt::Broken(_) => broken,
    }
}

/// Resolves the `+(key)` of an object; how many there were.
fn add_if_absent(pattern: &mut Value, resource: Option<&Value>) -> usize {
    let Some(members) = pattern.as_object_mut() else { return 0 };
    let added = |key: &str| Anchor::parse(key).is_some_and(|anchor| anchor.kind == AnchorKind::AddIfAbsent);
    let count = members.keys().filter(|key| added(key)).count();
    if count > 0 {
        let kept = std::mem::take(members).into_iter().filter_map(|(name, value)| match Anchor::parse(&name) {
            Some(anchor) if anchor.kind == AnchorKind::AddIfAbsent => {
                let present = resource.is_some_and(|resource| resource.get(anchor.key).is_some());
                (!present).then(|| (Str::from(anchor.key), value))
            }
            _ => Some((name, value)),
        });
        *members = kept.collect();
    }
    count
}

/// A value as conditions see it: a scalar is its text, and every number inside is a double.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Object(_) | Value::Array(_) => with_doubles(value),
        scalar => Value::from(&*scalar_text(scalar)),
    }
}

/// Whether an anchor of a kind is anywhere in an element; texts that look like a condition count as one.
fn has_anchor(pattern: &Value, wanted: fn(Anchor<'_>) -> bool) -> bool {
    match pattern {
        Value::Object(members) => members.iter().any(|(key, value)| {
            Anchor::parse(key).is_some_and(wanted) || (!is_blank(value) && has_anchor(value, wanted))
        }),
        Value::Array(items) => items.iter().any(|item| has_anchor(item, wanted)),
        Value::String(text) => Anchor::parse(text).is_some_and(is_condition),
        _ => false,
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The patch's element for an element of the resource; `None` where nothing is left to merge or it has no name.
fn tied(selected: &Value, candidate: &Value) -> Step<Option<Value>> {
    let Some(name) = candidate.get("name").filter(|name| !is_blank(name)) else { return Ok(None) };
    let mut element = selected.clone();
    if prune(&mut element, true)? {
        return Ok(None);
    }
    if let Some(members) = element.as_object_mut() {
        members.insert("name", name.clone());
    }
    Ok(Some(element))
}

/// Takes conditions out; whether nothing is left, in which case the node goes too.
fn prune(node: &mut Value, scalar_goes: bool) -> Step<bool> {
    match node {
        Value::Object(_) => match node.as_object_mut() {
            Some(members) => prune_object(members),
            None => Ok(false),
        },
        Value::Array(_) => match node.as_array_mut() {
            Some(items) => prune_list(items),
            None => Ok(false),
        },
        _ => Ok(scalar_goes),
    }
}

fn prune_object(members: &mut Map) -> Step<bool> {
    let mut strip = false;
    retain(members, |key, value| {
        let goes = Anchor::parse(key).is_some_and(is_condition) && prune(value, true)?;
        strip |= !goes && Anchor::parse(key).is_some_and(is_condition);
        Ok(!goes)
    })?;
    if strip {
        // A condition with more in it than conditions is a patch too.
        let plain = std::mem::take(members).into_iter().map(|(name, value)| match Anchor::parse(&name) {
            Some(anchor) if is_condition(anchor) => (Str::from(anchor.key), value),
            _ => (name, value),
        });
        *members = plain.collect();
    }
    retain(members, |_, value| prune(value, false).map(|empty| !empty))?;
    Ok(members.is_empty())
}

/// Takes anchored elements out of a list; whether that has emptied it.
///
/// Upstream removes by the position that an element had before the first removal, so with several anchored elements
/// others go than those that were meant, and it crashes where there is nothing at that position.
fn prune_list(items: &mut Vec<Value>) -> Step<bool> {
    let count = items.len();
    let mut positions = Vec::new();
    for (at, item) in items.iter_mut().enumerate() {
        if has_anchor(item, is_resolved) || prune(item, false)? {
            positions.push(at);
        }
    }
    for at in positions {
        if at >= items.len() {
            return broken(
                "several list elements carry anchors and none is selected, which Kyverno cannot process: write a rule for each",
            );
        }
        items.remove(at);
    }
    Ok(items.is_empty() && count > 0)
}

/// Keeps the members for which `keep` says so.
fn retain(members: &mut Map, mut keep: impl FnMut(&Str, &mut Value) -> Step<bool>) -> Step {
    let mut outcome = Ok(());
    members.retain(|key, value| match &outcome {
        Ok(()) => keep(key, value).unwrap_or_else(|halt| {
            outcome = Err(halt);
            false
        }),
        Err(_) => false,
    });
    outcome
}
