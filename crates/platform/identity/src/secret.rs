//! Random secrets: session identifiers, API tokens, links, states.
//!
//! A secret is 43 characters out of 62, which is 256 bits, so that guessing is hopeless and neither salt nor stretching
//! is needed. Tokens begin with a prefix and end with a checksum, which lets leak scanners tell them from other text
//! without asking anybody. Only the SHA-256 is stored, and looked up: how long a look-up takes says nothing about the
//! secret.

use std::fmt;

use palisade_store::SecretHash;
use sha2::{Digest, Sha256};

/// Digits of the secrets.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Random characters of a secret: 43 * log2(62) is 256.03 bits.
const RANDOM: usize = 43;
/// Characters of the checksum: 62^6 is more than 2^32.
const CHECKSUM: usize = 6;

/// A secret that was just made; shown once and then forgotten.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a secret is for. A secret of one kind never stands for one of another, because its kind is hashed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The value of a session's cookie.
    Session,
    /// An API token.
    Token,
    /// The one-time link for the first administrator.
    FirstLink,
    /// The `state` of a login.
    Login,
    /// What binds a login to the browser that began it.
    Browser,
    /// What an agent joins with.
    Join,
}

impl Kind {
    /// What the secret begins with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Token => "pal_",
            Self::Join => "palj_",
            Self::Session | Self::FirstLink | Self::Login | Self::Browser => "",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::FirstLink => "first-link",
            Self::Login => "login",
            Self::Browser => "browser",
            Self::Join => "join",
        }
    }

    const fn has_checksum(self) -> bool {
        !self.prefix().is_empty()
    }
}

impl Secret {
    /// A new one, from the operating system's random numbers.
    pub(super) fn generate(kind: Kind) -> Result<Self, getrandom::Error> {
        let mut text = String::from(kind.prefix());
        let wanted = text.len() + RANDOM;
        while text.len() < wanted {
            let mut bytes = [0; 64];
            getrandom::fill(&mut bytes)?;
            // Bytes from 248 on would make the first digits likelier than the others.
            let even = bytes.into_iter().filter(|byte| *byte < 248);
            let digits = even.filter_map(|byte| DIGITS.get(usize::from(byte) % DIGITS.len()));
            text.extend(digits.take(wanted - text.len()).map(|digit| char::from(*digit)));
        }
        if kind.has_checksum() {
            text.push_str(&checksum(&text));
        }
        Ok(Self(text))
    }

    /// The secret itself, for the one who asked for it.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

/// What the store knows `secret` by; `None` where no secret of this kind looks like that.
pub(super) fn hash(kind: Kind, secret: &str) -> Option<SecretHash> {
    let rest = secret.strip_prefix(kind.prefix())?;
    let expected = if kind.has_checksum() { RANDOM + CHECKSUM } else { RANDOM };
    if rest.len() != expected || !rest.bytes().all(|byte| DIGITS.contains(&byte)) {
        return None;
    }
    if kind.has_checksum() {
        let (body, sum) = secret.split_at_checked(secret.len().checked_sub(CHECKSUM)?)?;
        if checksum(body) != sum {
            return None;
        }
    }
    Some(SecretHash::of(format!("palisade:{}:{secret}", kind.label())))
}

/// What the store knows a login by that was begun with `state` in the browser that holds `browser`.
pub(super) fn bound_hash(state: &str, browser: &str) -> Option<SecretHash> {
    hash(Kind::Login, state)?;
    hash(Kind::Browser, browser)?;
    Some(SecretHash::of(format!("palisade:{}:{state}:{browser}", Kind::Login.label())))
}

/// Eight hexadecimal digits by which logs and limits tell secrets apart without holding any of their characters.
pub(super) fn fingerprint(secret: &str) -> String {
    palisade_model::hex(&Sha256::digest(secret)).chars().take(8).collect()
}

/// The first 32 bits of the SHA-256, in base 62.
fn checksum(text: &str) -> String {
    let mut rest = Sha256::digest(text).iter().take(4).fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS.get(rest % DIGITS.len()).copied().unwrap_or_default();
        rest /= DIGITS.len();
    }
    digits.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::string_slice, reason = "secrets are ASCII")]

    use super::*;

    #[test]
    fn tokens_are_recognised_by_prefix_length_and_checksum() {
        let token = Secret::generate(Kind::Token).unwrap();
        let text = token.expose();
        assert!(text.starts_with("pal_") && text.len() == 4 + 43 + 6, "{text}");
        assert!(hash(Kind::Token, text).is_some());
        assert!(hash(Kind::Token, &text[..text.len() - 1]).is_none());
        assert!(hash(Kind::Token, &format!("{text}0")).is_none());
        let changed = if text.as_bytes()[10] == b'x' { "y" } else { "x" };
        assert!(hash(Kind::Token, &format!("{}{changed}{}", &text[..10], &text[11..])).is_none());
    }

    #[test]
    fn a_secret_of_one_kind_is_none_of_another() {
        let session = Secret::generate(Kind::Session).unwrap();
        let hashes = [Kind::Session, Kind::FirstLink, Kind::Login].map(|kind| hash(kind, session.expose()).unwrap());
        assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
        assert!(hash(Kind::Token, session.expose()).is_none());
    }

    #[test]
    fn secrets_differ_and_are_not_shown() {
        let (one, other) = (Secret::generate(Kind::Session).unwrap(), Secret::generate(Kind::Session).unwrap());
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "Secret");
    }
}
