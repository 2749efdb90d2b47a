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

impl Expr {
    /// An expression at `span`.
    pub fn new(kind: ExprKind, span: Range<usize>) -> Self {
        let height = kind.height();
        Self { kind, span, height }
    }

    /// A plain name.
    pub fn ident(name: impl Into<Str>, span: Range<usize>) -> Self {
        Self::new(ExprKind::Ident(name.into()), span)
    }

    /// A call of a function, or with a receiver of a member.
    pub fn call(target: Option<Self>, function: impl Into<Str>, args: Vec<Self>, span: Range<usize>) -> Self {
        Self::new(ExprKind::Call { target: target.map(Box::new), function: function.into(), args }, span)
    }

    /// The dotted name that a chain of plain selections spells.
    pub fn qualified_name(&self) -> Option<String> {
        match &self.kind {
            ExprKind::Ident(name) => Some(name.to_string()),
            ExprKind::Select { operand, field, optional: false } => {
                let mut name = operand.qualified_name()?;
                name.push('.');
                name.push_str(field);
                Some(name)
            }
            _ => None,
        }
    }
}

impl ExprKind {
    /// One more than the highest part.
    fn height(&self) -> u16 {
        let of_exprs = |exprs: &[Expr]| exprs.iter().map(|expr| expr.height).max().unwrap_or(0);
        let below = match self {
            Self::Literal(_) | Self::Ident(_) => 0,
            Self::Select { operand, .. } | Self::Has { operand, .. } => operand.height,
            Self::Index { operand, index, .. } => operand.height.max(index.height),
            Self::Call { target, args, .. } => target.as_ref().map_or(0, |target| target.height).max(of_exprs(args)),
            Self::And(operands) | Self::Or(operands) => of_exprs(operands),
            Self::Conditional(parts) => of_exprs(parts.as_slice()),
            Self::List(elements) => elements.iter().map(|element| element.value.height).max().unwrap_or(0),
            Self::Map(entries) => {
                entries.iter().map(|entry| entry.key.height.max(entry.value.height)).max().unwrap_or(0)
            }
            Self::Struct { fields, .. } => fields.iter().map(|(_, field)| field.value.height).max().unwrap_or(0),
            Self::Comprehension(parts) => {
                let filter = parts.filter.as_ref().map_or(0, |filter| filter.height);
                parts.range.height.max(parts.body.height).max(filter)
            }
            Self::Bind { value, body, .. } => value.height.max(body.height),
        };
        below.saturating_add(1)
    }
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
