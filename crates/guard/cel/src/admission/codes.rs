//! The diagnostic codes of CEL admission policies, Kubernetes' and Kyverno's alike.

use palisade_model::CodeEntry;

/// A field of a policy has the wrong type.
pub const WRONG_TYPE: &str = "PAL-C0001";
/// A field that a policy cannot do without is missing.
pub const MISSING_FIELD: &str = "PAL-C0002";
/// A CEL expression does not compile.
pub const INVALID_EXPRESSION: &str = "PAL-C0003";
/// An expression has a result of the wrong type.
pub const WRONG_RESULT: &str = "PAL-C0004";
/// A selector, an operation or another word of a fixed set is not understood.
pub const UNKNOWN_NAME: &str = "PAL-C0005";
/// A binding or an exception names a policy that was not loaded.
pub const DANGLING_REFERENCE: &str = "PAL-C0006";

/// What `palisade explain` knows.
pub const CODES: &[CodeEntry] = &[
    CodeEntry {
        code: WRONG_TYPE,
        title: "a field of a CEL policy has the wrong type",
        explanation: "The field is there, but holds a list where an object belongs, a number where text belongs, and \
            so on. The API server would refuse the policy, so it is not loaded.\n\nFor example `operations: CREATE` \
            must be written `operations: [CREATE]`.",
    },
    CodeEntry {
        code: MISSING_FIELD,
        title: "a required field of a CEL policy is missing",
        explanation: "Every validation, condition and variable needs its `expression`, every variable its `name`, every \
            policy its `metadata.name`. Add the field that the message names.",
    },
    CodeEntry {
        code: INVALID_EXPRESSION,
        title: "a CEL expression does not compile",
        explanation: "The expression has a syntax error, names a variable or field that does not exist, or calls a \
            function with arguments of types that it does not take. The mark points at the offending part of the \
            expression.\n\nVariables must be declared before the ones that use them: `variables.b` may use \
            `variables.a` only if `a` comes first in the list.",
    },
    CodeEntry {
        code: WRONG_RESULT,
        title: "a CEL expression has a result of the wrong type",
        explanation: "Validations and match conditions must come out as `true` or `false`, messages as text, \
            `ApplyConfiguration` as `Object{...}` and `JSONPatch` as a list of `JSONPatch{...}`.\n\nFor example \
            `object.spec.replicas` is a number; `object.spec.replicas > 1` is a condition.",
    },
    CodeEntry {
        code: UNKNOWN_NAME,
        title: "a word in a CEL policy is not one of those that are allowed there",
        explanation: "Operations are CREATE, UPDATE, DELETE and CONNECT, selector operators are In, NotIn, Exists and \
            DoesNotExist, failure policies are Fail and Ignore. Correct the word; the message lists what is allowed.",
    },
    CodeEntry {
        code: DANGLING_REFERENCE,
        title: "a binding or an exception names a policy that was not loaded",
        explanation: "`spec.policyName` of a binding and `spec.policyRefs` of an exception must name a policy among the \
            files that are checked together, or they have no effect. Check the spelling and the kind, and load the \
            policy's file too.",
    },
];
