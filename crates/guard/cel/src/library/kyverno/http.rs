//! `http.Get(url)`, `http.Post(url, body)` and `http.Client(caBundle)`. The calls go to the cluster of the environment,
//! which answers with mocks, or reaches out where a checkpoint lets it. Headers and the bundle are the checkpoint's
//! business and are checked here only for form.

use palisade_model::Value;
use palisade_policy::ApiCall;

use super::handle::Handle;
use crate::library::{Call, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

const TYPE: &str = "http.Context";

pub(super) fn library() -> Library {
    let own = || Type::opaque(TYPE);
    let headers = || Type::map(Type::String, Type::String);
    let mut functions = Vec::new();
    let mut add = |name, params: Vec<Type>, result, call| {
        functions.push(Function::member(name, params, result, call).contextual());
    };
    for name in ["Get", "get"] {
        add(name, vec![own(), Type::String], Type::Dyn, get);
        add(name, vec![own(), Type::String, headers()], Type::Dyn, get);
    }
    for name in ["Post", "post"] {
        add(name, vec![own(), Type::String, Type::Dyn], Type::Dyn, post);
        add(name, vec![own(), Type::String, Type::Dyn, headers()], Type::Dyn, post);
    }
    for name in ["Client", "client"] {
        add(name, vec![own(), Type::String], own(), client);
    }
    Library { constants: vec![("http", Handle::value(TYPE))], ..Library::of("kyverno.http", functions) }
}

fn get(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [_, Val::String(url), ..] = args else { return Err(mismatch("Get", args)) };
    send(call, &ApiCall { method: "GET".into(), url: url.clone(), body: Value::Null })
}

fn post(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [_, Val::String(url), body, ..] = args else { return Err(mismatch("Post", args)) };
    send(call, &ApiCall { method: "POST".into(), url: url.clone(), body: body.to_value()? })
}

fn send(call: &mut Call<'_>, request: &ApiCall) -> Result<Val, EvalError> {
    let answer = call.environment()?.lookups.http(request);
    answer.map(Val::from).map_err(|error| EvalError::invalid(format_args!("request failed: {error}")))
}

fn client(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [client, Val::String(bundle)] = args else { return Err(mismatch("Client", args)) };
    if !bundle.is_empty() && !bundle.contains("-----BEGIN CERTIFICATE-----") {
        return Err(EvalError::invalid("request failed: failed to parse PEM CA bundle for APICall"));
    }
    Ok(client.clone())
}
