//! A tree applied to a value.
//!
//! The one rule that sets the fork apart: a member that does not exist is [`QueryError::NotFound`]. It passes through
//! `.`, `[n]` and the right side of `&&`; everything else takes it for null. Flattening, filtering and `.*` take any
//! error of their list for null, but for a value that could not be loaded.

use std::borrow::Cow;

use palisade_model::{Map, Relation, Value};

use super::ast::{Call, Filter, Node};
use super::functions::{Argument, Arguments};
use super::{QueryError, Runtime, Scope};

/// What a node yields: borrowed where it is a part of its input.
type Yield<'v> = Result<Cow<'v, Value>, QueryError>;

/// The value that a node is applied to.
#[derive(Clone, Copy)]
pub(super) enum Current<'v> {
    /// The root, loaded name by name.
    Root(&'v dyn Scope),
    /// Any other value.
    Value(&'v Value),
}

/// One search.
#[derive(Clone, Copy)]
pub(super) struct Evaluator<'r> {
    pub(super) runtime: &'r Runtime<'r>,
}

/// Takes what is not found for null.
pub(super) fn lenient(result: Yield<'_>) -> Yield<'_> {
    match result {
        Err(QueryError::NotFound { .. }) => Ok(null()),
        other => other,
    }
}

fn null<'v>() -> Cow<'v, Value> {
    Cow::Owned(Value::Null)
}

fn owned<'v>(value: impl Into<Value>) -> Cow<'v, Value> {
    Cow::Owned(value.into())
}

/// JMESPath's falsehoods: null, `false`, and what is empty.
fn is_false(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Int(_) | Value::Float(_) => false,
    }
}

