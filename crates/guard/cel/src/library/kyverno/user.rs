//! `parseServiceAccount(username)`, also as `user.parseServiceAccount`: namespace and name of a service account.

use palisade_model::{Map, Value};

use crate::library::{Call, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

pub(super) fn library() -> Library {
    let names = ["parseServiceAccount", "user.parseServiceAccount"];
    let functions = names.map(|name| {
        Function::global(name, [Type::String], Type::map(Type::String, Type::String), parse_service_account)
    });
    Library::of("kyverno.user", functions)
}

/// Both parts are empty for users that are no service accounts.
fn parse_service_account(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(user)] = args else { return Err(mismatch("parseServiceAccount", args)) };
    let account = user.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':'));
    let (namespace, name) = account.unwrap_or_default();
    let mut map = Map::new();
    map.insert("Name", name);
    map.insert("Namespace", namespace);
    Ok(Val::from(Value::object(map)))
}
