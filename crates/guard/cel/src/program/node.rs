//! The form in which expressions are evaluated: names resolved to slots, constants computed, patterns compiled.

use std::collections::HashSet;
use std::sync::Arc;

use palisade_model::Str;

use crate::library::re2::Pattern;
use crate::syntax::Fold;
use crate::{EvalError, Function, Key, StructType, Val};

/// A step of an evaluation.
#[derive(Debug)]
pub(crate) enum Node {
    /// A value known beforehand.
    Constant(Val),
    /// What is known beforehand to fail, if it is reached.
    Fail(EvalError),
    /// The variable of a loop or of `cel.bind`, in its register.
    Local(usize),
    /// A variable of the scope, in its slot.
    Variable(usize),
    /// The first of these variables that the scope has, else the expression; for expressions that were not checked.
    Candidates(Vec<usize>, Box<Node>),
    /// `operand.field`.
    Select(Box<Node>, Str),
    /// `operand.?field`.
    SelectOptional(Box<Node>, Str),
    /// `has(operand.field)`.
    Has(Box<Node>, Str),
    /// `operand[index]`.
    Index(Box<[Node; 2]>),
    /// `operand[?index]`.
    IndexOptional(Box<[Node; 2]>),
    /// `!operand`.
    Not(Box<Node>),
    /// `-operand`.
    Negate(Box<Node>),
    /// `a op b`.
    Binary(BinaryOperator, Box<[Node; 2]>),
    /// `a in b`.
    In(Box<[Node; 2]>),
    /// `a in constants`, with the list for values that are no keys.
    InConstants(Box<Node>, Box<(HashSet<Key>, Val)>),
    /// `a && b && c`.
    And(Box<[Node]>),
    /// `a || b || c`.
    Or(Box<[Node]>),
    /// `condition ? then : otherwise`.
    Conditional(Box<[Node; 3]>),
    /// `optional.or(optional)`.
    OptionalOr(Box<[Node; 2]>),
    /// `optional.orValue(value)`.
    OptionalOrValue(Box<[Node; 2]>),
    /// Kyverno's `x.orValue(value)`, where `x` need not be optional.
    OrValueLenient(Box<[Node; 2]>),
    /// `optional.hasValue()`.
    HasValue(Box<Node>),
    /// `optional.of(value)`.
    Some(Box<Node>),
    /// A call of a library's function.
    Call(Box<Invocation>),
    /// `[a, ?b]`.
    List(Box<[Item]>),
    /// `{a: b, ?c: d}`.
    Map(Box<[(Node, Item)]>),
    /// `Name{field: value}`.
    Struct(Box<Construction>),
    /// A loop.
    Loop(Box<Loop>),
    /// `cel.bind`: the register, the value, the body.
    Bind(usize, Box<[Node; 2]>),
}

/// Operators that need both operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl BinaryOperator {
    /// The operator that cel-go calls `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "_==_" => Self::Equal,
            "_!=_" => Self::NotEqual,
            "_<_" => Self::Less,
            "_<=_" => Self::LessOrEqual,
            "_>_" => Self::Greater,
            "_>=_" => Self::GreaterOrEqual,
            "_+_" => Self::Add,
            "_-_" => Self::Subtract,
            "_*_" => Self::Multiply,
            "_/_" => Self::Divide,
            "_%_" => Self::Remainder,
            _ => return None,
        })
    }

    /// As it is written.
    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

/// An element of a list or the value of an entry.
#[derive(Debug)]
pub(crate) struct Item {
    /// Whether it is an optional that is left out when absent.
    pub(crate) optional: bool,
    pub(crate) value: Node,
}

/// A call, with the overloads that may answer it.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) name: Str,
    pub(crate) overloads: Vec<Arc<Function>>,
    /// Functions so common that they run on borrowed text.
    pub(crate) shortcut: Option<Shortcut>,
    pub(crate) args: Box<[Node]>,
    /// The compiled pattern, where it is constant.
    pub(crate) pattern: Option<Pattern>,
}

/// Standard functions over text that need no values of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortcut {
    Size,
    StartsWith,
    EndsWith,
    Contains,
    Matches,
}

/// The construction of an object.
#[derive(Debug)]
pub(crate) struct Construction {
    pub(crate) name: Str,
    pub(crate) of: StructType,
    pub(crate) fields: Vec<(Str, Item)>,
}

/// A loop over a list or a map.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) fold: Fold,
    pub(crate) range: Node,
    pub(crate) first: usize,
    pub(crate) second: Option<usize>,
    pub(crate) filter: Option<Node>,
    pub(crate) body: Node,
}
