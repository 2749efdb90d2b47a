//! `$(./../path)` references: a text of the same document stands in for the reference.

use palisade_model::{Map, Str, Value};

use super::{MAX_DEPTH, VariableError};

/// Replaces the references in `document`.
pub(super) fn resolve_all(document: &Value) -> Result<Value, VariableError> {
    if !has_reference(document) {
        return Ok(document.clone());
    }
    resolve(document, document, "", 0)
}

fn has_reference(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("$("),
        Value::Array(items) => items.iter().any(has_reference),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains("$(") || has_reference(value)),
        _ => false,
    }
}

fn resolve(value: &Value, document: &Value, path: &str, depth: usize) -> Result<Value, VariableError> {
    if depth > MAX_DEPTH {
        return Err(VariableError::Depth);
    }
    match value {
        Value::String(text) if text.contains("$(") => resolve_text(text, document, path).map(Value::from),
        Value::Array(items) => {
            let item = |(index, item)| resolve(item, document, &format!("{path}/{index}"), depth + 1);
            Ok(Value::array(items.iter().enumerate().map(item).collect::<Result<Vec<_>, _>>()?))
        }
        Value::Object(map) => {
            let mut out = Map::with_capacity(map.len());
            for (key, value) in map.iter() {
                let new_key =
                    if key.contains("$(") { Str::from(resolve_text(key, document, path)?) } else { key.clone() };
                let below = format!("{path}/{}", key.replace('/', "\\/"));
                out.insert(new_key, resolve(value, document, &below, depth + 1)?);
            }
            Ok(Value::object(out))
        }
        other => Ok(other.clone()),
    }
}

fn resolve_text(text: &str, document: &Value, path: &str) -> Result<String, VariableError> {
    let mut current = text.to_owned();
    for (old, reference) in references_of(text) {
        let value = resolve_reference(reference, document, path).map_err(|reason| VariableError::Reference {
            reference: reference.to_owned(),
            path: path.to_owned(),
            reason,
        })?;
        let prefix = old.strip_suffix(reference).unwrap_or_default();
        current = current.replacen(old, &format!("{prefix}{value}"), 1);
    }
    Ok(current.replace("\\$(", "$("))
}

/// The references of a text, each with the character before it, and without.
fn references_of(text: &str) -> Vec<(&str, &str)> {
    let mut references = Vec::new();
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|rest| rest.find("$(")).map(|at| from + at) {
        let before = text.get(from..open).and_then(|before| before.chars().next_back());
        let start = open - before.map_or(0, char::len_utf8);
        // Up to the last parenthesis before a space, at least one character behind the opening one.
        let run = text.get(open..).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        let close = run.rfind(')').filter(|close| *close > 2);
        let escaped = before == Some('\\') || (before.is_none() && open > 0);
        match close {
            Some(close) if !escaped => {
                let end = open + close + 1;
                if let Some(pair) = text.get(start..end).zip(text.get(open..end)) {
                    references.push(pair);
                }
                from = end;
            }
            _ => from = open + 2,
        }
    }
    references
}

fn resolve_reference(reference: &str, document: &Value, path: &str) -> Result<String, String> {
    let inner = reference.trim_matches(['$', '(', ')']);
    let operator = [">=", "<=", ">", "<", "!"].into_iter().find(|operator| inner.starts_with(operator)).unwrap_or("");
    let target = inner.strip_prefix(operator).unwrap_or(inner);
    if target.is_empty() {
        return Err("expected path, found empty reference".into());
    }
    let absolute = if target.starts_with('/') { clean(target) } else { clean(&format!("{path}/{target}")) };
    let found = find(document, "", &absolute, 0).ok_or("it leads to no value")?;
    match (operator, found) {
        (_, Value::String(text)) => Ok(format!("{operator}{text}")),
        ("", other) => Err(format!("it leads to {other}, which is not a text")),
        (_, Value::Int(number)) => Ok(format!("{operator}{number}")),
        (_, Value::Float(number)) => Ok(format!("{operator}{number:.6}")),
        (_, other) => Err(format!("operator {operator} does not fit the value {other}")),
    }
}

/// The leaf at `wanted`; anchors in keys do not count.
fn find<'v>(value: &'v Value, path: &str, wanted: &str, depth: usize) -> Option<&'v Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    match value {
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| find(item, &format!("{path}/{index}"), wanted, depth + 1))
        }
        Value::Object(map) => map.iter().find_map(|(key, value)| {
            let key = without_anchor(key).replace('/', "\\/");
            find(value, &format!("{path}/{key}"), wanted, depth + 1)
        }),
        leaf => (path == wanted).then_some(leaf),
    }
}

fn without_anchor(key: &str) -> &str {
    let body = key.strip_prefix(['+', '<', '=', 'X', '^']).unwrap_or(key);
    body.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).filter(|inner| !inner.is_empty()).unwrap_or(key)
}

/// A path without `.`, `..` and anchors.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(without_anchor(other)),
        }
    }
    format!("/{}", parts.join("/"))
}
