//! Signatures by any kind of key.

use ed25519_dalek::Signer;
use palisade_crypto::{PrivateKey, PublicKey};

use super::hash::Hash;
use super::rsa::Padding;
use super::{ecdsa, rsa};

/// How something is signed with a key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Rsa(Padding, Hash),
    Ecdsa(Hash),
    Ed25519,
}

/// Whether `signature` is one of `message`; never with a key of another kind.
pub(crate) fn verify(scheme: Scheme, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
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

/// The signature of `message`; `None` with a key of another kind or one that cannot sign.
pub(crate) fn sign(scheme: Scheme, key: &PrivateKey, message: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
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

/// The public half of a key.
pub(crate) fn public(key: &PrivateKey) -> Option<PublicKey> {
    match key {
        PrivateKey::Rsa(key) => Some(PublicKey::Rsa { modulus: key.modulus.clone(), exponent: key.public_exponent }),
        PrivateKey::Ecdsa { curve, scalar } => ecdsa::public(*curve, scalar),
        PrivateKey::Ed25519(seed) => {
            Some(PublicKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes()))
        }
    }
}
