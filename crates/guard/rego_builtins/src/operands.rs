//! Operands of the types that builtins need, with OPA's words where they are of others.
//!
//! Positions count from 1, as in the messages. Deliberately absent: the name of the builtin, which the machine puts
//! in front of every error.

use num_bigint::BigInt;
use palisade_model::Str;
use palisade_rego_value::{Number, Object, Set, Value};

use super::BuiltinError;

type Operand<T> = Result<T, BuiltinError>;

/// The operand at a position.
pub(crate) fn any(operands: &[Value], position: usize) -> Operand<&Value> {
    operands.get(position - 1).ok_or_else(|| invalid(position, "is missing"))
}

/// A string.
pub fn string(operands: &[Value], position: usize) -> Operand<&Str> {
    let operand = any(operands, position)?;
    operand.as_shared_str().ok_or_else(|| wrong_type(position, operand, &["string"]))
}

/// A number.
pub(crate) fn number(operands: &[Value], position: usize) -> Operand<&Number> {
    let operand = any(operands, position)?;
    operand.as_number().ok_or_else(|| wrong_type(position, operand, &["number"]))
}

/// A whole number of 64 bits, in any form.
pub(crate) fn integer(operands: &[Value], position: usize) -> Operand<i64> {
    number(operands, position)?.as_i64().ok_or_else(|| not_whole(position))
}

/// A whole number of any size, in any form.
pub(crate) fn whole(operands: &[Value], position: usize) -> Operand<BigInt> {
    let operand = any(operands, position)?;
    let number = operand.as_number().ok_or_else(|| wrong_type(position, operand, &["integer"]))?;
    number.to_bigint().ok_or_else(|| not_whole(position))
}

fn not_whole(position: usize) -> BuiltinError {
    invalid(position, "must be integer number but got floating-point number")
}

/// The items of an array.
pub(crate) fn array(operands: &[Value], position: usize) -> Operand<&[Value]> {
    let operand = any(operands, position)?;
    operand.as_array().ok_or_else(|| wrong_type(position, operand, &["array"]))
}

/// A set.
pub(crate) fn set(operands: &[Value], position: usize) -> Operand<&Set> {
    let operand = any(operands, position)?;
    operand.as_set().ok_or_else(|| wrong_type(position, operand, &["set"]))
}

/// An object.
pub(crate) fn object(operands: &[Value], position: usize) -> Operand<&Object> {
    let operand = any(operands, position)?;
    operand.as_object().ok_or_else(|| wrong_type(position, operand, &["object"]))
}

/// The elements of an array or set; `expected` names the two in the order that the message has them in.
pub(crate) fn elements<'a>(operands: &'a [Value], position: usize, expected: &[&str]) -> Operand<&'a [Value]> {
    let operand = any(operands, position)?;
    operand.as_elements().ok_or_else(|| wrong_type(position, operand, expected))
}

/// The strings of an array or set.
pub(crate) fn strings<'a>(operands: &'a [Value], position: usize, expected: &[&str]) -> Operand<Vec<&'a Str>> {
    let composite = any(operands, position)?;
    let text = |element: &'a Value| {
        element.as_shared_str().ok_or_else(|| wrong_element(position, composite, element, &["string"]))
    };
    elements(operands, position, expected)?.iter().map(text).collect()
}

/// An operand that is not what it must be, whatever the words: `operand 2 must be ...`.
pub(crate) fn invalid(position: usize, what: &str) -> BuiltinError {
    BuiltinError::Type(format!("operand {position} {what}"))
}

/// An operand of the wrong type.
pub(crate) fn wrong_type(position: usize, got: &Value, expected: &[&str]) -> BuiltinError {
    let got = got.type_name();
    match expected {
        [one] => invalid(position, &format!("must be {one} but got {got}")),
        several => invalid(position, &format!("must be one of {{{}}} but got {got}", several.join(", "))),
    }
}

/// An array, object or set with an element of the wrong type.
pub(crate) fn wrong_element(position: usize, composite: &Value, got: &Value, expected: &[&str]) -> BuiltinError {
    let (composite, got) = (composite.type_name(), got.type_name());
    match expected {
        [one] => invalid(position, &format!("must be {composite} of {one}s but got {composite} containing {got}")),
        several => {
            let several = several.join(", ");
            let words = format!("must be {composite} of (any of) {{{several}}} but got {composite} containing {got}");
            invalid(position, &words)
        }
    }
}

/// An operand that is none of a few values.
pub(crate) fn not_one_of(position: usize, expected: &[&str]) -> BuiltinError {
    invalid(position, &format!("must be one of {{{}}}", expected.join(", ")))
}
