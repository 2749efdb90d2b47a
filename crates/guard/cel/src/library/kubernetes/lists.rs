//! `isSorted`, `sum`, `min`, `max`, `indexOf`, `lastIndexOf` on lists.
//!
//! An overload per element type, as Kubernetes declares them: the type picks the sum of no elements. Where it is known
//! only when evaluating, the first element decides, and an empty list is one of integers.

use std::cmp::Ordering;

use jiff::SignedDuration;

use crate::library::{Call, Cost, Function, Implementation, Library, mismatch};
use crate::{EvalError, List, Type, Val};

pub(super) fn library() -> Library {
    let mut functions = Vec::new();
    let summable: [(Type, Implementation); 4] = [
        (Type::Int, |call, args| sum(call, args, Val::Int(0))),
        (Type::UInt, |call, args| sum(call, args, Val::UInt(0))),
        (Type::Double, |call, args| sum(call, args, Val::Double(0.0))),
        (Type::Duration, |call, args| sum(call, args, Val::Duration(SignedDuration::ZERO))),
    ];
    for (element, body) in summable {
        functions.push(Function::member("sum", [Type::list(element.clone())], element, body));
    }
    let comparable =
        [Type::Int, Type::UInt, Type::Double, Type::Bool, Type::Duration, Type::Timestamp, Type::String, Type::Bytes];
    for element in comparable {
        let list = || [Type::list(element.clone())];
        functions.push(Function::member("isSorted", list(), Type::Bool, is_sorted));
        functions.push(Function::member("max", list(), element.clone(), |call, args| {
            extreme(call, args, "max", Ordering::Less)
        }));
        functions.push(Function::member("min", list(), element.clone(), |call, args| {
            extreme(call, args, "min", Ordering::Greater)
        }));
    }
    let search = || [Type::list(Type::param("A")), Type::param("A")];
    functions.push(Function::member("indexOf", search(), Type::Int, |_, args| {
        position("indexOf", args, |list, item| list.iter().position(|element| element == *item))
    }));
    functions.push(Function::member("lastIndexOf", search(), Type::Int, |_, args| {
        position("lastIndexOf", args, |list, item| list.iter().rposition(|element| element == *item))
    }));
    Library::of(
        "kubernetes.lists",
        functions.into_iter().map(|function| function.cost(Cost::Sizes)).collect::<Vec<_>>(),
    )
}

fn elements<'a>(function: &str, args: &'a [Val]) -> Result<&'a List, EvalError> {
    args.first().and_then(Val::as_list).ok_or_else(|| mismatch(function, args))
}

fn ordering(function: &str, a: &Val, b: &Val) -> Result<Ordering, EvalError> {
    a.compare(b).ok_or_else(|| mismatch(function, &[a.clone(), b.clone()]))
}

fn is_sorted(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let mut previous: Option<Val> = None;
    for next in elements("isSorted", args)?.iter() {
        if let Some(previous) = &previous
            && ordering("isSorted", previous, &next)?.is_gt()
        {
            return Ok(Val::Bool(false));
        }
        previous = Some(next);
    }
    Ok(Val::Bool(true))
}

/// The first element that none `prefer`s over it.
fn extreme(_: &mut Call<'_>, args: &[Val], function: &str, replaced: Ordering) -> Result<Val, EvalError> {
    let mut best: Option<Val> = None;
    for next in elements(function, args)?.iter() {
        best = Some(match best {
            Some(best) if ordering(function, &best, &next)? != replaced => best,
            _ => next,
        });
    }
    best.ok_or_else(|| EvalError::invalid(format_args!("{function} called on empty list")))
}

fn sum(_: &mut Call<'_>, args: &[Val], zero: Val) -> Result<Val, EvalError> {
    let mut elements = elements("sum", args)?.iter();
    let first = elements.next().unwrap_or(zero);
    if !matches!(first, Val::Int(_) | Val::UInt(_) | Val::Double(_) | Val::Duration(_)) {
        return Err(mismatch("sum", args));
    }
    elements.try_fold(first, |total, next| add(&total, &next))
}

fn add(a: &Val, b: &Val) -> Result<Val, EvalError> {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => a.checked_add(*b).map(Val::Int).ok_or(EvalError::Overflow("integer")),
        (Val::UInt(a), Val::UInt(b)) => a.checked_add(*b).map(Val::UInt).ok_or(EvalError::Overflow("unsigned integer")),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(a + b)),
        (Val::Duration(a), Val::Duration(b)) => {
            a.checked_add(*b).map(Val::Duration).ok_or(EvalError::Overflow("duration"))
        }
        _ => Err(mismatch("sum", &[a.clone(), b.clone()])),
    }
}

fn position(function: &str, args: &[Val], find: fn(&List, &Val) -> Option<usize>) -> Result<Val, EvalError> {
    let [Val::List(list), item] = args else { return Err(mismatch(function, args)) };
    Ok(Val::Int(find(list, item).and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)))
}
