//! `crypto.x509.*`: certificates, chains of them, requests and key pairs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use palisade_crypto::x509::chain::{self, Options};
use palisade_crypto::x509::{Certificate, Request};
use palisade_crypto::{PrivateKey, pem};
use palisade_gotext::go_base64::{self, Alphabet};
use palisade_model::Map;
use palisade_rego_value::{Object, Value};

use super::keys::{number, object, private_key, public_key};
use crate::{Answer, BuiltinError, Context, answer, operands};

const BEGIN: &str = "-----BEGIN";

pub(super) fn parse_certificates(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let text = operands::string(operands, 1)?;
    context.step(text.len())?;
    let certificates = read(text).map_err(BuiltinError::failed)?;
    answer(Value::array(certificates.iter().map(|certificate| shown(certificate, true)).collect()))
}

pub(super) fn parse_and_verify(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let text = operands::string(operands, 1)?;
    verify(context, text, &Options::default(), true)
}

pub(super) fn parse_and_verify_with_options(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (text, options) = (operands::string(operands, 1)?, operands::object(operands, 2)?);
    // What cannot be read is judged before the options are.
    if read(text).is_err() {
        return answer(verdict(Vec::new()));
    }
    let options = read_options(options).map_err(BuiltinError::failed)?;
    verify(context, text, &options, false)
}

fn read_options(given: &Object) -> Result<Options, String> {
    let mut options = Options::default();
    for (name, value) in given.iter() {
        let integer = |wrong: &str| {
            let number = value.as_number().ok_or_else(|| format!("{} should be a number", quoted(name)))?;
            number.as_i64().ok_or_else(|| format!("{} should be a valid {wrong}", quoted(name)))
        };
        match name.as_str() {
            Some("DNSName") => {
                let host = value.as_str().ok_or("'DNSName' should be a string")?;
                host.trim_matches('"').clone_into(&mut options.host);
            }
            Some("CurrentTime") => {
                options.time = Timestamp::from_nanosecond(integer("int64 number")?.into()).ok();
            }
            Some("MaxConstraintComparisons") => {
                let most = usize::try_from(integer("number")?).unwrap_or(0);
                options.comparisons = Some(most).filter(|most| *most > 0);
            }
            Some("KeyUsages") => options.usages = read_usages(value, options.usages)?,
            Some(_) => return Err("invalid key option".into()),
            None => {}
        }
    }
    Ok(options)
}

fn quoted(name: &Value) -> String {
    format!("'{}'", name.to_key())
}

/// The usages that are asked for; `usual` where none is.
fn read_usages(value: &Value, usual: Vec<i64>) -> Result<Vec<i64>, String> {
    let names = value.as_elements().ok_or("'KeyUsages' should be an Array or Set")?;
    let (mut usages, mut unknown) = (Vec::new(), Vec::new());
    for name in names.iter().filter_map(Value::as_str).map(|name| name.trim_matches('"')) {
        match chain::usage(name) {
            Some(number) => usages.push(number),
            None => unknown.push(name),
        }
    }
    if !unknown.is_empty() {
        return Err(format!("invalid entries for 'KeyUsages' found: [{}]", unknown.join(" ")));
    }
    Ok(if usages.is_empty() { usual } else { usages })
}

/// How many bytes of certificates are as much work as one step.
fn verify(context: &mut Context<'_>, text: &str, options: &Options, uris: bool) -> Answer {
    context.step(text.len())?;
    let Ok(certificates) = read(text) else { return answer(verdict(Vec::new())) };
    let chain = chain::verify(&certificates, options, context.now);
    answer(verdict(chain.iter().flatten().map(|certificate| shown(certificate, uris)).collect()))
}

/// `[true, certificates]`, leaf first, or `[false, []]`.
fn verdict(chain: Vec<Value>) -> Value {
    Value::array(vec![Value::from(!chain.is_empty()), Value::array(chain)])
}

/// Certificates in PEM, in base64 of PEM, or in base64 of DER.
fn read(text: &str) -> Result<Vec<Certificate>, String> {
    if text.starts_with(BEGIN) {
        return read_pem(text);
    }
    let bytes = go_base64::decode(text, Alphabet::Standard)?;
    if bytes.starts_with(BEGIN.as_bytes()) {
        return read_pem(&String::from_utf8_lossy(&bytes));
    }
    Certificate::read_all(&bytes)
}

