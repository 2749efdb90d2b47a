//! What is kept of a secret: its SHA-256. The secrets are random, at least 128 bits, so neither salt nor stretching
//! is needed, and a stolen database opens no door.

use std::fmt;

use palisade_model::hex;
use sha2::{Digest, Sha256};

/// The SHA-256 of a session identifier, an API token or a login state. Its text is 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SecretHash(String);

impl SecretHash {
    /// Of the secret itself.
    pub fn of(secret: impl AsRef<[u8]>) -> Self {
        Self(hex(&Sha256::digest(secret)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    /// Shows nothing of the hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash")
    }
}
