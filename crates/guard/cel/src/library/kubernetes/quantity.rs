//! `quantity('1.5Gi')` and what it can be asked; the arithmetic is [`palisade_model::Quantity`]'s.

use std::any::Any;
use std::cmp::Ordering;

use palisade_model::Value;
use palisade_model::quantity::{Format, Quantity, QuantityError};

use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::value::Opaque;
use crate::{EvalError, Type, Val};

#[derive(Debug)]
struct QuantityVal(Quantity);

fn quantity_type() -> Type {
    Type::opaque("kubernetes.Quantity")
}

impl Opaque for QuantityVal {
    fn opaque_type(&self) -> Type {
        quantity_type()
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| self.0 == other.0)
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        Ok(Value::from(self.0.to_string()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(super) fn library() -> Library {
    let own = quantity_type;
    let member = |name, result, call| Function::member(name, [own()], result, call);
    let pair = |name, other, result, call| Function::member(name, [own(), other], result, call);
    Library::of(
        "kubernetes.quantity",
        [
            Function::global("quantity", [Type::String], own(), parse).cost(Cost::Sizes),
            Function::global("isQuantity", [Type::String], Type::Bool, is_quantity).cost(Cost::Sizes),
            Function::global("sign", [own()], Type::Int, |_, args| Ok(Val::Int(receiver("sign", args)?.sign()))),
            pair("isGreaterThan", own(), Type::Bool, |_, args| Ok(Val::Bool(compare("isGreaterThan", args)?.is_gt()))),
            pair("isLessThan", own(), Type::Bool, |_, args| Ok(Val::Bool(compare("isLessThan", args)?.is_lt()))),
            pair("compareTo", own(), Type::Int, |_, args| Ok(Val::Int(compare("compareTo", args)? as i64))),
            member("asApproximateFloat", Type::Double, |_, args| {
                Ok(Val::Double(receiver("asApproximateFloat", args)?.as_f64()))
            }),
            member("asInteger", Type::Int, as_integer),
            member("isInteger", Type::Bool, |_, args| Ok(Val::Bool(receiver("isInteger", args)?.is_integer()))),
            pair("add", own(), own(), |_, args| combine("add", args, Quantity::add)),
            pair("add", Type::Int, own(), |_, args| combine("add", args, Quantity::add)),
            pair("sub", own(), own(), |_, args| combine("sub", args, Quantity::subtract)),
            pair("sub", Type::Int, own(), |_, args| combine("sub", args, Quantity::subtract)),
        ],
    )
}

fn parse(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("quantity", args)) };
    Quantity::parse(text).map(|quantity| Val::opaque(QuantityVal(quantity))).map_err(EvalError::invalid)
}

fn is_quantity(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("isQuantity", args)) };
    Ok(Val::Bool(Quantity::parse(text).is_ok()))
}

fn as_integer(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let integer = receiver("asInteger", args)?.as_integer();
    integer.map(Val::Int).ok_or_else(|| EvalError::invalid("cannot convert value to integer"))
}

fn receiver<'a>(function: &str, args: &'a [Val]) -> Result<&'a Quantity, EvalError> {
    let quantity = args.first().and_then(Val::downcast::<QuantityVal>);
    quantity.map(|quantity| &quantity.0).ok_or_else(|| mismatch(function, args))
}

fn operand(function: &str, args: &[Val]) -> Result<Quantity, EvalError> {
    match args {
        [_, Val::Int(value)] => Ok(Quantity::from_integer(*value, Format::DecimalExponent)),
        [_, other] => receiver(function, std::slice::from_ref(other)).cloned(),
        _ => Err(mismatch(function, args)),
    }
}

fn compare(function: &str, args: &[Val]) -> Result<Ordering, EvalError> {
    Ok(receiver(function, args)?.cmp(&operand(function, args)?))
}

type Operation = fn(&Quantity, &Quantity) -> Result<Quantity, QuantityError>;

fn combine(function: &str, args: &[Val], operation: Operation) -> Result<Val, EvalError> {
    let result = operation(receiver(function, args)?, &operand(function, args)?).map_err(EvalError::invalid)?;
    Ok(Val::opaque(QuantityVal(result)))
}
