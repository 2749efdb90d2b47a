//! Applying a JSON Patch.
//!
//! Operations run on a copy that shares everything they leave alone, so a failing patch changes nothing. Growth is
//! bounded: `copy` can double a document with every operation and `add` can name an index in the billions.

use super::pointer::{Pointer, child, child_mut, index_in, is_container, unescape};
use super::{Dialect, MAX_DEPTH, PatchError};
use crate::{Map, Value};

/// The most values that one patch may add, by copying and padding too.
const MAX_GROWTH: usize = 1_000_000;

/// The document after `operations`, an array of RFC 6902 operation objects.
pub fn apply(document: &Value, operations: &Value, dialect: Dialect) -> Result<Value, PatchError> {
    let Some(operations) = operations.as_array() else {
        let message = format!("a JSON patch is an array of operations, not {}", described(operations));
        return Err(PatchError { index: 0, path: String::new(), message, test_failed: false });
    };
    let mut patching = Patching { document: document.clone(), dialect, growth: 0 };
    for (index, operation) in operations.iter().enumerate() {
        patching.run(operation).map_err(|failure| PatchError {
            index,
            path: operation.get("path").and_then(Value::as_str).unwrap_or_default().to_owned(),
            test_failed: matches!(failure, Failure::Test),
            message: match failure {
                Failure::Test => "the value tested for is not there".to_owned(),
                Failure::Other(message) => message,
            },
        })?;
    }
    Ok(patching.document)
}

/// Why an operation failed.
pub(super) enum Failure {
    Test,
    Other(String),
}

pub(super) type Step<T = ()> = Result<T, Failure>;

pub(super) fn failure<T>(message: impl Into<String>) -> Step<T> {
    Err(Failure::Other(message.into()))
}

fn missing<T>(key: &str) -> Step<T> {
    failure(format!("there is no `{key}`"))
}

fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(_) | Value::Object(_) => format!("an {}", value.type_name()),
        _ => format!("a {}", value.type_name()),
    }
}

fn text<'a>(operation: &'a Value, key: &str) -> Step<&'a str> {
    match operation.get(key) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => failure(format!("`{key}` must be a string, not {}", described(other))),
        None => failure(format!("`{key}` is missing")),
    }
}

struct Patching {
    document: Value,
    dialect: Dialect,
    growth: usize,
}

impl Patching {
    fn run(&mut self, operation: &Value) -> Step {
        let path = Pointer::parse(text(operation, "path")?);
        let from = || text(operation, "from").map(Pointer::parse);
        let value = operation.get("value");
        let given = match (value, self.dialect) {
            (None, Dialect::Kyverno) => failure("`value` is missing"),
            _ => Ok(value.cloned().unwrap_or_default()),
        };
        match text(operation, "op")? {
            "add" => self.add(&path, given?),
            "replace" => self.replace(&path, given?),
            "remove" => self.remove(&path),
            "move" => self.relocate(&from()?, &path),
            "copy" => self.copy(&from()?, &path),
            "test" => self.test(&path, value),
            other => failure(format!("unknown operation `{other}`: use add, remove, replace, move, copy or test")),
        }
    }

    fn add(&mut self, path: &Pointer, value: Value) -> Step {
        match self.dialect {
            Dialect::Kubernetes => self.insert(path, value),
            Dialect::Kyverno if path.is_root() => self.replace(path, value),
            Dialect::Kyverno => {
                self.create_parents(path)?;
                self.insert(path, value)
            }
        }
    }

    fn insert(&mut self, path: &Pointer, value: Value) -> Step {
        self.admit(path, &value)?;
        let (parent, key) = path.parent_mut(&mut self.document)?;
        if key == "-"
            && let Some(items) = parent.as_array_mut()
        {
            items.push(value);
            return Ok(());
        }
        put(parent, &key, value)
    }

    fn replace(&mut self, path: &Pointer, value: Value) -> Step {
        self.admit(path, &value)?;
        if path.is_root() {
            if !is_container(&value) {
                return failure(format!("the document cannot become {}", described(&value)));
            }
            self.document = value;
            return Ok(());
        }
        let (parent, key) = path.parent_mut(&mut self.document)?;
        if let Some(slot) = child_mut(parent, &key) {
            *slot = value;
            return Ok(());
        }
        match parent {
            // The API server's library replaces members that are not there.
            Value::Object(_) if self.dialect == Dialect::Kubernetes => put(parent, &key, value),
            _ => missing(&key),
        }
    }

    fn remove(&mut self, path: &Pointer) -> Step {
        let forgiving = self.dialect == Dialect::Kyverno;
        if forgiving && path.parent(&self.document).is_err() {
            return Ok(());
        }
        let (parent, key) = path.parent_mut(&mut self.document)?;
        let absent = child(parent, &key).is_none();
        let names_an_element = parent.as_array().is_none() || key.parse::<i64>().is_ok();
        if forgiving && absent && names_an_element {
            return Ok(());
        }
        take(parent, &key).map(drop)
    }

    fn relocate(&mut self, from: &Pointer, to: &Pointer) -> Step {
        let (parent, key) = from.parent_mut(&mut self.document)?;
        let value = take(parent, &key)?;
        self.insert(to, value)
    }

