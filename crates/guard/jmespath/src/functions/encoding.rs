//! Functions that encode, decode and digest.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade_crypto::Hash;
use palisade_document::Limits;
use palisade_gotext::go_json;
use palisade_model::{Value, hex};

use super::{Answer, Arguments};

/// JSON text, except that text stays as it is.
pub(super) fn to_string(arguments: &Arguments<'_>) -> Answer {
    let value = arguments.value(0)?;
    if let Value::String(text) = value {
        return Ok(text.clone().into());
    }
    arguments.charge_tree(value)?;
    Ok(go_json::to_string(value).into())
}

pub(super) fn base64_encode(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.text(0)?;
    arguments.charge_text(text.len())?;
    Ok(STANDARD.encode(text).into())
}

/// Line breaks are passed over, as in Go; bytes that are not UTF-8 become replacement characters.
pub(super) fn base64_decode(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.text(0)?;
    arguments.charge_text(text.len())?;
    let plain: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    match STANDARD.decode(plain) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned().into()),
        Err(error) => Err(arguments.error(format_args!("takes base64: {error}"))),
    }
}

fn digest(arguments: &Arguments<'_>, hash: Hash) -> Answer {
    let text = arguments.text(0)?;
    arguments.charge_text(text.len())?;
    Ok(hex(&hash.digest(&[text.as_bytes()])).into())
}

pub(super) fn md5(arguments: &Arguments<'_>) -> Answer {
    digest(arguments, Hash::Md5)
}

pub(super) fn sha1(arguments: &Arguments<'_>) -> Answer {
    digest(arguments, Hash::Sha1)
}

pub(super) fn sha256(arguments: &Arguments<'_>) -> Answer {
    digest(arguments, Hash::Sha256)
}

pub(super) fn parse_json(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.text(0)?;
    arguments.charge_text(text.len())?;
    Value::from_json(text).map_err(|error| arguments.error(format_args!("takes JSON: {error}")))
}

/// The first document of a YAML text; nothing is null.
pub(super) fn parse_yaml(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.text(0)?;
    arguments.charge(text.len() / 16)?;
    let limits = Limits { max_bytes: 1 << 20, max_nodes: 100_000, max_alias_expansion: 10_000, ..Limits::default() };
    let parsed = palisade_document::parse("parse_yaml", text.as_bytes(), &limits);
    if let Some(diagnostic) =
        parsed.diagnostics.iter().find(|diagnostic| diagnostic.level == palisade_model::Level::Error)
    {
        return Err(arguments.error(format_args!("takes YAML: {}", diagnostic.message)));
    }
    Ok(parsed.documents.into_iter().next().map(|document| document.value).unwrap_or_default())
}

pub(super) fn x509_decode(arguments: &Arguments<'_>) -> Answer {
    let pem = arguments.text(0)?;
    arguments.charge_text(pem.len())?;
    palisade_crypto::x509::kyverno::decode(pem).map_err(|error| arguments.error(format_args!("failed: {error}")))
}
