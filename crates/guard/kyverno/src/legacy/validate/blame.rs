//! Which fields of the resource made conditions hold: what a finding points at.

use palisade_model::{Path, Segment, Str, Value};

use crate::legacy::condition::{Conditions, Outcome};
use crate::legacy::context::RuleContext;
use crate::legacy::variables::{Variable, substitute, variables_of};

/// Remembers what conditions looked at.
#[derive(Debug, Default)]
pub(super) struct Blame {
    /// Keys and values as written, with what they came to, in the order of evaluation.
    seen: Vec<(Value, Value)>,
}

/// At most so many fields are named.
const MAX_PATHS: usize = 8;
/// At most so many nodes are looked at in the search for a value's place.
const MAX_NODES: usize = 20_000;

impl Blame {
    /// Evaluates conditions and remembers what they looked at.
    pub(super) fn evaluate(&mut self, conditions: &Conditions, context: &RuleContext<'_>) -> Result<Outcome, String> {
        let mut replace = |written: &Value| {
            let value = substitute(written, context).map_err(|error| error.to_string())?;
            if written.as_str().is_some_and(|text| text.contains("{{")) {
                self.seen.push((written.clone(), value.clone()));
            }
            Ok(value)
        };
        conditions.evaluate(&mut replace, context.steps())
    }

    /// The fields at fault, the one that decided first; the loop's element where nothing more is known.
    pub(super) fn paths(
        &self,
        conditions: Option<&Conditions>,
        context: &RuleContext<'_>,
        element: Option<&Path>,
    ) -> Vec<Path> {
        let mut paths: Vec<Path> = Vec::new();
        let keys: Vec<&Value> =
            conditions.into_iter().flat_map(Conditions::iter).map(|condition| &condition.key).collect();
        for (written, value) in self.seen.iter().rev().filter(|(written, _)| keys.contains(&written)) {
            let text = written.as_str().unwrap_or_default();
            let variable = variables_of(text).first().map(Variable::expression).unwrap_or_default();
            let found = named_field(&variable, element).or_else(|| place_of(value, context));
            if let Some(path) = found.filter(|path| !paths.contains(path) && paths.len() < MAX_PATHS) {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            paths.extend(element.cloned());
        }
        paths
    }
}

/// The field that an expression starts from: of the resource, or of the loop's element.
fn named_field(expression: &str, element: Option<&Path>) -> Option<Path> {
    let expression = expression.trim();
    for prefix in ["request.object", "request.oldObject"] {
        if let Some(rest) = expression.strip_prefix(prefix) {
            return Some(leading_path(rest)).filter(|path| !path.is_root());
        }
    }
    let rest = expression.strip_prefix("element")?;
    let starts_field = rest.is_empty() || rest.starts_with(['.', '[', ' ', '|']);
    let below = leading_path(rest);
    element.filter(|_| starts_field).map(|element| Path(element.0.iter().chain(&below.0).cloned().collect()))
}

/// The path of an expression that is nothing but a field of the resource.
pub(super) fn plain_path(expression: &str) -> Option<Path> {
    let rest = expression.strip_prefix("request.object")?;
    let rest = rest.strip_suffix("[]").unwrap_or(rest);
    let plain = rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    plain.then(|| leading_path(rest))
}

/// The field accesses at the start of the rest of an expression: `.a."b.c"[0]`.
fn leading_path(rest: &str) -> Path {
    let mut path = Path::root();
    let mut rest = rest;
    loop {
        if let Some(after) = rest.strip_prefix(".\"") {
            let Some((key, tail)) = after.split_once('"') else { return path };
            path.0.push(Segment::from(key));
            rest = tail;
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
            let (key, tail) = after.split_at_checked(end).unwrap_or((after, ""));
            // A function or a multi-select ends what can be told.
            if key.is_empty() || tail.starts_with('(') {
                return path;
            }
            path.0.push(Segment::from(key));
            rest = tail;
        } else if let Some(after) = rest.strip_prefix('[') {
            let Some((index, tail)) = after.split_once(']') else { return path };
            let Ok(index) = index.parse::<usize>() else { return path };
            path.0.push(Segment::Index(index));
            rest = tail;
        } else {
            return path;
        }
    }
}

/// Where a value that came out of a query is in the resource: queries hand out shared parts of it.
pub(super) fn place_of(value: &Value, context: &RuleContext<'_>) -> Option<Path> {
    let mut path = Vec::new();
    let mut left = MAX_NODES;
    let found = search(&context.object(), value, &mut path, &mut left);
    // A node costs far less than a step, but a loop may search in every round.
    context.spend((MAX_NODES - left) as u64 / 32).ok()?;
    found.then_some(Path(path))
}

fn search(root: &Value, wanted: &Value, path: &mut Vec<Segment>, left: &mut usize) -> bool {
    *left = left.saturating_sub(1);
    if *left == 0 || path.len() > 128 {
        return false;
    }
    if is_same(root, wanted) {
        return true;
    }
    let mut step = |segment: Segment, value: &Value, path: &mut Vec<Segment>| {
        path.push(segment);
        let found = search(value, wanted, path, left);
        if !found {
            path.pop();
        }
        found
    };
    match root {
        Value::Array(items) => items.iter().enumerate().any(|(at, item)| step(Segment::Index(at), item, path)),
        Value::Object(map) => map.iter().any(|(key, item)| step(Segment::Key(Str::clone(key)), item, path)),
        _ => false,
    }
}

/// Whether two values are one and the same in memory.
fn is_same(a: &Value, b: &Value) -> bool {
    use std::sync::Arc;
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
        (Value::String(a), Value::String(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}
