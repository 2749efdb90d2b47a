//! The sections of the configuration that capabilities read.

use std::fmt;

use palisade_config::{Document, Section};
use palisade_model::Diagnostic;
use serde::de::DeserializeOwned;

/// A section, and how a file is checked to hold what it says.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Its keys.
    pub section: Section,
    check: fn(&Document, &str) -> Result<(), Vec<Diagnostic>>,
}

impl Settings {
    /// The section that is read as `T`.
    pub(super) const fn of<T: DeserializeOwned + Default>(section: Section) -> Self {
        Self { section, check: |document, name| document.section::<T>(name).map(drop) }
    }

    /// Finds values in the file that the section cannot have.
    pub(crate) fn check(&self, document: &Document) -> Result<(), Vec<Diagnostic>> {
        (self.check)(document, self.section.name)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Settings").field(&self.section.name).finish()
    }
}
