//! The diagnostic codes of legacy Kyverno policies, with what `palisade explain` says of them.

use palisade_cel::admission::ReaderCodes;
use palisade_model::CodeEntry;

/// A field that the policy kinds do not have.
pub const UNKNOWN_FIELD: &str = "PAL-K0001";
/// A field of the wrong type.
pub const WRONG_TYPE: &str = "PAL-K0002";
/// A name outside of a fixed set.
pub const UNKNOWN_NAME: &str = "PAL-K0003";
/// A rule that contradicts itself.
pub const INVALID_RULE: &str = "PAL-K0004";
/// Conditions that cannot be read.
pub const INVALID_CONDITION: &str = "PAL-K0005";
/// A context entry that cannot be read.
pub const INVALID_CONTEXT: &str = "PAL-K0006";
/// A variable that is not a JMESPath expression.
pub const INVALID_VARIABLE: &str = "PAL-K0007";
/// A variable that can never have a value.
pub const UNKNOWN_VARIABLE: &str = "PAL-K0008";
/// A CEL expression that does not compile.
pub const INVALID_CEL: &str = "PAL-K0009";
/// A policy without usable metadata or rules.
pub const INVALID_POLICY: &str = "PAL-K0010";
/// An exception that cannot be used.
pub const INVALID_EXCEPTION: &str = "PAL-K0011";
/// A feature that Kyverno itself no longer evaluates.
pub const NOT_EVALUATED: &str = "PAL-K0012";
/// A `+()` that upstream decides once for several elements.
pub const SHARED_ADDITION: &str = "PAL-K0013";

/// What the reader of policy documents reports.
pub const READER: ReaderCodes = ReaderCodes {
    wrong_type: WRONG_TYPE,
    missing_field: INVALID_RULE,
    unknown_field: UNKNOWN_FIELD,
    unknown_name: UNKNOWN_NAME,
};

/// What `palisade explain` knows.
pub const CODES: &[CodeEntry] = &[
    CodeEntry {
        code: UNKNOWN_FIELD,
        title: "a policy has a field that its kind does not know",
        explanation: "Kyverno's command line ignores unknown fields, and a cluster drops them, so whatever the field \
            was meant to do does not happen: `preconditon:` judges every resource, `annotation:` selects nothing. The \
            policy is loaded without the field. Correct the spelling, or move the field to where it belongs; the help \
            lists what is known in this place.",
    },
    CodeEntry {
        code: WRONG_TYPE,
        title: "a field of a policy has the wrong type",
        explanation: "A field holds a list where a text is expected, or the like: `kinds: Pod` instead of \
            `kinds: [Pod]`, `background: \"true\"` instead of `background: true`. The policy is not loaded, because \
            guessing what was meant could let violations pass.",
    },
    CodeEntry {
        code: UNKNOWN_NAME,
        title: "a field names something outside of a fixed set",
        explanation: "Fields such as `failureAction`, `operations`, the kind of a subject or a label selector's operator \
            take one of a few names, and letter case counts. The help lists them. The policy is not loaded.",
    },
    CodeEntry {
        code: INVALID_RULE,
        title: "a rule contradicts itself or lacks a part",
        explanation: "Kyverno refuses rules that can never do what they say: two checks in one `validate` block, `any` \
            beside `all`, an `exclude` that takes away everything that `match` selects, kind `*` in a policy that \
            judges existing objects, labels that are not texts, a control that does not belong to the level of the Pod \
            Security Standards. The message says which; the policy is not loaded.",
    },
    CodeEntry {
        code: INVALID_CONDITION,
        title: "a condition cannot be read",
        explanation: "Preconditions and deny conditions are lists of `key`, `operator` and `value`, usually under `any` \
            or `all`:\n\n    preconditions:\n      all:\n        - key: \"{{ request.operation }}\"\n          \
            operator: AnyIn\n          value: [CREATE, UPDATE]\n\nAn unknown operator, a missing part, or a value \
            of `{{ request.operation }}` that is no operation keeps the policy from being loaded.",
    },
    CodeEntry {
        code: INVALID_CONTEXT,
        title: "a context entry cannot be used",
        explanation: "Each entry of `context` has a name and exactly one source: `variable`, `configMap`, `apiCall`, \
            `imageRegistry` or `globalReference`. Names that requests and loops define (`request`, `element`, `images`, \
            ...) are taken, a ConfigMap needs name and namespace, a variable needs `value` or `jmesPath`, and CEL \
            expressions do not see entries at all.",
    },
    CodeEntry {
        code: INVALID_VARIABLE,
        title: "a variable or reference cannot be read",
        explanation: "What stands between `{{` and `}}` is a JMESPath expression; this one does not parse, or it stands \
            in `match` or `exclude`, where variables are not replaced. A reference such as `$(./../limits/memory)` must \
            lead to a text of the same rule. Keys with other characters than letters, digits and `_` need double \
            quotes: `{{ request.object.metadata.labels.\"app.kubernetes.io/name\" }}`.",
    },
    CodeEntry {
        code: UNKNOWN_VARIABLE,
        title: "a variable can never have a value",
        explanation: "Nothing defines the name that the variable starts from: no context entry, and it is none of \
            `request`, `element`, `images`, `serviceAccountName` and the like. `element` has a value within `foreach` \
            only, `target` within `mutate.targets` only, and who asks (`request.userInfo`, `request.roles`) is not known \
            when existing objects are judged: such policies need `background: false`.",
    },
    CodeEntry {
        code: INVALID_CEL,
        title: "a CEL expression of a rule does not compile",
        explanation: "An expression under `validate.cel`, `celPreconditions` or `matchConditions` has a syntax error, a \
            type that does not fit, or a name that does not exist. As in Kyverno, a rule with such an expression is \
            loaded and fails for every resource it selects; match conditions keep the policy from being loaded.",
    },
    CodeEntry {
        code: INVALID_POLICY,
        title: "a policy as a whole cannot be used",
        explanation: "The policy has no name, no rules, a name longer than 63 characters, or settings that exclude one \
            another, such as `admission: false` together with `background: false`. The policy is not loaded.",
    },
    CodeEntry {
        code: INVALID_EXCEPTION,
        title: "a PolicyException cannot be used",
        explanation: "An exception names policies and rules under `spec.exceptions` and resources under `spec.match`. \
            One that is also meant for existing objects (`background`, on by default) cannot depend on who asks. The \
            exception is not applied, so the policies it names judge everything.",
    },
    CodeEntry {
        code: NOT_EVALUATED,
        title: "a rule uses a feature that Kyverno has withdrawn",
        explanation: "`validate.assert` was withdrawn from Kyverno: policies that have it are rejected. Write \
            `validate.cel` or a ValidatingPolicy, which can express the same.",
    },
    CodeEntry {
        code: SHARED_ADDITION,
        title: "`+()` below a condition that selects several elements",
        explanation: "In\n\n    containers:\n      - (name): \"*\"\n        +(imagePullPolicy): Always\n\nKyverno asks only the \
            first container whether it lacks the key. Where it does, the value is written into all of them, over what they \
            had; where it does not, into none. Palisade asks each container. The policy is loaded and does what it says; \
            write it with `foreach` to have the same in a cluster with Kyverno.",
    },
];
