//! Tokens made for these tests, taken and refused as a client of a provider does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

const PRIVATE: &str = concat!(
    r#"{"crv":"P-256","d":"jykbyJZpb4_ziUxe7BERHCXMZg8j3mFJd3pk0OulryI","kty":"EC","x":"dDX8I2TPyKeuwZKdZShlJ-fCeLk"#,
    r#"UZ59O_nLInGb1q-s","y":"4KHuIP_BBu0g7RL6oTNV2oGp9VZK4_Tj61MDV1bFi24"}"#,
);
const PROVIDER: &str = concat!(
    r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","use":"sig","alg":"ES256","x":"dDX8I2TPyKeuwZKdZShlJ-fCeLkUZ59O"#,
    r#"_nLInGb1q-s","y":"4KHuIP_BBu0g7RL6oTNV2oGp9VZK4_Tj61MDV1bFi24"},{"kty":"new"},"#,
    r#"{"kty":"oct","k":"c2VjcmV0","use":"enc"}]}"#,
);
const ES256: &[Algorithm] = &[Algorithm::Keys(Scheme::Ecdsa(Hash::Sha256))];

fn signed(header: &str, claims: &str, key: &str) -> String {
    let name = Value::from_json(header).unwrap();
    let algorithm = Algorithm::from_name(name.get("alg").and_then(Value::as_str).unwrap()).unwrap();
    let keys = KeySet::read(&Value::from_json(key).unwrap()).unwrap();
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = algorithm.sign(&keys.first().unwrap().material, &text, b"salt").unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_token_of_the_provider_is_taken() {
    let keys = KeySet::usable(PROVIDER).unwrap();
    for header in [r#"{"alg":"ES256"}"#, r#"{"alg":"ES256","kid":"a"}"#] {
        let token = signed(header, r#"{"sub":"eve"}"#, PRIVATE);
        assert_eq!(verify(&token, &keys, ES256).unwrap().get("sub"), Some(&Value::from("eve")));
    }
}

#[test]
fn other_tokens_are_refused() {
    let keys = KeySet::usable(PROVIDER).unwrap();
    let token = signed(r#"{"alg":"ES256"}"#, "{}", PRIVATE);
    let (start, _) = token.rsplit_once('.').unwrap();
    let secret = r#"{"kty":"oct","k":"c2VjcmV0"}"#;
    for (token, permitted, expected) in [
        (format!("{start}.{}", "A".repeat(86)), ES256, TokenError::Signature),
        (token, &[][..], TokenError::Algorithm("ES256".into())),
        (signed(r#"{"alg":"HS256"}"#, "{}", secret), ES256, TokenError::Algorithm("HS256".into())),
        (signed(r#"{"alg":"HS256"}"#, "{}", secret), &[Algorithm::Secret(Hash::Sha256)], TokenError::Signature),
        ("eyJhbGciOiJub25lIn0.e30.".into(), ES256, TokenError::Algorithm("none".into())),
        (signed(r#"{"alg":"ES256","crit":["b64"],"b64":true}"#, "{}", PRIVATE), ES256, TokenError::Critical),
    ] {
        assert_eq!(verify(&token, &keys, permitted), Err(expected), "{token}");
    }
    assert!(matches!(verify("a.b", &keys, ES256), Err(TokenError::Malformed(_))));
    assert!(KeySet::usable("{}").is_err());
}
