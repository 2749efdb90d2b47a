//! Changes to a [`Value`] as data: JSON Patch (RFC 6902), merge patch (RFC 7386), and the patch between two values.
//!
//! Both generations of Kyverno's mutation and Kubernetes' MutatingAdmissionPolicy speak JSON Patch, and admission
//! answers with one, so it lives beside [`Value`]. Application follows the Go library that the API server and Kyverno
//! use where it departs from the RFC; a [`Dialect`] names the two configurations met in practice.
//!
//! Deliberately absent: strategic merge, which needs Kubernetes' schema and belongs to the policy engine.

mod apply;
mod diff;
mod pointer;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::{Map, Value};

pub use apply::apply;
pub use diff::diff;

/// How forgiving the application of a JSON Patch is. Both count negative indices from the end of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As the Kubernetes API server does it, and CEL mutation with it: a missing parent is an error.
    Kubernetes,
    /// As Kyverno's `patchesJson6902` does it: `add` creates missing parents, `remove` of nothing does nothing.
    Kyverno,
}

/// Why a JSON Patch could not be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchError {
    /// The operation at fault, counted from 0.
    pub index: usize,
    /// Its `path` as written; empty where it has none.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// Whether a `test` did not hold, which CEL mutation takes as "leave the object alone".
    pub test_failed: bool,
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "patch operation {} at `{}`: {}", self.index, self.path, self.message)
    }
}

impl std::error::Error for PatchError {}

/// The deepest nesting that a patch may create, so that reading the result back stays within the stack.
const MAX_DEPTH: usize = 512;

/// Applies a merge patch (RFC 7386): objects merge, `null` removes, everything else replaces.
#[must_use]
pub fn merge(target: &Value, patch: &Value) -> Value {
    merge_at(Some(target), patch, 0)
}

fn merge_at(target: Option<&Value>, patch: &Value, depth: usize) -> Value {
    let Some(changes) = patch.as_object().filter(|_| depth < MAX_DEPTH) else { return patch.clone() };
    let mut merged = target.and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    for (key, change) in changes.iter() {
        if change.is_null() {
            merged.remove(key);
        } else {
            let value = merge_at(merged.get(key), change, depth + 1);
            merged.insert(key.clone(), value);
        }
    }
    Value::object(merged)
}
