//! The JSON Patch that turns one value into another.
//!
//! Small rather than provably minimal: members are compared by name, arrays lose what they share at both ends and
//! are then compared element by element, which is what a person expects of a mutation report.

use super::MAX_DEPTH;
use crate::{Map, Value};

/// The operations (`add`, `remove`, `replace`) that turn `old` into `new`; an empty array where they are equal.
#[must_use]
pub fn diff(old: &Value, new: &Value) -> Value {
    let mut operations = Vec::new();
    compare(old, new, &mut String::new(), 0, &mut operations);
    Value::array(operations)
}

fn compare(old: &Value, new: &Value, path: &mut String, depth: usize, operations: &mut Vec<Value>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(old), Value::Object(new)) if depth < MAX_DEPTH => members(old, new, path, depth, operations),
        (Value::Array(old), Value::Array(new)) if depth < MAX_DEPTH => elements(old, new, path, depth, operations),
        _ => operations.push(operation("replace", path, Some(new))),
    }
}

fn members(old: &Map, new: &Map, path: &mut String, depth: usize, operations: &mut Vec<Value>) {
    for key in old.keys().filter(|key| !new.contains_key(key)) {
        below(path, &escape(key), |path| operations.push(operation("remove", path, None)));
    }
    for (key, value) in new.iter() {
        below(path, &escape(key), |path| match old.get(key) {
            Some(before) => compare(before, value, path, depth + 1, operations),
            None => operations.push(operation("add", path, Some(value))),
        });
    }
}

fn elements(old: &[Value], new: &[Value], path: &mut String, depth: usize, operations: &mut Vec<Value>) {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let room = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(a, b)| a == b).count();
    let before = old.get(head..old.len() - tail).unwrap_or_default();
    let after = new.get(head..new.len() - tail).unwrap_or_default();
    for (offset, (a, b)) in before.iter().zip(after).enumerate() {
        below(path, &(head + offset).to_string(), |path| compare(a, b, path, depth + 1, operations));
    }
    for index in (head + after.len()..head + before.len()).rev() {
        below(path, &index.to_string(), |path| operations.push(operation("remove", path, None)));
    }
    for (offset, value) in after.iter().enumerate().skip(before.len()) {
        below(path, &(head + offset).to_string(), |path| operations.push(operation("add", path, Some(value))));
    }
}

fn below(path: &mut String, token: &str, visit: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push('/');
    path.push_str(token);
    visit(path);
    path.truncate(length);
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn operation(op: &str, path: &str, value: Option<&Value>) -> Value {
    let mut members = Map::with_capacity(3);
    members.insert("op", op);
    members.insert("path", path);
    if let Some(value) = value {
        members.insert("value", value.clone());
    }
    Value::object(members)
}
