//! Go's `text/template`.
//!
//! Actions, pipelines, variables, `if`, `range`, `with`, `define`, `template` and `block`, and the predefined functions.
//! What is missing reads `<undefined>`, as it does for OPA. Deliberately absent: methods and functions as values, which
//! data does not have.

mod functions;
mod item;
mod parse;
mod run;
mod token;

use palisade_model::{Budget, Spent};

pub use item::Item;

/// A text with the templates that it defines.
#[derive(Debug)]
pub struct Template(parse::Templates);

/// Why a template has no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The template is wrong, or does not fit its data.
    #[error("template: {0}")]
    Wrong(String),
    /// It takes more than the evaluation may use.
    #[error(transparent)]
    Spent(#[from] Spent),
}

impl From<String> for TemplateError {
    fn from(message: String) -> Self {
        Self::Wrong(message)
    }
}

impl From<&str> for TemplateError {
    fn from(message: &str) -> Self {
        Self::Wrong(message.to_owned())
    }
}

impl Template {
    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self(parse::templates(text)?))
    }

    /// The text of the template for the data.
    pub fn execute(&self, budget: &mut Budget, data: &Item) -> Result<String, TemplateError> {
        run::execute(budget, &self.0, data)
    }
}
