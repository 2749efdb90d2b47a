//! `x.orValue(y)` where `x` is no optional: cel-go once gave `x`, and Kyverno keeps that for policies that rely on it.
//!
//! As there, the call becomes a function of two arguments, so the alternative is evaluated in any case.

use crate::library::{Call, Function, Library, Macro, Style, mismatch};
use crate::syntax::{Expander, Expansion, Expr, MacroCall};
use crate::{CompileError, EvalError, Type, Val};

/// The function that such calls become. The evaluator answers it itself, without wrapping what was optional.
pub(crate) const FUNCTION: &str = "__orValueCompat__";

/// The leniency of Kyverno's policy kinds.
pub fn library() -> Library {
    let or_value = Macro { name: "orValue", style: Style::Member, arity: Some(1), expand };
    let function = Function::global(FUNCTION, [Type::Dyn, Type::Dyn], Type::Dyn, by_machine);
    Library { macros: vec![or_value], ..Library::of("kyverno.orValue", [function]) }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of macros")]
fn expand(_: &mut Expander, call: MacroCall) -> Result<Expansion, CompileError> {
    let MacroCall { target: Some(target), mut args, span, .. } = call else { return Ok(Expansion::Unchanged(call)) };
    args.insert(0, target);
    Ok(Expansion::Expr(Expr::call(None, FUNCTION, args, span)))
}

fn by_machine(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    Err(mismatch("orValue", args))
}
