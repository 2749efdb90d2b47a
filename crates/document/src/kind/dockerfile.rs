//! Dockerfiles and Containerfiles.
//!
//! Text: a stage is more than its instructions. Absent: stages and instructions.

use super::{Form, Kind, Name};

/// See the module.
#[derive(Debug)]
pub(super) struct Dockerfile;

impl Kind for Dockerfile {
    fn id(&self) -> &'static str {
        "dockerfile"
    }

    fn summary(&self) -> &'static str {
        "Dockerfiles and Containerfiles, as text"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        let file = name.file();
        let of = |stem: &str| {
            file.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
        };
        let named = of("Dockerfile") || of("Containerfile") || name.has_extension(&["dockerfile", "containerfile"]);
        named && !name.has_extension(&["dockerignore"])
    }

    fn form(&self) -> Form {
        Form::Text
    }
}
