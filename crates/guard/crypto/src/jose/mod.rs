//! JSON Web Tokens and the keys that sign them (RFC 7515 to 7519).
//!
//! Who is given a token by an issuer reads the issuer's key set ([`KeySet::usable`]) and takes the claims of a token whose
//! signature holds ([`verify`]); whether the claims are for him is his to ask. Rego's builtins, whose words and latitude
//! are OPA's, work with the parts. A key verifies with algorithms of its own kind only. Deliberately absent: encrypted
//! tokens, and the algorithm `none`.

mod jwk;
#[cfg(test)]
mod tests;
mod token;

use palisade_model::Value;

pub use jwk::{Key, KeySet, Material};
pub use token::{Header, Token};

use crate::hash::{Hash, is_same};
use crate::signature::{self, Padding, Scheme};

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// By a secret that both sides know.
    Secret(Hash),
    /// By a pair of keys.
    Keys(Scheme),
}

impl Algorithm {
    /// The algorithm of a name such as `RS256`.
    pub fn from_name(name: &str) -> Option<Self> {
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

    /// Whether a signature holds; never with a key of another kind.
    pub fn verify(self, key: &Material, signed: &str, signature: &[u8]) -> bool {
        match (self, key) {
            (Self::Secret(hash), Material::Secret(secret)) => is_same(&hash.mac(secret, signed.as_bytes()), signature),
            (Self::Keys(scheme), key) => {
                key.public().is_some_and(|key| signature::verify(scheme, &key, signed.as_bytes(), signature))
            }
            _ => false,
        }
    }

    /// The signature of header and payload; `None` with a key of another kind. Only PSS uses the salt.
    pub fn sign(self, key: &Material, signed: &str, salt: &[u8]) -> Option<Vec<u8>> {
        match (self, key) {
            (Self::Secret(hash), Material::Secret(secret)) => Some(hash.mac(secret, signed.as_bytes())),
            (Self::Keys(scheme), Material::Private(key)) => signature::sign(scheme, key, signed.as_bytes(), salt),
            _ => None,
        }
    }
}

/// Why a token is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no token.
    #[error("the token cannot be read: {0}")]
    Malformed(String),
    /// It is signed in a way that is not permitted.
    #[error("the token is signed by `{0}`, which is not permitted here")]
    Algorithm(String),
    /// It must not be taken by who does not know a member of its header.
    #[error("the token's header names critical members that are not known")]
    Critical,
    /// No key has signed it.
    #[error("the token was not signed by any of the keys")]
    Signature,
}

/// The claims of a token that one of the keys has signed by one of the permitted algorithms. Whom it is for and until when
/// it holds is not asked.
pub fn verify(text: &str, keys: &KeySet, permitted: &[Algorithm]) -> Result<Value, TokenError> {
    let token = Token::read(text).map_err(TokenError::Malformed)?;
    let object = |text: Result<String, String>| {
        let value = Value::from_json(&text?).map_err(|error| error.to_string())?;
        if value.as_object().is_some() { Ok(value) } else { Err("a part is not an object".to_owned()) }
    };
    let header = object(token.header()).and_then(|header| Header::read(&header)).map_err(TokenError::Malformed)?;
    if header.unknown_is_critical {
        return Err(TokenError::Critical);
    }
    let algorithm = Algorithm::from_name(&header.algorithm).filter(|algorithm| permitted.contains(algorithm));
    let algorithm = algorithm.ok_or_else(|| TokenError::Algorithm(header.algorithm.clone()))?;
    let signature = token.signature().map_err(TokenError::Malformed)?;
    let is_for_it = |key: &&Key| key.algorithm.as_ref().is_none_or(|name| *name == header.algorithm);
    let mut candidates = keys.candidates(&header).filter(is_for_it);
    if !candidates.any(|key| algorithm.verify(&key.material, token.signed, &signature)) {
        return Err(TokenError::Signature);
    }
    object(token.payload()).map_err(TokenError::Malformed)
}
