//! The client in the form of Rego's `http.send`: a request and an answer as values.
//!
//! Deliberately absent: certificates from files and environment variables, which a policy could use to read what it may
//! not.

use std::time::Duration;

use palisade_model::{Map, Value};

use super::{MAX_TIMEOUT, Network, Request, Response};

/// Sends `request`, answering `{"status", "status_code", "headers", "raw_body"}`.
pub fn send(request: &Value, network: &Network) -> Result<Value, String> {
    let request = read(request)?;
    super::send(&request, network).map(|response| answer(&response)).map_err(|error| error.to_string())
}

fn read(request: &Value) -> Result<Request, String> {
    let mut members = request.as_object().into_iter().flat_map(Map::keys);
    if let Some(name) = members.find(|name| name.ends_with("_file") || name.ends_with("_env_variable")) {
        return Err(format!("`{name}` is not permitted: give the certificate itself"));
    }
    if request.get("tls_client_cert").is_some() || request.get("tls_client_key").is_some() {
        return Err("client certificates are not supported here".into());
    }
    let text = |name: &str| request.get(name).and_then(Value::as_str);
    let number = |name: &str| request.get(name).and_then(Value::as_i64);
    let flag = |name: &str| request.get(name).and_then(Value::as_bool).unwrap_or(false);
    let timeout = number("timeout").and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
    let headers = request.get("headers").and_then(Value::as_object).into_iter().flat_map(Map::iter);
    Ok(Request {
        headers: headers.filter_map(|(name, value)| Some((name.to_string(), value.as_str()?.to_owned()))).collect(),
        body: text("raw_body").unwrap_or_default().as_bytes().to_vec(),
        timeout: timeout.map_or(MAX_TIMEOUT, Duration::from_nanos),
        redirects: flag("enable_redirect"),
        retries: number("max_retry_attempts").and_then(|number| u32::try_from(number).ok()).unwrap_or(0),
        authorities: text("tls_ca_cert").map(str::to_owned),
        unverified_tls: flag("tls_insecure_skip_verify"),
        ..Request::new(text("method").unwrap_or("GET"), text("url").unwrap_or_default())
    })
}

fn answer(response: &Response) -> Value {
    let mut headers = Map::new();
    for name in response.headers.keys() {
        let values =
            response.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into());
        headers.insert(name.as_str(), Value::array(values.map(Value::String).collect::<Vec<_>>()));
    }
    let mut answer = Map::new();
    answer.insert("status", format!("{} {}", response.status, response.reason));
    answer.insert("status_code", i64::from(response.status));
    answer.insert("headers", Value::object(headers));
    answer.insert("raw_body", String::from_utf8_lossy(&response.body).into_owned());
    Value::object(answer)
}
