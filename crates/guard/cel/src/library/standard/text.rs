//! `size` and the standard functions over text.

use crate::library::mismatch;
use crate::{Call, Cost, EvalError, Function, Type, Val};

type Outcome = Result<Val, EvalError>;

pub(super) fn functions() -> Vec<Function> {
    let any = || Type::param("A");
    let sized = [Type::String, Type::Bytes, Type::list(any()), Type::map(any(), Type::param("B"))];
    let mut functions: Vec<Function> = Vec::new();
    for of in sized {
        functions.push(Function::global("size", [of.clone()], Type::Int, size));
        functions.push(Function::member("size", [of], Type::Int, size));
    }
    let text = |name, call| Function::member(name, [Type::String, Type::String], Type::Bool, call).cost(Cost::Sizes);
    functions.extend([
        text("contains", |_, args| two(args, |text, part| text.contains(part))),
        text("startsWith", |_, args| two(args, |text, prefix| text.starts_with(prefix))),
        text("endsWith", |_, args| two(args, |text, suffix| text.ends_with(suffix))),
        text("matches", matches).pattern(1),
        Function::global("matches", [Type::String, Type::String], Type::Bool, matches).cost(Cost::Sizes).pattern(1),
    ]);
    functions
}

fn size(_: &mut Call<'_>, args: &[Val]) -> Outcome {
    let size = match args {
        [Val::String(text)] => text.chars().count(),
        [Val::Bytes(bytes)] => bytes.len(),
        [Val::List(list)] => list.len(),
        [Val::Map(map)] => map.len(),
        _ => return Err(mismatch("size", args)),
    };
    Ok(Val::size(size))
}

fn two(args: &[Val], decide: impl Fn(&str, &str) -> bool) -> Outcome {
    match args {
        [Val::String(a), Val::String(b)] => Ok(Val::Bool(decide(a, b))),
        _ => Err(mismatch("text", args)),
    }
}

fn matches(call: &mut Call<'_>, args: &[Val]) -> Outcome {
    let [Val::String(text), Val::String(pattern)] = args else { return Err(mismatch("matches", args)) };
    call.spend_size(text.len().saturating_mul(pattern.len() / 4 + 1))?;
    Ok(Val::Bool(call.pattern(pattern)?.regex().is_match(text)))
}
