//! `listObjToMap(keys, values, keyName, valueName)`, also as `transform.listObjToMap`: a map from a member of each
//! object of one list to a member of its partner in the other.

use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::{Dict, Entries, EvalError, Key, Type, Val};

pub(super) fn library() -> Library {
    let list = || Type::list(Type::Dyn);
    let functions = ["listObjToMap", "transform.listObjToMap"].map(|name| {
        let params = [list(), list(), Type::String, Type::String];
        Function::global(name, params, Type::map(Type::Dyn, Type::Dyn), list_to_map).cost(Cost::Sizes)
    });
    Library::of("kyverno.transform", functions)
}

fn list_to_map(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::List(keys), Val::List(values), Val::String(key_name), Val::String(value_name)] = args else {
        return Err(mismatch("listObjToMap", args));
    };
    if keys.len() != values.len() {
        return Err(EvalError::invalid(format_args!(
            "listObjToMap must take lists of equal length. list1: {}, list2: {}",
            keys.len(),
            values.len()
        )));
    }
    // The last of several equal keys counts, so the pairs are taken from behind.
    let mut entries = Vec::with_capacity(keys.len());
    for (key, value) in keys.iter().zip(values.iter()).rev() {
        call.spend(1)?;
        let Some(Val::String(key)) = object(&key)?.get_str(key_name) else {
            return Err(EvalError::invalid("the passed key name cannot be handled as a string in the key object list"));
        };
        entries.push((Key::String(key), object(&value)?.get_str(value_name).unwrap_or_default()));
    }
    let mut map = Entries::new();
    for (key, value) in entries {
        let _repeated = map.insert(key, value);
    }
    Ok(Val::map(map))
}

fn object(value: &Val) -> Result<&Dict, EvalError> {
    value.as_map().ok_or_else(|| EvalError::invalid("listObjToMap must take lists of objects"))
}
