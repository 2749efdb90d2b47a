//! Signatures of identity tokens: JSON Web Signatures (RFC 7515, 7518, 8037) in compact form, checked by ring against the
//! provider's JSON Web Key set (RFC 7517).
//!
//! Deliberately absent: algorithms with a secret that both sides know (`HS256`), `none`, keys that a token brings along
//! (`jwk`, `x5c`) or points to (`jku`, `x5u`), RSA keys under 2048 bits, encrypted tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::Value;

use super::claims::Rejection;

/// The most keys of a set that are looked at: a token without a key's identifier is tried with each.
const MAX_KEYS: usize = 100;
/// Longest token, in bytes.
const MAX_TOKEN: usize = 64 * 1024;

/// How an algorithm is checked.
enum Check {
    Rsa(&'static RsaParameters),
    /// A point on the curve of this name, uncompressed.
    Ec(&'static str, &'static dyn VerificationAlgorithm),
    Ed25519,
}

/// The algorithms that only the provider can sign by, whatever its metadata permit.
const ALGORITHMS: [(&str, Check); 9] = [
    ("RS256", Check::Rsa(&RSA_PKCS1_2048_8192_SHA256)),
    ("RS384", Check::Rsa(&RSA_PKCS1_2048_8192_SHA384)),
    ("RS512", Check::Rsa(&RSA_PKCS1_2048_8192_SHA512)),
    ("PS256", Check::Rsa(&RSA_PSS_2048_8192_SHA256)),
    ("PS384", Check::Rsa(&RSA_PSS_2048_8192_SHA384)),
    ("PS512", Check::Rsa(&RSA_PSS_2048_8192_SHA512)),
    ("ES256", Check::Ec("P-256", &ECDSA_P256_SHA256_FIXED)),
    ("ES384", Check::Ec("P-384", &ECDSA_P384_SHA384_FIXED)),
    ("EdDSA", Check::Ed25519),
];

/// The keys that a provider signs with.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct KeySet {
    keys: Vec<Value>,
}

/// A key of a kind that identity tokens are signed by.
#[derive(Debug, Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The protected header, as far as it is understood.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl KeySet {
    /// What `token` says, where one of the keys has signed it.
    pub(super) fn verify(&self, token: &str) -> Result<Vec<u8>, Rejection> {
        let invalid = |why: &str| Rejection::Invalid(why.to_owned());
        if token.len() > MAX_TOKEN {
            return Err(Rejection::Invalid(format!("it is longer than {MAX_TOKEN} bytes")));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or_else(|| invalid("it has no signature"))?;
        let (header, payload) = signed.split_once('.').ok_or_else(|| invalid("it has no payload"))?;
        let header: Header =
            serde_json::from_slice(&decode(header).ok_or_else(|| invalid("its header is not base64url"))?)
                .map_err(|error| Rejection::Invalid(format!("its header cannot be read: {error}")))?;
        if header.crit.is_some() {
            return Err(invalid("its header asks for an extension that is not known here"));
        }
        let (_, check) = ALGORITHMS.iter().find(|(name, _)| *name == header.alg).ok_or_else(|| {
            Rejection::Invalid(format!("the algorithm `{}` is not accepted", header.alg.escape_debug()))
        })?;
        let signature = decode(signature).ok_or_else(|| invalid("its signature is not base64url"))?;
        let payload = decode(payload).ok_or_else(|| invalid("its payload is not base64url"))?;
        let mut keys = self.usable(&header);
        if keys.any(|key| key.has_signed(check, signed.as_bytes(), &signature).unwrap_or(false)) {
            return Ok(payload);
        }
        Err(Rejection::UnknownKey)
    }

    /// The keys that may have signed a token with this header. Keys of other kinds are no concern of ours.
    fn usable(&self, header: &Header) -> impl Iterator<Item = Key> {
        let keys = self.keys.iter().take(MAX_KEYS).filter_map(|key| Key::deserialize(key).ok());
        keys.filter(move |key| {
            header.kid.as_ref().is_none_or(|id| key.kid.as_ref() == Some(id))
                && key.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
                && key.alg.as_deref().is_none_or(|algorithm| algorithm == header.alg)
        })
    }
}