fn read_pem(text: &str) -> Result<Vec<Certificate>, String> {
    let mut der = Vec::new();
    let mut rest = text;
    while let Some((block, tail)) = pem::decode(rest) {
        if block.kind != "CERTIFICATE" {
            return Err(format!("PEM block type is '{}', expected CERTIFICATE", block.kind));
        }
        der.extend(block.bytes);
        rest = tail;
    }
    Certificate::read_all(&der)
}

/// A certificate as Go's `encoding/json` shows it; `uris` adds what OPA adds.
fn shown(certificate: &Certificate, uris: bool) -> Value {
    let mut fields = members(&certificate.fields);
    fields.push((Value::from("SerialNumber"), number(&certificate.serial)));
    fields.push((Value::from("PublicKey"), public_key(&certificate.key)));
    if uris {
        let texts = certificate.uris.iter().map(|uri| Value::from(uri.as_str())).collect::<Vec<_>>();
        let texts = if texts.is_empty() { Value::Null } else { Value::array(texts) };
        fields.push((Value::from("URIStrings"), texts));
    }
    Value::object(fields)
}

fn members(fields: &Map) -> Vec<(Value, Value)> {
    fields.iter().map(|(name, value)| (Value::from(name.clone()), Value::from(value))).collect()
}

pub(super) fn parse_request(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    const BEGIN_REQUEST: &str = "-----BEGIN CERTIFICATE REQUEST-----";
    let text = operands::string(operands, 1)?;
    context.step(text.len())?;
    let bytes = if text.starts_with(BEGIN_REQUEST) {
        text.as_bytes().to_vec()
    } else {
        go_base64::decode(text, Alphabet::Standard).map_err(BuiltinError::failed)?
    };
    let der = match std::str::from_utf8(&bytes).ok().and_then(pem::decode) {
        Some((block, _)) if block.kind == "CERTIFICATE REQUEST" => block.bytes,
        Some(_) => return Err(BuiltinError::failed("invalid PEM-encoded certificate signing request")),
        None => bytes,
    };
    let request = Request::read(&der).map_err(BuiltinError::failed)?;
    let mut fields = members(&request.fields);
    fields.push((Value::from("PublicKey"), public_key(&request.key)));
    answer(Value::object(fields))
}

pub(super) fn parse_key_pair(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (certificate, key) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    context.step(certificate.len() + key.len())?;
    let pair = read_key_pair(certificate, key).map_err(BuiltinError::failed)?;
    answer(pair)
}

/// Go's `tls.Certificate`.
fn read_key_pair(certificate: &str, key: &str) -> Result<Value, String> {
    let chain: Vec<_> =
        blocks(certificate, "CERTIFICATE")?.into_iter().filter(|(kind, _)| kind == "CERTIFICATE").collect();
    let Some((_, leaf)) = chain.first() else {
        return Err("tls: failed to find any PEM data in certificate input".into());
    };
    let leaf = Certificate::read(leaf)?;
    let keys = blocks(key, "PRIVATE KEY")?;
    let (_, der) = keys
        .iter()
        .find(|(kind, _)| kind == "PRIVATE KEY" || kind.ends_with(" PRIVATE KEY"))
        .ok_or("tls: failed to find any PEM data in key input")?;
    let key = PrivateKey::from_pkcs1(der)
        .or_else(|_| PrivateKey::from_pkcs8(der))
        .or_else(|_| PrivateKey::from_sec1(der))
        .map_err(|_| "tls: failed to parse private key")?;
    if key.public().as_ref() != Some(&leaf.key) {
        return Err("tls: private key does not match public key".into());
    }
    let chain = chain.iter().map(|(_, der)| Value::from(STANDARD.encode(der))).collect();
    Ok(object([
        ("Certificate", Value::array(chain)),
        ("PrivateKey", private_key(&key)),
        ("SupportedSignatureAlgorithms", Value::Null),
        ("OCSPStaple", Value::Null),
        ("SignedCertificateTimestamps", Value::Null),
        ("Leaf", shown(&leaf, false)),
    ]))
}

/// The blocks of a PEM text, given as it is or in base64; base64 of anything else is one block of `kind`.
fn blocks(text: &str, kind: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
    let bytes = if text.starts_with("-----BEGIN ") {
        text.as_bytes().to_vec()
    } else {
        go_base64::decode(text, Alphabet::Standard)?
    };
    if !bytes.starts_with(b"-----BEGIN ") {
        return Ok(vec![(kind.to_owned(), bytes)]);
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut blocks = Vec::new();
    let mut rest = &*text;
    while let Some((block, tail)) = pem::decode(rest) {
        blocks.push((block.kind.to_owned(), block.bytes));
        rest = tail;
    }
    Ok(blocks)
}
