//! JSON with comments: configuration of TypeScript, of editors, and JSON5.
//!
//! Judged where it is strict JSON after all, else text, because comments and trailing commas are no mistakes in these
//! files. Absent: reading them.

use super::{Form, Kind, Name};
use crate::json::parse_json;

/// See the module.
#[derive(Debug)]
pub(super) struct Jsonc;

impl Kind for Jsonc {
    fn id(&self) -> &'static str {
        "jsonc"
    }

    fn summary(&self) -> &'static str {
        "JSON with comments, as text where it has some"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        let file = name.file();
        let of_tools =
            ["tsconfig", "jsconfig"].iter().any(|tool| file.starts_with(tool)) && name.has_extension(&["json"]);
        of_tools || file == "devcontainer.json" || name.has_extension(&["jsonc", "json5", "code-workspace"])
    }

    fn form(&self) -> Form {
        Form::Template(parse_json)
    }
}
