//! An identity provider of our own that says whatever a test wants, true or forged.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

pub(super) const CLIENT: &str = "palisade";
pub(super) const SECRET: &str = "the client secret of the test";

/// How the next identity token is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Signature {
    /// By the provider's key.
    Sound,
    /// By another key, under the identifier of the provider's.
    Foreign,
    /// Not at all.
    Missing,
    /// By the client's secret, as `HS256`.
    Shared,
}

type Change = Box<dyn Fn(&mut Value) + Send>;

struct Inner {
    issuer: String,
    key: KeyPair,
    key_id: String,
    nonce: String,
    challenge: String,
    signature: Signature,
    change: Change,
    exchanges: usize,
    key_reads: usize,
    now: Timestamp,
}

#[derive(Clone)]
pub(super) struct Provider(Arc<Mutex<Inner>>);

impl Provider {
    /// Listens on a port of its own for the length of the test.
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self(Arc::new(Mutex::new(Inner {
            issuer,
            key: KeyPair::generate_for(&PKCS_ED25519).unwrap(),
            key_id: "1".into(),
            nonce: String::new(),
            challenge: String::new(),
            signature: Signature::Sound,
            change: Box::new(|_| {}),
            exchanges: 0,
            key_reads: 0,
            now: Timestamp::now(),
        })));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    pub(super) fn issuer(&self) -> String {
        self.with(|inner| inner.issuer.clone())
    }

    /// What comes next is signed so, with claims changed so.
    pub(super) fn will_say(&self, signature: Signature, change: impl Fn(&mut Value) + Send + 'static) {
        self.with(|inner| {
            inner.signature = signature;
            inner.change = Box::new(change);
        });
    }

    /// The key is replaced by another.
    pub(super) fn rotate(&self) {
        self.with(|inner| {
            inner.key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
            inner.key_id = format!("{}1", inner.key_id);
        });
    }

    /// How often codes were exchanged and keys read.
    pub(super) fn counts(&self) -> (usize, usize) {
        self.with(|inner| (inner.exchanges, inner.key_reads))
    }

    /// What a browser does with the address that the server sent it to; the path and query to come back with.
    pub(super) fn consent(&self, address: &str) -> String {
        let url = Url::parse(address).unwrap();
        let parameter = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            found.unwrap_or_else(|| panic!("no {name} in {address}")).1.into_owned()
        };
        assert_eq!((parameter("response_type"), parameter("client_id")), ("code".into(), CLIENT.into()));
        assert_eq!(parameter("code_challenge_method"), "S256");
        assert_eq!(parameter("redirect_uri"), "https://palisade.example.com/auth/callback");
        self.with(|inner| {
            inner.nonce = parameter("nonce");
            inner.challenge = parameter("code_challenge");
        });
        format!("/auth/callback?code=the-code&state={}", parameter("state"))
    }
}

async fn discovery(State(provider): State<Provider>) -> Json<Value> {
    let issuer = provider.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // A provider that permits what must not be permitted.
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    }))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    let (x, key_id) = provider.with(|inner| {
        inner.key_reads += 1;
        (URL_SAFE_NO_PAD.encode(inner.key.der_bytes()), inner.key_id.clone())
    });
    Json(json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key_id, "x": x}]}))
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, form: String) -> (StatusCode, Json<Value>) {
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let client: String = url::form_urlencoded::byte_serialize(CLIENT.as_bytes()).collect();
    let secret: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")));
    let verifier = field("code_verifier").unwrap_or_default();
    provider.with(|inner| {
        inner.exchanges += 1;
        let proven = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == inner.challenge;
        let known = headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes() == basic.as_bytes());
        if !proven || !known || field("code").as_deref() != Some("the-code") {
            return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})));
        }
        let id_token = identity_token(inner);
        (StatusCode::OK, Json(json!({"access_token": "x", "token_type": "Bearer", "id_token": id_token})))
    })
}

fn identity_token(inner: &Inner) -> String {
    let now = inner.now.as_second();
    let mut claims = json!({
        "iss": inner.issuer, "sub": "ann-1", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": inner.nonce,
        "name": "Ann", "email": "ann@example.com", "groups": ["platform", "team-shop"],
    });
    (inner.change)(&mut claims);
    let algorithm = match inner.signature {
        Signature::Sound | Signature::Foreign => "EdDSA",
        Signature::Missing => "none",
        Signature::Shared => "HS256",
    };
    let header = json!({"alg": algorithm, "kid": inner.key_id, "typ": "JWT"});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let signature = match inner.signature {
        Signature::Sound => inner.key.sign(signed.as_bytes()).unwrap(),
        Signature::Foreign => KeyPair::generate_for(&PKCS_ED25519).unwrap().sign(signed.as_bytes()).unwrap(),
        Signature::Missing => Vec::new(),
        Signature::Shared => hmac(SECRET.as_bytes(), signed.as_bytes()),
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// HMAC-SHA-256 (RFC 2104) with a key of at most 64 bytes.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad =
        |byte: u8| -> Vec<u8> { (0..64).map(|index| key.get(index).copied().unwrap_or_default() ^ byte).collect() };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}
