//! URIs taken apart as Go's `net/url` does it.

use std::fmt::Write;

use palisade_gotext::go_fmt::quoted;
use palisade_gotext::go_url::query_unescape;
use palisade_gotext::go_utf8::text_of;
use palisade_rego_value::{Object, Value};

use super::declare::builtin;
use super::{Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const ONE: &[Type] = &[Type::String];

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("uri.parse", ONE, Type::Object(&Type::String, &Type::String), |context, operands| {
        let text = operands::string(operands, 1)?;
        let parts = read(context, operands)?;
        answer(parts.map_err(|why| BuiltinError::Failed(format!("parse {}: {why}", quoted(text, '"', false))))?)
    }),
    builtin("uri.is_valid", ONE, Type::Boolean, |context, operands| {
        let valid = read(context, operands)?.is_ok();
        answer(valid && !operands::string(operands, 1)?.is_empty())
    }),
];

fn read(context: &mut Context<'_>, operands: &[Value]) -> Result<Result<Object, String>, BuiltinError> {
    let text = operands::string(operands, 1)?;
    context.grow(text.len().saturating_mul(4))?;
    Ok(parse(text))
}

/// The parts that are not empty.
fn parse(text: &str) -> Result<Object, String> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (scheme, rest) = scheme(text)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut parts = vec![("scheme", scheme.to_lowercase()), ("raw_query", query.to_owned())];
    let opaque = !rest.starts_with('/') && !scheme.is_empty();
    if !opaque {
        if rest.split('/').next().is_some_and(|first| first.contains(':')) {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
        let has_authority = rest.starts_with("//") && (!scheme.is_empty() || !rest.starts_with("///"));
        let path = match rest.strip_prefix("//").filter(|_| has_authority) {
            Some(after) => {
                let (authority, path) =
                    after.split_at_checked(after.find('/').unwrap_or(after.len())).unwrap_or_default();
                let (hostname, port) = host(authority)?;
                parts.extend([("hostname", hostname), ("port", port)]);
                path
            }
            None => rest,
        };
        let plain = decode(path)?;
        let raw = if escape(&plain) == path { plain.clone() } else { path.to_owned() };
        parts.extend([("path", plain), ("raw_path", raw)]);
    }
    parts.push(("fragment", decode(fragment)?));
    let parts = parts.into_iter().filter(|(_, part)| !part.is_empty());
    Ok(parts.map(|(name, part)| (Value::from(name), Value::from(part))).collect())
}

/// The scheme, empty where there is none, and what follows it.
fn scheme(text: &str) -> Result<(&str, &str), String> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
    match end.and_then(|end| text.split_at_checked(end)) {
        Some(("", rest)) if rest.starts_with(':') => Err("missing protocol scheme".to_owned()),
        Some((scheme, rest)) if rest.starts_with(':') && scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Ok((scheme, rest.get(1..).unwrap_or_default()))
        }
        _ => Ok(("", text)),
    }
}

/// Without escapes; `+` stands for itself.
fn decode(text: &str) -> Result<String, String> {
    query_unescape(&text.replace('+', "%2B")).map(|bytes| text_of(&bytes))
}

/// A path as Go escapes it.
fn escape(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-_.~$&+,/:;=@".contains(c) {
            escaped.push(c);
        } else {
            write!(escaped, "%{byte:02X}").unwrap_or_default();
        }
    }
    escaped
}

/// The host name and the port of an authority.
fn host(authority: &str) -> Result<(String, String), String> {
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.chars().any(|c| !(c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c))) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    decode(user)?;
    let (name, port) = match host.rfind('[') {
        Some(0) => {
            let (address, port) = host.rsplit_once(']').ok_or("missing ']' in host")?;
            (address.get(1..).unwrap_or_default(), port)
        }
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => host.split_at_checked(host.find(':').unwrap_or(host.len())).unwrap_or_default(),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || (digits.len() == port.len() && !port.is_empty()) {
        return Err(format!("invalid port {} after host", quoted(port, '"', false)));
    }
    Ok((host_name(name)?, digits.to_owned()))
}

/// A host's name: only bytes beyond ASCII, and the mark of an address's zone, may be escaped.
fn host_name(name: &str) -> Result<String, String> {
    for (at, c) in name.char_indices() {
        if c == '%' {
            let escape = name.get(at..at + 3).unwrap_or_else(|| name.get(at..).unwrap_or_default());
            if escape != "%25" && !matches!(escape.as_bytes().get(1), Some(b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F')) {
                return Err(format!("invalid URL escape {escape:?}"));
            }
        } else if c.is_ascii() && !(c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]<>\"".contains(c)) {
            return Err(format!("invalid character {} in host name", quoted(&c.to_string(), '"', false)));
        }
    }
    decode(name)
}
