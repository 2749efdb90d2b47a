//! A failure on its way out of a reader: one diagnostic, boxed because it travels through every result.

use palisade_model::Diagnostic;

/// What ended the reading of a document.
#[derive(Debug)]
pub(crate) struct Fail(Box<Diagnostic>);

impl Fail {
    pub(crate) fn new(diagnostic: Diagnostic) -> Self {
        Self(Box::new(diagnostic))
    }

    /// The same failure with one more piece of advice.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help.push(help.into());
        self
    }

    pub(crate) fn into_diagnostic(self) -> Diagnostic {
        *self.0
    }
}
