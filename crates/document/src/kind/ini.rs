//! INI files: sections of keys and values.
//!
//! Text: programs differ about what a value is. Absent: sections, keys and values.

use super::{Form, Kind, Name};

/// See the module.
#[derive(Debug)]
pub(super) struct Ini;

impl Kind for Ini {
    fn id(&self) -> &'static str {
        "ini"
    }

    fn summary(&self) -> &'static str {
        "INI files, as text"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.has_extension(&["ini", "cfg"])
    }

    fn form(&self) -> Form {
        Form::Text
    }
}
