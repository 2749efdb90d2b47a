//! The diagnostic codes of tests, with what `palisade explain` says of them.

use palisade_model::CodeEntry;

/// A field of a test, values or context file that is unknown, missing or of the wrong type.
pub(super) const INVALID_TEST: &str = "PAL-K0101";
/// A test without results.
pub(super) const NO_RESULTS: &str = "PAL-K0102";
/// A resource that is declared twice.
pub(super) const DUPLICATE_RESOURCE: &str = "PAL-K0103";
/// A mock that cannot be used.
pub(super) const INVALID_MOCK: &str = "PAL-K0104";

/// What `palisade explain` knows.
pub const CODES: &[CodeEntry] = &[
    CodeEntry {
        code: INVALID_TEST,
        title: "a test, values or context file has a field that cannot be used",
        explanation: "The `kyverno` command line refuses such a file, because a misspelt field would silently change \
            what is tested. The mark points at the field.\n\nFor example `resource: [pod]` in a result must be written \
            `resources: [pod]`, and `result` must be one of `pass`, `fail`, `skip`, `warn` and `error`.",
    },
    CodeEntry {
        code: NO_RESULTS,
        title: "a test expects nothing",
        explanation: "A test without `results` judges nothing and proves nothing. Add a result for every rule and \
            resource that the policy is about.",
    },
    CodeEntry {
        code: DUPLICATE_RESOURCE,
        title: "a resource is declared twice",
        explanation: "Two documents of the test's resources have the same kind, namespace and name. The first one is \
            judged, the others are not. Give the second one a name of its own.",
    },
    CodeEntry {
        code: INVALID_MOCK,
        title: "a mock of a test cannot be used",
        explanation: "An entry of `apiCallResponses` needs `url` or `urlPath` and a `response.body` that is an object; \
            an entry of `globalContextEntries` needs a `name` and one of `data`, `resources` and `resourceFiles`.",
    },
];
