//! What type a value has, conversions to numbers, and casts (which only check).

use palisade_rego_value::{Number, Value};

use super::declare::{ARRAY, OBJECT, SET, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const ANY: &[Type] = &[Type::Any];

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("is_array", ANY, Type::Boolean, |_, operands| is(operands, "array")),
    builtin("is_boolean", ANY, Type::Boolean, |_, operands| is(operands, "boolean")),
    builtin("is_null", ANY, Type::Boolean, |_, operands| is(operands, "null")),
    builtin("is_number", ANY, Type::Boolean, |_, operands| is(operands, "number")),
    builtin("is_object", ANY, Type::Boolean, |_, operands| is(operands, "object")),
    builtin("is_set", ANY, Type::Boolean, |_, operands| is(operands, "set")),
    builtin("is_string", ANY, Type::Boolean, |_, operands| is(operands, "string")),
    builtin("type_name", ANY, Type::String, |_, operands| answer(operands::any(operands, 1)?.type_name())),
    builtin(
        "to_number",
        &[Type::OneOf(&[Type::Number, Type::String, Type::Boolean, Type::Null])],
        Type::Number,
        to_number,
    ),
    builtin("cast_array", ANY, ARRAY, |context, operands| {
        let elements = operands::elements(operands, 1, &["array", "set"])?;
        context.collect(elements.len())?;
        answer(elements.to_vec())
    }),
    builtin("cast_set", ANY, SET, |context, operands| {
        let elements = operands::elements(operands, 1, &["array", "set"])?;
        context.collect(elements.len())?;
        answer(Value::set(elements.to_vec()))
    }),
    builtin("cast_string", ANY, Type::String, |_, operands| cast(operands, "string")),
    builtin("cast_boolean", ANY, Type::Boolean, |_, operands| cast(operands, "boolean")),
    builtin("cast_null", ANY, Type::Null, |_, operands| cast(operands, "null")),
    builtin("cast_object", ANY, OBJECT, |_, operands| cast(operands, "object")),
];

fn is(operands: &[Value], type_name: &str) -> Answer {
    answer(operands::any(operands, 1)?.type_name() == type_name)
}

fn cast(operands: &[Value], type_name: &str) -> Answer {
    let value = operands::any(operands, 1)?;
    if value.type_name() != type_name {
        return Err(operands::wrong_type(1, value, &[type_name]));
    }
    answer(value.clone())
}

fn to_number(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    match operands::any(operands, 1)? {
        Value::Null => answer(0),
        Value::Bool(value) => answer(i64::from(*value)),
        Value::Number(number) => answer(number.clone()),
        operand @ Value::String(text) => {
            if let Some(number) = Number::parse(text).filter(|number| number.as_f64().is_finite()) {
                return answer(number);
            }
            let word = text.trim_start_matches(['+', '-']).to_lowercase();
            if matches!(&*word, "inf" | "infinity" | "nan") {
                return Err(operands::wrong_type(1, operand, &["valid number string"]));
            }
            // `+1`, `.5` and `007` are read, though no number is written so.
            match text.parse::<f64>() {
                Ok(value) if value.is_finite() => answer(Number::from(value)),
                Ok(_) => Err(unreadable(text, "value out of range")),
                Err(_) => Err(unreadable(text, "invalid syntax")),
            }
        }
        other => Err(operands::wrong_type(1, other, &["null", "boolean", "number", "string"])),
    }
}

fn unreadable(text: &str, why: &str) -> BuiltinError {
    BuiltinError::Failed(format!("strconv.ParseFloat: parsing {text:?}: {why}"))
}
