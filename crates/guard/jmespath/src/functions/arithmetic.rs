//! Arithmetic over plain numbers, Kubernetes quantities and Go durations, with the mixes that Kyverno allows.

use palisade_gotext::go_duration::GoDuration;
use palisade_model::Value;
use palisade_model::quantity::{Quantity, QuantityError};

use super::{Answer, Arguments, QueryError};

/// A number, or text that is a quantity or else a duration.
enum Operand {
    Scalar(f64),
    Quantity(Quantity),
    Duration(GoDuration),
}

use Operand::{Duration, Scalar};

fn operand(arguments: &Arguments<'_>, value: &Value) -> Result<Operand, QueryError> {
    let text = match value {
        Value::String(text) => text,
        other => {
            return other.as_f64().map(Scalar).ok_or_else(|| {
                arguments.error(format_args!("takes numbers, quantities and durations, not {}", other.type_name()))
            });
        }
    };
    Quantity::parse(text)
        .map(Operand::Quantity)
        .or_else(|_| GoDuration::parse(text).map(Duration))
        .map_err(|_| arguments.error(format_args!("takes numbers, quantities and durations, not `{text}`")))
}

fn operands(arguments: &Arguments<'_>) -> Result<(Operand, Operand), QueryError> {
    Ok((operand(arguments, arguments.value(0)?)?, operand(arguments, arguments.value(1)?)?))
}

fn mismatch(arguments: &Arguments<'_>) -> QueryError {
    arguments.error("cannot combine operands of these types")
}

fn zero(arguments: &Arguments<'_>) -> QueryError {
    arguments.error("cannot divide by zero")
}

fn text(duration: GoDuration) -> Value {
    duration.to_string().into()
}

fn quantity(arguments: &Arguments<'_>, result: Result<Quantity, QuantityError>) -> Answer {
    result.map(|quantity| quantity.to_string().into()).map_err(|error| arguments.error(format_args!("failed: {error}")))
}

/// The duration of so many seconds, as Go converts it.
fn seconds(arguments: &Arguments<'_>, seconds: f64) -> Answer {
    GoDuration::from_seconds(seconds).map(text).ok_or_else(|| arguments.error("exceeds the range of durations"))
}

pub(super) fn add(arguments: &Arguments<'_>) -> Answer {
    let (left, right) = operands(arguments)?;
    add_operands(arguments, left, right)
}

fn add_operands(arguments: &Arguments<'_>, left: Operand, right: Operand) -> Answer {
    match (left, right) {
        (Scalar(left), Scalar(right)) => Ok((left + right).into()),
        (Duration(left), Duration(right)) => Ok(text(GoDuration(left.0.wrapping_add(right.0)))),
        (Operand::Quantity(left), Operand::Quantity(right)) => quantity(arguments, left.add(&right)),
        _ => Err(mismatch(arguments)),
    }
}

/// All elements added up; a single one is returned as it is.
pub(super) fn sum(arguments: &Arguments<'_>) -> Answer {
    let [first, rest @ ..] = arguments.array(0)? else {
        return Err(arguments.error("needs at least one element"));
    };
    arguments.charge(rest.len())?;
    rest.iter().try_fold(first.clone(), |sum, item| {
        add_operands(arguments, operand(arguments, &sum)?, operand(arguments, item)?)
    })
}

pub(super) fn subtract(arguments: &Arguments<'_>) -> Answer {
    match operands(arguments)? {
        (Scalar(left), Scalar(right)) => Ok((left - right).into()),
        (Duration(left), Duration(right)) => Ok(text(GoDuration(left.0.wrapping_sub(right.0)))),
        (Operand::Quantity(left), Operand::Quantity(right)) => quantity(arguments, left.subtract(&right)),
        _ => Err(mismatch(arguments)),
    }
}

pub(super) fn multiply(arguments: &Arguments<'_>) -> Answer {
    match operands(arguments)? {
        (Scalar(left), Scalar(right)) => Ok((left * right).into()),
        (Scalar(factor), Duration(duration)) | (Duration(duration), Scalar(factor)) => {
            seconds(arguments, duration.as_seconds() * factor)
        }
        (Scalar(factor), Operand::Quantity(value)) | (Operand::Quantity(value), Scalar(factor)) => {
            quantity(arguments, value.multiply(factor))
        }
        _ => Err(mismatch(arguments)),
    }
}

pub(super) fn divide(arguments: &Arguments<'_>) -> Answer {
    match operands(arguments)? {
        (_, Scalar(0.0)) | (Duration(_), Duration(GoDuration(0))) => Err(zero(arguments)),
        (Scalar(left), Scalar(right)) => Ok((left / right).into()),
        (Duration(left), Duration(right)) => Ok((left.as_seconds() / right.as_seconds()).into()),
        (Duration(left), Scalar(right)) => seconds(arguments, left.as_seconds() / right),
        (Operand::Quantity(left), Operand::Quantity(right)) => {
            left.ratio(&right).map(Value::from).map_err(|error| arguments.error(format_args!("failed: {error}")))
        }
        (Operand::Quantity(left), Scalar(right)) => quantity(arguments, left.divide(right)),
        _ => Err(mismatch(arguments)),
    }
}

pub(super) fn modulo(arguments: &Arguments<'_>) -> Answer {
    match operands(arguments)? {
        (Scalar(left), Scalar(right)) => {
            let (Some(left), Some(right)) = (Value::Float(left).as_i64(), Value::Float(right).as_i64()) else {
                return Err(arguments.error("takes whole numbers"));
            };
            left.checked_rem(right).map(|rest| Value::from(rest as f64)).ok_or_else(|| zero(arguments))
        }
        (Duration(left), Duration(right)) => {
            left.0.checked_rem(right.0).map(|rest| text(GoDuration(rest))).ok_or_else(|| zero(arguments))
        }
        (Operand::Quantity(left), Operand::Quantity(right)) => quantity(arguments, left.modulo(&right)),
        _ => Err(mismatch(arguments)),
    }
}
