//! Laying a patch over a resource.
//!
//! Objects merge member by member, `null` and `$patch: delete` remove, lists that the schema keys merge by element
//! (see [`super::keyed_list`]), everything else is replaced. What the patch does not mention is not looked at.

use palisade_model::{Str, Value};
use palisade_policy::steps::Steps;

use super::schema::Shape;
use super::{MAX_DEPTH, anchors, is_empty_map, keyed_list, spend};

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

/// What a node becomes; `None` where it is to be removed.
type Merged = Result<Option<Value>, MergeError>;

/// The resource with the patch laid over it.
pub(super) fn merge(resource: &Value, mut patch: Value, steps: &Steps<'_>) -> Result<Value, MergeError> {
    Walker { steps }.walk(Some(resource.clone()), &mut patch, Shape::Unknown)?.ok_or(MergeError::Deleted)
}

pub(super) struct Walker<'a> {
    pub(super) steps: &'a Steps<'a>,
}

impl Walker<'_> {
    /// Lays a node of the patch over one of the resource. Directives are taken out of the patch as they are met.
    pub(super) fn walk(&self, target: Option<Value>, patch: &mut Value, shape: Shape) -> Merged {
        spend(self.steps, 1)?;
        let shape = shape.or_named_by([target.as_ref(), Some(patch)]);
        let target = target.filter(|target| !target.is_null());
        agree(target.as_ref(), patch)?;
        match target {
            _ if patch.is_null() => Ok(None),
            Some(target @ Value::Object(_)) => self.object(target, patch, shape),
            Some(target @ Value::Array(_)) => self.list(target, patch, shape),
            Some(Value::String(_)) => Ok(Some(as_text(patch))),
            Some(_) => Ok(Some(patch.clone())),
            None => self.added(patch, shape),
        }
    }

    fn object(&self, target: Value, patch: &mut Value, shape: Shape) -> Merged {
        match take_directive(patch)? {
            Directive::Delete => Ok(None),
            Directive::Replace => self.settle_inside(patch, shape),
            Directive::Merge => self.members(target, patch, shape).map(Some),
        }
    }

    fn list(&self, target: Value, patch: &mut Value, shape: Shape) -> Merged {
        let (keys, element) = match shape {
            Shape::List(keys, fields) => (keys, Shape::Object(fields)),
            // Anchors speak of single elements, so that a list with any is not replaced.
            _ if anchors::has_places(patch) => (&[][..], Shape::Unknown),
            _ => return self.settle_inside(patch, shape),
        };
        let Some(changes) = patch.as_array_mut() else { return Ok(Some(target)) };
        let directive =
            if matches!(shape, Shape::List(..)) { keyed_list::take_directive(changes)? } else { Directive::Merge };
        match directive {
            Directive::Merge => self.elements(into_items(target), changes, keys, element).map(Some),
            Directive::Delete => Ok(None),
            Directive::Replace => self.settle_inside(patch, shape),
        }
    }

    /// A node of the patch where the resource has none. A directive that means nothing stays as a member.
    fn added(&self, patch: &mut Value, shape: Shape) -> Merged {
        match take_directive(patch).unwrap_or(Directive::Merge) {
            Directive::Delete => Ok(None),
            _ => self.settle_inside(patch, shape),
        }
    }

    /// A node that the patch brings: directives inside it apply, and its nulls go.
    pub(super) fn settle(&self, patch: &mut Value, shape: Shape) -> Merged {
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
            Directive::Delete => Ok(None),
            _ => self.settle_inside(patch, shape),
        }
    }

    fn settle_inside(&self, patch: &mut Value, shape: Shape) -> Merged {
        match (&mut *patch, shape) {
            (Value::Object(_), _) => {
                for key in keys_of(patch) {
                    let Some(slot) = patch.as_object_mut().and_then(|members| members.get_mut(&key)) else { continue };
                    let settled = self.settle(slot, shape.field(&key))?;
                    put(patch, key, settled);
                }
            }
            (Value::Array(_), _) => {
                let mut items = into_items(std::mem::take(patch));
                items.retain_mut(|item| !matches!(anchors::take_place(item), Some(anchors::Placed::Nowhere)));
                if let Shape::List(_, fields) = shape {
                    items = self.settle_all(items, Shape::Object(fields))?;
                }
                *patch = Value::array(items);
            }
            _ => {}
        }
        Ok((!patch.is_null()).then(|| patch.clone()))
    }

    fn settle_all(&self, items: Vec<Value>, shape: Shape) -> Result<Vec<Value>, MergeError> {
        let mut settled = Vec::with_capacity(items.len());
        for mut item in items {
            settled.extend(self.settle(&mut item, shape)?.filter(|item| !is_empty_map(item)));
        }
        Ok(settled)
    }

    fn members(&self, mut target: Value, patch: &mut Value, shape: Shape) -> Result<Value, MergeError> {
        for key in keys_of(patch) {
            let Some(change) = patch.as_object_mut().and_then(|members| members.get_mut(&key)) else { continue };
            let slot = target.as_object_mut().and_then(|members| members.get_mut(&key));
            let merged = self.walk(slot.map(std::mem::take), change, shape.field(&key))?;
            put(&mut target, key, merged);
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
