//! Finds the files under the roots a person names (signatures first; the bodies follow).

use std::path::PathBuf;

use palisade_model::Diagnostic;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Extensions to keep, without the dot; empty keeps the ones this crate parses (yaml, yml, json).
    pub extensions: Vec<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Walk {
    /// Files in sorted order, each once.
    pub files: Vec<PathBuf>,
    /// Roots that do not exist, folders that cannot be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// The files under `roots`; a root that is a file is kept whatever its extension.
pub fn files(_roots: &[PathBuf], _options: &Options) -> Walk {
    Walk::default()
}
