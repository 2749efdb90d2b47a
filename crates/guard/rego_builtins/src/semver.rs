//! Semantic versions as the model reads them, with a `v` in front where it stands.

use palisade_model::semantic_version::SemanticVersion;
use palisade_rego_value::Value;

use super::declare::builtin;
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("semver.compare", &[Type::String, Type::String], Type::Number, compare),
    builtin("semver.is_valid", &[Type::Any], Type::Boolean, |_, operands| {
        answer(operands::any(operands, 1)?.as_str().is_some_and(|text| read(text).is_some()))
    }),
];

fn read(text: &str) -> Option<SemanticVersion> {
    SemanticVersion::parse(text.strip_prefix('v').unwrap_or(text)).ok()
}

fn compare(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let version = |position: usize, text: &str| {
        let invalid = || BuiltinError::Failed(format!("operand {position}: string {text} is not a valid SemVer"));
        read(text).ok_or_else(invalid)
    };
    let (a, b) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    answer(version(1, a)?.cmp(&version(2, b)?) as i64)
}
