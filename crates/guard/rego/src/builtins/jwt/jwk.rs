//! Keys that tokens are verified and signed with: JSON Web Keys and sets of them, certificates, PEM.

use palisade_crypto::x509::Certificate;
use palisade_crypto::{Curve, PrivateKey, PublicKey, RsaPrivate, pem};
use palisade_rego_value::Value;

use super::Algorithm;
use crate::builtins::crypto::signature;
use crate::builtins::go_base64;

/// The most keys of a set.
const MAX_KEYS: usize = 1_000;

/// A key with what a set tells of it.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) material: Material,
    /// The algorithm that it is for.
    pub(super) algorithm: Option<String>,
    /// Its name in the set.
    pub(super) id: Option<String>,
}

/// What a key is.
#[derive(Debug)]
pub(super) enum Material {
    Public(PublicKey),
    Private(PrivateKey),
    Secret(Vec<u8>),
}

impl Material {
    /// The key that verifies; `None` of a secret.
    pub(super) fn public(&self) -> Option<PublicKey> {
        match self {
            Self::Public(key) => Some(key.clone()),
            Self::Private(key) => signature::public(key),
            Self::Secret(_) => None,
        }
    }
}

/// The keys of a PEM certificate, a PEM public key, a JSON Web Key or a set of such keys.
pub(super) fn read(text: &str) -> Result<Vec<Key>, String> {
    let Some((block, rest)) = pem::decode(text) else {
        let keys = read_web_keys(text).map_err(|error| format!("failed to parse a JWK key (set): {error}"))?;
        let known = |key: &Key| key.algorithm.as_deref().is_none_or(|name| Algorithm::from_name(name).is_some());
        return Ok(keys.into_iter().filter(known).collect());
    };
    if !rest.is_empty() {
        return Err("extra data after a PEM certificate block".into());
    }
    let key = match block.kind {
        "CERTIFICATE" => Certificate::read(&block.bytes)
            .map(|certificate| certificate.key)
            .map_err(|error| format!("failed to parse a PEM certificate: {error}"))?,
        "PUBLIC KEY" => {
            PublicKey::from_pkix(&block.bytes).map_err(|error| format!("failed to parse a PEM public key: {error}"))?
        }
        _ => return Err("failed to extract a Key from the PEM certificate".into()),
    };
    Ok(vec![Key { material: Material::Public(key), algorithm: None, id: None }])
}

/// A JSON Web Key, or the set of them that has the member `keys`.
pub(super) fn read_web_keys(text: &str) -> Result<Vec<Key>, String> {
    let document = Value::from_json(text).map_err(|error| format!("failed to unmarshal JWK set: {error}"))?;
    if document.as_object().is_none() {
        return Err("failed to unmarshal JWK set: not an object".into());
    }
    match document.get_str("keys") {
        None => Ok(vec![read_web_key(&document)?]),
        Some(keys) => {
            let keys = keys.as_array().filter(|keys| keys.len() <= MAX_KEYS);
            keys.ok_or("failed to unmarshal JWK set: `keys` is no list of keys")?.iter().map(read_web_key).collect()
        }
    }
}

fn read_web_key(key: &Value) -> Result<Key, String> {
    let text = |name| key.get_str(name).and_then(Value::as_str);
    let material = match text("kty") {
        Some("RSA") => read_rsa(key)?,
        Some("EC") => read_ec(key)?,
        Some("OKP") => read_okp(key)?,
        Some("oct") => Material::Secret(bytes(key, "k")?),
        Some(kind) => return Err(format!("failed to unmarshal JWK: invalid key type from JSON ({kind})")),
        None => return Err("failed to unmarshal JWK: key has no kty".into()),
    };
    Ok(Key { material, algorithm: text("alg").map(str::to_owned), id: text("kid").map(str::to_owned) })
}

fn read_rsa(key: &Value) -> Result<Material, String> {
    let modulus = without_zeros(bytes(key, "n")?);
    let exponent = bytes(key, "e")?;
    let exponent = exponent.iter().try_fold(0_u32, |value, byte| value.checked_mul(256)?.checked_add((*byte).into()));
    let exponent = exponent.filter(|exponent| *exponent > 0).ok_or("the public exponent `e` is out of range")?;
    if key.get_str("d").is_none() {
        return Ok(Material::Public(PublicKey::Rsa { modulus, exponent }));
    }
    // Signing takes the private exponent alone, so that a key without primes can sign too.
    let optional = |name| if key.get_str(name).is_some() { bytes(key, name) } else { Ok(Vec::new()) };
    Ok(Material::Private(PrivateKey::Rsa(RsaPrivate {
        modulus,
        public_exponent: exponent,
        private_exponent: bytes(key, "d")?,
        primes: [optional("p")?, optional("q")?],
        exponents: [optional("dp")?, optional("dq")?],
        coefficient: optional("qi")?,
    })))
}

fn read_ec(key: &Value) -> Result<Material, String> {
    let curve = match key.get_str("crv").and_then(Value::as_str) {
        Some("P-256") => Curve::P256,
        Some("P-384") => Curve::P384,
        Some("P-521") => Curve::P521,
        _ => return Err("failed to unmarshal JWK: unknown curve `crv`".into()),
    };
    let number = |name| {
        let number = without_zeros(bytes(key, name)?);
        let missing = curve.size().checked_sub(number.len()).ok_or_else(|| format!("`{name}` is too long"))?;
        Ok::<_, String>(std::iter::repeat_n(0, missing).chain(number).collect::<Vec<u8>>())
    };
    if key.get_str("d").is_some() {
        return Ok(Material::Private(PrivateKey::Ecdsa { curve, scalar: number("d")? }));
    }
    let point = [vec![4], number("x")?, number("y")?].concat();
    Ok(Material::Public(PublicKey::Ecdsa { curve, point }))
}

fn read_okp(key: &Value) -> Result<Material, String> {
    if key.get_str("crv").and_then(Value::as_str) != Some("Ed25519") {
        return Err("failed to unmarshal JWK: unknown curve `crv`".into());
    }
    let number = |name| {
        let number = bytes(key, name)?;
        number.try_into().map_err(|_| format!("`{name}` of an Ed25519 key must have 32 bytes"))
    };
    Ok(if key.get_str("d").is_some() {
        Material::Private(PrivateKey::Ed25519(number("d")?))
    } else {
        Material::Public(PublicKey::Ed25519(number("x")?))
    })
}

fn without_zeros(number: Vec<u8>) -> Vec<u8> {
    number.into_iter().skip_while(|byte| *byte == 0).collect()
}

/// The bytes of a member in the alphabet of URLs. The message does not show them: they may be secret.
fn bytes(key: &Value, name: &str) -> Result<Vec<u8>, String> {
    let text = key.get_str(name).and_then(Value::as_str);
    let text = text.ok_or_else(|| format!("failed to unmarshal JWK: required field `{name}` is missing"))?;
    go_base64::decode_url(text).map_err(|_| format!("failed to unmarshal JWK: `{name}` is not base64url"))
}
