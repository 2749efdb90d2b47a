//! Laying a patch over a resource.
//!
//! Objects merge member by member, `null` and `$patch: delete` remove, lists that the schema keys merge by element
//! (see [`super::keyed_list`]), everything else is replaced. The walk covers the parts of the resource that the patch
//! does not mention too, as kustomize's does: its keyed lists come out without repeated keys.

use std::cell::Cell;

use palisade_model::{Map, Str, Value};

use super::keyed_list;
use super::schema::Shape;
use super::spend;

/// The member of a patch that says how it is to be taken.
const DIRECTIVE: &str = "$patch";

/// The deepest nesting that is merged.
const MAX_DEPTH: usize = 512;

/// Why a patch could not be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The patch has another type than the resource at the same place.
    #[error("wrong node kind: expected {expected} but got {found}")]
    Kind {
        /// What the resource has.
        expected: &'static str,
        /// What the patch has.
        found: &'static str,
    },
    /// `$patch` has a value that means nothing.
    #[error("unknown patch strategy `{0}`: use replace, merge or delete")]
    Directive(String),
    /// The patch removes the whole resource.
    #[error("a mutation cannot delete the resource")]
    Deleted,
    /// The overlay is not an object, or its anchors contradict one another.
    #[error("{0}")]
    Overlay(String),
    /// The step budget is used up.
    #[error("the patch takes too many steps: simplify it")]
    StepLimit,
    /// The resource or the patch nests too deeply.
    #[error("the patch nests deeper than {MAX_DEPTH} levels")]
    Depth,
}

/// What `$patch` asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    Merge,
    Replace,
    Delete,
}

/// What became of a node.
pub(super) struct Merged {
    /// The node; `None` where it is to be removed.
    pub(super) value: Option<Value>,
    /// Whether it is the resource's own node, changed, and not one of the patch.
    pub(super) kept: bool,
}

impl Merged {
    const REMOVED: Self = Self { value: None, kept: false };

    fn kept(value: Value) -> Self {
        Self { value: Some(value), kept: true }
    }

    /// A node of the patch; its `null` removes.
    fn patched(value: Value) -> Self {
        Self { value: (!value.is_null()).then_some(value), kept: false }
    }
}

/// The resource with the patch laid over it.
pub(super) fn merge(resource: &Value, patch: &Value, steps: &Cell<u64>) -> Result<Value, MergeError> {
    let walker = Walker { steps };
    let merged = walker.walk(Some(resource.clone()), Some(patch.clone()), Shape::Unknown, 0)?;
    merged.value.ok_or(MergeError::Deleted)
}

pub(super) struct Walker<'a> {
    pub(super) steps: &'a Cell<u64>,
}

