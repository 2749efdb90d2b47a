//! Text to syntax tree: lexer, parser, metadata annotations.
//!
//! The parser accepts v1 and v0 syntax, keeps the span of every node, recovers at the next rule so that one run shows
//! every mistake, and never recurses deeper than its limit.

pub mod ast;
