//! `patchStrategicMerge`: Kyverno's anchors resolved against the resource, then a strategic merge as kustomize does it.
//!
//! Two steps that never mix: [`anchors`] turns the rule's overlay into a plain patch for one resource, [`merge`] lays
//! that patch over it. Both follow upstream where its behaviour is surprising, because a policy is written against what
//! Kyverno does, but for where upstream takes away, moves or overwrites what no rule named; such places say so.

mod anchors;
mod keyed_list;
mod merge;
mod schema;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use palisade_model::{Map, Value};
use palisade_policy::steps::Steps;

pub use merge::MergeError;

/// The deepest nesting that is merged: twice what a document may have, for what variables bring in.
const MAX_DEPTH: usize = 256;

/// The resource after a strategic merge of `overlay`, anchors included.
///
/// Where a condition of the overlay does not hold, nothing of it is merged. `steps` is the rule's budget and counts
/// down.
pub fn strategic_merge(resource: &Value, overlay: &Value, steps: &Steps<'_>) -> Result<Value, MergeError> {
    admit(overlay, MAX_DEPTH, steps)?;
    admit(resource, MAX_DEPTH, steps)?;
    let patch = match anchors::resolve(overlay, resource, steps) {
        Ok(patch) => patch,
        Err(anchors::Halt::Condition(_) | anchors::Halt::Global(_)) => Value::object(Map::new()),
        Err(anchors::Halt::Broken(error)) => return Err(error),
    };
    merge::merge(resource, patch, steps)
}

/// A scalar as YAML text; empty for objects and arrays. Keys and conditions compare by it.
fn scalar_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(_) | Value::Object(_) => Cow::Borrowed(""),
        other => Cow::Owned(other.to_json()),
    }
}

/// Refuses what nests deeper than `levels`. A value of a collection costs a fraction of a step, but every round of a loop
/// comes here with the whole resource.
fn admit(value: &Value, levels: usize, steps: &Steps<'_>) -> Result<(), MergeError> {
    let below = || levels.checked_sub(1).ok_or(MergeError::Depth);
    match value {
        Value::Array(items) => {
            let below = below()?;
            spend(steps, 1 + items.len() as u64 / 16)?;
            items.iter().try_for_each(|item| admit(item, below, steps))
        }
        Value::Object(members) => {
            let below = below()?;
            spend(steps, 1 + members.len() as u64 / 16)?;
            members.values().try_for_each(|member| admit(member, below, steps))
        }
        _ => Ok(()),
    }
}

fn is_empty_map(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// Counts steps down.
fn spend(steps: &Steps<'_>, count: u64) -> Result<(), MergeError> {
    if steps.take(count) { Ok(()) } else { Err(MergeError::StepLimit) }
}
