//! `random()` and `random(pattern)`: text that matches a regular expression.
//!
//! Drawn from the environment's seed and the cost spent so far, so that a replay draws the same texts while two calls
//! of one evaluation differ.

use palisade_gotext::random_text;

use crate::library::{Call, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

/// The pattern where none is given.
const DEFAULT_PATTERN: &str = "[0-9a-z]{8}";

pub(super) fn library() -> Library {
    let mut functions = Vec::new();
    for name in ["random", "random.random"] {
        functions.push(Function::global(name, [], Type::String, random).contextual());
        functions.push(Function::global(name, [Type::String], Type::String, random).contextual());
    }
    Library::of("kyverno.random", functions)
}

fn random(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let pattern = match args {
        [] => DEFAULT_PATTERN,
        [Val::String(pattern)] => pattern,
        _ => return Err(mismatch("random", args)),
    };
    let seed = call.environment()?.seed ^ call.spent().rotate_left(32);
    call.spend_size(pattern.len())?;
    let pattern = random_text::Pattern::parse(pattern).map_err(EvalError::invalid)?;
    pattern.draw(seed, &mut || call.spend(1)).map(Val::from)
}
