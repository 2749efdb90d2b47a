//! JSON pointers (RFC 6901) as JSON Patch uses them: the way to a container, and the key or index inside it.
//!
//! Unlike [`crate::Path`], a token is read as key or index only when it meets an object or an array, `-` included.

use super::apply::{Step, failure};
use crate::Value;

/// A parsed pointer. Tokens stay escaped, because upstream names the parents that it creates by them.
pub(super) struct Pointer {
    pub(super) tokens: Vec<String>,
    root: bool,
}

impl Pointer {
    pub(super) fn parse(text: &str) -> Self {
        Self { tokens: text.split('/').skip(1).map(str::to_owned).collect(), root: text.is_empty() }
    }

    pub(super) fn is_root(&self) -> bool {
        self.root
    }

    /// The container that holds the last step, and that step.
    pub(super) fn parent<'a>(&self, document: &'a Value) -> Step<(&'a Value, String)> {
        let (last, route) = self.split()?;
        let mut here = document;
        for token in route {
            let key = unescape(token);
            here = child(here, &key).filter(|next| is_container(next)).map_or_else(|| no_parent(&key), Ok)?;
        }
        Ok((here, unescape(last)))
    }

    /// The same for editing.
    pub(super) fn parent_mut<'a>(&self, document: &'a mut Value) -> Step<(&'a mut Value, String)> {
        let (last, route) = self.split()?;
        let mut here = document;
        for token in route {
            let key = unescape(token);
            here = child_mut(here, &key).filter(|next| is_container(next)).map_or_else(|| no_parent(&key), Ok)?;
        }
        Ok((here, unescape(last)))
    }

    fn split(&self) -> Step<(&String, &[String])> {
        self.tokens.split_last().map_or_else(|| failure("a path starts with `/`"), Ok)
    }
}

pub(super) fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

pub(super) fn is_container(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}

pub(super) fn child<'a>(container: &'a Value, key: &str) -> Option<&'a Value> {
    match container {
        Value::Object(members) => members.get(key),
        Value::Array(items) => items.get(index_in(key, items.len()).ok()?),
        _ => None,
    }
}

pub(super) fn child_mut<'a>(container: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    if matches!(container, Value::Object(_)) {
        return container.as_object_mut()?.get_mut(key);
    }
    let items = container.as_array_mut()?;
    let at = index_in(key, items.len()).ok()?;
    items.get_mut(at)
}

/// Reads an array index below `length`; negative ones count from the end.
pub(super) fn index_in(token: &str, length: usize) -> Step<usize> {
    let Ok(index) = token.parse::<i64>() else {
        return failure(format!("`{token}` is not an array index"));
    };
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let at = if index < 0 { length.checked_sub(distance) } else { Some(distance) };
    match at.filter(|at| *at < length) {
        Some(at) => Ok(at),
        None => failure(format!("index {index} is outside the array")),
    }
}

fn no_parent<T>(key: &str) -> Step<T> {
    failure(format!("the parent is missing: there is no object or array `{key}`"))
}
