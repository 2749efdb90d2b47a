//! RSA signatures of RFC 8017: PKCS #1 v1.5 and PSS, over SHA-2.
//!
//! Written on `crypto-bigint`, whose powers take the same time for all exponents of a size, because the `rsa` crate is
//! known to leak through timing (RUSTSEC-2023-0071). Keys from 1024 to 8192 bits, as Go takes them.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Encoding, Odd, U2048, U4096, U8192, Uint};
use subtle::ConstantTimeEq;

use crate::hash::Hash;
use crate::key::RsaPrivate;

/// How a digest becomes a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// PKCS #1 v1.5.
    Pkcs1,
    /// PSS, with a salt of any length.
    Pss,
}

/// Whether `signature` is one of `message` by the key.
pub(crate) fn verify(
    (modulus, exponent): (&[u8], u32),
    padding: Padding,
    hash: Hash,
    message: &[u8],
    signature: &[u8],
) -> bool {
    if signature.len() != modulus.len() {
        return false;
    }
    let Some(encoded) = power(signature, &exponent.to_be_bytes(), modulus) else { return false };
    let digest = hash.digest(&[message]);
    match padding {
        Padding::Pkcs1 => encode_pkcs1(hash, &digest, modulus.len()).is_some_and(|expected| expected == encoded),
        Padding::Pss => verify_pss(hash, &digest, &encoded, bits(modulus) - 1).is_some(),
    }
}

/// The signature of `message`; `salt` is used by PSS only and need not be secret.
pub(crate) fn sign(key: &RsaPrivate, padding: Padding, hash: Hash, message: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
    let digest = hash.digest(&[message]);
    let encoded = match padding {
        Padding::Pkcs1 => encode_pkcs1(hash, &digest, key.modulus.len())?,
        Padding::Pss => encode_pss(hash, &digest, salt, bits(&key.modulus).checked_sub(1)?)?,
    };
    power(&encoded, &key.private_exponent, &key.modulus)
}

fn bits(modulus: &[u8]) -> usize {
    let first = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    modulus.len() * 8 - first
}

/// `base` to the `exponent` modulo an odd `modulus`, as long as the modulus.
fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    match bits(modulus) {
        1024..=2048 => power_in::<{ U2048::LIMBS }>(base, exponent, modulus),
        2049..=4096 => power_in::<{ U4096::LIMBS }>(base, exponent, modulus),
        4097..=8192 => power_in::<{ U8192::LIMBS }>(base, exponent, modulus),
        _ => None,
    }
}

fn power_in<const LIMBS: usize>(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<Vec<u8>>
where
    Uint<LIMBS>: Encoding,
{
    let length = modulus.len();
    let exponent_bits = u32::try_from(exponent.len() * 8).ok()?;
    let (base, exponent) = (number::<LIMBS>(base)?, number::<LIMBS>(exponent)?);
    let modulus: Odd<Uint<LIMBS>> = Option::from(Odd::new(number::<LIMBS>(modulus)?))?;
    if base >= *modulus {
        return None;
    }
    let power = FixedMontyForm::new(&base, &FixedMontyParams::new(modulus)).pow_bounded_exp(&exponent, exponent_bits);
    let bytes = power.retrieve().to_be_bytes();
    let bytes = bytes.as_ref();
    bytes.get(bytes.len().checked_sub(length)?..).map(<[u8]>::to_vec)
}

fn number<const LIMBS: usize>(bytes: &[u8]) -> Option<Uint<LIMBS>>
where
    Uint<LIMBS>: Encoding,
{
    let mut padded = vec![0; Uint::<LIMBS>::BYTES.checked_sub(bytes.len())?];
    padded.extend_from_slice(bytes);
    Some(Uint::from_be_slice(&padded))
}

/// 0, 1, ones, 0, the name of the hash, the digest.
fn encode_pkcs1(hash: Hash, digest: &[u8], length: usize) -> Option<Vec<u8>> {
    let (outer, kind, size) = match hash {
        Hash::Sha256 => (0x31, 1, 0x20),
        Hash::Sha384 => (0x41, 2, 0x30),
        Hash::Sha512 => (0x51, 3, 0x40),
        _ => return None,
    };
    let name = [0x30, outer, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, kind, 5, 0, 4, size];
    let ones = length.checked_sub(name.len() + digest.len() + 3).filter(|ones| *ones >= 8)?;
    let mut encoded = vec![0, 1];
    encoded.resize(2 + ones, 0xff);
    encoded.push(0);
    encoded.extend_from_slice(&name);
    encoded.extend_from_slice(digest);
    Some(encoded)
}

fn encode_pss(hash: Hash, digest: &[u8], salt: &[u8], bits: usize) -> Option<Vec<u8>> {
    let length = bits.div_ceil(8);
    let seal = hash.digest(&[&[0; 8], digest, salt]);
    let zeros = length.checked_sub(salt.len() + seal.len() + 2)?;
    let mut block = vec![0; zeros];
    block.push(1);
    block.extend_from_slice(salt);
    mask(&mut block, hash, &seal);
    clear_top(&mut block, length * 8 - bits);
    block.extend_from_slice(&seal);
    block.push(0xbc);
    // Where the modulus is a bit longer than its bytes, the number is as long as the modulus.
    let missing = (bits + 1).div_ceil(8) - length;
    Some(std::iter::repeat_n(0, missing).chain(block).collect())
}

/// The salt may have any length.
fn verify_pss(hash: Hash, digest: &[u8], encoded: &[u8], bits: usize) -> Option<()> {
    let length = bits.div_ceil(8);
    let (leading, encoded) = encoded.split_at_checked(encoded.len().checked_sub(length)?)?;
    let rest = encoded.strip_suffix(&[0xbc]).filter(|_| leading.iter().all(|byte| *byte == 0))?;
    let (block, seal) = rest.split_at_checked(rest.len().checked_sub(hash.size())?)?;
    let spare = length * 8 - bits;
    if block.first()?.checked_shr(8 - spare as u32).unwrap_or(0) != 0 {
        return None;
    }
    let mut block = block.to_vec();
    mask(&mut block, hash, seal);
    clear_top(&mut block, spare);
    let one = block.iter().position(|byte| *byte != 0)?;
    let salt = block.get(one..)?.strip_prefix(&[1])?;
    bool::from(hash.digest(&[&[0; 8], digest, salt]).ct_eq(seal)).then_some(())
}

/// Clears the highest `count` bits, fewer than eight.
fn clear_top(block: &mut [u8], count: usize) {
    if let Some(first) = block.first_mut() {
        *first &= 0xff >> count;
    }
}

/// Mixes in the bytes that the mask generation function makes of `seed`.
fn mask(block: &mut [u8], hash: Hash, seed: &[u8]) {
    for (counter, chunk) in (0_u32..).zip(block.chunks_mut(hash.size())) {
        let bytes = hash.digest(&[seed, &counter.to_be_bytes()]);
        for (byte, mask) in chunk.iter_mut().zip(bytes) {
            *byte ^= mask;
        }
    }
}
