//! `io.jwt.*`: JSON Web Tokens, decoded, verified and signed.
//!
//! Signatures are verified with keys of the token's algorithm only. Deliberately absent: encrypted tokens, and `none`.

mod jwk;
mod sign;
#[cfg(test)]
mod tests;
mod token;
mod verify;

use palisade_crypto::PublicKey;
use palisade_rego_value::Value;
use subtle::ConstantTimeEq;

use self::jwk::{Key, Material};
use self::token::{Token, read_object};
use self::verify::{Header, too_deep};
use super::crypto::Padding;
use super::crypto::hash::{Hash, hex};
use super::crypto::signature::{self, Scheme};
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

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Secret(Hash),
    Keys(Scheme),
}

impl Algorithm {
    fn from_name(name: &str) -> Option<Self> {
        let hash = match name.get(2..) {
            Some("256") => Hash::Sha256,
            Some("384") => Hash::Sha384,
            Some("512") => Hash::Sha512,
            _ => return (name == "EdDSA").then_some(Self::Keys(Scheme::Ed25519)),
        };
        match name.get(..2) {
            Some("HS") => Some(Self::Secret(hash)),
            Some("RS") => Some(Self::Keys(Scheme::Rsa(Padding::Pkcs1, hash))),
            Some("PS") => Some(Self::Keys(Scheme::Rsa(Padding::Pss, hash))),
            Some("ES") => Some(Self::Keys(Scheme::Ecdsa(hash))),
            _ => None,
        }
    }

    fn verify(self, key: &Material, signed: &str, signature: &[u8]) -> bool {
        match (self, key) {
            (Self::Secret(hash), Material::Secret(secret)) => {
                hash.mac(secret, signed.as_bytes()).ct_eq(signature).into()
            }
            (Self::Keys(scheme), key) => {
                key.public().is_some_and(|key| signature::verify(scheme, &key, signed.as_bytes(), signature))
            }
            _ => false,
        }
    }
}

fn decode(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let mut text = operands::string(operands, 1)?.to_string();
    for _ in 0..MAX_NESTING {
        context.step(text.len() / 16)?;
        let token = Token::read(&text)?;
        let header = token.header()?;
        let payload = token.payload()?;
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
    let token = Token::read(token)?;
    let signature = token.signature().map_err(BuiltinError::Failed)?;
    answer(bool::from(hash.mac(secret.as_bytes(), token.signed.as_bytes()).ct_eq(&signature)))
}

fn verify_key(context: &mut Context<'_>, operands: &[Value], scheme: Scheme) -> Answer {
    let token = Token::of(operands)?;
    let text = operands::string(operands, 2)?;
    context.step((token.signed.len() + text.len()) / 16)?;
    let keys = jwk::read(text).map_err(BuiltinError::Failed)?;
    let signature = token.signature().map_err(BuiltinError::Failed)?;
    let header = Header::read(&token.header()?).map_err(BuiltinError::Failed)?;
    let holds = |key: &Key| match &key.material {
        Material::Public(key @ (PublicKey::Rsa { .. } | PublicKey::Ecdsa { .. } | PublicKey::Ed25519(_))) => {
            signature::verify(scheme, key, token.signed.as_bytes(), &signature)
        }
        _ => false,
    };
    if let Some(id) = header.key.as_deref()
        && let Some(key) = keys.iter().find(|key| key.id.as_deref() == Some(id))
    {
        return answer(holds(key));
    }
    let fits = |key: &&Key| key.algorithm.as_ref().is_none_or(|name| *name == header.algorithm);
    answer(keys.iter().filter(fits).any(holds))
}
