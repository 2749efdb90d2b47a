//! Arithmetic operators and rounding, on numbers that compute as OPA's do ([`Number`]).

use palisade_rego_value::{ArithmeticError, Number, Value};

use super::declare::{SET, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const ONE: &[Type] = &[Type::Number];
const TWO: &[Type] = &[Type::Number, Type::Number];
const NUMBER_OR_SET: Type = Type::OneOf(&[Type::Number, SET]);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("plus", TWO, Type::Number, |context, operands| binary(context, operands, Number::plus)),
    builtin("minus", &[NUMBER_OR_SET, NUMBER_OR_SET], NUMBER_OR_SET, minus),
    builtin("mul", TWO, Type::Number, |context, operands| binary(context, operands, Number::times)),
    builtin("div", TWO, Type::Number, |context, operands| binary(context, operands, Number::divided_by)),
    builtin("rem", TWO, Type::Number, |context, operands| binary(context, operands, Number::remainder)),
    builtin("abs", ONE, Type::Number, |_, operands| unary(operands, Number::abs)),
    builtin("round", ONE, Type::Number, |_, operands| unary(operands, Number::round)),
    builtin("ceil", ONE, Type::Number, |_, operands| unary(operands, Number::ceil)),
    builtin("floor", ONE, Type::Number, |_, operands| unary(operands, Number::floor)),
];

type Outcome = Result<Number, ArithmeticError>;

impl From<ArithmeticError> for BuiltinError {
    fn from(error: ArithmeticError) -> Self {
        Self::Failed(error.to_string())
    }
}

fn unary(operands: &[Value], operation: fn(&Number) -> Outcome) -> Answer {
    answer(operation(operands::number(operands, 1)?)?)
}

fn binary(context: &mut Context<'_>, operands: &[Value], operation: fn(&Number, &Number) -> Outcome) -> Answer {
    let (a, b) = (operands::number(operands, 1)?, operands::number(operands, 2)?);
    answer(combine(context, a, b, operation)?)
}

/// The result of an operation, whose digits are paid for.
pub(super) fn combine(
    context: &mut Context<'_>,
    a: &Number,
    b: &Number,
    operation: fn(&Number, &Number) -> Outcome,
) -> Result<Number, BuiltinError> {
    let result = operation(a, b)?;
    if let Number::Text(text) = &result {
        context.grow(text.len())?;
        // Multiplying and dividing takes the square of the digits.
        context.step(text.len() * text.len() / 4096)?;
    }
    Ok(result)
}

/// Numbers are subtracted, sets lose the elements of the second.
fn minus(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    match (operands::any(operands, 1)?, operands::any(operands, 2)?) {
        (Value::Number(a), Value::Number(b)) => answer(combine(context, a, b, Number::minus)?),
        (Value::Set(a), Value::Set(b)) => {
            context.collect(a.len())?;
            answer(a.difference(b))
        }
        (Value::Set(_), other @ Value::Number(_)) => Err(operands::wrong_type(2, other, &["set"])),
        (Value::Number(_) | Value::Set(_), other) => Err(operands::wrong_type(2, other, &["number"])),
        (other, _) => Err(operands::wrong_type(1, other, &["number", "set"])),
    }
}
