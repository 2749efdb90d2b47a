//! `find` and `findAll`.

use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

pub(super) fn library() -> Library {
    let texts = || Type::list(Type::String);
    let member = |name, params: Vec<Type>, result, call| {
        Function::member(name, params, result, call).pattern(1).cost(Cost::Sizes)
    };
    Library::of(
        "kubernetes.regex",
        [
            member("find", vec![Type::String, Type::String], Type::String, find),
            member("findAll", vec![Type::String, Type::String], texts(), find_all),
            member("findAll", vec![Type::String, Type::String, Type::Int], texts(), find_all),
        ],
    )
}

fn find(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text), Val::String(pattern)] = args else { return Err(mismatch("find", args)) };
    let pattern = call.pattern(pattern)?;
    Ok(Val::from(pattern.regex().find(text).map_or("", |found| found.as_str())))
}

/// A negative limit means all.
fn find_all(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let (text, pattern, limit) = match args {
        [Val::String(text), Val::String(pattern)] => (text, pattern, usize::MAX),
        [Val::String(text), Val::String(pattern), Val::Int(limit)] => {
            (text, pattern, usize::try_from(*limit).unwrap_or(usize::MAX))
        }
        _ => return Err(mismatch("findAll", args)),
    };
    let pattern = call.pattern(pattern)?;
    let mut found = Vec::new();
    for part in pattern.regex().find_iter(text).take(limit) {
        call.spend_size(part.len())?;
        found.push(Val::from(part.as_str()));
    }
    Ok(Val::list(found))
}
