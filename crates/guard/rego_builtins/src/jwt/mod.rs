//! `io.jwt.*`: JSON Web Tokens, decoded, verified and signed.
//!
//! Signatures are verified with keys of the token's algorithm only. Deliberately absent: encrypted tokens, and `none`.

mod sign;
#[cfg(test)]
mod tests;
mod verify;

use palisade_crypto::Hash;
use palisade_crypto::hash::is_same;
use palisade_crypto::jose::{Header, KeySet, Material, Token};
use palisade_crypto::signature::{self, Padding, Scheme};
use palisade_model::hex;
use palisade_rego_value::Value;

use self::verify::too_deep;
use super::declare::{ARRAY, OBJECT, builtin, nondeterministic};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

/// How many tokens may be nested.
const MAX_NESTING: usize = 16;

const TEXTS: &[Type] = &[Type::String, Type::String];

/// A builtin that verifies a token by a public key.
macro_rules! by_key {
    ($name:literal, $scheme:expr) => {
        builtin($name, TEXTS, Type::Boolean, |context, operands| verify_key(context, operands, $scheme))
    };
}

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("io.jwt.decode", &[Type::String], ARRAY, decode),
    nondeterministic("io.jwt.decode_verify", &[Type::String, OBJECT], ARRAY, verify::decode_verify),
    builtin("io.jwt.verify_hs256", TEXTS, Type::Boolean, |_, operands| verify_secret(operands, Hash::Sha256)),
    builtin("io.jwt.verify_hs384", TEXTS, Type::Boolean, |_, operands| verify_secret(operands, Hash::Sha384)),
    builtin("io.jwt.verify_hs512", TEXTS, Type::Boolean, |_, operands| verify_secret(operands, Hash::Sha512)),
    by_key!("io.jwt.verify_rs256", Scheme::Rsa(Padding::Pkcs1, Hash::Sha256)),
    by_key!("io.jwt.verify_rs384", Scheme::Rsa(Padding::Pkcs1, Hash::Sha384)),
    by_key!("io.jwt.verify_rs512", Scheme::Rsa(Padding::Pkcs1, Hash::Sha512)),
    by_key!("io.jwt.verify_ps256", Scheme::Rsa(Padding::Pss, Hash::Sha256)),
    by_key!("io.jwt.verify_ps384", Scheme::Rsa(Padding::Pss, Hash::Sha384)),
    by_key!("io.jwt.verify_ps512", Scheme::Rsa(Padding::Pss, Hash::Sha512)),
    by_key!("io.jwt.verify_es256", Scheme::Ecdsa(Hash::Sha256)),
    by_key!("io.jwt.verify_es384", Scheme::Ecdsa(Hash::Sha384)),
    by_key!("io.jwt.verify_es512", Scheme::Ecdsa(Hash::Sha512)),
    by_key!("io.jwt.verify_eddsa", Scheme::Ed25519),
    nondeterministic("io.jwt.encode_sign", &[OBJECT, OBJECT, OBJECT], Type::String, sign::encode_sign),
    nondeterministic(
        "io.jwt.encode_sign_raw",
        &[Type::String, Type::String, Type::String],
        Type::String,
        sign::encode_sign_raw,
    ),
];

/// The keys of a PEM certificate, a PEM public key, a JSON Web Key or a set of such keys.
fn read_keys(text: &str) -> Result<KeySet, String> {
    match KeySet::from_pem(text) {
        Some(keys) => keys,
        None => match read_web_keys(text) {
            Ok(keys) => Ok(keys.known()),
            Err(error) => Err(format!("failed to parse a JWK key (set): {error}")),
        },
    }
}

/// A JSON Web Key, or a set of them.
fn read_web_keys(text: &str) -> Result<KeySet, String> {
    let document = Value::from_json(text).map_err(|error| format!("failed to unmarshal JWK set: {error}"))?;
    KeySet::read(&document.to_model())
}

/// The header of a token, an object.
fn read_header(token: &Token<'_>) -> Result<Value, BuiltinError> {
    let text = token.header().map_err(BuiltinError::Failed)?;
    let header = read_object(&text).map_err(|error| BuiltinError::Failed(format!("bad JWT header: {error}")))?;
    if header.get_str("enc").is_some() {
        return Err(BuiltinError::failed("JWT is a JWE object, which is not supported"));
    }
    Ok(header)
}

/// JSON text of an object.
fn read_object(text: &str) -> Result<Value, String> {
    let value = Value::from_json(text).map_err(|error| format!("invalid JSON: {error}"))?;
    if value.as_object().is_some() { Ok(value) } else { Err("decoded JSON type was not an Object".into()) }
}

fn decode(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let mut text = operands::string(operands, 1)?.to_string();
    for _ in 0..MAX_NESTING {
        context.step(text.len() / 16)?;
        let token = Token::read(&text).map_err(BuiltinError::Failed)?;
        let header = read_header(&token)?;
        let payload = token.payload().map_err(BuiltinError::Failed)?;
        if header.get_str("cty").and_then(Value::as_str) == Some("JWT") {
            payload.trim_matches(['"', '\'']).clone_into(&mut text);
            continue;
        }
        let claims = read_object(&payload).map_err(BuiltinError::Failed)?;
        let signature = token.signature();
        let signature =
            signature.map_err(|error| BuiltinError::Failed(format!("JWT signature had invalid encoding: {error}")))?;
        return answer(Value::array(vec![header, claims, Value::from(hex(&signature))]));
    }
    Err(too_deep())
}

fn verify_secret(operands: &[Value], hash: Hash) -> Answer {
    let token = operands::string(operands, 1)?;
    let secret = operands::string(operands, 2)?;
    let token = Token::read(token).map_err(BuiltinError::Failed)?;
    let signature = token.signature().map_err(BuiltinError::Failed)?;
    answer(is_same(&hash.mac(secret.as_bytes(), token.signed.as_bytes()), &signature))
}

fn verify_key(context: &mut Context<'_>, operands: &[Value], scheme: Scheme) -> Answer {
    let token = Token::read(operands::string(operands, 1)?).map_err(BuiltinError::Failed)?;
    let text = operands::string(operands, 2)?;
    context.step((token.signed.len() + text.len()) / 16)?;
    let keys = read_keys(text).map_err(BuiltinError::Failed)?;
    let signature = token.signature().map_err(BuiltinError::Failed)?;
    let header = Header::read(&read_header(&token)?.to_model()).map_err(BuiltinError::Failed)?;
    let mut candidates = keys.candidates(&header);
    answer(candidates.any(|key| match &key.material {
        Material::Public(key) => signature::verify(scheme, key, token.signed.as_bytes(), &signature),
        _ => false,
    }))
}
