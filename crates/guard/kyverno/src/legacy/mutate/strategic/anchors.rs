//! Turning an overlay into a plain patch for one resource.
//!
//! Conditions `(key)` and `<(key)` are checked against the resource and taken out, `+(key)` stays only where the
//! resource has no such key, and an element of a list that carries anchors becomes one element for each element of
//! the resource that satisfies it, tied to it by its place. Upstream ties by `name`, resolves one copy for all elements
//! and takes anchored elements out by positions that have moved: containers are overwritten or lost so, and not here
//! (docs/decisions/0008-a-rewrite-takes-nothing-away.md).

use palisade_gotext::go_json::with_doubles;
use palisade_model::{Map, Str, Value};
use palisade_policy::steps::Steps;

use super::keyed_list::{DEFAULT_PROTOCOL, key_text};
use super::merge::MergeError;
use super::schema::Shape;
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

/// The member of a patch's element that says which element of the resource it is about; no manifest can have it.
const PLACE: &str = "\u{0}place";

/// What an element of a patch is about, where anchors were resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// The element of the resource at this index.
    At(usize),
    /// None: it is only there to say that anchors were in its list.
    Nowhere,
}

/// Takes the place out of an element.
pub(super) fn take_place(element: &mut Value) -> Option<Placed> {
    element.get(PLACE)?;
    let place = element.as_object_mut()?.remove(PLACE)?;
    Some(place.as_i64().and_then(|at| usize::try_from(at).ok()).map_or(Placed::Nowhere, Placed::At))
}

/// Whether anchors were in a list.
pub(super) fn has_places(list: &Value) -> bool {
    list.as_array().is_some_and(|items| items.iter().any(is_placed))
}

fn is_placed(element: &Value) -> bool {
    element.get(PLACE).is_some()
}

fn placed(mut element: Value, place: Value) -> Value {
    if let Some(members) = element.as_object_mut() {
        members.insert(PLACE, place);
    }
    element
}

/// The patch that an overlay means for a resource.
pub(super) fn resolve(overlay: &Value, resource: &Value, steps: &Steps<'_>) -> Step<Value> {
    // Upstream meets members by name, anchors included, which decides which of several refusals counts.
    let mut patch = overlay.sorted();
    let resolver = Resolver { steps };
    resolver.node(&mut patch, Some(resource), Shape::Unknown)?;
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
    fn node(&self, pattern: &mut Value, resource: Option<&Value>, shape: Shape) -> Step {
        spend(self.steps, 1)?;
        match pattern {
            Value::Object(_) => self.object(pattern, resource, shape.or_named_by([resource, None])),
            Value::Array(items) if matches!(items.first(), Some(Value::Object(_))) => {
                self.list_of_objects(pattern, resource, shape)
            }
            _ => Ok(()),
        }
    }

    fn object(&self, pattern: &mut Value, resource: Option<&Value>, shape: Shape) -> Step {
        add_if_absent(pattern, resource);
        self.check(pattern, resource, AnchorKind::Global).map_err(|halt| as_kind(halt, Halt::Global))?;
        self.check(pattern, resource, AnchorKind::Condition).map_err(|halt| as_kind(halt, Halt::Condition))?;
        let Some(members) = pattern.as_object_mut() else { return Ok(()) };
        for (key, value) in members.iter_mut() {
            if !Anchor::parse(key).is_some_and(is_resolved) {
                self.node(value, resource.and_then(|resource| resource.get(key)), shape.field(key))?;
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

    /// Makes an element for each element of the resource that an anchored element selects. Plain elements come last, so
    /// that what they say counts, as upstream.
    fn list_of_objects(&self, pattern: &mut Value, resource: Option<&Value>, shape: Shape) -> Step {
        let own = match resource {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(items)) => items,
            Some(other) => return broken(format!("a list of objects meets {}", other.type_name())),
        };
        let Some(items) = pattern.as_array_mut() else { return Ok(()) };
        let (anchored, plain): (Vec<_>, Vec<_>) =
            std::mem::take(items).into_iter().partition(|item| has_anchor(item, is_resolved));
        for element in &anchored {
            self.element(element, own, resource.is_none(), shape, items)?;
        }
        match (items.is_empty(), plain.is_empty()) {
            // Nothing is selected: the list goes with its anchors, when conditions are taken out.
            (true, true) => *items = anchored,
            (true, false) if !anchored.is_empty() && !own.is_empty() => {
                items.push(placed(Value::object(Map::new()), Value::Null));
            }
            _ => {}
        }
        items.extend(plain);
        Ok(())
    }

    /// The elements that an anchored element becomes.
    fn element(&self, element: &Value, own: &[Value], absent: bool, shape: Shape, resolved: &mut Vec<Value>) -> Step {
        let (keys, below) = match shape {
            Shape::List(keys, fields) => (keys, Shape::Object(fields)),
            _ => (&["name"][..], Shape::Unknown),
        };
        let global = has_anchor(element, is_global);
        let (mut refused, mut passed) = (None, false);
        for (at, candidate) in own.iter().enumerate() {
            let Some(mut selected) = self.about(element, candidate, keys)? else { continue };
            match self.node(&mut selected, Some(candidate), below) {
                Ok(()) if global => passed = true,
                Ok(()) if prune(&mut selected, true)? => {}
                Ok(()) => resolved.push(placed(selected, Value::Int(i64::try_from(at).unwrap_or_default()))),
                Err(Halt::Condition(_)) => {}
                Err(halt @ Halt::Global(_)) => refused = Some(halt),
                Err(broken) => return Err(broken),
            }
        }
        if absent && let Err(halt) = self.node(&mut element.clone(), None, below) {
            return if matches!(halt, Halt::Condition(_)) { Ok(()) } else { Err(halt) };
        }
        refused.filter(|_| !passed).map_or(Ok(()), Err)
    }

    /// The element without the keys that it gives as they are, where the candidate has them: `name: web` beside `+(x)`
    /// speaks of `web`, while upstream takes any element for it.
    fn about(&self, element: &Value, candidate: &Value, keys: &[&str]) -> Step<Option<Value>> {
        spend(self.steps, 1)?;
        let mut element = element.clone();
        for key in keys {
            let Some(wanted) = element.get(key).filter(|wanted| !is_blank(wanted)) else { continue };
            let own = key_text(candidate, key);
            let own = if own.is_empty() && *key == DEFAULT_PROTOCOL.0 { DEFAULT_PROTOCOL.1 } else { &*own };
            if Pattern::compile(&comparable(wanted)).validate(&Value::from(own), self.steps).is_err() {
                return Ok(None);
            }
            if let Some(members) = element.as_object_mut() {
                members.remove(key);
            }
        }
        Ok(Some(element))
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

/// Takes anchored elements that were not resolved out of a list, and empty ones; whether that has emptied it.
fn prune_list(items: &mut Vec<Value>) -> Step<bool> {
    let count = items.len();
    let mut outcome = Ok(());
    items.retain_mut(|item| {
        // Asked before conditions are taken out.
        if !is_placed(item) && has_anchor(item, is_resolved) {
            return false;
        }
        match prune(item, false) {
            Ok(empty) => !empty,
            Err(halt) => {
                outcome = Err(halt);
                false
            }
        }
    });
    outcome.map(|()| items.is_empty() && count > 0)
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
