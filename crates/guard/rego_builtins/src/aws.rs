//! `providers.aws.sign_req`: headers that sign a request for AWS (Signature Version 4).
//!
//! The moment is an argument, so the same request gives the same signature. Secrets never reach a message.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade_crypto::Hash;
use palisade_gotext::go_url::Url;
use palisade_model::hex;
use palisade_rego_value::{Object, Value};

use super::declare::{OBJECT, builtin};
use super::http::check_request;
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

pub(super) const BUILTINS: &[Builtin] =
    &[builtin("providers.aws.sign_req", &[OBJECT, OBJECT, Type::Number], OBJECT, sign_request)];

/// Headers that proxies change and that are therefore not signed.
const UNSIGNED: [&str; 3] = ["authorization", "user-agent", "x-amzn-trace-id"];

fn sign_request(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let request = operands::object(operands, 1)?;
    let settings = operands.get(1).and_then(Value::as_object);
    let settings =
        settings.ok_or_else(|| operands::wrong_type(1, operands.get(1).unwrap_or(&Value::Null), &["object"]))?;
    check_settings(settings)?;
    let Some(Value::Number(number)) = operands.get(2) else {
        return Err(operands::wrong_type(1, operands.get(2).unwrap_or(&Value::Null), &["number"]));
    };
    let moment = number.as_i64().and_then(|nanoseconds| Timestamp::from_nanosecond(nanoseconds.into()).ok());
    let moment = moment.ok_or_else(|| operands::invalid(3, "could not convert time_ns value into a unix timestamp"))?;
    check_request(request)?;
    let headers = headers(request)?;
    let (method, url) = method_and_url(request)?;
    let unsigned_payload = match settings.get_str("disable_payload_signing") {
        None => false,
        Some(Value::Bool(disabled)) => *disabled,
        Some(_) => return Err(operands::invalid(2, "invalid value for 'disable_payload_signing' in AWS config")),
    };
    let body = body(request);
    context.step(body.len() / 64)?;
    let payload =
        if unsigned_payload { "UNSIGNED-PAYLOAD".to_owned() } else { hex(&Hash::Sha256.digest(&[body.as_bytes()])) };
    let signing = Signing { settings: Settings::new(settings), moment, payload };
    let mut signed = Object::clone(request);
    signed.insert(Value::from("headers"), signing.headers(&method, &url, headers));
    answer(signed)
}

fn check_settings(settings: &Object) -> Result<(), BuiltinError> {
    const REQUIRED: [&str; 4] = ["aws_access_key", "aws_region", "aws_secret_access_key", "aws_service"];
    let named = |wrong: &dyn Fn(Option<&Value>) -> bool| -> Vec<Value> {
        REQUIRED.into_iter().filter(|name| wrong(settings.get_str(name))).map(Value::from).collect()
    };
    let missing = named(&|value| value.is_none());
    if !missing.is_empty() {
        let missing = Value::set(missing);
        return Err(operands::invalid(2, &format!("missing required AWS config parameters(s): {missing}")));
    }
    let invalid = named(&|value| value.is_some_and(|value| value.as_str().is_none()));
    if !invalid.is_empty() {
        let invalid = Value::set(invalid);
        return Err(operands::invalid(2, &format!("invalid values for required AWS config parameters(s): {invalid}")));
    }
    Ok(())
}

/// The request's headers; values that are no text count as empty.
fn headers(request: &Object) -> Result<BTreeMap<String, String>, BuiltinError> {
    let headers = match request.get_str("headers") {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(headers)) => headers,
        Some(other) => return Err(operands::wrong_type(0, other, &["object"])),
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(headers.iter().map(|(name, value)| (text(name), text(value))).collect())
}

fn method_and_url(request: &Object) -> Result<(String, Url), BuiltinError> {
    let text = |name| request.get_str(name).and_then(Value::as_str);
    let invalid: Vec<_> = ["method", "url"].into_iter().filter(|name| text(name).is_none()).map(Value::from).collect();
    let (Some(method), Some(url)) = (text("method"), text("url")) else {
        let invalid = Value::set(invalid);
        return Err(operands::invalid(1, &format!("invalid values for required request parameters(s): {invalid}")));
    };
    Ok((method.to_owned(), Url::parse(url).map_err(BuiltinError::Failed)?))
}

fn body(request: &Object) -> String {
    match (request.get_str("raw_body"), request.get_str("body")) {
        (Some(raw), _) => raw.as_str().unwrap_or_default().to_owned(),
        (None, Some(body)) => body.to_json(),
        (None, None) => String::new(),
    }
}

struct Settings<'a> {
    service: &'a str,
    region: &'a str,
    access_key: &'a str,
    secret_key: &'a str,
    session_token: &'a str,
}

impl<'a> Settings<'a> {
    fn new(settings: &'a Object) -> Self {
        let text = |name| settings.get_str(name).and_then(Value::as_str).unwrap_or_default();
        Self {
            service: text("aws_service"),
            region: text("aws_region"),
            access_key: text("aws_access_key"),
            secret_key: text("aws_secret_access_key"),
            session_token: text("aws_session_token"),
        }
    }
}

struct Signing<'a> {
    settings: Settings<'a>,
    moment: Timestamp,
    /// What stands for the body: its hash, or that it is not signed.
    payload: String,
}

impl Signing<'_> {
    /// The request's headers with those of the signature.
    fn headers(&self, method: &str, url: &Url, given: BTreeMap<String, String>) -> Value {
        let Settings { service, region, access_key, session_token, .. } = self.settings;
        let date = self.moment.strftime("%Y%m%d").to_string();
        let time = self.moment.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut added = BTreeMap::from([("host", url.host.clone()), ("x-amz-date", time.clone())]);
        if matches!(service, "s3" | "glacier") {
            added.insert("x-amz-content-sha256", self.payload.clone());
        }
        if !session_token.is_empty() {
            added.insert("x-amz-security-token", session_token.to_owned());
        }
        let mut signed: BTreeMap<String, &str> =
            added.iter().map(|(name, value)| ((*name).to_owned(), value.as_str())).collect();
        let lower = given.iter().map(|(name, value)| (name.to_lowercase(), value.as_str()));
        signed.extend(lower.filter(|(name, _)| !UNSIGNED.contains(&name.as_str())));
        let names = signed.keys().map(String::as_str).collect::<Vec<_>>().join(";");
        let lines = signed.iter().map(|(name, value)| [name.as_str(), ":", value, "\n"].concat()).collect::<String>();
        let (path, query) = (url.escaped_path(), url.query.as_deref().unwrap_or_default());
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{}", self.payload);
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let hash = hex(&Hash::Sha256.digest(&[canonical.as_bytes()]));
        let signature = self.signature(&date, &format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hash}"));
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={access_key}/{scope},SignedHeaders={names},Signature={signature}");

        let mut headers = given;
        headers.insert("Authorization".to_owned(), authorization);
        headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Value::object(headers.into_iter().map(|(name, value)| (Value::from(name), Value::from(value))).collect())
    }

    fn signature(&self, date: &str, text: &str) -> String {
        let Settings { service, region, secret_key, .. } = self.settings;
        let key = format!("AWS4{secret_key}").into_bytes();
        let parts = [date, region, service, "aws4_request", text];
        hex(&parts.into_iter().fold(key, |key, part| Hash::Sha256.mac(&key, part.as_bytes())))
    }
}
