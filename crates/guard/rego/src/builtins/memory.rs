//! What builtins remember during one evaluation.

/// Compiled patterns, drawn identifiers, HTTP answers. Bounded; cleared with the evaluation.
#[derive(Debug, Default)]
pub struct Memory {}
