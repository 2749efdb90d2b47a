//! One answer from the elements of a collection; membership.

use palisade_rego_value::{ArithmeticError, Number, Value};

use super::declare::{ARRAY, ELEMENTS, NUMBERS, OBJECT, SET, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, arithmetic, operands};
use crate::types::Type;

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("count", &[Type::OneOf(&[SET, ARRAY, OBJECT, Type::String])], Type::Number, count),
    builtin("sum", &[NUMBERS], Type::Number, |context, operands| fold(context, operands, 0, Number::plus)),
    builtin("product", &[NUMBERS], Type::Number, |context, operands| fold(context, operands, 1, Number::times)),
    builtin("max", &[ELEMENTS], Type::Any, |context, operands| {
        Ok(collection(context, operands)?.iter().max().cloned())
    }),
    // Of equal elements the last is given, as OPA does.
    builtin("min", &[ELEMENTS], Type::Any, |context, operands| {
        Ok(collection(context, operands)?.iter().rev().min().cloned())
    }),
    builtin("sort", &[ELEMENTS], ARRAY, sort),
    builtin("all", &[ELEMENTS], Type::Boolean, |context, operands| {
        let elements = operands::elements(operands, 1, &["array", "set"])?;
        context.step(elements.len())?;
        answer(elements.iter().all(|element| element.as_bool() == Some(true)))
    }),
    builtin("any", &[ELEMENTS], Type::Boolean, |context, operands| {
        let elements = operands::elements(operands, 1, &["array", "set"])?;
        context.step(elements.len())?;
        answer(elements.iter().any(|element| element.as_bool() == Some(true)))
    }),
    builtin("internal.member_2", &[Type::Any, Type::Any], Type::Boolean, member),
    builtin("internal.member_3", &[Type::Any, Type::Any, Type::Any], Type::Boolean, member_with_key),
];

fn count(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    match operands::any(operands, 1)? {
        Value::Array(items) => answer(items.len()),
        Value::Object(object) => answer(object.len()),
        Value::Set(set) => answer(set.len()),
        Value::String(text) => {
            context.step(text.len() / 64)?;
            answer(text.chars().count())
        }
        other => Err(operands::wrong_type(1, other, &["array", "object", "set", "string"])),
    }
}

fn collection<'a>(context: &mut Context<'_>, operands: &'a [Value]) -> Result<&'a [Value], BuiltinError> {
    let elements = operands::elements(operands, 1, &["set", "array"])?;
    context.step(elements.len())?;
    Ok(elements)
}

fn fold(
    context: &mut Context<'_>,
    operands: &[Value],
    start: i64,
    operation: fn(&Number, &Number) -> Result<Number, ArithmeticError>,
) -> Answer {
    let mut total = Number::Int(start);
    for element in collection(context, operands)? {
        let Value::Number(number) = element else {
            return Err(operands::wrong_element(1, operands::any(operands, 1)?, element, &["number"]));
        };
        total = arithmetic::combine(context, &total, number, operation)?;
    }
    answer(total)
}

fn sort(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let elements = collection(context, operands)?;
    context.collect(elements.len())?;
    let mut sorted = elements.to_vec();
    sorted.sort();
    answer(sorted)
}

/// `x in xs`; nothing is in what is no collection.
fn member(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (item, collection) = (operands::any(operands, 1)?, operands::any(operands, 2)?);
    match collection {
        Value::Set(set) => answer(set.contains(item)),
        Value::Array(items) => {
            context.step(items.len())?;
            answer(items.contains(item))
        }
        Value::Object(object) => {
            context.step(object.len())?;
            answer(object.values().any(|value| value == item))
        }
        _ => answer(false),
    }
}

/// `k, v in xs`.
fn member_with_key(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (key, item) = (operands::any(operands, 1)?, operands::any(operands, 2)?);
    answer(operands::any(operands, 3)?.get(key) == Some(item))
}
