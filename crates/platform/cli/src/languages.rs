//! The table of policy languages. Adding one is a line here.

use palisade_policy::Language;

/// Every language that `--policies` understands, in the order in which documents are offered to them.
pub(crate) const LANGUAGES: &[&dyn Language] = &[palisade_kyverno::LANGUAGE, palisade_cel::admission::LANGUAGE];
