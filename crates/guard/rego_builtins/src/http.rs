//! `http.send`: requests are checked here and sent by the [`Host`](crate::Host), which decides whom they may
//! reach.
//!
//! What a host is given is the request of the policy with the defaults filled in: `method` in upper case, `url`,
//! `headers` with canonical names, `raw_body` as text, `timeout` in nanoseconds (5 seconds where none is asked for),
//! `enable_redirect`, `max_retry_attempts`, and the `tls_*` members as they are. It must send to permitted hosts only
//! (also when redirected: the error is `unallowed host: NAME`), give up after `timeout`, read a bounded number of
//! bytes, resolve `tls_*_file` and `tls_*_env_variable` only where the configuration permits it, and answer
//! `{"status": "200 OK", "status_code": 200, "headers": {"content-type": ["text/plain"]}, "raw_body": "..."}`, names
//! of headers in lower case. Everything else of OPA's answer is made here. Answers and errors are remembered for the
//! evaluation; a cache between evaluations is deliberately absent, `cache` and `force_cache` are only checked.

use palisade_document::{Limits, parse_yaml};
use palisade_gotext::go_duration::{DurationError, GoDuration};
use palisade_model::Source;
use palisade_rego_value::{Number, Object, Value};

use super::declare::{OBJECT, nondeterministic};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};

pub(super) const BUILTINS: &[Builtin] = &[nondeterministic(NAME, &[OBJECT], OBJECT, send)];

const NAME: &str = "http.send";
/// Nanoseconds that a request may take where it does not say.
const TIMEOUT: i64 = 5_000_000_000;

const ALLOWED: [&str; 28] = [
    "body",
    "cache",
    "cache_ignored_headers",
    "caching_mode",
    "enable_redirect",
    "force_cache",
    "force_cache_duration_seconds",
    "force_json_decode",
    "force_yaml_decode",
    "headers",
    "max_retry_attempts",
    "method",
    "raise_error",
    "raw_body",
    "timeout",
    "tls_ca_cert",
    "tls_ca_cert_env_variable",
    "tls_ca_cert_file",
    "tls_client_cert",
    "tls_client_cert_env_variable",
    "tls_client_cert_file",
    "tls_client_key",
    "tls_client_key_env_variable",
    "tls_client_key_file",
    "tls_insecure_skip_verify",
    "tls_server_name",
    "tls_use_system_certs",
    "url",
];

/// Status codes whose answers are kept (RFC 7231, section 6.1).
const KEPT: [i64; 11] = [200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501];

/// Whether a request has the members it needs and no others.
pub(super) fn check_request(request: &Object) -> Result<(), BuiltinError> {
    let known = |key: &&Value| !key.as_str().is_some_and(|name| ALLOWED.contains(&name));
    let unknown: Vec<_> = request.keys().filter(known).cloned().collect();
    if !unknown.is_empty() {
        let unknown = Value::set(unknown);
        return Err(operands::invalid(1, &format!("invalid request parameters(s): {unknown}")));
    }
    let missing: Vec<_> =
        ["method", "url"].into_iter().filter(|name| request.get_str(name).is_none()).map(Value::from).collect();
    if !missing.is_empty() {
        let missing = Value::set(missing);
        return Err(operands::invalid(1, &format!("missing required request parameters(s): {missing}")));
    }
    Ok(())
}

fn send(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let request = operands::object(operands, 1)?;
    let raise = match request.get_str("raise_error") {
        None => true,
        Some(Value::Bool(raise)) => *raise,
        Some(_) => return Err(BuiltinError::failed("invalid value for raise_error field")),
    };
    match respond(context, request) {
        Ok(response) => answer(response),
        Err(Trouble::Request(error)) if raise => Err(error),
        Err(Trouble::Network(error)) if raise => Err(unanswered(context, error)),
        Err(Trouble::Request(error @ BuiltinError::Halt(_))) => Err(error),
        Err(Trouble::Request(BuiltinError::Type(error))) => {
            answer(failure("eval_http_send_internal_error", &format!("eval_type_error: {NAME}: {error}")))
        }
        Err(Trouble::Request(error)) => {
            answer(failure("eval_http_send_internal_error", &format!("eval_builtin_error: {NAME}: {error}")))
        }
        Err(Trouble::Network(error)) => answer(failure("eval_http_send_network_error", &error)),
    }
}

/// What a request without an answer is to the evaluation.
fn unanswered(context: &Context<'_>, error: String) -> BuiltinError {
    if context.host.must_answer() {
        BuiltinError::Halt(format!("{NAME}: {error}"))
    } else {
        BuiltinError::Failed(error)
    }
}

