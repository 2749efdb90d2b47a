//! From text to a syntax tree with spans, macros expanded.

pub mod ast;
mod expander;

pub use ast::{Comprehension, Element, Entry, Expr, ExprKind, Fold};
pub use expander::{Expander, Expansion, MacroCall};
