//! What expressions of mode `Envoy` see and respond: Envoy's `CheckRequest` (ext_authz v3), `envoy.Allowed()`,
//! `envoy.Denied(code)` and what is added to them.

use palisade_cel::library::mismatch;
use palisade_cel::{Call, EvalError, Function, Library, Type, Val};
use palisade_model::{Map, Value, json};

use super::Response;
use super::message::Message;

const OK: &str = "envoy.service.auth.v3.OkHttpResponse";
const DENIED: &str = "envoy.service.auth.v3.DeniedHttpResponse";
const HEADER: &str = "envoy.config.core.v3.HeaderValueOption";
const QUERY: &str = "envoy.config.core.v3.QueryParameter";
/// The type of a response.
pub(super) const RESPONSE: &str = "envoy.service.auth.v3.CheckResponse";

pub(super) fn library() -> Library {
    let of = |name| Type::object(name);
    let text = || Type::String;
    let mut functions = vec![
        Function::global("envoy.Allowed", [], of(OK), |_, _| Ok(Message::new(OK).into_val())),
        Function::global("envoy.Denied", [Type::Int], of(DENIED), denied),
        Function::global("envoy.Header", [text(), text()], of(HEADER), |_, args| pair(HEADER, args)),
        Function::global("envoy.QueryParam", [text(), text()], of(QUERY), |_, args| pair(QUERY, args)),
        Function::member("KeepEmptyValue", [of(HEADER)], of(HEADER), keep_empty),
        Function::member("KeepEmptyValue", [of(HEADER), Type::Bool], of(HEADER), keep_empty),
        Function::member("WithBody", [of(DENIED), text()], of(DENIED), |_, args| set("body", args)),
        Function::member("WithoutHeader", [of(OK), text()], of(OK), |_, args| add("headers_to_remove", args)),
        Function::member("WithoutQueryParam", [of(OK), text()], of(OK), |_, args| add("query_to_remove", args)),
        Function::member("Response", [of(OK)], of(RESPONSE), |_, args| respond("ok", args)),
        Function::member("Response", [of(DENIED)], of(RESPONSE), |_, args| respond("denied", args)),
        Function::member("WithMessage", [of(RESPONSE), text()], of(RESPONSE), |_, args| set("message", args)),
        Function::member("WithMetadata", [of(RESPONSE), Type::Dyn], of(RESPONSE), |_, args| set("metadata", args)),
    ];
    let mut adding = |name, to: &'static str, item: &'static str, call| {
        functions.push(Function::member(name, [of(to), of(item)], of(to), call));
        functions.push(Function::member(name, [of(to), text(), text()], of(to), call));
    };
    adding("WithHeader", OK, HEADER, |_, args| add("headers", args));
    adding("WithHeader", DENIED, HEADER, |_, args| add("headers", args));
    adding("WithResponseHeader", OK, HEADER, |_, args| add("response_headers", args));
    adding("WithQueryParam", OK, QUERY, |_, args| add("query", args));
    Library::of("kyverno.authz.envoy", functions)
}

fn receiver<'a>(args: &'a [Val], function: &str) -> Result<&'a Message, EvalError> {
    args.first().and_then(Val::downcast::<Message>).ok_or_else(|| mismatch(function, args))
}

fn denied(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [code @ Val::Int(_)] = args else { return Err(mismatch("envoy.Denied", args)) };
    Ok(Message::new(DENIED).with("code", code.clone()).into_val())
}

fn pair(name: &'static str, args: &[Val]) -> Result<Val, EvalError> {
    let [key, value] = args else { return Err(mismatch(name, args)) };
    Ok(Message::new(name).with("key", key.clone()).with("value", value.clone()).into_val())
}

fn keep_empty(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let keep = args.get(1).cloned().unwrap_or(Val::Bool(true));
    Ok(receiver(args, "KeepEmptyValue")?.clone().with("keep_empty_value", keep).into_val())
}

fn set(field: &str, args: &[Val]) -> Result<Val, EvalError> {
    let [_, value] = args else { return Err(mismatch(field, args)) };
    Ok(receiver(args, field)?.clone().with(field, value.clone()).into_val())
}

fn add(field: &str, args: &[Val]) -> Result<Val, EvalError> {
    let item = match args {
        [_, item] => item.clone(),
        [_, key, value] => pair(HEADER, &[key.clone(), value.clone()])?,
        _ => return Err(mismatch(field, args)),
    };
    Ok(receiver(args, field)?.clone().push(field, item).into_val())
}

fn respond(field: &str, args: &[Val]) -> Result<Val, EvalError> {
    let [answer] = args else { return Err(mismatch("Response", args)) };
    Ok(Message::new(RESPONSE).with(field, answer.clone()).into_val())
}

/// What a response says.
pub(super) fn read_response(response: &Message) -> Response {
    match response.get("denied").and_then(|denied| Message::of(denied, DENIED)) {
        None => Response::Allowed,
        Some(denied) => {
            let code = denied.get("code").and_then(Val::as_int).unwrap_or_default();
            Response::Denied(format!("status code {code}"))
        }
    }
}

/// Members whose keys are data, not names of fields.
const MAPS: [&str; 4] = ["headers", "context_extensions", "labels", "fields"];
/// The deepest nesting of a request that is read.
const MAX_DEPTH: usize = 64;

/// The request under the field names of the protocol, with what every request has.
pub(super) fn request(payload: &Value) -> Value {
    let defaults = json!({
        "attributes": {
            "source": {"service": "", "labels": {}, "principal": "", "certificate": ""},
            "destination": {"service": "", "labels": {}, "principal": "", "certificate": ""},
            "request": {"http": {
                "id": "", "method": "", "headers": {}, "path": "", "host": "", "scheme": "", "query": "",
                "fragment": "", "size": 0, "protocol": "", "body": "", "raw_body": "",
            }},
            "context_extensions": {},
        },
    });
    palisade_model::patch::merge(&defaults, &named(payload, 0))
}

/// Protocol buffers' JSON writes `contextExtensions` for `context_extensions` and reads both.
fn named(value: &Value, depth: usize) -> Value {
    let Some(map) = value.as_object().filter(|_| depth < MAX_DEPTH) else { return value.clone() };
    let member = |(key, value): (&palisade_model::Str, &Value)| {
        let key = snake_case(key);
        let value = if MAPS.contains(&key.as_str()) { value.clone() } else { named(value, depth + 1) };
        (key.into(), value)
    };
    Value::object(map.iter().map(member).collect::<Map>())
}

fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_the_protocols_names_and_defaults() {
        let payload = json!({"attributes": {
            "contextExtensions": {"someKey": "x"}, "request": {"http": {"headers": {"X-A": "b"}}},
        }});
        let request = request(&payload);
        let attributes = request.get("attributes").unwrap();
        assert_eq!(attributes.get("context_extensions"), Some(&json!({"someKey": "x"})));
        assert_eq!(attributes.dig(["request", "http", "headers", "X-A"]), Some(&Value::from("b")));
        assert_eq!(attributes.dig(["request", "http", "path"]), Some(&Value::from("")));
    }
}
