//! `quantity('1.5Gi')` and what it can be asked; the arithmetic is [`palisade_model::Quantity`]'s.

use std::cmp::Ordering;

use palisade_model::quantity::{Format, Quantity, QuantityError};

use crate::library::textual::Textual;
use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

impl Textual for Quantity {
    const NAME: &'static str = "kubernetes.Quantity";
}

pub(super) fn library() -> Library {
    let own = Quantity::cel_type;
    let member = |name, result, call| Function::member(name, [own()], result, call);
    let pair = |name, other, result, call| Function::member(name, [own(), other], result, call);
    Library::of(
        "kubernetes.quantity",
        [
            Function::global("quantity", [Type::String], own(), parse).cost(Cost::Sizes),
            Function::global("isQuantity", [Type::String], Type::Bool, is_quantity).cost(Cost::Sizes),
            Function::global("sign", [own()], Type::Int, |_, args| {
                Ok(Val::Int(Quantity::receiver("sign", args)?.sign()))
            }),
            pair("isGreaterThan", own(), Type::Bool, |_, args| Ok(Val::Bool(compare("isGreaterThan", args)?.is_gt()))),
            pair("isLessThan", own(), Type::Bool, |_, args| Ok(Val::Bool(compare("isLessThan", args)?.is_lt()))),
            pair("compareTo", own(), Type::Int, |_, args| Ok(Val::Int(compare("compareTo", args)? as i64))),
            member("asApproximateFloat", Type::Double, |_, args| {
                Ok(Val::Double(Quantity::receiver("asApproximateFloat", args)?.as_f64()))
            }),
            member("asInteger", Type::Int, as_integer),
            member("isInteger", Type::Bool, |_, args| {
                Ok(Val::Bool(Quantity::receiver("isInteger", args)?.is_integer()))
            }),
            pair("add", own(), own(), |_, args| combine("add", args, Quantity::add)),
            pair("add", Type::Int, own(), |_, args| combine("add", args, Quantity::add)),
            pair("sub", own(), own(), |_, args| combine("sub", args, Quantity::subtract)),
            pair("sub", Type::Int, own(), |_, args| combine("sub", args, Quantity::subtract)),
        ],
    )
}

fn parse(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("quantity", args)) };
    Quantity::parse(text).map(Val::opaque).map_err(EvalError::invalid)
}

fn is_quantity(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("isQuantity", args)) };
    Ok(Val::Bool(Quantity::parse(text).is_ok()))
}

fn as_integer(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let integer = Quantity::receiver("asInteger", args)?.as_integer();
    integer.map(Val::Int).ok_or_else(|| EvalError::invalid("cannot convert value to integer"))
}

fn operand(function: &str, args: &[Val]) -> Result<Quantity, EvalError> {
    match args {
        [_, Val::Int(value)] => Ok(Quantity::from_integer(*value, Format::DecimalExponent)),
        [_, other] => Quantity::receiver(function, std::slice::from_ref(other)).cloned(),
        _ => Err(mismatch(function, args)),
    }
}

fn compare(function: &str, args: &[Val]) -> Result<Ordering, EvalError> {
    Ok(Quantity::receiver(function, args)?.cmp(&operand(function, args)?))
}

type Operation = fn(&Quantity, &Quantity) -> Result<Quantity, QuantityError>;

fn combine(function: &str, args: &[Val], operation: Operation) -> Result<Val, EvalError> {
    let result =
        operation(Quantity::receiver(function, args)?, &operand(function, args)?).map_err(EvalError::invalid)?;
    Ok(Val::opaque(result))
}
