//! Laying a patch over a resource.
//!
//! Objects merge member by member, `null` and `$patch: delete` remove, lists that the schema keys merge by element
//! (see [`super::keyed_list`]), everything else is replaced. The walk covers the parts of the resource that the patch
//! does not mention too, as kustomize's does: its keyed lists come out without repeated keys.

use palisade_model::{Str, Value};
use palisade_policy::steps::Steps;

use super::schema::Shape;
use super::{MAX_DEPTH, keyed_list, spend};

/// The member of a patch that says how it is to be taken.
const DIRECTIVE: &str = "$patch";

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
pub(super) fn merge(resource: &Value, mut patch: Value, steps: &Steps<'_>) -> Result<Value, MergeError> {
    let walker = Walker { steps };
    let merged = walker.walk(Some(resource.clone()), Some(&mut patch), Shape::Unknown)?;
    merged.value.ok_or(MergeError::Deleted)
}

pub(super) struct Walker<'a> {
    pub(super) steps: &'a Steps<'a>,
}

impl Walker<'_> {
    /// Merges two nodes, of which either may be missing. Directives are taken out of the patch as they are met.
    pub(super) fn walk(
        &self,
        target: Option<Value>,
        patch: Option<&mut Value>,
        shape: Shape,
    ) -> Result<Merged, MergeError> {
        spend(self.steps, 1)?;
        let shape = shape.or_named_by([target.as_ref(), patch.as_deref()]);
        let Some(patch) = patch else {
            return match target {
                Some(target) => self.walk_own(target, shape).map(Merged::kept),
                None => Ok(Merged::REMOVED),
            };
        };
        let target = target.filter(|target| !target.is_null());
        agree(target.as_ref(), patch)?;
        match target {
            _ if patch.is_null() => Ok(Merged::REMOVED),
            Some(target @ Value::Object(_)) => self.object(target, patch, shape),
            Some(target @ Value::Array(_)) => self.list(target, patch, shape),
            Some(Value::String(_)) => Ok(Merged::patched(as_text(patch))),
            Some(_) => Ok(Merged::patched(patch.clone())),
            None => self.added(patch, shape),
        }
    }

    fn object(&self, target: Value, patch: &mut Value, shape: Shape) -> Result<Merged, MergeError> {
        match take_directive(patch)? {
            Directive::Delete => Ok(Merged::REMOVED),
            Directive::Replace => self.settle_inside(patch, shape),
            Directive::Merge => self.members(target, patch, shape).map(Merged::kept),
        }
    }

    fn list(&self, target: Value, patch: &mut Value, shape: Shape) -> Result<Merged, MergeError> {
        let Shape::List(keys, fields) = shape else { return Ok(Merged::patched(patch.clone())) };
        let items = patch.as_array_mut().map_or(Ok(Directive::Merge), keyed_list::take_directive)?;
        match (items, patch.as_array_mut()) {
            (Directive::Merge, Some(patch)) => self.keyed(into_items(target), Some(patch), keys, fields),
            (Directive::Delete, _) => Ok(Merged::REMOVED),
            _ => self.settle_inside(patch, shape),
        }
    }

    /// A node of the patch where the resource has none. A directive that means nothing stays as a member.
    fn added(&self, patch: &mut Value, shape: Shape) -> Result<Merged, MergeError> {
        match take_directive(patch).unwrap_or(Directive::Merge) {
            Directive::Delete => Ok(Merged::REMOVED),
            _ => self.settle_inside(patch, shape),
        }
    }

    /// Merges a node of the patch with itself: directives inside it apply, and its nulls go.
    pub(super) fn settle(&self, patch: &mut Value, shape: Shape) -> Result<Merged, MergeError> {
        spend(self.steps, 1)?;
        let shape = shape.or_named_by([Some(&*patch), None]);
        let directive = match (&mut *patch, shape) {
            (Value::Object(_), _) => take_directive(patch)?,
            (Value::Array(_), Shape::List(..)) => {
                patch.as_array_mut().map_or(Ok(Directive::Merge), keyed_list::take_directive)?
            }
            _ => Directive::Merge,
        };
        match directive {
            Directive::Delete => Ok(Merged::REMOVED),
            _ => self.settle_inside(patch, shape),
        }
    }

    fn settle_inside(&self, patch: &mut Value, shape: Shape) -> Result<Merged, MergeError> {
        match (&mut *patch, shape) {
            (Value::Object(_), _) => {
                for key in keys_of(patch) {
                    let Some(slot) = patch.as_object_mut().and_then(|members| members.get_mut(&key)) else { continue };
                    let settled = self.settle(slot, shape.field(&key))?.value;
                    put(patch, key, settled);
                }
            }
            (Value::Array(_), Shape::List(keys, fields)) => {
                let merged = self.keyed(into_items(std::mem::take(patch)), None, keys, fields)?;
                *patch = merged.value.unwrap_or_default();
            }
            _ => {}
        }
        Ok(Merged::patched(patch.clone()))
    }

    /// A part of the resource that the patch does not mention.
    fn walk_own(&self, target: Value, shape: Shape) -> Result<Value, MergeError> {
        if keyed_list::is_tidy(&target, shape) {
            return Ok(target);
        }
        match shape {
            Shape::List(keys, fields) => {
                let merged = self.keyed(into_items(target), Some(&mut Vec::new()), keys, fields)?;
                Ok(merged.value.unwrap_or_default())
            }
            _ => self.members(target, &mut Value::Null, shape),
        }
    }

    fn members(&self, mut target: Value, patch: &mut Value, shape: Shape) -> Result<Value, MergeError> {
        let mut keys = keys_of(&target);
        keys.extend(keys_of(patch).into_iter().filter(|key| target.get(key).is_none()));
        for key in keys {
            let change = patch.as_object_mut().and_then(|members| members.get_mut(&key));
            let slot = target.as_object_mut().and_then(|members| members.get_mut(&key));
            let current = slot.map(std::mem::take);
            let merged = self.walk(current, change, shape.field(&key))?;
            put(&mut target, key, merged.value);
        }
        Ok(target)
    }
}

fn keys_of(object: &Value) -> Vec<Str> {
    object.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default()
}

/// Sets a member, or removes it where there is no value.
fn put(object: &mut Value, key: Str, value: Option<Value>) {
    let Some(members) = object.as_object_mut() else { return };
    match value {
        Some(value) => drop(members.insert(key, value)),
        None => drop(members.remove(&key)),
    }
}

/// A quoted scalar stays quoted upstream, so what replaces a text becomes one.
fn as_text(scalar: &Value) -> Value {
    Value::from(&*super::scalar_text(scalar))
}

fn into_items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => std::sync::Arc::unwrap_or_clone(items),
        _ => Vec::new(),
    }
}

/// Resource and patch must have the same type; `null` agrees with anything.
fn agree(target: Option<&Value>, patch: &Value) -> Result<(), MergeError> {
    match (target.map(kind), kind(patch)) {
        (Some(expected), found) if expected != found && !patch.is_null() => Err(MergeError::Kind { expected, found }),
        _ => Ok(()),
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
