//! What functions gave, kept for calls with the same arguments.
//!
//! Collections are recognised by identity, so that looking a call up costs the same whatever is passed to it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use palisade_rego_value::Value;

use crate::plan::RuleId;

/// The most answers kept.
const MAX_ANSWERS: usize = 8_192;

/// Answers of functions.
#[derive(Debug, Default)]
pub(super) struct Answers {
    entries: HashMap<(RuleId, u64), (Vec<Value>, Option<Value>)>,
}

impl Answers {
    pub(super) fn get(&self, rule: RuleId, arguments: &[Value]) -> Option<&Option<Value>> {
        if self.entries.is_empty() {
            return None;
        }
        let (kept, answer) = self.entries.get(&(rule, digest(arguments)))?;
        (kept.len() == arguments.len() && kept.iter().zip(arguments).all(|(a, b)| same(a, b))).then_some(answer)
    }

    pub(super) fn keep(&mut self, rule: RuleId, arguments: &[Value], answer: Option<&Value>) {
        if self.entries.len() < MAX_ANSWERS {
            self.entries.insert((rule, digest(arguments)), (arguments.to_vec(), answer.cloned()));
        }
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
        (Value::Set(a), Value::Set(b)) => Arc::ptr_eq(a, b),
        (Value::Number(a), Value::Number(b)) => a.to_string() == b.to_string(),
        _ => a == b,
    }
}

fn digest(arguments: &[Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for argument in arguments {
        match argument {
            Value::Array(items) => Arc::as_ptr(items).hash(&mut hasher),
            Value::Object(object) => Arc::as_ptr(object).hash(&mut hasher),
            Value::Set(set) => Arc::as_ptr(set).hash(&mut hasher),
            scalar => scalar.hash(&mut hasher),
        }
    }
    hasher.finish()
}