    fn copy(&mut self, from: &Pointer, to: &Pointer) -> Step {
        let value = match self.find(from)? {
            Some(value) => value.clone(),
            None if self.dialect == Dialect::Kubernetes => Value::Null,
            None => return failure("what `from` names is missing"),
        };
        self.insert(to, value)
    }

    fn test(&self, path: &Pointer, expected: Option<&Value>) -> Step {
        let actual = self.find(path)?.filter(|value| !value.is_null());
        let holds = match (actual, expected) {
            (Some(actual), Some(expected)) => actual == expected,
            (None, None) => true,
            (None, Some(Value::Null)) => self.dialect == Dialect::Kyverno,
            _ => false,
        };
        if holds { Ok(()) } else { Err(Failure::Test) }
    }

    /// The value at `path`; `None` where its object has no such member, a failure where its array has no such element.
    fn find(&self, path: &Pointer) -> Step<Option<&Value>> {
        if path.is_root() {
            return Ok(Some(&self.document));
        }
        let (parent, key) = path.parent(&self.document)?;
        if let Value::Array(items) = parent {
            index_in(&key, items.len())?;
        }
        Ok(child(parent, &key))
    }

    /// Creates what is missing on the way to `path`: an array where the next step is an index, an object elsewhere.
    fn create_parents(&mut self, path: &Pointer) -> Step {
        if path.tokens.len() > MAX_DEPTH {
            return failure(format!("the path is deeper than {MAX_DEPTH} levels"));
        }
        let mut here = &mut self.document;
        for (token, next) in path.tokens.iter().zip(path.tokens.iter().skip(1)) {
            let mut key = unescape(token);
            if child(here, &key).is_none_or(Value::is_null) {
                let created = container_for(next, &mut self.growth)?;
                pad(here, token, &mut self.growth)?;
                // Named by the escaped token, as upstream does: what follows then fails to find an unescaped one.
                put(here, token, created)?;
                key.clone_from(token);
            }
            let Some(next) = child_mut(here, &key).filter(|next| is_container(next)) else {
                return failure(format!("`{key}` is neither an object nor an array"));
            };
            here = next;
        }
        Ok(())
    }

    /// Refuses what would grow or nest the document beyond reason.
    fn admit(&mut self, path: &Pointer, value: &Value) -> Step {
        let (size, depth) = measure(value, MAX_GROWTH, MAX_DEPTH);
        self.growth = self.growth.saturating_add(size);
        if self.growth > MAX_GROWTH {
            return failure(format!("the patch adds more than {MAX_GROWTH} values"));
        }
        if path.tokens.len() + depth > MAX_DEPTH {
            return failure(format!("the patch nests deeper than {MAX_DEPTH} levels"));
        }
        Ok(())
    }
}

/// Sets a member, or inserts an element before the one that has its index.
fn put(container: &mut Value, key: &str, value: Value) -> Step {
    if let Some(members) = container.as_object_mut() {
        members.insert(key, value);
    } else if let Some(items) = container.as_array_mut() {
        let at = index_in(key, items.len() + 1)?;
        items.insert(at, value);
    }
    Ok(())
}

fn take(container: &mut Value, key: &str) -> Step<Value> {
    if let Some(items) = container.as_array_mut() {
        let at = index_in(key, items.len())?;
        return Ok(items.remove(at));
    }
    container.as_object_mut().and_then(|members| members.remove(key)).map_or_else(|| missing(key), Ok)
}

/// An empty container for what `next` names in it; an array has all elements before that one, as `null`.
fn container_for(next: &str, growth: &mut usize) -> Step<Value> {
    let mut created = Value::array(Vec::new());
    match next.parse::<i64>() {
        Err(_) if next != "-" => return Ok(Value::object(Map::new())),
        Ok(index) if index < -1 => return failure(format!("`{next}` counts back in an array that is not there")),
        _ => pad(&mut created, next, growth)?,
    }
    Ok(created)
}

/// Fills an array with `null` up to the element that `token` names.
fn pad(container: &mut Value, token: &str, growth: &mut usize) -> Step {
    let (Ok(length), Some(items)) = (token.parse::<usize>(), container.as_array_mut()) else { return Ok(()) };
    *growth = growth.saturating_add(length.saturating_sub(items.len()));
    if *growth > MAX_GROWTH {
        return failure(format!("index {length} is too far beyond the end of the array"));
    }
    items.resize(items.len().max(length), Value::Null);
    Ok(())
}

/// How many values there are and how deep they nest, counted no further than the limits.
fn measure(value: &Value, most: usize, deepest: usize) -> (usize, usize) {
    if deepest == 0 {
        return (1, 1);
    }
    let (mut size, mut depth) = (1, 0);
    let mut visit = |child: &Value| {
        if size <= most {
            let (more, levels) = measure(child, most - size, deepest - 1);
            size += more;
            depth = depth.max(levels);
        }
    };
    match value {
        Value::Array(items) => items.iter().for_each(&mut visit),
        Value::Object(members) => members.values().for_each(&mut visit),
        _ => {}
    }
    (size, depth + 1)
}
