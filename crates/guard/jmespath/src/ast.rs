//! The tree of a parsed expression.

use std::fmt;
use std::sync::OnceLock;

use palisade_model::{Relation, Str, Value};
use regex::Regex;

use super::functions::Function;

/// A node. What it yields depends on the value it is applied to, the "current" value.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// `@`, and the empty right-hand side of a projection.
    Current,
    /// A member of the current object.
    Field(Str),
    /// An element of the current array; negative counts from the end.
    Index(i64),
    /// `[start:stop:step]` of the current array.
    Slice([Option<i64>; 3]),
    /// A literal.
    Literal(Value),
    /// `left.right` and `left[n]`: right applied to the result of left.
    Chain(Box<Node>, Box<Node>),
    /// `left | right`: the same, but what left does not find is null.
    Pipe(Box<Node>, Box<Node>),
    /// `left || right`.
    Or(Box<Node>, Box<Node>),
    /// `left && right`.
    And(Box<Node>, Box<Node>),
    /// `!operand`.
    Not(Box<Node>),
    /// `left == right` and its like.
    Compare(Relation, Box<Node>, Box<Node>),
    /// `list[*].each`.
    Project(Box<Node>, Box<Node>),
    /// `object.*.each`.
    ProjectValues(Box<Node>, Box<Node>),
    /// `list[?condition].each`.
    Filter(Box<Filter>),
    /// `list[]`: one level of nesting removed.
    Flatten(Box<Node>),
    /// `[a, b]`.
    List(Vec<Node>),
    /// `{a: b}`.
    Hash(Vec<(Str, Node)>),
    /// `function(arguments)`.
    Call(Box<Call>),
    /// `&expression`, which only functions can use.
    Reference(Box<Node>),
}

/// The parts of a filter projection.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) list: Node,
    pub(super) condition: Node,
    pub(super) each: Node,
}

/// A function call. A name that no function has is an error only when the call is reached.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) name: Str,
    pub(super) function: Option<&'static Function>,
    pub(super) arguments: Vec<Node>,
    /// The compiled form of a regular expression that is a literal first argument.
    pub(super) regex: OnceLock<Regex>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("name", &self.name).field("arguments", &self.arguments).finish_non_exhaustive()
    }
}

impl Node {
    /// Adds the names that this node reads from the root, given that it is applied to the root.
    pub(super) fn collect_roots<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Self::Field(name) => {
                if !names.contains(&&**name) {
                    names.push(name);
                }
            }
            Self::Chain(left, right)
            | Self::Pipe(left, right)
            | Self::Project(left, right)
            | Self::ProjectValues(left, right) => left.collect_chain(right, names),
            Self::Or(left, right) | Self::And(left, right) | Self::Compare(_, left, right) => {
                left.collect_roots(names);
                right.collect_roots(names);
            }
            Self::Not(operand) | Self::Flatten(operand) => operand.collect_roots(names),
            Self::Filter(filter) => filter.list.collect_roots(names),
            Self::List(items) => items.iter().for_each(|item| item.collect_roots(names)),
            Self::Hash(members) => members.iter().for_each(|(_, member)| member.collect_roots(names)),
            Self::Call(call) => call.arguments.iter().for_each(|argument| argument.collect_roots(names)),
            Self::Current | Self::Index(_) | Self::Slice(_) | Self::Literal(_) | Self::Reference(_) => {}
        }
    }

    fn collect_chain<'a>(&'a self, right: &'a Self, names: &mut Vec<&'a str>) {
        match self {
            Self::Current => right.collect_roots(names),
            left => left.collect_roots(names),
        }
    }

    /// Adds the constant paths below this node; `at_root` tells whether it is applied to the root.
    pub(super) fn collect_paths<'a>(&'a self, at_root: bool, paths: &mut Vec<Vec<&'a str>>) {
        if let Some(path) = self.constant_path() {
            return paths.push(path);
        }
        match self {
            Self::Current if at_root => paths.push(vec!["@"]),
            Self::Literal(Value::String(text)) => paths.push(vec![text]),
            Self::Current | Self::Field(_) | Self::Index(_) | Self::Slice(_) | Self::Literal(_) => {}
            Self::Chain(left, right)
            | Self::Pipe(left, right)
            | Self::Project(left, right)
            | Self::ProjectValues(left, right) => {
                left.collect_paths(at_root, paths);
                right.collect_paths(false, paths);
            }
            Self::Or(left, right) | Self::And(left, right) | Self::Compare(_, left, right) => {
                left.collect_paths(at_root, paths);
                right.collect_paths(at_root, paths);
            }
            Self::Not(operand) | Self::Flatten(operand) => operand.collect_paths(at_root, paths),
            Self::Reference(each) => each.collect_paths(false, paths),
            Self::Filter(filter) => {
                filter.list.collect_paths(at_root, paths);
                filter.condition.collect_paths(false, paths);
                filter.each.collect_paths(false, paths);
            }
            Self::List(items) => items.iter().for_each(|item| item.collect_paths(at_root, paths)),
            Self::Hash(members) => members.iter().for_each(|(_, member)| member.collect_paths(at_root, paths)),
            Self::Call(call) => call.arguments.iter().for_each(|argument| argument.collect_paths(at_root, paths)),
        }
    }

    /// The first call in this node that `wrong` finds fault with.
    pub(super) fn find_call<T>(&self, wrong: &dyn Fn(&Call) -> Option<T>) -> Option<T> {
        match self {
            Self::Current | Self::Field(_) | Self::Index(_) | Self::Slice(_) | Self::Literal(_) => None,
            Self::Chain(left, right)
            | Self::Pipe(left, right)
            | Self::Or(left, right)
            | Self::And(left, right)
            | Self::Compare(_, left, right)
            | Self::Project(left, right)
            | Self::ProjectValues(left, right) => left.find_call(wrong).or_else(|| right.find_call(wrong)),
            Self::Not(operand) | Self::Flatten(operand) | Self::Reference(operand) => operand.find_call(wrong),
            Self::Filter(filter) => {
                [&filter.list, &filter.condition, &filter.each].into_iter().find_map(|part| part.find_call(wrong))
            }
            Self::List(items) => items.iter().find_map(|item| item.find_call(wrong)),
            Self::Hash(members) => members.iter().find_map(|(_, member)| member.find_call(wrong)),
            Self::Call(call) => {
                wrong(call).or_else(|| call.arguments.iter().find_map(|argument| argument.find_call(wrong)))
            }
        }
    }

    /// The names of a chain of nothing but names.
    fn constant_path(&self) -> Option<Vec<&str>> {
        match self {
            Self::Field(name) => Some(vec![name]),
            Self::Chain(left, right) => {
                let mut path = left.constant_path()?;
                path.extend(right.constant_path()?);
                Some(path)
            }
            _ => None,
        }
    }

    /// Whether the result may hold more than the input does: it can where lists or objects are built from expressions.
    pub(super) fn builds(&self) -> bool {
        match self {
            Self::List(_) | Self::Hash(_) | Self::Call(_) => true,
            Self::Chain(left, right)
            | Self::Pipe(left, right)
            | Self::Or(left, right)
            | Self::And(left, right)
            | Self::Project(left, right)
            | Self::ProjectValues(left, right) => left.builds() || right.builds(),
            Self::Flatten(list) => list.builds(),
            Self::Filter(filter) => filter.list.builds() || filter.each.builds(),
            _ => false,
        }
    }

    /// Whether this is a call of the function `name`.
    pub(super) fn is_call(&self, name: &str) -> bool {
        matches!(self, Self::Call(call) if &*call.name == name)
    }
}
