//! The table of diagnostic codes, put together from the crates that own them, and the command line's own.

use palisade_config::reference::listing;
use palisade_model::CodeEntry;

use crate::config::sections;

/// Every crate's table.
pub(crate) const TABLES: &[&[CodeEntry]] = &[
    palisade_document::CODES,
    palisade_intake::CODES,
    palisade_cel::admission::codes::CODES,
    palisade_kyverno::legacy::codes::CODES,
    palisade_kyverno::testing::CODES,
    palisade_gatekeeper::CODES,
    palisade_rego::syntax::codes::CODES,
    palisade_rego::compile::CODES,
    palisade_rego::bundle::codes::CODES,
    palisade_verdict::codes::CODES,
    palisade_config::CODES,
    CODES,
];

/// Codes of the command line itself.
const CODES: &[CodeEntry] = &[
    CodeEntry {
        code: "PAL-P0003",
        title: "data for policies cannot be used",
        explanation:
            "Files given with `--data`, and `data.json` or `data.yaml` beside Rego policies, are merged into the one \
object that Rego calls `data`. A file that holds no object has no name to be found under, and a name that two files \
define has no one value.

Put the data under a name, remove one of the two definitions, or move a file into another folder: below a folder that \
`--data` names, the path of the folder is the path in `data`.",
    },
    CodeEntry {
        code: "PAL-P0004",
        title: "no Rego package of this name judges",
        explanation:
            "`--namespace` names the Rego packages that judge, and none of the policies defines a package of this name with \
rules called deny, warn or violation. Its checks are not run.

Correct the name, or leave `--namespace` out: every package with such rules judges then.",
    },
];

/// Every code, sorted.
pub(crate) fn all() -> Vec<&'static CodeEntry> {
    let of_capabilities = palisade_server::CAPABILITIES.iter().map(|capability| capability.codes);
    let mut codes: Vec<_> = TABLES.iter().copied().chain(of_capabilities).flatten().collect();
    codes.sort_by_key(|entry| entry.code);
    codes
}

/// What is said of a code; the keys of the configuration are listed from their declarations.
pub(crate) fn explanation(entry: &CodeEntry) -> String {
    let lists_keys = palisade_config::CODES.iter().any(|known| known.code == entry.code);
    let keys = if lists_keys { listing(&sections()) } else { String::new() };
    format!("{}\n{keys}", entry.explanation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_explained() {
        let codes = all();
        for pair in codes.windows(2) {
            assert_ne!(pair[0].code, pair[1].code);
        }
        for entry in codes {
            assert!(entry.explanation.len() > 80, "{} has no real explanation", entry.code);
            assert!(!entry.title.ends_with('.'), "{}", entry.code);
        }
    }
}
