//! Tokens signed with keys made for these tests, and verified again; OPA verifies the same tokens.

use crate::testing::call;

const RSA: &str = concat!(
    r#"{"d":"smjlBnEmEzKkFX91rFUG0ifD6n-gOSHVfTSzHuX8R1GM96wYA7Eu2wBvHGjWGqh6r9QtcRW3TXADjBnFcjD_SAcMR2P6jfCp8yuj4D"#,
    r#"xW-OOSwgA8ZvwUTUz-jQE9tHrQ4XhFw462zBjwe2Gr8mDUnrNtzpR8kYNOJ-RMSU1x7TE","dp":"Hdf6gfH6lnKrXK3JCaqN0oEDQUuAvag"#,
    r#"w_IIZtOeRJnAYYsKcA7jhbr3wS_w_7zXHHUt8CqEVaURWdroCsOtn2Q","dq":"BjhBj2xzr-0-IdXy5cnV8IByxqf9SC8Ku1UUv5ufuXKff"#,
    r#"4HSPYrx68cu_OaspjG2SEpBNx3hZnYWi2UOHOdtHQ","e":"AQAB","kty":"RSA","n":"s1C9g6HbKNtiFJIPc7XblDuq_K1CD-qTAIjgx"#,
    r#"Vd99ayErD8ZBgr8tfHT1-xJGbm-yDz74fRteERZFvTpQKPElhotp_Rn1Fb96Pbz-4mOLfNAeKt1oNIUIE9_8aEqI1uVD0wkuuRbvQbwC0FJb"#,
    r#"eTCclcXUB9bRpWek4XACH7uizs","p":"14vGRm6boc5IxRF71ljMZqkZSXyWWUpi4FHg8C42rQi2ciz-F0W3pw55XjBMKI-5N4n_KCZev1R"#,
    r#"15tkM5CD5TQ","q":"1Pg2hxcnX59wfs6cL7aq-rOqR4aLqNZkXRDdDJ9Xnd99vl7t_gS-SoNyPCSWc-B_mVnQkWaFzAk6yAnU7TaSpw","q"#,
    r#"i":"KvO4cuNuDIxeQT2LDRFI9f7so0vYxHb6BK1_PL5LlsXQYMihdynw4KONhR3o-LfCJ5eByQqQAtT1K1KRxSsP0A"}"#,
);
const P256: &str = concat!(
    r#"{"crv":"P-256","d":"jykbyJZpb4_ziUxe7BERHCXMZg8j3mFJd3pk0OulryI","kty":"EC","x":"dDX8I2TPyKeuwZKdZShlJ-fCeLk"#,
    r#"UZ59O_nLInGb1q-s","y":"4KHuIP_BBu0g7RL6oTNV2oGp9VZK4_Tj61MDV1bFi24"}"#,
);
const P384: &str = concat!(
    r#"{"crv":"P-384","d":"YGzRQUlb9CYz6Kq91V7ZaUpr-P4ezeFepB5Gp4PSZcj3-SvxNbl4_FHuMLRekUvw","kty":"EC","x":"LbZI6U"#,
    r#"wqQuBzb6n95_oTiTLgOWBHVRfLQLNGk7iNWo6gxKlHkMP5uAGDdxZsq-4j","y":"QcuNoA3luaWJ9S-pb38uH4GNUhlPc5nlBLesBnzjW45"#,
    r#"YF69Oe7_LjTI96m1bWSan"}"#,
);
const P521: &str = concat!(
    r#"{"crv":"P-521","d":"AK4EXQam1U8x_BER8kSY3IX1IM2QNKi2OJdLQeQ0QglvqamblUCRQlPsmDaALUSbZ2ANT7gFMow-h8qBZIuIcARn"#,
    r#"","kty":"EC","x":"AdtBQYriiQZWCG5-ViidjMztvuYWEU6H7i06Wk7R0SSXXQzKaTgeodfdoSe79kP5CByRswHY_99FCQGz1UJQ9CId","#,
    r#""y":"AWrSI5VK3wU-EgivErUQdLIdBF3cCpNhF18YuhnHGE7mWQN0BfU49GF0fO5YM0uopMqOI1QcdSl7q6kYfBx6KVEb"}"#,
);
const ED25519: &str = concat!(
    r#"{"crv":"Ed25519","d":"PMtwd5ODrWRZBoeqwjTQvk7J2ReH7KP0_-T5jVB4w9I","kty":"OKP","x":"ICcPvKI12H0WdjazFKM3LWf3"#,
    r#"R3tmM4iJG9s-D4ZWCg8"}"#,
);

