//! `mutate.foreach`: a change for each element of lists.

use palisade_model::Value;

use super::check;
use super::patcher::{self, Change};
use crate::legacy::context::RuleContext;
use crate::legacy::spec::{ForEachMutation, Patch};

/// Runs the loops one after the other, each over what the one before has made.
pub(super) fn apply<'a>(loops: &'a [ForEachMutation], object: &Value, context: &RuleContext<'a>) -> Change {
    nested(loops, object, context, 0)
}

fn nested<'a>(loops: &'a [ForEachMutation], object: &Value, context: &RuleContext<'a>, nesting: usize) -> Change {
    let mut changed = None;
    for one in loops {
        let elements =
            context.list(&one.list).map_err(|error| format!("failed to evaluate list {}: {error}", one.list))?;
        context.checkpoint();
        let before = context.object();
        let result = rounds(one, elements, changed.as_ref().unwrap_or(object), context, nesting);
        context.restore();
        context.set_object(before);
        if let Some(object) = result.map_err(|error| format!("failed to mutate elements: {error}"))? {
            context.set_object(object.clone());
            changed = Some(object);
        }
    }
    Ok(changed)
}

fn rounds<'a>(
    one: &'a ForEachMutation,
    elements: Vec<Value>,
    object: &Value,
    context: &RuleContext<'a>,
    nesting: usize,
) -> Change {
    let before = context.object();
    let mut patched = object.clone();
    let mut rounds: Vec<_> = elements.into_iter().enumerate().filter(|(_, element)| !element.is_null()).collect();
    // A strategic merge puts what it adds in front, so going backwards keeps the order of the list.
    if one.descending.unwrap_or(matches!(one.patch, Some(Patch::StrategicMerge(_)))) {
        rounds.reverse();
    }
    for (index, element) in rounds {
        context.spend_round().map_err(|error| error.to_string())?;
        context.reset();
        if !one.foreach.is_empty() {
            context.set_object(before.clone());
        }
        context.bind_element(&element, index, nesting);
        context.add_entries(&one.context);
        let preconditions = check(one.preconditions.as_ref(), context)
            .map_err(|error| format!("failed to evaluate mutate.foreach[{index}].preconditions: {error}"))?;
        if !preconditions.met {
            continue;
        }
        let change = match &one.patch {
            _ if !one.foreach.is_empty() => nested(&one.foreach, &patched, context, nesting + 1)?,
            Some(patch) => patcher::apply(patch, "", &patched, context)?,
            None => return Err("empty mutate rule".to_owned()),
        };
        if let Some(object) = change {
            patched = object;
        }
    }
    Ok((patched != *object).then_some(patched))
}
