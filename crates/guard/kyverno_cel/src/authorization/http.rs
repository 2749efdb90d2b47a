//! What expressions of mode `HTTP` see and respond: `object.attributes`, `http.Allowed()`, `http.Denied(reason)`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_cel::library::mismatch;
use palisade_cel::{Call, EvalError, Function, Library, Type, Val};
use palisade_model::{Map, Value};

use super::Response;
use super::message::Message;

const REQUEST: &str = "http.CheckRequest";
const ATTRIBUTES: &str = "http.CheckRequestAttributes";
const OK: &str = "http.CheckResponseOk";
const DENIED: &str = "http.CheckResponseDenied";
/// The type of a response.
pub(super) const RESPONSE: &str = "http.CheckResponse";

pub(super) fn library() -> Library {
    let texts = || Type::list(Type::String);
    let of = |name| Type::object(name);
    Library::of(
        "kyverno.authz.http",
        [
            Function::global("http.Allowed", [], of(OK), |_, _| Ok(Message::new(OK).into_val())),
            Function::global("http.Denied", [Type::String], of(DENIED), denied),
            Function::member("Header", [of(ATTRIBUTES), Type::String], texts(), header),
            Function::member("QueryParam", [of(ATTRIBUTES), Type::String], texts(), query_param),
            Function::member("Response", [of(OK)], of(RESPONSE), |_, args| respond("ok", args)),
            Function::member("Response", [of(DENIED)], of(RESPONSE), |_, args| respond("denied", args)),
        ],
    )
}

fn denied(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [reason @ Val::String(_)] = args else { return Err(mismatch("http.Denied", args)) };
    Ok(Message::new(DENIED).with("reason", reason.clone()).into_val())
}

fn respond(field: &str, args: &[Val]) -> Result<Val, EvalError> {
    let [answer] = args else { return Err(mismatch("Response", args)) };
    Ok(Message::new(RESPONSE).with(field, answer.clone()).into_val())
}

fn header(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    values("header", args, canonical)
}

fn query_param(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    values("query", args, str::to_owned)
}

/// The values under a key of a field that maps keys to lists; none where the key is missing.
fn values(field: &str, args: &[Val], spell: fn(&str) -> String) -> Result<Val, EvalError> {
    let [attributes, Val::String(key)] = args else { return Err(mismatch(field, args)) };
    let attributes = Message::of(attributes, ATTRIBUTES).ok_or_else(|| mismatch(field, args))?;
    let found = attributes.get(field).and_then(Val::as_map).and_then(|map| map.get_str(&spell(key)));
    Ok(found.filter(|found| found.as_list().is_some()).unwrap_or_else(|| Val::list(Vec::new())))
}

/// A header's name as Go's HTTP library spells it: `Content-Type`.
fn canonical(name: &str) -> String {
    let word = |word: &str| {
        let mut characters = word.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(characters.map(|rest| rest.to_ascii_lowercase())).collect::<String>()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// The request as expressions see it: every field is there, the body as bytes.
pub(super) fn request(payload: &Value) -> Val {
    let given = payload.get("attributes");
    let field = |name: &str| given.and_then(|attributes| attributes.get(name)).filter(|value| !value.is_null());
    let mut attributes = Message::new(ATTRIBUTES);
    for name in ["method", "host", "protocol", "scheme", "path", "fragment"] {
        attributes = attributes.with(name, field(name).map_or_else(|| Val::from(""), Val::from));
    }
    for name in ["header", "query"] {
        let empty = || Val::from(Value::object(Map::new()));
        attributes = attributes.with(name, field(name).map_or_else(empty, Val::from));
    }
    let body = field("body").and_then(Value::as_str).and_then(|body| STANDARD.decode(body).ok()).unwrap_or_default();
    let length = field("contentLength").and_then(Value::as_i64).unwrap_or_default();
    let attributes = attributes.with("body", Val::bytes(body)).with("contentLength", length);
    Message::new(REQUEST).with("attributes", attributes.into_val()).into_val()
}

/// What a response says.
pub(super) fn read_response(response: &Message) -> Response {
    match response.get("denied").and_then(|denied| Message::of(denied, DENIED)) {
        None => Response::Allowed,
        Some(denied) => {
            let reason = denied.get("reason").and_then(Val::as_str).unwrap_or_default();
            Response::Denied(format!("reason: {reason}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_are_spelled_as_go_spells_them() {
        assert_eq!(canonical("x-force-AUTHORIZED"), "X-Force-Authorized");
    }
}
