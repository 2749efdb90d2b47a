//! Collects what is wrong with the modules, with its place.

use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Source, Span};

/// Diagnostics of one compilation.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) sources: Vec<Arc<Source>>,
    pub(super) found: Vec<Diagnostic>,
}

impl Report {
    /// Reports an error; `kind` is OPA's name of it, which leads the message so that both can be looked up.
    pub(super) fn error(
        &mut self,
        (code, kind): (&'static str, &str),
        place: (usize, Span),
        message: impl AsRef<str>,
        help: impl Into<String>,
    ) {
        let mut diagnostic = Diagnostic::error(code, format!("{kind}: {}", message.as_ref()));
        if let Some(source) = self.sources.get(place.0) {
            diagnostic = diagnostic.at(Location { source: source.clone(), span: place.1 }, "");
        }
        let help = help.into();
        if !help.is_empty() {
            diagnostic = diagnostic.help(help);
        }
        self.found.push(diagnostic);
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }
}
