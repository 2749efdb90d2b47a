//! Ranges of numbers, and random ones.

use num_bigint::BigInt;
use palisade_gotext::random_text;
use palisade_rego_value::{Number, Value};

use super::declare::{builtin, nondeterministic};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const RANGE: Type = Type::Array(&Type::Number);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("numbers.range", &[Type::Number, Type::Number], RANGE, |context, operands| {
        range(context, operands, &BigInt::from(1))
    }),
    builtin("numbers.range_step", &[Type::Number, Type::Number, Type::Number], RANGE, range_step),
    nondeterministic("rand.intn", &[Type::String, Type::Number], Type::Number, random),
];

fn range_step(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    // The types of the first two are told first.
    operands::whole(operands, 1)?;
    operands::whole(operands, 2)?;
    let step = operands::whole(operands, 3)?;
    if step <= BigInt::ZERO {
        return Err(BuiltinError::failed("numbers.range_step: step must be a positive integer"));
    }
    range(context, operands, &step)
}

/// The numbers from the first to the second, both included, up or down.
fn range(context: &mut Context<'_>, operands: &[Value], step: &BigInt) -> Answer {
    let (first, last) = (operands::whole(operands, 1)?, operands::whole(operands, 2)?);
    let distance: BigInt = if first <= last { &last - &first } else { &first - &last };
    let count = usize::try_from(distance / step).unwrap_or(usize::MAX).saturating_add(1);
    context.collect(count)?;
    let step = if first <= last { step.clone() } else { -step };
    let small = i64::try_from(&first).ok().zip(i64::try_from(&step).ok()).filter(|_| i64::try_from(&last).is_ok());
    let items: Vec<Value> = match small {
        // Saturation is out of reach: the last number fits.
        Some((first, step)) => std::iter::successors(Some(first), |number| Some(number.saturating_add(step)))
            .take(count)
            .map(Value::from)
            .collect(),
        None => (0..count).map(|at| Value::from(Number::from(&first + &step * at))).collect(),
    };
    answer(items)
}

fn random(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (key, bound) = (operands::string(operands, 1)?, operands::integer(operands, 2)?.unsigned_abs());
    let key = format!("rand.intn {bound} {key}");
    let drawn = random_text::seeded(context.seed, key.as_bytes()).checked_rem(bound).unwrap_or(0);
    answer(Number::from(drawn))
}