impl Evaluator<'_> {
    /// Takes `count` steps from the budget.
    pub(super) fn charge(self, count: usize) -> Result<(), QueryError> {
        if self.runtime.steps.take(count as u64) { Ok(()) } else { Err(QueryError::StepLimit) }
    }

    /// Takes a step per node of a value. Shared parts make a value that is cheap to build huge to walk, so whoever
    /// walks one charges for it first.
    pub(super) fn charge_tree(self, value: &Value) -> Result<(), QueryError> {
        self.charge(1)?;
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.charge_tree(item)),
            Value::Object(map) => map.values().try_for_each(|member| self.charge_tree(member)),
            Value::String(text) => self.charge(text.len() / 16),
            _ => Ok(()),
        }
    }

    /// Applies `node` to `current`.
    pub(super) fn evaluate<'v>(self, node: &'v Node, current: Current<'v>) -> Yield<'v> {
        self.charge(1)?;
        match node {
            Node::Current => whole(current),
            Node::Field(name) => field(name, current),
            Node::Index(at) => index(*at, current),
            Node::Slice(parts) => self.slice(*parts, current),
            Node::Literal(value) => Ok(Cow::Borrowed(value)),
            Node::Chain(left, right) => self.then(self.evaluate(left, current)?, right),
            Node::Pipe(left, right) => lenient(self.then(lenient(self.evaluate(left, current))?, right)),
            Node::Or(left, right) => self.or(left, right, current),
            Node::And(left, right) => self.and(left, right, current),
            Node::Not(operand) => Ok(owned(is_false(&*lenient(self.evaluate(operand, current))?))),
            Node::Compare(relation, left, right) => self.compare(*relation, left, right, current),
            Node::Project(list, each) => self.project(list, each, current),
            Node::ProjectValues(object, each) => self.project_values(object, each, current),
            Node::Filter(filter) => self.filter(filter, current),
            Node::Flatten(list) => self.flatten(list, current),
            Node::List(items) => self.list(items, current),
            Node::Hash(members) => self.hash(members, current),
            Node::Call(call) => self.call(call, current),
            Node::Reference(_) => {
                Err(QueryError::Invalid("an expression reference (`&`) is only an argument of a function".into()))
            }
        }
    }

    /// Applies `right` to what the left side yielded.
    fn then<'v>(self, left: Cow<'v, Value>, right: &'v Node) -> Yield<'v> {
        match left {
            Cow::Borrowed(value) => self.evaluate(right, Current::Value(value)),
            Cow::Owned(value) => Ok(Cow::Owned(self.evaluate(right, Current::Value(&value))?.into_owned())),
        }
    }

    fn or<'v>(self, left: &'v Node, right: &'v Node, current: Current<'v>) -> Yield<'v> {
        let left = lenient(self.evaluate(left, current))?;
        if is_false(&left) { lenient(self.evaluate(right, current)) } else { Ok(left) }
    }

    fn and<'v>(self, left: &'v Node, right: &'v Node, current: Current<'v>) -> Yield<'v> {
        let left = lenient(self.evaluate(left, current))?;
        if is_false(&left) { Ok(left) } else { self.evaluate(right, current) }
    }

    fn slice(self, parts: [Option<i64>; 3], current: Current<'_>) -> Yield<'_> {
        let value = whole(current)?;
        let Value::Array(items) = &*value else { return Ok(null()) };
        self.charge(items.len())?;
        slice(items, parts).map(owned)
    }

    fn compare<'v>(self, relation: Relation, left: &'v Node, right: &'v Node, current: Current<'v>) -> Yield<'v> {
        // `compare` yields a machine integer in Kyverno, which equals no number of JSON and has no order beside one.
        let integers = (left.is_call("compare"), right.is_call("compare"));
        let left = lenient(self.evaluate(left, current))?;
        let right = lenient(self.evaluate(right, current))?;
        let comparable = integers.0 == integers.1;
        let equal = || Ok::<_, QueryError>(comparable && self.equal(&left, &right)?);
        Ok(match (relation, left.as_f64(), right.as_f64()) {
            (Relation::Equal, ..) => owned(equal()?),
            (Relation::NotEqual, ..) => owned(!equal()?),
            (_, Some(left), Some(right)) if integers == (false, false) => {
                owned(relation.holds(left.partial_cmp(&right)))
            }
            _ => null(),
        })
    }

    /// Deep equality that pays for what it visits.
    pub(super) fn equal(self, left: &Value, right: &Value) -> Result<bool, QueryError> {
        if matches!(left, Value::Array(_) | Value::Object(_)) && left.type_name() == right.type_name() {
            self.charge_tree(left)?;
        }
        Ok(left == right)
    }

    fn project<'v>(self, list: &'v Node, each: &'v Node, current: Current<'v>) -> Yield<'v> {
        let list = lenient(self.evaluate(list, current))?;
        let Value::Array(items) = &*list else { return Ok(null()) };
        if matches!(each, Node::Current) && !items.iter().any(Value::is_null) {
            return Ok(list);
        }
        let mut collected = Vec::with_capacity(items.len());
        for item in items.iter() {
            self.collect(each, item, &mut collected)?;
        }
        Ok(owned(collected))
    }

    fn collect(self, each: &Node, item: &Value, collected: &mut Vec<Value>) -> Result<(), QueryError> {
        let value = lenient(self.evaluate(each, Current::Value(item)))?;
        if !value.is_null() {
            collected.push(value.into_owned());
        }
        Ok(())
    }

    fn project_values<'v>(self, object: &'v Node, each: &'v Node, current: Current<'v>) -> Yield<'v> {
        let Ok(object) = unless_unknown(self.evaluate(object, current))? else { return Ok(null()) };
        let Value::Object(map) = &*object else { return Ok(null()) };
        let mut collected = Vec::with_capacity(map.len());
        // The fork applies the right side to as many nulls first as there are members.
        if !matches!(each, Node::Current | Node::Field(_)) {
            for _ in 0..map.len() {
                self.collect(each, &Value::Null, &mut collected)?;
            }
        }
        for member in map.values() {
            self.collect(each, member, &mut collected)?;
        }
        Ok(owned(collected))
    }

    fn filter<'v>(self, filter: &'v Filter, current: Current<'v>) -> Yield<'v> {
        let Ok(list) = unless_unknown(self.evaluate(&filter.list, current))? else { return Ok(null()) };
        let Value::Array(items) = &*list else { return Ok(null()) };
        let mut collected = Vec::new();
        for item in items.iter() {
            if !is_false(&*lenient(self.evaluate(&filter.condition, Current::Value(item)))?) {
                self.collect(&filter.each, item, &mut collected)?;
            }
        }
        Ok(owned(collected))
    }

    fn flatten<'v>(self, list: &'v Node, current: Current<'v>) -> Yield<'v> {
        let Ok(list) = unless_unknown(self.evaluate(list, current))? else { return Ok(null()) };
        let Value::Array(items) = &*list else { return Ok(null()) };
        if !items.iter().any(|item| matches!(item, Value::Array(_))) {
            return Ok(list);
        }
        let mut flat = Vec::with_capacity(items.len());
        for item in items.iter() {
            match item {
                Value::Array(inner) => {
                    self.charge(inner.len())?;
                    flat.extend(inner.iter().cloned());
                }
                other => flat.push(other.clone()),
            }
        }
        Ok(owned(flat))
    }

    fn list<'v>(self, items: &'v [Node], current: Current<'v>) -> Yield<'v> {
        if is_null(current) {
            return Ok(null());
        }
        let mut collected = Vec::with_capacity(items.len());
        for item in items {
            collected.push(lenient(self.evaluate(item, current))?.into_owned());
        }
        Ok(owned(collected))
    }

    fn hash<'v>(self, members: &'v [(palisade_model::Str, Node)], current: Current<'v>) -> Yield<'v> {
        if is_null(current) {
            return Ok(null());
        }
        let mut collected = Map::with_capacity(members.len());
        for (key, member) in members {
            collected.insert(key.clone(), lenient(self.evaluate(member, current))?.into_owned());
        }
        Ok(owned(collected))
    }

    fn call<'v>(self, call: &'v Call, current: Current<'v>) -> Yield<'v> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(match argument {
                Node::Reference(node) => Argument::Expression(node),
                node => Argument::Value(lenient(self.evaluate(node, current))?),
            });
        }
        let Some(function) = call.function else {
            return Err(QueryError::Invalid(super::functions::unknown(&call.name)));
        };
        Arguments::new(self, call, arguments).apply(function).map(Cow::Owned)
    }
}

