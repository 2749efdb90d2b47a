//! `json.patch`: JSON Patch (RFC 6902) over Rego's values, where an element of a set is its own key.
//!
//! Beside the model's patch because of sets, keys of any type, and OPA's rules for what is an error. A patch that
//! fails is undefined, never an error.

use std::sync::Arc;

use palisade_rego_value::{MAX_DEPTH, Value};

use super::declare::{OBJECT, builtin};
use super::json_paths::keys;
use super::{Answer, Builtin, Context, operands};
use crate::types::Type;

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[builtin("json.patch", &[Type::Any, Type::Array(&OBJECT)], Type::Any, patch)];

/// What becomes of the place that a path names.
enum Change<'a> {
    Insert(&'a Value),
    Delete,
}

fn patch(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let mut document = operands::any(operands, 1)?.clone();
    for operation in operands::array(operands, 2)? {
        match apply(context, document, operation)? {
            Some(patched) => document = patched,
            None => return Ok(None),
        }
    }
    Ok(Some(document))
}

/// The document after an operation; `None` where the operation fails.
fn apply(context: &mut Context<'_>, document: Value, operation: &Value) -> Answer {
    let path = |name: &str| operation.get_str(name).and_then(|path| keys(path).ok());
    let (Some(name), Some(to)) = (operation.get_str("op").and_then(Value::as_str), path("path")) else {
        return Ok(None);
    };
    match (name, operation.get_str("value")) {
        ("add", Some(value)) => change(context, document, &to, &Change::Insert(value)),
        ("remove", _) => change(context, document, &to, &Change::Delete),
        ("replace", Some(value)) => {
            let rest = if to.is_empty() { Some(document) } else { change(context, document, &to, &Change::Delete)? };
            rest.map_or(Ok(None), |rest| change(context, rest, &to, &Change::Insert(value)))
        }
        ("test", Some(value)) => Ok((find(&document, &to) == Some(value)).then_some(document)),
        ("move" | "copy", _) => {
            let Some(from) = path("from") else { return Ok(None) };
            let Some(value) = find(&document, &from).cloned() else { return Ok(None) };
            let rest = if name == "move" { change(context, document, &from, &Change::Delete)? } else { Some(document) };
            rest.map_or(Ok(None), |rest| change(context, rest, &to, &Change::Insert(&value)))
        }
        _ => Ok(None),
    }
}

fn find<'a>(root: &'a Value, path: &[Value]) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, key| match value {
        Value::Array(items) => items.get(index(key, items.len())?),
        other => other.get(key),
    })
}

/// The position that a key names in an array: a number, or its text without leading zeros; `-` is behind the end.
fn index(key: &Value, length: usize) -> Option<usize> {
    match key {
        Value::Number(_) => key.as_i64().and_then(|at| usize::try_from(at).ok()),
        Value::String(text) if &**text == "-" => Some(length),
        Value::String(text) if text.len() > 1 && text.starts_with('0') => None,
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The document with a change at a path. The whole of it cannot be removed.
fn change(context: &mut Context<'_>, document: Value, path: &[Value], change: &Change<'_>) -> Answer {
    if let Change::Insert(value) = change {
        if path.is_empty() {
            return Ok(Some((*value).clone()));
        }
        if path.len() + value.depth() as usize > MAX_DEPTH as usize {
            return Ok(None);
        }
    }
    edit(context, document, path, change)
}

/// A value with a change below it; `None` where the path leads nowhere.
fn edit(context: &mut Context<'_>, value: Value, path: &[Value], change: &Change<'_>) -> Answer {
    let [key, rest @ ..] = path else { return Ok(None) };
    match value {
        Value::Object(object) => {
            context.collect(object.len())?;
            let mut object = Arc::unwrap_or_clone(object);
            let below = object.remove(key);
            let new = match (change, rest) {
                (Change::Insert(new), []) => Some((*new).clone()),
                (Change::Delete, []) => return Ok(below.map(|_| Value::from(object))),
                (_, rest) => below.map_or(Ok(None), |below| edit(context, below, rest, change))?,
            };
            Ok(new.map(|new| {
                object.insert(key.clone(), new);
                Value::from(object)
            }))
        }
        Value::Array(items) => {
            context.collect(items.len())?;
            let Some(at) = index(key, items.len()) else { return Ok(None) };
            let mut items = Arc::unwrap_or_clone(items).into_vec();
            match (change, rest) {
                (Change::Insert(new), []) if at <= items.len() => items.insert(at, (*new).clone()),
                _ if at >= items.len() => return Ok(None),
                (Change::Delete, []) => drop(items.remove(at)),
                (_, rest) => {
                    let below = std::mem::replace(items.get_mut(at).unwrap_or(&mut Value::Null), Value::Null);
                    let Some(new) = edit(context, below, rest, change)? else { return Ok(None) };
                    items.splice(at..=at, [new]);
                }
            }
            Ok(Some(Value::array(items)))
        }
        Value::Set(set) => {
            context.collect(set.len())?;
            let mut set = Arc::unwrap_or_clone(set);
            let below = set.get(key).cloned();
            set.remove(key);
            let new = match (change, rest) {
                (Change::Insert(new), []) => Some((*new).clone()).filter(|new| new == key),
                (Change::Delete, []) => return Ok(below.map(|_| Value::from(set))),
                (_, rest) => below.map_or(Ok(None), |below| edit(context, below, rest, change))?,
            };
            Ok(new.map(|new| {
                set.insert(new);
                Value::from(set)
            }))
        }
        _ => Ok(None),
    }
}
