//! Public keys and the signatures made with them: ECDSA on P-256 over SHA-256, which is what cosign makes.
//!
//! Deliberately absent: other kinds of keys, PGP, certificates, and keys that are kept in a cluster or a key store.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade_crypto::signature::{Scheme, verify, verify_asn1};
use palisade_crypto::{Curve, Hash, PublicKey};

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// A public key, or why there is none.
pub(super) type Key = Result<PublicKey, String>;

/// The keys of a text, taken apart the way Kyverno does it: it cuts behind each end line, and what follows the last
/// one is dropped where there are several.
pub(super) fn keys(text: &str) -> Vec<Key> {
    let mut pieces: Vec<&str> = text.split_inclusive(END).filter(|piece| piece.ends_with(END)).collect();
    if pieces.len() < 2 {
        pieces = vec![text];
    }
    pieces.into_iter().map(key).collect()
}

/// Reads a key whose first line and end line stand alone, as Go demands.
fn key(text: &str) -> Key {
    let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect();
    let Some((&BEGIN, rest)) = lines.split_first() else { return Err(not_a_key(text)) };
    let end = rest.iter().position(|line| *line == END);
    let body =
        end.and_then(|end| rest.get(..end)).ok_or_else(|| format!("the public key lacks its last line, `{END}`"))?;
    let base64 = body.concat().replace([' ', '\t'], "");
    let der = STANDARD.decode(base64).map_err(|error| format!("the public key is not base64: {error}"))?;
    match PublicKey::from_pkix(&der) {
        Ok(key @ PublicKey::Ecdsa { curve: Curve::P256, .. }) => Ok(key),
        _ => Err("the public key is not an ECDSA key on the curve P-256, the only kind that is supported".into()),
    }
}

fn not_a_key(text: &str) -> String {
    if text.starts_with(BEGIN) {
        return format!("the public key needs `{BEGIN}` on a line of its own");
    }
    if text.trim_start().starts_with(BEGIN) {
        return "there is space before the public key, which keeps Kyverno from reading it; remove it, and give each \
                key an entry of its own"
            .into();
    }
    let what = text.lines().next().unwrap_or_default();
    format!("`{what}` is not a public key in PEM format; keys in clusters and key stores cannot be read offline")
}

/// Whether a signature in base64 was made by the owner of the key: in DER form, or the two numbers side by side.
pub(super) fn is_signed(key: &PublicKey, message: &[u8], signature: &str) -> bool {
    const SCHEME: Scheme = Scheme::Ecdsa(Hash::Sha256);
    let Ok(bytes) = STANDARD.decode(signature.trim()) else { return false };
    verify_asn1(SCHEME, key, message, &bytes) || verify(SCHEME, key, message, &bytes)
}
