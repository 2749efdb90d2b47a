//! What a macro may do: take a call apart and build another expression of the parts.

use std::ops::Range;

use palisade_model::Str;

use super::{Expr, ExprKind};
use crate::CompileError;

/// A call that may be a macro.
#[derive(Clone, Debug)]
pub struct MacroCall {
    /// The receiver.
    pub target: Option<Expr>,
    /// The name.
    pub function: Str,
    /// The arguments.
    pub args: Vec<Expr>,
    /// The whole call.
    pub span: Range<usize>,
}

impl MacroCall {
    /// Whether the receiver is the plain name `namespace`.
    pub fn is_in(&self, namespace: &str) -> bool {
        matches!(&self.target, Some(Expr { kind: ExprKind::Ident(name), .. }) if **name == *namespace)
    }

    /// An error about the whole call.
    pub fn error(&self, message: impl Into<String>) -> CompileError {
        CompileError::new(self.span.clone(), message)
    }
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
#[derive(Debug, Default)]
pub struct Expander {
    names: usize,
}

impl Expander {
    /// A name that no source text can contain.
    pub fn fresh_name(&mut self) -> Str {
        self.names += 1;
        format!("@{}", self.names).into()
    }

    /// The name that an argument consists of, for macros that introduce variables.
    pub fn variable_name(&self, argument: Expr) -> Result<Str, CompileError> {
        match argument.kind {
            ExprKind::Ident(name) if !name.starts_with('.') => Ok(name),
            _ => Err(CompileError::new(argument.span, "expected a plain name for the variable")),
        }
    }
}