impl Walker<'_> {
    /// Merges two nodes, of which either may be missing.
    pub(super) fn walk(
        &self,
        target: Option<Value>,
        patch: Option<Value>,
        shape: Shape,
        depth: usize,
    ) -> Result<Merged, MergeError> {
        spend(self.steps)?;
        if depth > MAX_DEPTH {
            return Err(MergeError::Depth);
        }
        let shape = shape.or_named_by([target.as_ref(), patch.as_ref()]);
        if patch.is_none() && target.as_ref().is_none_or(|target| keyed_list::is_tidy(target, shape)) {
            return Ok(target.map_or(Merged::REMOVED, Merged::kept));
        }
        match agreed_kind(target.as_ref(), patch.as_ref())? {
            "array" => self.list(target, patch, shape, depth),
            "object" => self.object(target, patch, shape, depth),
            _ => Ok(match (patch, target) {
                (Some(patch), Some(Value::String(_))) if !patch.is_null() => Merged::patched(as_text(patch)),
                (Some(patch), _) => Merged::patched(patch),
                (None, target) => target.map_or(Merged::REMOVED, Merged::kept),
            }),
        }
    }

    fn list(
        &self,
        target: Option<Value>,
        patch: Option<Value>,
        shape: Shape,
        depth: usize,
    ) -> Result<Merged, MergeError> {
        let Shape::List(keys, fields) = shape else {
            return Ok(match patch {
                Some(patch) => Merged::patched(patch),
                None => target.map_or(Merged::REMOVED, Merged::kept),
            });
        };
        if patch.as_ref().is_some_and(Value::is_null) {
            return Ok(Merged::REMOVED);
        }
        let mut patch = patch.map(into_items);
        let Some(target) = target.filter(|target| !target.is_null()) else {
            return self.keyed(patch.clone().unwrap_or_default(), patch, keys, fields, depth);
        };
        match patch.as_mut().map_or(Ok(Directive::Merge), keyed_list::take_directive)? {
            Directive::Delete => Ok(Merged::REMOVED),
            Directive::Replace => self.keyed(patch.clone().unwrap_or_default(), patch, keys, fields, depth),
            Directive::Merge => self.keyed(into_items(target), patch, keys, fields, depth),
        }
    }

    fn object(
        &self,
        target: Option<Value>,
        patch: Option<Value>,
        shape: Shape,
        depth: usize,
    ) -> Result<Merged, MergeError> {
        let Some(mut patch) = patch else {
            return self.members(target.unwrap_or_default(), &Map::new(), shape, depth).map(Merged::kept);
        };
        if patch.is_null() {
            return Ok(Merged::REMOVED);
        }
        let directive = take_directive(&mut patch);
        let own = target.filter(|target| !target.is_null());
        let directive = if own.is_some() { directive? } else { directive.unwrap_or(Directive::Merge) };
        let changes = patch.as_object().cloned().unwrap_or_default();
        match (directive, own) {
            (Directive::Delete, _) => Ok(Merged::REMOVED),
            (Directive::Merge, Some(own)) => self.members(own, &changes, shape, depth).map(Merged::kept),
            // What the patch adds is merged with itself, which applies the directives and drops the nulls inside.
            _ => self.members(patch, &changes, shape, depth).map(Merged::patched),
        }
    }

    fn members(&self, mut target: Value, patch: &Map, shape: Shape, depth: usize) -> Result<Value, MergeError> {
        let Some(members) = target.as_object_mut() else { return Ok(target) };
        let own: Vec<Str> = members.keys().cloned().collect();
        let added = patch.keys().filter(|key| !own.contains(key)).cloned().collect::<Vec<_>>();
        for key in own.into_iter().chain(added) {
            let change = patch.get(&key);
            let slot = members.get_mut(&key);
            let current = slot.map(std::mem::take);
            let was_null = current.as_ref().is_some_and(Value::is_null);
            let merged = self.walk(current, change.cloned(), shape.field(&key), depth + 1)?;
            match merged.value {
                Some(value) => drop(members.insert(key, value)),
                None if was_null && change.is_none() => {}
                None => drop(members.remove(&key)),
            }
        }
        Ok(target)
    }
}

/// A quoted scalar stays quoted upstream, so what replaces a text becomes one.
fn as_text(scalar: Value) -> Value {
    match scalar {
        Value::String(_) => scalar,
        other => Value::from(&*super::scalar_text(&other)),
    }
}

fn into_items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => std::sync::Arc::unwrap_or_clone(items),
        _ => Vec::new(),
    }
}

/// The type of the node, on which resource and patch must agree; `null` agrees with anything.
fn agreed_kind(target: Option<&Value>, patch: Option<&Value>) -> Result<&'static str, MergeError> {
    let mut kinds = [target, patch].into_iter().flatten().filter(|value| !value.is_null()).map(kind);
    let Some(expected) = kinds.next() else { return Ok("object") };
    match kinds.next() {
        Some(found) if found != expected => Err(MergeError::Kind { expected, found }),
        _ => Ok(expected),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        _ => "scalar",
    }
}

/// Takes `$patch` out of an object.
fn take_directive(patch: &mut Value) -> Result<Directive, MergeError> {
    let Some(value) = patch.get(DIRECTIVE) else { return Ok(Directive::Merge) };
    let directive = Directive::parse(value)?;
    if let Some(members) = patch.as_object_mut() {
        members.remove(DIRECTIVE);
    }
    Ok(directive)
}

impl Directive {
    pub(super) const KEY: &'static str = DIRECTIVE;

    pub(super) fn parse(value: &Value) -> Result<Self, MergeError> {
        match &*super::scalar_text(value) {
            "merge" => Ok(Self::Merge),
            "replace" => Ok(Self::Replace),
            "delete" => Ok(Self::Delete),
            other => Err(MergeError::Directive(other.to_owned())),
        }
    }
}