impl Key {
    /// Whether `signature` is this key's; none where the key is of another kind or incomplete.
    fn has_signed(&self, check: &Check, message: &[u8], signature: &[u8]) -> Option<bool> {
        let part = |text: &Option<String>| decode(text.as_deref()?);
        let verified = match check {
            Check::Rsa(parameters) if self.kty == "RSA" => {
                let key = RsaPublicKeyComponents { n: part(&self.n)?, e: part(&self.e)? };
                key.verify(parameters, message, signature)
            }
            Check::Ec(curve, algorithm) if self.kty == "EC" && self.crv.as_deref() == Some(curve) => {
                let point = [vec![4], part(&self.x)?, part(&self.y)?].concat();
                UnparsedPublicKey::new(*algorithm, point).verify(message, signature)
            }
            Check::Ed25519 if self.kty == "OKP" && self.crv.as_deref() == Some("Ed25519") => {
                UnparsedPublicKey::new(&ED25519, part(&self.x)?).verify(message, signature)
            }
            _ => return None,
        };
        Some(verified.is_ok())
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{
        KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData as _, SigningKey as _,
    };
    use serde_json::json;

    use super::*;

    fn encode(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn set(key: Value) -> KeySet {
        KeySet { keys: vec![json!({"kty": "oct", "k": "c2VjcmV0"}), key] }
    }

    /// A token signed by an Ed25519 key, with its header changed before it is signed.
    fn token(header: &Value) -> (String, KeySet) {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let signed = format!("{}.{}", encode(header.to_string()), encode("{}"));
        let signature = key.sign(signed.as_bytes()).unwrap();
        let keys = set(json!({"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": encode(key.der_bytes())}));
        (format!("{signed}.{}", encode(signature)), keys)
    }

    /// ECDSA signatures in DER, as rcgen makes them, in the fixed form that tokens have.
    fn fixed(der: &[u8], half: usize) -> Vec<u8> {
        let integer = |at: usize| {
            let length = usize::from(der[at + 1]);
            let digits = &der[at + 2..at + 2 + length];
            let digits = &digits[digits.iter().take_while(|byte| **byte == 0).count()..];
            ([vec![0; half - digits.len()], digits.to_vec()].concat(), at + 2 + length)
        };
        let start = if der[1] < 0x80 { 2 } else { 3 };
        let (r, next) = integer(start);
        [r, integer(next).0].concat()
    }

    #[test]
    fn the_curves_are_checked() {
        let curves = [("ES256", "P-256", &PKCS_ECDSA_P256_SHA256, 32), ("ES384", "P-384", &PKCS_ECDSA_P384_SHA384, 48)];
        for (algorithm, curve, kind, half) in curves {
            let key = KeyPair::generate_for(kind).unwrap();
            let (x, y) = key.der_bytes()[1..].split_at(half);
            let keys = set(json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)}));
            let signed = format!("{}.{}", encode(json!({"alg": algorithm}).to_string()), encode("said"));
            let signature = fixed(&key.sign(signed.as_bytes()).unwrap(), half);
            assert_eq!(keys.verify(&format!("{signed}.{}", encode(&signature))).unwrap(), b"said", "{algorithm}");
            let other = signed.replace(&encode("said"), &encode("lied"));
            assert!(keys.verify(&format!("{other}.{}", encode(&signature))).is_err(), "{algorithm}");
        }
    }

    #[test]
    fn only_a_key_of_the_set_counts() {
        let (sound, keys) = token(&json!({"alg": "EdDSA", "kid": "1"}));
        assert!(keys.verify(&sound).is_ok());
        assert!(matches!(set(json!({})).verify(&sound), Err(Rejection::UnknownKey)));
        let (named, keys) = token(&json!({"alg": "EdDSA", "kid": "2"}));
        assert!(matches!(keys.verify(&named), Err(Rejection::UnknownKey)));
        for member in [json!({"use": "enc"}), json!({"alg": "RS256"}), json!({"crv": "X25519"}), json!({"kty": "EC"})] {
            let (sound, mut keys) = token(&json!({"alg": "EdDSA"}));
            assert!(keys.verify(&sound).is_ok());
            keys.keys[1].as_object_mut().unwrap().extend(member.as_object().unwrap().clone());
            assert!(matches!(keys.verify(&sound), Err(Rejection::UnknownKey)), "{member}");
        }
    }

    #[test]
    fn what_is_no_token_that_a_provider_signs_is_refused() {
        for header in
            [json!({"alg": "none"}), json!({"alg": "HS256"}), json!({"alg": "EdDSA", "crit": ["x"]}), json!([])]
        {
            let (forged, keys) = token(&header);
            assert!(matches!(keys.verify(&forged), Err(Rejection::Invalid(_))), "{header}");
        }
        let (sound, keys) = token(&json!({"alg": "EdDSA"}));
        for broken in
            ["", ".", "..", "a.b", &sound.replacen('.', "", 1), &format!("{sound}="), &"x".repeat(MAX_TOKEN + 1)]
        {
            assert!(keys.verify(broken).is_err(), "{broken:.50}");
        }
        for cut in 0..sound.len() {
            assert!(keys.verify(sound.get(..cut).unwrap()).is_err(), "{cut}");
        }
    }
}
