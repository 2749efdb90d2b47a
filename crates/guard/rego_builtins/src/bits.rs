//! Operations on the bits of whole numbers of any size, negative ones in two's complement.

use num_bigint::{BigInt, Sign};
use palisade_rego_value::{Number, Value};

use super::declare::builtin;
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const TWO: &[Type] = &[Type::Number, Type::Number];

/// The farthest shift to the left.
const MAX_SHIFT: u64 = 32_768;

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("bits.and", TWO, Type::Number, |_, operands| combine(operands, |a, b| a & b)),
    builtin("bits.or", TWO, Type::Number, |_, operands| combine(operands, |a, b| a | b)),
    builtin("bits.xor", TWO, Type::Number, |_, operands| combine(operands, |a, b| a ^ b)),
    builtin("bits.negate", &[Type::Number], Type::Number, |_, operands| {
        answer(Number::from(!operands::whole(operands, 1)?))
    }),
    builtin("bits.lsh", TWO, Type::Number, shift_left),
    builtin("bits.rsh", TWO, Type::Number, shift_right),
];

fn combine(operands: &[Value], operation: fn(BigInt, BigInt) -> BigInt) -> Answer {
    answer(Number::from(operation(operands::whole(operands, 1)?, operands::whole(operands, 2)?)))
}

/// The number to shift and how far; `None` is farther than can be counted.
fn shift(operands: &[Value]) -> Result<(BigInt, Option<u64>), BuiltinError> {
    let (value, distance) = (operands::whole(operands, 1)?, operands::whole(operands, 2)?);
    if distance.sign() == Sign::Minus {
        return Err(operands::invalid(2, "must be an unsigned integer number but got a negative integer"));
    }
    Ok((value, u64::try_from(distance).ok()))
}

fn shift_left(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (value, distance) = shift(operands)?;
    let distance = distance.filter(|distance| *distance <= MAX_SHIFT).ok_or_else(|| {
        BuiltinError::Halt(format!("a shift to the left by more than {MAX_SHIFT} bits is not supported"))
    })?;
    context.grow(distance as usize / 3)?;
    answer(Number::from(value << distance))
}

fn shift_right(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (value, distance) = shift(operands)?;
    answer(Number::from(value >> distance.unwrap_or(u64::MAX)))
}
