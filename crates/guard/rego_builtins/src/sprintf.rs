//! `sprintf`: Rego's values as Go's `fmt` sees them.
//!
//! Whole numbers are `int64` or `*big.Int`, others `float64`, strings are strings, and everything else is the text of the
//! term.

use num_bigint::BigInt;
use palisade_gotext::go_fmt::{self, Argument};
use palisade_rego_value::{Number, Value};

use super::{Answer, BuiltinError, Context, answer, operands};

pub(super) fn sprintf(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let format = operands::string(operands, 1)?;
    let values = operands::array(operands, 2)?;
    let arguments: Vec<Argument> = values.iter().map(|value| argument(context, value)).collect::<Result<_, _>>()?;
    answer(go_fmt::sprintf(context.budget, format, &arguments)?)
}

fn argument(context: &mut Context<'_>, value: &Value) -> Result<Argument, BuiltinError> {
    Ok(match value {
        Value::Number(number) => number_argument(number),
        Value::String(text) => Argument::Text(text.to_string()),
        other => {
            context.weigh(other)?;
            Argument::Text(other.to_string())
        }
    })
}

fn number_argument(number: &Number) -> Argument {
    match number {
        Number::Int(value) => Argument::Int(*value),
        Number::Text(text) => match text.parse::<BigInt>() {
            Ok(value) => Argument::Big(value),
            Err(_) if number.as_f64().is_finite() => Argument::Float(number.as_f64()),
            Err(_) => Argument::Text(text.to_string()),
        },
    }
}

#[cfg(test)]
mod tests;
