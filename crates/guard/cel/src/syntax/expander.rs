//! What a macro may do: take a call apart and build another expression of the parts.

use std::ops::Range;

use super::Expr;

/// A call that may be a macro.
#[derive(Clone, Debug)]
pub struct MacroCall {
    /// The receiver.
    pub target: Option<Expr>,
    /// The arguments.
    pub args: Vec<Expr>,
    /// The whole call.
    pub span: Range<usize>,
}

/// What a macro made of a call.
#[derive(Clone, Debug)]
pub enum Expansion {
    /// Another expression.
    Expr(Expr),
    /// The call is not this macro's.
    Unchanged(MacroCall),
}

/// Builds expressions for macros.
#[derive(Debug)]
pub struct Expander<'a> {
    span: &'a Range<usize>,
}
