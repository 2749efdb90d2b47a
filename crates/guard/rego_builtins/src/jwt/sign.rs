//! `io.jwt.encode_sign`: tokens made and signed. Deterministic: what algorithms draw at random is derived from the
//! seed of the evaluation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade_crypto::Hash;
use palisade_crypto::jose::Algorithm;
use palisade_crypto::signature::Scheme;
use palisade_rego_value::Value;

use super::read_web_keys;
use crate::{Answer, BuiltinError, Context, answer, operands};

pub(super) fn encode_sign(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let text = |position| operands::any(operands, position).map(Value::to_json);
    sign(context, &text(1)?, &text(2)?, &text(3)?)
}

pub(super) fn encode_sign_raw(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let key = operands::string(operands, 3)?;
    let (header, payload) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    sign(context, header, payload, key)
}

fn sign(context: &mut Context<'_>, header: &str, payload: &str, key: &str) -> Answer {
    context.step((header.len() + payload.len() + key.len()) / 16)?;
    let keys = read_web_keys(key).map_err(BuiltinError::Failed)?;
    let key = keys.first().ok_or_else(|| BuiltinError::failed("no keys found in JWK set"))?;
    let member = |name| read_header(header, name);
    let name =
        member("alg").map_err(|error| BuiltinError::Failed(format!("missing or invalid 'alg' header: {error}")))?;
    let algorithm = Algorithm::from_name(&name);
    let algorithm = algorithm.ok_or_else(|| BuiltinError::Failed(format!("unknown JWS algorithm: {name}")))?;
    if member("typ").map_or(true, |kind| kind == "JWT") && Value::from_json(payload).is_err() {
        return Err(BuiltinError::failed("type is JWT but payload is not JSON"));
    }
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = algorithm.sign(&key.material, &signed, &salt(algorithm, context.seed, &signed));
    let signature = signature
        .ok_or_else(|| BuiltinError::Failed(format!("failed to sign with {name}: the key is of another kind")))?;
    answer(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// As long as the hash, which is what RFC 7518 asks of PSS.
fn salt(algorithm: Algorithm, seed: u64, signed: &str) -> Vec<u8> {
    let hash = match algorithm {
        Algorithm::Keys(Scheme::Rsa(_, hash)) => hash,
        _ => Hash::Sha256,
    };
    hash.mac(&seed.to_be_bytes(), signed.as_bytes())
}

/// A member of a header that is text, with the words of the reader that OPA has for it.
fn read_header(header: &str, name: &str) -> Result<String, String> {
    let text = header.trim_start_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return Err("cannot parse JSON: cannot parse empty string".into());
    }
    let not_found = || format!("jwsbb: header {name:?} not found");
    // That reader takes anything that begins as a number for one.
    if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return Err(not_found());
    }
    let header = Value::from_json(text).map_err(|error| format!("cannot parse JSON: {error}"))?;
    match header.get_str(name) {
        Some(Value::String(text)) => Ok(text.to_string()),
        Some(_) => Err(format!("jwsbb: header {name:?} is not a string")),
        None => Err(not_found()),
    }
}
