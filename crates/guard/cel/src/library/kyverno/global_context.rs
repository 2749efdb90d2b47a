//! `globalContext.Get(name)` and `globalContext.Get(name, projection)`. An entry that does not exist is `null`.

use palisade_policy::LookupError;

use super::handle::Handle;
use crate::library::{Call, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

const TYPE: &str = "globalcontext.Context";

pub(super) fn library() -> Library {
    let mut functions = Vec::new();
    for name in ["Get", "get"] {
        let function = |params: Vec<Type>| Function::member(name, params, Type::Dyn, get).contextual();
        functions.push(function(vec![Type::opaque(TYPE), Type::String]));
        functions.push(function(vec![Type::opaque(TYPE), Type::String, Type::String]));
    }
    Library {
        constants: vec![("globalContext", Handle::value(TYPE))],
        ..Library::of("kyverno.globalcontext", functions)
    }
}

fn get(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let (name, projection) = match args {
        [_, Val::String(name)] => (name, ""),
        [_, Val::String(name), Val::String(projection)] => (name, &**projection),
        _ => return Err(mismatch("Get", args)),
    };
    match call.environment()?.lookups.global_context(name, projection) {
        Ok(value) => Ok(Val::from(value)),
        Err(LookupError::NotFound(_)) => Ok(Val::Null),
        Err(error) => Err(EvalError::invalid(format_args!("failed to get global reference: {error}"))),
    }
}
