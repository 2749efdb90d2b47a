//! TOML: configuration of programs and of package managers.
//!
//! A file is one document. Absent: what its keys mean.

use super::{Form, Kind, Name};
use crate::toml::parse_toml;

/// See the module.
#[derive(Debug)]
pub(super) struct Toml;

impl Kind for Toml {
    fn id(&self) -> &'static str {
        "toml"
    }

    fn summary(&self) -> &'static str {
        "TOML files, one document each"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.has_extension(&["toml"])
    }

    fn form(&self) -> Form {
        Form::Tree(parse_toml)
    }
}
