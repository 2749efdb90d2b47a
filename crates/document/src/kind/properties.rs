//! Properties as Java writes them.
//!
//! Text, in Latin-1 by tradition. Absent: keys and values.

use super::{Form, Kind, Name};

/// See the module.
#[derive(Debug)]
pub(super) struct Properties;

impl Kind for Properties {
    fn id(&self) -> &'static str {
        "properties"
    }

    fn summary(&self) -> &'static str {
        "Java properties, as text"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.has_extension(&["properties"])
    }

    fn form(&self) -> Form {
        Form::Text
    }
}
