//! Keys that tokens are verified and signed with: JSON Web Keys and sets of them, certificates, PEM.

use std::fmt;

use palisade_gotext::go_base64;
use palisade_model::Value;

use super::{Algorithm, Header};
use crate::key::{Curve, PrivateKey, PublicKey, RsaPrivate};
use crate::pem;
use crate::x509::Certificate;

/// The most keys of a set.
const MAX_KEYS: usize = 1_000;

/// A key with what a set tells of it.
#[derive(Debug)]
pub struct Key {
    /// The key itself.
    pub material: Material,
    /// The algorithm that it is for.
    pub algorithm: Option<String>,
    /// Its name in the set.
    pub id: Option<String>,
}

/// Keys to verify with.
#[derive(Debug)]
pub struct KeySet(Vec<Key>);

/// What a key is.
pub enum Material {
    /// A public key.
    Public(PublicKey),
    /// A private key.
    Private(PrivateKey),
    /// A secret that both sides know.
    Secret(Vec<u8>),
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public(key) => key.fmt(f),
            Self::Private(_) => f.write_str("PrivateKey"),
            Self::Secret(_) => f.write_str("Secret"),
        }
    }
}

impl Material {
    /// The key that verifies; `None` of a secret.
    pub fn public(&self) -> Option<PublicKey> {
        match self {
            Self::Public(key) => Some(key.clone()),
            Self::Private(key) => key.public(),
            Self::Secret(_) => None,
        }
    }
}

impl KeySet {
    /// The key of a PEM text that holds one certificate or public key; `None` where the text is no PEM.
    pub fn from_pem(text: &str) -> Option<Result<Self, String>> {
        pem::decode(text).map(|(block, rest)| {
            let key = if rest.is_empty() { read_block(&block)? } else { return Err(EXTRA.into()) };
            Ok(Self(vec![Key { material: Material::Public(key), algorithm: None, id: None }]))
        })
    }

    /// A JSON Web Key, or the set of them that has the member `keys`.
    pub fn read(document: &Value) -> Result<Self, String> {
        if document.as_object().is_none() {
            return Err("failed to unmarshal JWK set: not an object".into());
        }
        let Some(keys) = document.get("keys") else { return Ok(Self(vec![read_web_key(document)?])) };
        let keys = keys.as_array().filter(|keys| keys.len() <= MAX_KEYS);
        let keys = keys.ok_or("failed to unmarshal JWK set: `keys` is no list of keys")?;
        keys.iter().map(read_web_key).collect::<Result<_, _>>().map(Self)
    }

    /// The keys of a set that can be read and are for signatures, as a client takes them from a provider, which may have
    /// others too; an error where the text is no set at all.
    pub fn usable(text: &str) -> Result<Self, String> {
        let document = Value::from_json(text).map_err(|error| format!("the key set is not JSON: {error}"))?;
        let keys = document.get("keys").and_then(Value::as_array).filter(|keys| keys.len() <= MAX_KEYS);
        let keys = keys.ok_or("the key set has no list `keys`")?.iter();
        let for_signatures = keys.filter(|key| key.get("use").and_then(Value::as_str).is_none_or(|it| it == "sig"));
        Ok(Self(for_signatures.filter_map(|key| read_web_key(key).ok()).collect()))
    }

    /// Without the keys that are for an algorithm that is not known.
    #[must_use]
    pub fn known(mut self) -> Self {
        self.0.retain(|key| key.algorithm.as_deref().is_none_or(|name| Algorithm::from_name(name).is_some()));
        self
    }

    /// The first key.
    pub fn first(&self) -> Option<&Key> {
        self.0.first()
    }

    /// The keys that may have signed a token: the one that its header names, or else all that are not for another
    /// algorithm.
    pub fn candidates<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a Key> {
        let named = header.key.as_deref().and_then(|id| self.0.iter().position(|key| key.id.as_deref() == Some(id)));
        self.0.iter().enumerate().filter_map(move |(position, key)| {
            let fits = match named {
                Some(named) => named == position,
                None => key.algorithm.as_ref().is_none_or(|name| *name == header.algorithm),
            };
            fits.then_some(key)
        })
    }
}

const EXTRA: &str = "extra data after a PEM certificate block";

fn read_block(block: &pem::Block<'_>) -> Result<PublicKey, String> {
    match block.kind {
        "CERTIFICATE" => Certificate::read(&block.bytes)
            .map(|certificate| certificate.key)
            .map_err(|error| format!("failed to parse a PEM certificate: {error}")),
        "PUBLIC KEY" => {
            PublicKey::from_pkix(&block.bytes).map_err(|error| format!("failed to parse a PEM public key: {error}"))
        }
        _ => Err("failed to extract a Key from the PEM certificate".into()),
    }
}

fn read_web_key(key: &Value) -> Result<Key, String> {
    let text = |name| key.get(name).and_then(Value::as_str);
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
    if key.get("d").is_none() {
        return Ok(Material::Public(PublicKey::Rsa { modulus, exponent }));
    }
    // Signing takes the private exponent alone, so that a key without primes can sign too.
    let optional = |name| if key.get(name).is_some() { bytes(key, name) } else { Ok(Vec::new()) };
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
    let curve = match key.get("crv").and_then(Value::as_str) {
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
    if key.get("d").is_some() {
        return Ok(Material::Private(PrivateKey::Ecdsa { curve, scalar: number("d")? }));
    }
    let point = [vec![4], number("x")?, number("y")?].concat();
    Ok(Material::Public(PublicKey::Ecdsa { curve, point }))
}

fn read_okp(key: &Value) -> Result<Material, String> {
    if key.get("crv").and_then(Value::as_str) != Some("Ed25519") {
        return Err("failed to unmarshal JWK: unknown curve `crv`".into());
    }
    let number = |name| {
        let number = bytes(key, name)?;
        number.try_into().map_err(|_| format!("`{name}` of an Ed25519 key must have 32 bytes"))
    };
    Ok(if key.get("d").is_some() {
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
    let text = key.get(name).and_then(Value::as_str);
    let text = text.ok_or_else(|| format!("failed to unmarshal JWK: required field `{name}` is missing"))?;
    go_base64::decode_url(text).map_err(|_| format!("failed to unmarshal JWK: `{name}` is not base64url"))
}
