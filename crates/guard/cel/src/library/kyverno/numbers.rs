//! `math.round(number, precision)`: halves away from zero.

use crate::library::{Call, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

pub(super) fn library() -> Library {
    let round = Function::global("math.round", [Type::Double, Type::Int], Type::Double, round);
    Library::of("kyverno.math", [round])
}

fn round(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::Double(number), Val::Int(precision)] = args else { return Err(mismatch("math.round", args)) };
    let shift = 10_f64.powf(*precision as f64);
    Ok(Val::Double((number * shift).round() / shift))
}
