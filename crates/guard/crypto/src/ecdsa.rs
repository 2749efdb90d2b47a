//! ECDSA over the three curves of NIST. Signatures are the two numbers one after the other, each as long as the
//! curve's; signing is deterministic: nonces are those of RFC 6979, or drawn from the key and the digest as there.

use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier, RandomizedPrehashSigner};
use p256::elliptic_curve::rand_core::{CryptoRng, Error, RngCore, impls};

use crate::hash::Hash;
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
            let signature = key.sign_prehash_with_rng(&mut Nonces::new(scalar, digest), digest).ok()?;
            let signature: p521::ecdsa::Signature = signature;
            Some(signature.to_bytes().to_vec())
        }
    }
}

/// Numbers that nobody without the key can tell, and that are the same for the same digest: `p521` asks for random
/// ones.
struct Nonces {
    key: Vec<u8>,
    counter: u64,
}

impl Nonces {
    fn new(scalar: &[u8], digest: &[u8]) -> Self {
        Self { key: Hash::Sha512.mac(scalar, digest), counter: 0 }
    }
}

impl RngCore for Nonces {
    fn next_u32(&mut self) -> u32 {
        impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(Hash::Sha512.size()) {
            let block = Hash::Sha512.mac(&self.key, &self.counter.to_be_bytes());
            self.counter = self.counter.wrapping_add(1);
            chunk.iter_mut().zip(block).for_each(|(byte, random)| *byte = random);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Nonces {}

/// The public key of a scalar.
pub(crate) fn public(curve: Curve, scalar: &[u8]) -> Option<PublicKey> {
    let point = match curve {
        Curve::P256 => {
            let key = p256::ecdsa::SigningKey::from_slice(scalar).ok()?;
            key.verifying_key().to_encoded_point(false).as_bytes().to_vec()
        }
        Curve::P384 => {
            let key = p384::ecdsa::SigningKey::from_slice(scalar).ok()?;
            key.verifying_key().to_encoded_point(false).as_bytes().to_vec()
        }
        Curve::P521 => {
            let key = p521::ecdsa::SigningKey::from_slice(scalar).ok()?;
            p521::ecdsa::VerifyingKey::from(&key).to_encoded_point(false).as_bytes().to_vec()
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
