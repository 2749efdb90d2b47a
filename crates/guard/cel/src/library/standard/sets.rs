//! cel-go's sets extension: lists taken as sets.

use crate::library::mismatch;
use crate::{Call, EvalError, Function, Library, List, Type, Val};

/// `sets.contains`, `sets.equivalent`, `sets.intersects`.
pub fn library() -> Library {
    let set = |name, call| {
        let list = Type::list(Type::param("T"));
        Function::global(name, [list.clone(), list], Type::Bool, call)
    };
    Library::of(
        "sets",
        [
            set("sets.contains", |call, args| decide(call, args, contains)),
            set("sets.equivalent", |call, args| decide(call, args, |a, b| contains(a, b) && contains(b, a))),
            set("sets.intersects", |call, args| decide(call, args, |a, b| b.iter().any(|item| has(a, &item)))),
        ],
    )
}

/// Each element of one list is compared with each of the other, and paid for.
fn decide(call: &mut Call<'_>, args: &[Val], decide: impl Fn(&List, &List) -> bool) -> Result<Val, EvalError> {
    let [Val::List(a), Val::List(b)] = args else { return Err(mismatch("sets", args)) };
    call.spend((a.len() as u64).saturating_mul(b.len() as u64))?;
    Ok(Val::Bool(decide(a, b)))
}

fn contains(set: &List, subset: &List) -> bool {
    subset.iter().all(|item| has(set, &item))
}

fn has(set: &List, item: &Val) -> bool {
    set.iter().any(|own| own == *item)
}