fn text(text: &str) -> String {
    palisade_rego_value::Value::from(text).to_json()
}

fn without_private(key: &str) -> String {
    let key = crate::testing::value(key);
    let public = key
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), Some("kty" | "crv" | "n" | "e" | "x" | "y")));
    palisade_rego_value::Value::object(public.map(|(name, value)| (name.clone(), value.clone())).collect()).to_json()
}

fn signed(algorithm: &str, payload: &str, key: &str) -> String {
    call("io.jwt.encode_sign", &[&format!(r#"{{"alg": "{algorithm}"}}"#), payload, key])
}

#[test]
fn what_is_signed_is_verified() {
    for (algorithm, key) in [
        ("RS256", RSA),
        ("RS512", RSA),
        ("PS256", RSA),
        ("PS384", RSA),
        ("ES256", P256),
        ("ES384", P384),
        ("ES512", P521),
        ("EdDSA", ED25519),
    ] {
        let token = signed(algorithm, r#"{"iss": "x"}"#, key);
        let public = text(&without_private(key));
        let name = format!("io.jwt.verify_{}", algorithm.to_lowercase());
        assert_eq!(call(&name, &[&token, &public]), "true", "{algorithm}");
        let (start, end) = token.split_at(token.len() - 30);
        let forged = format!("{start}{}", end.replace(|c: char| c.is_ascii_lowercase(), "A"));
        assert_eq!(call(&name, &[&forged, &public]), "false", "{algorithm}");
        assert_eq!(call("io.jwt.verify_hs256", &[&token, &public]), "false", "{algorithm}");
        let verdict = call("io.jwt.decode_verify", &[&token, &format!(r#"{{"cert": {public}, "iss": "x"}}"#)]);
        assert_eq!(verdict, format!(r#"[true, {{"alg": "{algorithm}"}}, {{"iss": "x"}}]"#));
    }
}

#[test]
fn claims_must_meet_the_constraints() {
    let key = r#"{"kty": "oct", "k": "c2VjcmV0"}"#;
    let token = signed("HS256", r#"{"exp": 3000.5, "nbf": 1000, "aud": ["a", "b"]}"#, key);
    for (constraints, valid) in [
        (r#"{"secret": "secret", "aud": "b", "time": 2000000000000}"#, "true"),
        (r#"{"secret": "secret", "aud": "c", "time": 2000000000000}"#, "false"),
        (r#"{"secret": "secret", "aud": "b", "time": 3000500000000}"#, "false"),
        (r#"{"secret": "secret", "aud": "b", "time": 999000000000}"#, "false"),
        (r#"{"secret": "other", "aud": "b", "time": 2000000000000}"#, "false"),
        (r#"{"secret": "secret", "alg": "HS512", "aud": "b", "time": 2000000000000}"#, "false"),
        (r#"{"aud": "b"}"#, "no key constraint"),
        (r#"{"secret": "secret", "sub": "b"}"#, "unknown token validation constraint: sub"),
    ] {
        let verdict = call("io.jwt.decode_verify", &[&token, constraints]);
        assert!(verdict.contains(valid), "{constraints}: {verdict}");
    }
}

#[test]
fn tokens_that_are_none_are_refused() {
    for (token, error) in [
        ("a", "encoded JWT had no period separators"),
        ("a.b", "encoded JWT must have 3 sections, found 2"),
        ("e30.e30", "found 2"),
        ("W10.e30.", "bad JWT header: decoded JSON type was not an Object"),
        ("eyJlbmMiOiJ4In0.e30.", "JWT is a JWE object, which is not supported"),
    ] {
        assert!(call("io.jwt.decode", &[&text(token)]).contains(error), "{token}");
    }
}
