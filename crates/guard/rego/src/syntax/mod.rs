//! Text to syntax tree: lexer, parser, metadata annotations.
//!
//! The parser accepts v1 and v0 syntax, keeps the span of every node, recovers at the next rule so that one run shows
//! every mistake, and never recurses deeper than its limit. Deliberately absent: what names mean (`compile`).

mod annotation;
pub mod ast;
pub mod codes;
mod lexer;
mod literal;
pub mod parse_module;
mod parser;
mod print;
#[cfg(test)]
mod tests;
mod token;
pub mod visit;

use std::sync::Arc;

use palisade_model::{Diagnostic, Level, Source};

use ast::{Body, Module, Version};

/// Bytes of source text that are read; real modules have some thousands.
pub const MAX_SOURCE: usize = 32 << 20;

/// How high a tree of terms and conditions may grow; what walks or drops it recurses.
pub const MAX_HEIGHT: u16 = 250;

/// Parses a file. With errors the module holds what could be read, or is absent where not even a package is named.
#[expect(clippy::needless_pass_by_value, reason = "the module takes a share of the source")]
pub fn parse(source: Arc<Source>, version: Version) -> (Option<Module>, Vec<Diagnostic>) {
    parser::module(&source, version)
}

/// Parses a query: conditions, as in the body of a v1 rule.
pub fn parse_query(source: &Arc<Source>) -> Result<Body, Vec<Diagnostic>> {
    let (body, diagnostics) = parser::query(source);
    if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) { Err(diagnostics) } else { Ok(body) }
}
