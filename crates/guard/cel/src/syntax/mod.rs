//! From text to a syntax tree with spans, macros expanded.
//!
//! Nothing here knows types or values of variables; that is the compiler's work. Depth and size are limited, so that no
//! text, however hostile, overflows the stack of what walks the tree later.

pub mod ast;
mod expander;
mod lexer;
mod literal;
pub(crate) mod macros;
mod parser;

pub use ast::{Comprehension, Element, Entry, Expr, ExprKind, Fold};
pub use expander::{Expander, Expansion, MacroCall};
pub(crate) use parser::parse;

/// The longest source text, in bytes.
pub const MAX_SOURCE: usize = 1 << 20;

/// The highest tree, counted in operators, selections and calls one inside another.
pub const MAX_HEIGHT: u16 = 250;

/// The deepest nesting of brackets.
pub const MAX_NESTING: u16 = 100;