/// Lets an error of the list be seen as an absent list, as the fork does. An exhausted budget stays an error, and so does
/// what could not be loaded: an answer that is missing is not an empty one.
fn unless_unknown(result: Yield<'_>) -> Result<Yield<'_>, QueryError> {
    match result {
        Err(error @ (QueryError::StepLimit | QueryError::Lookup(_))) => Err(error),
        other => Ok(other),
    }
}

fn whole(current: Current<'_>) -> Yield<'_> {
    match current {
        Current::Root(scope) => scope.whole().map(Cow::Owned),
        Current::Value(value) => Ok(Cow::Borrowed(value)),
    }
}

fn index(index: i64, current: Current<'_>) -> Yield<'_> {
    inside(current, |value| {
        let Value::Array(items) = value else { return None };
        let at = if index < 0 { index.checked_add(i64::try_from(items.len()).ok()?)? } else { index };
        items.get(usize::try_from(at).ok()?)
    })
}

/// A part of the current value, or null.
fn inside(current: Current<'_>, find: impl Fn(&Value) -> Option<&Value>) -> Yield<'_> {
    Ok(match whole(current)? {
        Cow::Borrowed(value) => find(value).map_or_else(null, Cow::Borrowed),
        Cow::Owned(value) => find(&value).cloned().map_or_else(null, Cow::Owned),
    })
}

fn is_null(current: Current<'_>) -> bool {
    matches!(current, Current::Value(Value::Null))
}

fn field<'v>(name: &str, current: Current<'v>) -> Yield<'v> {
    let found = match current {
        Current::Root(scope) => scope.get(name)?.map(Cow::Owned),
        Current::Value(Value::Object(map)) => map.get(name).map(Cow::Borrowed),
        Current::Value(_) => return Ok(null()),
    };
    found.ok_or_else(|| QueryError::NotFound { path: name.to_owned() })
}

/// Python's slicing.
fn slice(items: &[Value], [start, stop, step]: [Option<i64>; 3]) -> Result<Vec<Value>, QueryError> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(QueryError::Invalid("the step of a slice cannot be 0".into()));
    }
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let (lowest, highest) = if step < 0 { (-1, length - 1) } else { (0, length) };
    let bound = |given: Option<i64>, default: i64| match given {
        Some(at) if at < 0 => at.saturating_add(length).max(lowest),
        Some(at) => at.min(highest),
        None => default,
    };
    let first = bound(start, if step < 0 { length - 1 } else { 0 });
    let last = bound(stop, if step < 0 { -1 } else { length });
    let mut at = first;
    let mut collected = Vec::new();
    while (step > 0 && at < last) || (step < 0 && at > last) {
        collected.extend(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned());
        at = at.saturating_add(step);
    }
    Ok(collected)
}
