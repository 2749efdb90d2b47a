//! Documentation in Markdown.
//!
//! Text, which people read and in which secrets leak. Absent: its structure.

use super::{Form, Kind, Name};

/// See the module.
#[derive(Debug)]
pub(super) struct Markdown;

impl Kind for Markdown {
    fn id(&self) -> &'static str {
        "markdown"
    }

    fn summary(&self) -> &'static str {
        "Markdown, as text"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.has_extension(&["md", "markdown"])
    }

    fn form(&self) -> Form {
        Form::Text
    }
}
