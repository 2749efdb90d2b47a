//! Files of environment variables, as Compose and kustomize read them.
//!
//! Text: programs differ about quotes and comments. Absent: keys and values.

use super::{Form, Kind, Name};

/// See the module.
#[derive(Debug)]
pub(super) struct Dotenv;

impl Kind for Dotenv {
    fn id(&self) -> &'static str {
        "dotenv"
    }

    fn summary(&self) -> &'static str {
        "files of environment variables, as text"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.file().starts_with(".env.") || name.has_extension(&["env"])
    }

    fn form(&self) -> Form {
        Form::Text
    }
}
