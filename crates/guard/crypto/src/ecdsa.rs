//! ECDSA over the three curves of NIST. Signatures are the two numbers one after the other, each as long as the
//! curve's; signing is deterministic, with the nonces of RFC 6979.

use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};

use crate::key::{Curve, PublicKey};

/// Whether `signature` is one of `digest` by the key at `point`.
pub(crate) fn verify(curve: Curve, point: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let Some(signature) = fixed(curve, signature) else { return false };
    let verified = match curve {
        Curve::P256 => verify_p256(point, digest, &signature),
        Curve::P384 => verify_p384(point, digest, &signature),
        Curve::P521 => verify_p521(point, digest, &signature),
    };
    verified.unwrap_or(false)
}

fn verify_p256(point: &[u8], digest: &[u8], signature: &[u8]) -> Option<bool> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    Some(key.verify_prehash(digest, &p256::ecdsa::Signature::from_slice(signature).ok()?).is_ok())
}

fn verify_p384(point: &[u8], digest: &[u8], signature: &[u8]) -> Option<bool> {
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    Some(key.verify_prehash(digest, &p384::ecdsa::Signature::from_slice(signature).ok()?).is_ok())
}

fn verify_p521(point: &[u8], digest: &[u8], signature: &[u8]) -> Option<bool> {
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    Some(key.verify_prehash(digest, &p521::ecdsa::Signature::from_slice(signature).ok()?).is_ok())
}

/// The signature of `digest`; `None` for a scalar that is no key.
pub(crate) fn sign(curve: Curve, scalar: &[u8], digest: &[u8]) -> Option<Vec<u8>> {
    match curve {
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let signature: p256::ecdsa::Signature = key.sign_prehash(digest).ok()?;
            Some(signature.to_bytes().to_vec())
        }
        Curve::P384 => {
            let key = p384::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let signature: p384::ecdsa::Signature = key.sign_prehash(digest).ok()?;
            Some(signature.to_bytes().to_vec())
        }
        Curve::P521 => {
            let key = p521::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let signature: p521::ecdsa::Signature = key.sign_prehash(digest).ok()?;
            Some(signature.to_bytes().to_vec())
        }
    }
}

/// The public key of a scalar.
pub(crate) fn public(curve: Curve, scalar: &[u8]) -> Option<PublicKey> {
    let point = match curve {
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(scalar).ok()?;
            key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
        }
        Curve::P384 => {
            let key = p384::ecdsa::SigningKey::from_slice(scalar).ok()?;
            key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
        }
        Curve::P521 => {
            let key = p521::ecdsa::SigningKey::from_slice(scalar).ok()?;
            key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
        }
    };
    Some(PublicKey::Ecdsa { curve, point })
}

/// Two halves of any length, each made as long as the curve's numbers.
fn fixed(curve: Curve, signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    join(curve, r, s)
}

/// Two numbers as one signature.
pub(crate) fn join(curve: Curve, r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::with_capacity(curve.size() * 2);
    for number in [r, s] {
        let significant = number.iter().position(|byte| *byte != 0).and_then(|at| number.get(at..)).unwrap_or_default();
        joined.extend(std::iter::repeat_n(0, curve.size().checked_sub(significant.len())?));
        joined.extend_from_slice(significant);
    }
    Some(joined)
}
