//! Short forms for the tables of the families.

use palisade_rego_value::Value;

use super::{Answer, Builtin, Context};
use crate::types::Type;

/// An array of anything.
pub(crate) const ARRAY: Type = Type::Array(&Type::Any);
/// A set of anything.
pub(crate) const SET: Type = Type::Set(&Type::Any);
/// An object of anything.
pub(crate) const OBJECT: Type = Type::Object(&Type::Any, &Type::Any);
/// An array or set of anything.
pub(crate) const ELEMENTS: Type = Type::OneOf(&[ARRAY, SET]);
/// An array or set of strings.
pub(crate) const STRINGS: Type = Type::OneOf(&[Type::Set(&Type::String), Type::Array(&Type::String)]);
/// An array or set of numbers.
pub(crate) const NUMBERS: Type = Type::OneOf(&[Type::Set(&Type::Number), Type::Array(&Type::Number)]);

/// A builtin whose answer depends on its arguments only.
pub(crate) const fn builtin(
    name: &'static str,
    arguments: &'static [Type],
    result: Type,
    run: fn(&mut Context<'_>, &[Value]) -> Answer,
) -> Builtin {
    Builtin { name, arguments, result, nondeterministic: false, run }
}

/// A builtin whose answer depends on the world or the seed.
pub(crate) const fn nondeterministic(
    name: &'static str,
    arguments: &'static [Type],
    result: Type,
    run: fn(&mut Context<'_>, &[Value]) -> Answer,
) -> Builtin {
    Builtin { name, arguments, result, nondeterministic: true, run }
}
