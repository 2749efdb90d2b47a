//! `crypto.*`: hashes, codes, certificates and keys.
//!
//! Deliberately absent: encryption. Deterministic: certificates are judged at the moment of the evaluation.

mod chain;
pub(super) mod ecdsa;
pub(super) mod hash;
mod keys;
mod rsa;
pub(super) mod signature;
#[cfg(test)]
mod tests;
mod x509;

pub(super) use rsa::Padding;

use hmac::Hmac;
use md5::Md5;
use palisade_rego_value::Value;
use sha1::Sha1;
use sha2::Digest;
use subtle::ConstantTimeEq;

use self::hash::{Hash, hex, mac};
use super::declare::{ARRAY, OBJECT, builtin};
use super::{Answer, Builtin, Context, answer, operands};
use crate::types::Type;

const TEXT: &[Type] = &[Type::String];
const TEXTS: &[Type] = &[Type::String, Type::String];
const KEYS: Type = Type::Array(&OBJECT);
const CHAIN: Type = ARRAY;

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("crypto.md5", TEXT, Type::String, |_, operands| digest::<Md5>(operands)),
    builtin("crypto.sha1", TEXT, Type::String, |_, operands| digest::<Sha1>(operands)),
    builtin("crypto.sha256", TEXT, Type::String, |_, operands| digest::<sha2::Sha256>(operands)),
    builtin("crypto.hmac.md5", TEXTS, Type::String, |_, operands| code(operands, mac::<Hmac<Md5>>)),
    builtin("crypto.hmac.sha1", TEXTS, Type::String, |_, operands| code(operands, mac::<Hmac<Sha1>>)),
    builtin("crypto.hmac.sha256", TEXTS, Type::String, |_, operands| {
        code(operands, |key, message| Hash::Sha256.mac(key, message))
    }),
    builtin("crypto.hmac.sha512", TEXTS, Type::String, |_, operands| {
        code(operands, |key, message| Hash::Sha512.mac(key, message))
    }),
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

fn digest<D: Digest>(operands: &[Value]) -> Answer {
    answer(hex(&D::digest(operands::string(operands, 1)?.as_bytes())))
}

fn code(operands: &[Value], mac: impl Fn(&[u8], &[u8]) -> Vec<u8>) -> Answer {
    let (message, key) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    answer(hex(&mac(key.as_bytes(), message.as_bytes())))
}

/// In time that does not depend on where the two differ.
fn equal(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (left, right) = (operands::string(operands, 1)?, operands::string(operands, 2)?);
    answer(bool::from(left.as_bytes().ct_eq(right.as_bytes())))
}
