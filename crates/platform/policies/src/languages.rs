//! The table of policy languages. Adding one is a line here.

use std::path::Path;

use palisade_policy::Language;

/// Every language that `--policies` understands, in the order in which documents are offered to them.
pub const LANGUAGES: &[&dyn Language] = &[
    palisade_kyverno::LANGUAGE,
    palisade_cel::admission::LANGUAGE,
    palisade_gatekeeper::LANGUAGE,
    palisade_rego::LANGUAGE,
];

/// Endings of the files that hold programs of any language.
pub fn extensions() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().flat_map(|language| language.extensions().iter().copied())
}

/// Whether a file holds a program of any language, by its name.
pub fn is_program(path: &Path) -> bool {
    path.extension().is_some_and(|end| extensions().any(|own| end == own))
}
