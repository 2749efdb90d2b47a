//! Signatures by any kind of key.
//!
//! A signature holds by the scheme that is asked for, or not at all: neither key nor signature chooses it.

use ed25519_dalek::Signer;

use crate::hash::Hash;
use crate::key::{PrivateKey, PublicKey, signature_numbers};
use crate::{ecdsa, rsa};

pub use crate::rsa::Padding;

/// How something is signed with a key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RSA with a padding, over a hash.
    Rsa(Padding, Hash),
    /// ECDSA over a hash, by the curve of the key.
    Ecdsa(Hash),
    /// Ed25519.
    Ed25519,
}

impl Scheme {
    /// Whether it is over a hash that signatures count over.
    const fn is_sound(self) -> bool {
        match self {
            Self::Rsa(_, hash) | Self::Ecdsa(hash) => hash.is_for_signatures(),
            Self::Ed25519 => true,
        }
    }
}

/// Whether `signature` is one of `message`; never with a key of another kind. Of ECDSA, it is the two numbers one after the
/// other, as tokens have them.
pub fn verify(scheme: Scheme, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    if !scheme.is_sound() {
        return false;
    }
    match (scheme, key) {
        (Scheme::Rsa(padding, hash), PublicKey::Rsa { modulus, exponent }) => {
            rsa::verify((modulus, *exponent), padding, hash, message, signature)
        }
        (Scheme::Ecdsa(hash), PublicKey::Ecdsa { curve, point }) => {
            ecdsa::verify(*curve, point, &hash.digest(&[message]), signature)
        }
        (Scheme::Ed25519, PublicKey::Ed25519(bytes)) => {
            let key = ed25519_dalek::VerifyingKey::from_bytes(bytes);
            let signature = ed25519_dalek::Signature::from_slice(signature);
            key.is_ok_and(|key| signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()))
        }
        _ => false,
    }
}

/// Whether `signature` is one of `message`, where that of ECDSA is in ASN.1, as certificates and images carry it.
pub fn verify_asn1(scheme: Scheme, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    if let (Scheme::Ecdsa(_), PublicKey::Ecdsa { curve, .. }) = (scheme, key) {
        let joined = signature_numbers(signature).and_then(|(r, s)| ecdsa::join(*curve, &r, &s));
        return joined.is_some_and(|joined| verify(scheme, key, message, &joined));
    }
    verify(scheme, key, message, signature)
}

/// The signature of `message`; `None` with a key of another kind or one that cannot sign. Only PSS uses the salt, which
/// need not be secret.
pub fn sign(scheme: Scheme, key: &PrivateKey, message: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
    if !scheme.is_sound() {
        return None;
    }
    match (scheme, key) {
        (Scheme::Rsa(padding, hash), PrivateKey::Rsa(key)) => rsa::sign(key, padding, hash, message, salt),
        (Scheme::Ecdsa(hash), PrivateKey::Ecdsa { curve, scalar }) => {
            ecdsa::sign(*curve, scalar, &hash.digest(&[message]))
        }
        (Scheme::Ed25519, PrivateKey::Ed25519(seed)) => {
            Some(ed25519_dalek::SigningKey::from_bytes(seed).sign(message).to_bytes().to_vec())
        }
        _ => None,
    }
}

impl PrivateKey {
    /// The public half.
    pub fn public(&self) -> Option<PublicKey> {
        match self {
            Self::Rsa(key) => Some(PublicKey::Rsa { modulus: key.modulus.clone(), exponent: key.public_exponent }),
            Self::Ecdsa { curve, scalar } => ecdsa::public(*curve, scalar),
            Self::Ed25519(seed) => {
                Some(PublicKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes()))
            }
        }
    }
}
