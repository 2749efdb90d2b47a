//! Objects of a kind have the same member names: each name is held once for all of them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use palisade_model::{Map, Str, Value};

/// The most names that are held; label keys and the like could be without number.
const LIMIT: usize = 4096;

/// Names that were seen before.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashSet<Str>>);

impl Names {
    /// The same value, with names that were seen before.
    pub(super) fn shared(&self, value: &Value) -> Value {
        share(value, &mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn share(value: &Value, names: &mut HashSet<Str>) -> Value {
    match value {
        Value::Array(items) => Value::array(items.iter().map(|item| share(item, names)).collect::<Vec<_>>()),
        Value::Object(members) => {
            let mut map = Map::with_capacity(members.len());
            for (name, member) in members.iter() {
                let member = share(member, names);
                map.insert(known(name, names), member);
            }
            Value::object(map)
        }
        other => other.clone(),
    }
}

fn known(name: &Str, names: &mut HashSet<Str>) -> Str {
    if let Some(known) = names.get(name) {
        return known.clone();
    }
    if names.len() < LIMIT {
        names.insert(Arc::clone(name));
    }
    name.clone()
}
