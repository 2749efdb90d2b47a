//! The syntax tree after macro expansion.

use std::ops::Range;

use palisade_model::Str;

use crate::Val;

/// An expression and its place.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its bytes in the source.
    pub span: Range<usize>,
    /// The height of the tree below it, which is limited.
    pub(crate) height: u16,
}

/// The forms of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A literal.
    Literal(Val),
    /// A name; with a leading dot it is not looked up in the container.
    Ident(Str),
    /// `operand.field`, or `operand.?field`.
    Select {
        /// The object.
        operand: Box<Expr>,
        /// The field.
        field: Str,
        /// Whether it was written `.?`.
        optional: bool,
    },
    /// `has(operand.field)`.
    Has {
        /// The object.
        operand: Box<Expr>,
        /// The field.
        field: Str,
    },
    /// `operand[index]`, or `operand[?index]`.
    Index {
        /// The collection.
        operand: Box<Expr>,
        /// The position or key.
        index: Box<Expr>,
        /// Whether it was written `[?`.
        optional: bool,
    },
    /// A call, operators included (under cel-go's names for them, such as `_+_`).
    Call {
        /// The receiver.
        target: Option<Box<Expr>>,
        /// The name.
        function: Str,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// Operands of a chain of `&&`.
    And(Vec<Expr>),
    /// Operands of a chain of `||`.
    Or(Vec<Expr>),
    /// `condition ? then : otherwise`.
    Conditional(Box<[Expr; 3]>),
    /// `[a, ?b]`.
    List(Vec<Element>),
    /// `{a: b, ?c: d}`.
    Map(Vec<Entry>),
    /// `Name{field: value, ?field: value}`.
    Struct {
        /// The type, dotted.
        name: Str,
        /// The fields.
        fields: Vec<(Str, Element)>,
    },
    /// A loop.
    Comprehension(Box<Comprehension>),
    /// `cel.bind(name, value, body)`.
    Bind {
        /// The name.
        name: Str,
        /// Its value, computed when first used.
        value: Box<Expr>,
        /// Where the name is known.
        body: Box<Expr>,
    },
}

/// An element of a list, or the value of a field.
#[derive(Clone, Debug)]
pub struct Element {
    /// Whether the value is an optional that is left out when absent.
    pub optional: bool,
    /// The value.
    pub value: Expr,
}

/// An entry of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whether the value is an optional that is left out when absent.
    pub optional: bool,
    /// The key.
    pub key: Expr,
    /// The value.
    pub value: Expr,
}

/// A loop over a list or a map.
#[derive(Clone, Debug)]
pub struct Comprehension {
    /// What comes of it.
    pub fold: Fold,
    /// The list or map.
    pub range: Expr,
    /// The name of the element or key, or of the position where there are two.
    pub first: Str,
    /// The name of the value, where there are two.
    pub second: Option<Str>,
    /// Which rounds count; all where absent.
    pub filter: Option<Expr>,
    /// What each round computes.
    pub body: Expr,
}

/// What comes of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Whether all rounds are true.
    All,
    /// Whether any round is true.
    Exists,
    /// Whether exactly one round is true.
    ExistsOne,
    /// The results as a list.
    List,
    /// The results as a map under the keys of the range.
    Map,
    /// The results, each a map of one entry, as one map.
    MapEntries,
}