enum Trouble {
    /// The request is wrong, or not permitted.
    Request(BuiltinError),
    /// There is no answer.
    Network(String),
}

impl From<BuiltinError> for Trouble {
    fn from(error: BuiltinError) -> Self {
        Self::Request(error)
    }
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::object(members.into_iter().map(|(name, value)| (Value::from(name), value)).collect())
}

fn failure(code: &str, message: &str) -> Value {
    let error = object([("code", Value::from(code)), ("message", Value::from(message))]);
    object([("status_code", Value::from(0_i64)), ("error", error)])
}

fn respond(context: &mut Context<'_>, request: &Object) -> Result<Value, Trouble> {
    check_request(request)?;
    let key = cache_key(request)?;
    check_caching(request)?;
    if let Some(known) = context.memory.answer(NAME, &key) {
        return match known.get_str("unreachable").and_then(Value::as_str) {
            Some(error) => Err(Trouble::Network(error.to_owned())),
            None => Ok(known.clone()),
        };
    }
    let outgoing = outgoing(request)?;
    let response = match context.host.http(&outgoing) {
        Ok(response) => shaped(context, request, &response)?,
        Err(error) if error.starts_with("unallowed host") => return Err(unanswered(context, error).into()),
        Err(error) => {
            context.memory.remember(NAME, key, object([("unreachable", Value::from(error.as_str()))]));
            return Err(Trouble::Network(error));
        }
    };
    if response.get_str("status_code").and_then(Value::as_i64).is_some_and(|code| KEPT.contains(&code)) {
        context.memory.remember(NAME, key, response.clone());
    }
    Ok(response)
}

/// The request without the headers that do not count for the cache.
fn cache_key(request: &Object) -> Result<Value, BuiltinError> {
    let mut key = Object::clone(request);
    if let (Some(ignored), Some(Value::Object(headers))) =
        (request.get_str("cache_ignored_headers"), request.get_str("headers"))
    {
        let ignored =
            ignored.as_elements().ok_or_else(|| BuiltinError::failed("cache_ignored_headers must be a list"))?;
        let kept = headers.iter().filter(|(name, _)| !ignored.contains(name));
        let kept = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        key.insert(Value::from("headers"), Value::object(kept));
    }
    key.insert(Value::from("cache_ignored_headers"), Value::Null);
    Ok(Value::from(key))
}

fn check_caching(request: &Object) -> Result<(), BuiltinError> {
    flag(request, "cache")?;
    if flag(request, "force_cache")? {
        let duration = request.get_str("force_cache_duration_seconds").ok_or_else(|| {
            BuiltinError::failed("'force_cache' set but 'force_cache_duration_seconds' parameter is missing")
        })?;
        if duration.as_i64().and_then(|seconds| i32::try_from(seconds).ok()).is_none() {
            let message = format!("strconv.ParseInt: parsing {:?}: invalid syntax", duration.to_string());
            return Err(BuiltinError::Failed(message));
        }
    }
    match request.get_str("caching_mode") {
        None => Ok(()),
        Some(Value::String(mode)) if matches!(&**mode, "serialized" | "deserialized") => Ok(()),
        Some(Value::String(mode)) => {
            Err(BuiltinError::Failed(format!("invalid value specified for \"caching_mode\" field: {mode}")))
        }
        Some(_) => Err(BuiltinError::failed("invalid value for \"caching_mode\" field")),
    }
}

fn flag(request: &Object, name: &str) -> Result<bool, BuiltinError> {
    match request.get_str(name) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(BuiltinError::Failed(format!("invalid value for {name:?} field"))),
    }
}

/// What the host is asked to send.
fn outgoing(request: &Object) -> Result<Value, BuiltinError> {
    let mut pairs = Vec::new();
    for (key, value) in request.iter() {
        let name = key.as_str().unwrap_or_default();
        let sent = match name {
            "method" => Value::from(text(name, value)?.to_uppercase()),
            "url" => Value::from(text(name, value)?),
            "body" => continue,
            "raw_body" => value.clone(),
            "headers" => canonical_headers(value)?,
            "timeout" => Value::from(timeout(value)?),
            "enable_redirect" | "tls_insecure_skip_verify" | "tls_use_system_certs" => Value::from(boolean(value)?),
            "max_retry_attempts" => retries(value)?,
            _ if name.starts_with("tls_") => Value::from(text(name, value)?),
            _ => continue,
        };
        pairs.push((key.clone(), sent));
    }
    let mut sent = Object::from(pairs);
    if let Some(body) = request.get_str("body").filter(|_| sent.get_str("raw_body").is_none()) {
        sent.insert(Value::from("raw_body"), Value::from(body.to_json()));
    }
    if sent.get_str("timeout").is_none() {
        sent.insert(Value::from("timeout"), Value::from(TIMEOUT));
    }
    if let Some(raw) = sent.get_str("raw_body") {
        text("raw_body", raw)?;
    }
    Ok(Value::from(sent))
}

