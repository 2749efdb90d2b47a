//! Hashes and codes made with them.
//!
//! MD5 and SHA-1 are here because policies and bundles name them. No signature over them counts.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use subtle::ConstantTimeEq;

/// A hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// MD5, which is broken.
    Md5,
    /// SHA-1, which is broken.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA-512/224.
    Sha512Of224,
    /// SHA-512/256.
    Sha512Of256,
}

/// Does something with the type of a hash.
macro_rules! by_type {
    ($hash:expr, $D:ident => $work:expr) => {
        match $hash {
            Hash::Md5 => by_type!(Md5, $D => $work, _),
            Hash::Sha1 => by_type!(Sha1, $D => $work, _),
            Hash::Sha224 => by_type!(Sha224, $D => $work, _),
            Hash::Sha256 => by_type!(Sha256, $D => $work, _),
            Hash::Sha384 => by_type!(Sha384, $D => $work, _),
            Hash::Sha512 => by_type!(Sha512, $D => $work, _),
            Hash::Sha512Of224 => by_type!(Sha512_224, $D => $work, _),
            Hash::Sha512Of256 => by_type!(Sha512_256, $D => $work, _),
        }
    };
    ($type:ty, $D:ident => $work:expr, _) => {{
        type $D = $type;
        $work
    }};
}

impl Hash {
    /// Whether signatures over it count.
    pub const fn is_for_signatures(self) -> bool {
        matches!(self, Self::Sha256 | Self::Sha384 | Self::Sha512)
    }

    /// Bytes of a digest.
    pub fn size(self) -> usize {
        by_type!(self, D => <D as Digest>::output_size())
    }

    /// The digest of the parts one after the other.
    pub fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        by_type!(self, D => parts.iter().fold(D::new(), D::chain_update).finalize().to_vec())
    }

    /// The code of a message (HMAC); keys have any length.
    pub fn mac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        by_type!(self, D => mac::<Hmac<D>>(key, message))
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    match M::new_from_slice(key) {
        Ok(mac) => mac.chain_update(message).finalize().into_bytes().to_vec(),
        Err(_) => Vec::new(),
    }
}

/// Whether two codes are the same, in time that does not depend on where they differ.
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use palisade_model::hex;

    use super::*;

    #[test]
    fn digests_and_codes_are_those_of_the_standards() {
        for (hash, digest) in [
            (Hash::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Hash::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Hash::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
            (Hash::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (Hash::Sha512Of256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ] {
            assert_eq!(hex(&hash.digest(&[b"a", b"bc"])), digest);
            assert_eq!(hash.size() * 2, digest.len());
        }
        let code = hex(&Hash::Sha256.mac(b"Jefe", b"what do ya want for nothing?"));
        assert_eq!(code, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(is_same(b"a", b"a") && !is_same(b"a", b"b") && !is_same(b"a", b"ab"));
    }
}
