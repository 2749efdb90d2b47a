//! The diagnostic codes of legacy Kyverno policies, with what `palisade explain` says of them.

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
/// A feature whose rules answer with an error.
pub const NOT_EVALUATED: &str = "PAL-K0012";

/// What `palisade explain` knows.
pub const CODES: &[CodeEntry] = &[];
