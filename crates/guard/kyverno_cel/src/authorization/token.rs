//! `jwt.Decode(token, key)`: JSON Web Tokens signed with a shared key (HMAC with SHA-2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use palisade_cel::library::mismatch;
use palisade_cel::{Call, Cost, EvalError, Function, Library, Type, Val};
use palisade_crypto::Hash;
use palisade_crypto::hash::is_same;
use palisade_model::Value;

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
    let hash = match &*algorithm {
        "HS256" => Hash::Sha256,
        "HS384" => Hash::Sha384,
        "HS512" => Hash::Sha512,
        other => return Err(format!("tokens signed with `{other}` cannot be verified with a shared key")),
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "the signature is not base64")?;
    if is_same(&hash.mac(key, signed.as_bytes()), &signature) {
        part(payload)
    } else {
        Err("could not verify the signature with the given key".into())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str, key: &[u8]) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (header, claims) = (encode(br#"{"alg":"HS256"}"#), encode(claims.as_bytes()));
        let signed = format!("{header}.{claims}");
        let signature = encode(&Hash::Sha256.mac(key, signed.as_bytes()));
        format!("{signed}.{signature}")
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