fn text<'a>(name: &str, value: &'a Value) -> Result<&'a str, BuiltinError> {
    value.as_str().ok_or_else(|| BuiltinError::Failed(format!("{name:?} must be a string")))
}

/// `true`, and what Go's `strconv.ParseBool` takes for one when it is printed.
fn boolean(value: &Value) -> Result<bool, BuiltinError> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Number(number) if matches!(number.as_i64(), Some(0 | 1)) => Ok(!number.is_zero()),
        other => {
            let message = format!("strconv.ParseBool: parsing {:?}: invalid syntax", other.to_string());
            Err(BuiltinError::Failed(message))
        }
    }
}

fn retries(value: &Value) -> Result<Value, BuiltinError> {
    match value.as_number().and_then(Number::as_i64) {
        Some(number) if number >= 0 => Ok(Value::from(number)),
        _ => Err(BuiltinError::Failed(format!("invalid value {value} for field \"max_retry_attempts\""))),
    }
}

/// Nanoseconds, as a number or as text with or without a unit.
fn timeout(value: &Value) -> Result<i64, BuiltinError> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .ok_or_else(|| BuiltinError::Failed(format!("invalid timeout number value {number}, must be int64"))),
        Value::String(text) => text.parse().or_else(|_| {
            let wrong = |error: DurationError| BuiltinError::Failed(format!("invalid timeout value {value}: {error}"));
            GoDuration::parse(text).map(|duration| duration.0).map_err(wrong)
        }),
        other => {
            let words = format!("'timeout' must be one of {{string, number}} but got {}", other.type_name());
            Err(operands::invalid(1, &words))
        }
    }
}

fn canonical_headers(value: &Value) -> Result<Value, BuiltinError> {
    let headers = value.as_object().ok_or_else(|| BuiltinError::failed("invalid type for headers key"))?;
    let canonical = |(name, value): (&Value, &Value)| match value {
        Value::String(_) => Ok((Value::from(canonical_name(&name.to_key())), value.clone())),
        other => Err(BuiltinError::Failed(format!("invalid type for headers value {other}"))),
    };
    Ok(Value::object(headers.iter().map(canonical).collect::<Result<_, _>>()?))
}

/// `content-type` as `Content-Type`; a name with other characters than names have stays as it is.
fn canonical_name(name: &str) -> String {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.bytes().all(is_token) {
        return name.to_owned();
    }
    let mut start = true;
    let cased = |c: char| {
        let cased = if start { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        start = c == '-';
        cased
    };
    name.chars().map(cased).collect()
}

/// The answer as policies see it.
fn shaped(context: &mut Context<'_>, request: &Object, response: &Value) -> Result<Value, BuiltinError> {
    let part = |name| response.get_str(name).cloned().unwrap_or(Value::Null);
    let raw = part("raw_body");
    let raw_text = raw.as_str().unwrap_or_default();
    context.grow(raw_text.len())?;
    context.step(raw_text.len() / 16)?;
    let kind = part("headers");
    let kind = kind.get_str("content-type").and_then(|kinds| kinds.as_array()?.first()?.as_str()).unwrap_or_default();
    let body = if flag(request, "force_json_decode")? || is_json(kind) {
        Value::from_json(raw_text).unwrap_or(Value::Null)
    } else if flag(request, "force_yaml_decode")? || is_yaml(kind) {
        yaml(raw_text).unwrap_or(Value::Null)
    } else {
        Value::Null
    };
    Ok(object([
        ("status", part("status")),
        ("status_code", part("status_code")),
        ("headers", part("headers")),
        ("body", body),
        ("raw_body", raw),
    ]))
}

/// The first document of a YAML text.
fn yaml(text: &str) -> Option<Value> {
    let parsed = parse_yaml(Source::new("response", text), &Limits::default());
    let broken = !parsed.diagnostics.is_empty();
    parsed.documents.first().filter(|_| !broken).map(|document| Value::from(&document.value))
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.strip_prefix("application/").is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

fn is_yaml(kind: &str) -> bool {
    kind.contains("application/yaml") || kind.contains("application/x-yaml")
}
