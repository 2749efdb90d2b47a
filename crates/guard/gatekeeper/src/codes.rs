//! The diagnostic codes of Gatekeeper's kinds.

use palisade_cel::admission::ReaderCodes;
use palisade_model::CodeEntry;

/// A field of the wrong type.
pub const WRONG_TYPE: &str = "PAL-G0001";
/// A field that is missing.
pub const MISSING_FIELD: &str = "PAL-G0002";
/// A field that the kind does not have.
pub const UNKNOWN_FIELD: &str = "PAL-G0003";
/// A word outside of a fixed set.
pub const UNKNOWN_NAME: &str = "PAL-G0004";
/// A constraint does not fit the schema of its template.
pub const SCHEMA: &str = "PAL-G0005";
/// A constraint without its template.
pub const NO_TEMPLATE: &str = "PAL-G0006";
/// A template that cannot be used.
pub const INVALID_TEMPLATE: &str = "PAL-G0007";
/// The Rego of a template does not compile.
pub const INVALID_REGO: &str = "PAL-G0008";
/// A mutator that cannot be used.
pub const INVALID_MUTATOR: &str = "PAL-G0009";
/// Mutators that take the same field for different things.
pub const CONFLICT: &str = "PAL-G0010";
/// An expansion template that cannot be used.
pub const INVALID_EXPANSION: &str = "PAL-G0011";
/// A suite that cannot be used.
pub const INVALID_SUITE: &str = "PAL-G0012";
/// Two documents of one kind and name.
pub const DUPLICATE: &str = "PAL-G0013";

/// The codes that reading a document reports.
pub(crate) const READER: ReaderCodes = ReaderCodes {
    wrong_type: WRONG_TYPE,
    missing_field: MISSING_FIELD,
    unknown_field: UNKNOWN_FIELD,
    unknown_name: UNKNOWN_NAME,
};

/// What `palisade explain` knows.
pub const CODES: &[CodeEntry] = &[
    CodeEntry {
        code: WRONG_TYPE,
        title: "a field of a Gatekeeper object has the wrong type",
        explanation: "The field is there, but holds a list where an object belongs, a number where text belongs, and so \
            on. The cluster would refuse the object, so it is not loaded.\n\nFor example `kinds: Pod` in a match must \
            be written `kinds: [{apiGroups: [\"\"], kinds: [Pod]}]`.",
    },
    CodeEntry {
        code: MISSING_FIELD,
        title: "a required field of a Gatekeeper object is missing",
        explanation: "A template needs `spec.crd.spec.names.kind` and one entry of `spec.targets`, a mutator its \
            `spec.location`, an expansion template its `spec.templateSource` and `spec.generatedGVK`, and everything \
            its `metadata.name`. Add the field that the message names.",
    },
    CodeEntry {
        code: UNKNOWN_FIELD,
        title: "a field of a Gatekeeper object has no effect",
        explanation: "The kind has no field of this name, so a cluster drops it. A misspelt field of a match would make \
            a constraint apply to more than was meant.\n\nFor example `excludedNamespace` must be written \
            `excludedNamespaces`.",
    },
    CodeEntry {
        code: UNKNOWN_NAME,
        title: "a word in a Gatekeeper object is not one of those that are allowed there",
        explanation: "Enforcement actions are deny, warn, dryrun and scoped; scopes are *, Cluster and Namespaced; \
            sources are All, Original and Generated; path tests are MustExist and MustNotExist. Correct the word; the \
            message lists what is allowed.",
    },
    CodeEntry {
        code: SCHEMA,
        title: "a constraint does not fit the schema of its template",
        explanation: "The template declares in `spec.crd.spec.validation.openAPIV3Schema` what `spec.parameters` of its \
            constraints may hold, and Gatekeeper itself what `spec.match` may hold. The API server would refuse this \
            constraint, so it is not loaded.\n\nFor example a template that declares `labels` as an array of strings \
            refuses `parameters: {labels: owner}`; write `parameters: {labels: [owner]}`.",
    },
    CodeEntry {
        code: NO_TEMPLATE,
        title: "a constraint has no template",
        explanation: "The kind of a constraint is made by a ConstraintTemplate whose `spec.crd.spec.names.kind` is that \
            kind. None is among the policies that are loaded together, so the constraint judges nothing. Load the \
            template's file too, or correct the kind.",
    },
    CodeEntry {
        code: INVALID_TEMPLATE,
        title: "a constraint template cannot be used",
        explanation: "The name of a template must be the lower-case form of the kind that it makes, it has exactly one \
            target, `admission.k8s.gatekeeper.sh`, and that target has code for the engine `Rego` or \
            `K8sNativeValidation`. A schema of the `v1` form must say the type of every field.",
    },
    CodeEntry {
        code: INVALID_REGO,
        title: "the Rego of a constraint template does not compile",
        explanation: "The mark points into the block of Rego. Beside mistakes of the language itself, Gatekeeper asks \
            that a template defines `violation`, that libraries are packages below `lib`, and that nothing but \
            `data.lib` and `data.inventory` is imported or referred to.",
    },
    CodeEntry {
        code: INVALID_MUTATOR,
        title: "a mutator cannot be used",
        explanation: "Locations are written `spec.containers[name: main].image`, `[name: *]` for every element. Assign \
            and ModifySet may not change metadata, AssignMetadata only adds labels and annotations, and the key of a \
            list's element may not be changed.",
    },
    CodeEntry {
        code: CONFLICT,
        title: "mutators contradict each other",
        explanation: "Locations of mutators imply what a field is: `spec.containers[name: *].image` that it is a list \
            of objects with the key `name`, `spec.containers.image` that it is an object. Mutators of the same kinds \
            that imply different things are not applied by Gatekeeper, and not here. Correct one of the locations.",
    },
    CodeEntry {
        code: INVALID_EXPANSION,
        title: "an expansion template cannot be used",
        explanation: "An expansion template needs `applyTo`, `templateSource` and `generatedGVK`, and templates may not \
            expand into one another in a circle.",
    },
    CodeEntry {
        code: INVALID_SUITE,
        title: "a test suite has a field that cannot be used",
        explanation: "A suite holds `tests`, each with `template`, `constraint` and `cases` (or `invalid: true`); a case \
            has `object` and at least one of `assertions`; an assertion has `violations` (a number, `yes` or `no`) and \
            `message` (a regular expression). A misspelt field would silently change what is tested.",
    },
    CodeEntry {
        code: DUPLICATE,
        title: "two objects have the same kind and name",
        explanation: "A cluster holds one object of a kind and name, so the later document would replace the earlier \
            one. Remove one of them or give it another name.",
    },
];
