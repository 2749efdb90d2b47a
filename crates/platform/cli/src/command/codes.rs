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

/// What an object that is updated was before is not known.
pub(crate) const NO_OLD_OBJECT: &str = "PAL-P0017";
/// Policies ask about a namespace of which only the name is known.
pub(crate) const UNKNOWN_NAMESPACE: &str = "PAL-P0018";
/// A document says that it is an AdmissionReview and is none.
pub(crate) const INVALID_REVIEW: &str = "PAL-P0019";

/// Policies list objects of which only those among the files are known.
pub(crate) const LISTED_FILES: &str = "PAL-P0020";

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
    CodeEntry {
        code: NO_OLD_OBJECT,
        title: "what an object was before its update is not known",
        explanation: "The objects are judged as updates (`--operation UPDATE`), and nobody has said what they replace. Rules see no \
old object then, as at a creation: what compares with it is an error, and nothing is excused because it was so before.

Give the objects as they were with `--old PATH`, a file or folder; an object is found by its kind, namespace and name. \
Without `--operation`, what is found there is an update and all else a creation. A file may also hold an AdmissionReview, \
which says both objects and who asks.",
    },
    CodeEntry {
        code: UNKNOWN_NAMESPACE,
        title: "of a namespace, only the name is known",
        explanation: "Policies ask about the namespace of an object, and its manifest is not among what is checked. Its name is known, \
and so is the label `kubernetes.io/metadata.name`, which every namespace has. A rule that depends on other labels is an error; \
an expression that says what holds without a label (`.?labels`) is answered as if there were none.

Check the manifest of the Namespace together with the others, or give its labels with `--values`.",
    },
    CodeEntry {
        code: LISTED_FILES,
        title: "policies list objects of which only the checked files are known",
        explanation: "A policy lists objects of a kind (`apiCall`, `resource.List`, `cloneList`). What is checked stands for the cluster, \
so it is told of those among the checked files, and there may be more in the cluster. Where none is among the files the rule \
is an error: nobody knows that there is none.

Check all manifests of the cluster together, or give what policies look up with `--values`.",
    },
    CodeEntry {
        code: palisade_policies::UNCLAIMED,
        title: "a document looks like a policy and is none",
        explanation: "A document among the policies has nearly the kind, the group or the keys of a policy: `kind: ClusterPolcy`, \
`apiVersion: kyvern.io/v1`, no `apiVersion` at all. No language takes it, so what it says would not be judged.

Correct the place that is shown. Other objects (parameters, Namespaces, definitions of kinds) may stand among policies.",
    },
    CodeEntry {
        code: INVALID_REVIEW,
        title: "an AdmissionReview cannot be read",
        explanation: "A document is called AdmissionReview (`admission.k8s.io/v1`) and lacks something that every review has, so that \
there is no request to judge.

Write it as the API server sends it: `request` with `operation`, and `object` or `oldObject`. Kind, resource, name and \
namespace are taken from the object where they are left out.",
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
