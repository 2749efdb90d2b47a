//! Keys as JSON: in the shape of Go's structures, and as JSON Web Keys.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use num_bigint::{BigInt, BigUint};
use palisade_crypto::{Curve, PrivateKey, PublicKey, RsaPrivate, pem};
use palisade_gotext::go_base64::{self, Alphabet};
use palisade_rego_value::{Number, Value};

use crate::{Answer, BuiltinError, Context, answer, operands};

/// An object of named members.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::object(members.into_iter().map(|(name, value)| (Value::from(name), value)).collect())
}

/// A big-endian number.
pub(super) fn number(bytes: &[u8]) -> Value {
    Value::from(Number::from(BigInt::from(BigUint::from_bytes_be(bytes))))
}

/// A key as Go's `encoding/json` shows it: big numbers as numbers, bytes as base64, curves as nothing.
pub(super) fn public_key(key: &PublicKey) -> Value {
    match key {
        PublicKey::Rsa { modulus, exponent } => {
            object([("N", number(modulus)), ("E", Value::from(i64::from(*exponent)))])
        }
        PublicKey::Ecdsa { curve, point } => {
            let (x, y) = coordinates(*curve, point);
            object([("Curve", object([])), ("X", number(x)), ("Y", number(y))])
        }
        PublicKey::Ed25519(bytes) => Value::from(STANDARD.encode(bytes)),
        PublicKey::Unknown => Value::Null,
    }
}

fn coordinates(curve: Curve, point: &[u8]) -> (&[u8], &[u8]) {
    let numbers = point.get(1..).unwrap_or_default();
    numbers.split_at_checked(curve.size()).unwrap_or_default()
}

/// A private key as Go's `encoding/json` shows it.
pub(super) fn private_key(key: &PrivateKey) -> Value {
    match (key, key.public()) {
        (PrivateKey::Rsa(key), _) => rsa(key),
        (PrivateKey::Ecdsa { scalar, .. }, Some(PublicKey::Ecdsa { curve, point })) => {
            let (x, y) = coordinates(curve, &point);
            object([("Curve", object([])), ("X", number(x)), ("Y", number(y)), ("D", number(scalar))])
        }
        (PrivateKey::Ed25519(seed), Some(PublicKey::Ed25519(public))) => {
            Value::from(STANDARD.encode([*seed, public].concat()))
        }
        _ => Value::Null,
    }
}

fn rsa(key: &RsaPrivate) -> Value {
    let [dp, dq] = &key.exponents;
    object([
        ("N", number(&key.modulus)),
        ("E", Value::from(i64::from(key.public_exponent))),
        ("D", number(&key.private_exponent)),
        ("Primes", Value::array(key.primes.iter().map(|prime| number(prime)).collect())),
        (
            "Precomputed",
            object([
                ("Dp", number(dp)),
                ("Dq", number(dq)),
                ("Qinv", number(&key.coefficient)),
                ("CRTValues", Value::array(Vec::new())),
            ]),
        ),
    ])
}

/// A private key as a JSON Web Key.
fn web_key(key: &PrivateKey) -> Value {
    let text = |bytes: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(bytes));
    match (key, key.public()) {
        (PrivateKey::Rsa(key), _) => {
            let exponent = key.public_exponent.to_be_bytes();
            let significant = exponent.iter().position(|byte| *byte != 0).and_then(|at| exponent.get(at..));
            let ([p, q], [dp, dq]) = (&key.primes, &key.exponents);
            object([
                ("kty", Value::from("RSA")),
                ("n", text(&key.modulus)),
                ("e", text(significant.unwrap_or_default())),
                ("d", text(&key.private_exponent)),
                ("p", text(p)),
                ("q", text(q)),
                ("dp", text(dp)),
                ("dq", text(dq)),
                ("qi", text(&key.coefficient)),
            ])
        }
        (PrivateKey::Ecdsa { scalar, .. }, Some(PublicKey::Ecdsa { curve, point })) => {
            let (x, y) = coordinates(curve, &point);
            let name = match curve {
                Curve::P256 => "P-256",
                Curve::P384 => "P-384",
                Curve::P521 => "P-521",
            };
            let (kty, crv) = (Value::from("EC"), Value::from(name));
            object([("kty", kty), ("crv", crv), ("x", text(x)), ("y", text(y)), ("d", text(scalar))])
        }
        (PrivateKey::Ed25519(seed), Some(PublicKey::Ed25519(public))) => {
            let (kty, crv) = (Value::from("OKP"), Value::from("Ed25519"));
            object([("kty", kty), ("crv", crv), ("x", text(&public)), ("d", text(seed))])
        }
        _ => Value::Null,
    }
}

/// The private keys among the blocks of a PEM text; blocks of other kinds are passed over.
fn read_all(text: &str) -> Result<Vec<PrivateKey>, BuiltinError> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some((block, tail)) = pem::decode(rest) {
        rest = tail;
        let key = match block.kind {
            "RSA PRIVATE KEY" => PrivateKey::from_pkcs1(&block.bytes),
            "PRIVATE KEY" => PrivateKey::from_pkcs8(&block.bytes),
            "EC PRIVATE KEY" => PrivateKey::from_sec1(&block.bytes),
            _ => continue,
        };
        keys.push(key.map_err(BuiltinError::failed)?);
    }
    Ok(keys)
}

pub(super) fn parse_private_keys(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let text = operands::string(operands, 1)?;
    if text.is_empty() {
        return answer(Value::Null);
    }
    let decoded = go_base64::decode(text, Alphabet::Standard).ok();
    let decoded = decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let keys = read_all(decoded.as_deref().unwrap_or(text))?;
    answer(Value::array(keys.iter().map(private_key).collect()))
}

pub(super) fn parse_rsa_private_key(_: &mut Context<'_>, operands: &[Value]) -> Answer {
    let text = operands::string(operands, 1)?;
    if text.is_empty() {
        return Err(BuiltinError::failed("input PEM data was empty"));
    }
    let keys = if text.starts_with("-----BEGIN") {
        read_all(text)?
    } else {
        let bytes = go_base64::decode(text, Alphabet::Standard).map_err(BuiltinError::failed)?;
        read_all(&String::from_utf8_lossy(&bytes))?
    };
    answer(keys.first().map_or(Value::Null, web_key))
}
