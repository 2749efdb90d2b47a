//! `jwt.Decode(token, key)`: JSON Web Tokens signed with a shared key (HMAC with SHA-2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use palisade_cel::library::mismatch;
use palisade_cel::{Call, Cost, EvalError, Function, Library, Type, Val};
use palisade_model::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::message::Message;

const TOKEN: &str = "jwt.Token";

pub(super) fn library() -> Library {
    let params = [Type::String, Type::String];
    let function = Function::global("jwt.Decode", params, Type::Dyn, decode).contextual().cost(Cost::Sizes);
    Library::of("kyverno.authz.jwt", [function])
}

fn decode(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(token), Val::String(key)] = args else { return Err(mismatch("jwt.Decode", args)) };
    call.spend_size(token.len())?;
    let claims = claims(token, key.as_bytes()).map_err(|why| EvalError::invalid(format_args!("jwt.Decode: {why}")))?;
    let valid = is_valid(&claims, call.environment()?.now);
    Ok(Message::new(TOKEN).with("Claims", Val::from(claims)).with("Valid", valid).into_val())
}

/// The claims of a token whose signature is the key's.
fn claims(token: &str, key: &[u8]) -> Result<Value, String> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("a token has three parts".into());
    };
    let algorithm = part(header)?.get("alg").and_then(Value::as_shared_str).cloned().unwrap_or_default();
    let signed = format!("{header}.{payload}");
    let expected = match &*algorithm {
        "HS256" => hmac::<Sha256>(key, signed.as_bytes(), 64),
        "HS384" => hmac::<Sha384>(key, signed.as_bytes(), 128),
        "HS512" => hmac::<Sha512>(key, signed.as_bytes(), 128),
        other => return Err(format!("tokens signed with `{other}` cannot be verified with a shared key")),
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "the signature is not base64")?;
    // Every byte is looked at, so that the time taken tells nothing.
    let same =
        expected.len() == signature.len() && expected.iter().zip(&signature).fold(0, |d, (a, b)| d | (a ^ b)) == 0;
    if same { part(payload) } else { Err("could not verify the signature with the given key".into()) }
}

fn part(text: &str) -> Result<Value, String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "a part of the token is not base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "a part of the token is not text")?;
    let value = Value::from_json(&text).map_err(|_| "a part of the token is not JSON")?;
    if value.as_object().is_some() { Ok(value) } else { Err("a part of the token is not an object".into()) }
}

/// Whether the token is in its time. A claim that is no number is not in force.
fn is_valid(claims: &Value, now: Timestamp) -> bool {
    let seconds = |claim: &str| claims.get(claim).map(|value| value.as_f64().unwrap_or(f64::NAN));
    let now = now.as_second() as f64;
    let after = |claim: &str| seconds(claim).is_none_or(|moment| now >= moment);
    seconds("exp").is_none_or(|moment| now < moment) && after("nbf") && after("iat")
}

/// RFC 2104.
fn hmac<D: Digest>(key: &[u8], message: &[u8], block: usize) -> Vec<u8> {
    let hashed;
    let key = if key.len() > block {
        hashed = D::digest(key).to_vec();
        &hashed
    } else {
        key
    };
    let pad = |with: u8| {
        let mut padded = key.to_vec();
        padded.resize(block, 0);
        for byte in &mut padded {
            *byte ^= with;
        }
        padded
    };
    let inner = D::new().chain_update(pad(0x36)).chain_update(message).finalize();
    D::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str, key: &[u8]) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (header, claims) = (encode(br#"{"alg":"HS256"}"#), encode(claims.as_bytes()));
        let signed = format!("{header}.{claims}");
        let signature = encode(&hmac::<Sha256>(key, signed.as_bytes(), 64));
        format!("{signed}.{signature}")
    }

    #[test]
    fn hmac_agrees_with_rfc_4231() {
        let code = hmac::<Sha256>(b"Jefe", b"what do ya want for nothing?", 64);
        assert_eq!(code.get(..4), Some([0x5b, 0xdc, 0xc1, 0x46].as_slice()));
    }

    #[test]
    fn only_the_right_key_opens_a_token() {
        let token = token(r#"{"role":"admin","exp":100}"#, b"secret");
        let claims = claims(&token, b"secret").unwrap();
        assert_eq!(claims.get("role"), Some(&Value::from("admin")));
        assert!(is_valid(&claims, Timestamp::from_second(99).unwrap()));
        assert!(!is_valid(&claims, Timestamp::from_second(100).unwrap()));
        assert!(super::claims(&token, b"other").unwrap_err().contains("verify"));
        assert!(super::claims("a.b", b"secret").is_err());
    }
}
