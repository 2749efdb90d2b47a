//! `crypto.*`: hashes, codes, certificates and keys.
//!
//! Deliberately absent: encryption. Deterministic: certificates are judged at the moment of the evaluation.

mod keys;
#[cfg(test)]
mod tests;
mod x509;

use palisade_crypto::Hash;
use palisade_crypto::hash::is_same;
use palisade_model::hex;
use palisade_rego_value::Value;

use super::declare::{ARRAY, OBJECT, builtin};
use super::{Answer, Builtin, Context, answer, operands};
use crate::types::Type;

const TEXT: &[Type] = &[Type::String];
const TEXTS: &[Type] = &[Type::String, Type::String];
const KEYS: Type = Type::Array(&OBJECT);
const CHAIN: Type = ARRAY;

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("crypto.md5", TEXT, Type::String, |_, operands| digest(operands, Hash::Md5)),
    builtin("crypto.sha1", TEXT, Type::String, |_, operands| digest(operands, Hash::Sha1)),
    builtin("crypto.sha256", TEXT, Type::String, |_, operands| digest(operands, Hash::Sha256)),
    builtin("crypto.hmac.md5", TEXTS, Type::String, |_, operands| code(operands, Hash::Md5)),
    builtin("crypto.hmac.sha1", TEXTS, Type::String, |_, operands| code(operands, Hash::Sha1)),
    builtin("crypto.hmac.sha256", TEXTS, Type::String, |_, operands| code(operands, Hash::Sha256)),
    builtin("crypto.hmac.sha512", TEXTS, Type::String, |_, operands| code(operands, Hash::Sha512)),
    builtin("crypto.hmac.equal", TEXTS, Type::Boolean, equal),
    builtin("crypto.x509.parse_certificates", TEXT, KEYS, x509::parse_certificates),
    builtin("crypto.x509.parse_and_verify_certificates", TEXT, CHAIN, x509::parse_and_verify),
    builtin(
        "crypto.x509.parse_and_verify_certificates_with_options",
        &[Type::String, OBJECT],
        CHAIN,
        x509::parse_and_verify_with_options,
    ),
    builtin("crypto.x509.parse_certificate_request", TEXT, OBJECT, x509::parse_request),
    builtin("crypto.x509.parse_keypair", TEXTS, OBJECT, x509::parse_key_pair),
    builtin("crypto.x509.parse_rsa_private_key", TEXT, OBJECT, keys::parse_rsa_private_key),
    builtin("crypto.parse_private_keys", TEXT, KEYS, keys::parse_private_keys),
];

fn digest(operands: &[Value], hash: Hash) -> Answer {
    answer(hex(&hash.digest(&[operands::string(operands, 1)?.as_bytes()])))
}

fn code(operands: &[Value], hash: Hash) -> Answer {
    let (message, key) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    answer(hex(&hash.mac(key.as_bytes(), message.as_bytes())))
}

fn equal(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    answer(is_same(operands::string(operands, 1)?.as_bytes(), operands::string(operands, 2)?.as_bytes()))
}
