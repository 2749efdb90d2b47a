//! cel-go's lists extension.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::library::mismatch;
use crate::syntax::macros;
use crate::{Call, EvalError, Function, Key, Library, List, Type, Val};

type Outcome = Result<Val, EvalError>;

/// `slice`, `flatten`, `sort`, `sortBy`, `reverse`, `distinct`, `first`, `last` and `lists.range`.
pub fn library() -> Library {
    let list = || Type::list(Type::param("T"));
    let member = Function::member;
    let mut functions = vec![
        member("slice", vec![list(), Type::Int, Type::Int], list(), slice),
        member("flatten", vec![Type::list(list())], list(), flatten),
        member("flatten", vec![list()], list(), flatten),
        member("flatten", vec![Type::list(Type::Dyn), Type::Int], Type::list(Type::Dyn), flatten),
        member("reverse", vec![list()], list(), reverse),
        member("distinct", vec![list()], list(), distinct),
        member("first", vec![list()], Type::optional(Type::param("T")), |_, args| Ok(wrap(one(args)?.get(0)))),
        member("last", vec![list()], Type::optional(Type::param("T")), |_, args| {
            let list = one(args)?;
            Ok(wrap(list.len().checked_sub(1).and_then(|last| list.get(last))))
        }),
        Function::global("lists.range", vec![Type::Int], Type::list(Type::Int), range),
    ];
    for of in COMPARABLE {
        functions.push(member("sort", vec![Type::list(of.clone())], Type::list(of.clone()), sort));
        functions.push(member(macros::SORT_BY_KEYS, vec![list(), Type::list(of)], list(), sort_by_keys));
    }
    Library { name: "lists", functions, macros: macros::LISTS.into(), ..Library::default() }
}

const COMPARABLE: [Type; 8] =
    [Type::Int, Type::UInt, Type::Double, Type::Bool, Type::Duration, Type::Timestamp, Type::String, Type::Bytes];

fn wrap(item: Option<Val>) -> Val {
    item.map_or(Val::none(), Val::some)
}

fn one(args: &[Val]) -> Result<&List, EvalError> {
    match args {
        [Val::List(list), ..] => Ok(list),
        _ => Err(mismatch("list", args)),
    }
}

fn slice(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let [Val::List(list), Val::Int(start), Val::Int(end)] = args else { return Err(mismatch("slice", args)) };
    let range = usize::try_from(*start).ok().zip(usize::try_from(*end).ok());
    let range = range.filter(|(start, end)| start <= end && *end <= list.len());
    let Some((start, end)) = range else {
        let length = list.len();
        return Err(EvalError::invalid(format_args!("cannot slice({start}, {end}) a list of {length} elements")));
    };
    call.spend((end - start) as u64)?;
    Ok(Val::list(list.iter().skip(start).take(end - start).collect::<Vec<_>>()))
}

fn flatten(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let depth = match args {
        [_, Val::Int(depth)] => *depth,
        _ => 1,
    };
    if depth < 0 {
        return Err(EvalError::invalid("the level of `flatten` must not be negative"));
    }
    let mut out = Vec::new();
    flatten_into(call, one(args)?, depth, &mut out)?;
    Ok(Val::list(out))
}

fn flatten_into(call: &mut Call<'_>, list: &List, depth: i64, out: &mut Vec<Val>) -> Result<(), EvalError> {
    for item in list.iter() {
        call.spend(1)?;
        match item {
            Val::List(inner) if depth > 0 => flatten_into(call, &inner, depth - 1, out)?,
            other => out.push(other),
        }
    }
    Ok(())
}

fn reverse(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let list = one(args)?;
    call.spend(list.len() as u64)?;
    Ok(Val::list(list.iter().rev().collect::<Vec<_>>()))
}

/// The first of equal elements each, in order. Keys are looked up, other elements compared with one another.
fn distinct(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let mut keys = HashSet::new();
    let mut others: Vec<Val> = Vec::new();
    let mut out = Vec::new();
    for item in one(args)?.iter() {
        call.spend(1)?;
        let new = if let Some(key) = Key::lookup(&item) {
            keys.insert(key)
        } else {
            call.spend(others.len() as u64)?;
            let new = !others.contains(&item);
            if new {
                others.push(item.clone());
            }
            new
        };
        if new {
            out.push(item);
        }
    }
    Ok(Val::list(out))
}

fn range(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let [Val::Int(end)] = args else { return Err(mismatch("lists.range", args)) };
    let length =
        u64::try_from(*end).map_err(|_| EvalError::invalid(format_args!("`lists.range({end})` is negative")))?;
    call.spend(length)?;
    Ok(Val::list((0..*end).map(Val::Int).collect::<Vec<_>>()))
}

fn sort(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let list = one(args)?;
    sorted(call, list.to_vec(), list)
}

fn sort_by_keys(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let [Val::List(list), Val::List(keys)] = args else { return Err(mismatch("sortBy", args)) };
    sorted(call, keys.to_vec(), list)
}

/// The elements of `list` in the order of their keys, which must be of one comparable type.
fn sorted(call: &mut Call<'_>, keys: Vec<Val>, list: &List) -> Outcome {
    let length = keys.len() as u64;
    call.spend(length.saturating_mul(u64::from(length.max(2).ilog2())))?;
    if let Some(first) = keys.first() {
        let kind = first.type_of();
        if first.compare(first).is_none() && !first.is_number() {
            return Err(EvalError::invalid("the elements of a sorted list must be comparable"));
        }
        if keys.iter().any(|key| key.type_of() != kind) {
            return Err(EvalError::invalid("the elements of a sorted list must have the same type"));
        }
    }
    let mut pairs: Vec<(Val, Val)> = keys.into_iter().zip(list.iter()).collect();
    pairs.sort_by(|(a, _), (b, _)| a.compare(b).unwrap_or(Ordering::Equal));
    Ok(Val::list(pairs.into_iter().map(|(_, item)| item).collect::<Vec<_>>()))
}
