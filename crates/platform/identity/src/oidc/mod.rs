//! Logging in with an OpenID Connect provider: authorization code with PKCE, `state` and `nonce`.
//!
//! `provider` finds the provider's addresses and keys, `claims` and `signature` check what it says of a person, `http` is the
//! way there.
//! A login is remembered in the store under the hash of its `state` and of a cookie of the browser that began it, and
//! taken out once: a replayed, stolen or foreign answer finds nothing. Deliberately absent: the userinfo endpoint (the
//! identity token has to carry the groups), refresh tokens, logout at the provider.

mod claims;
mod http;
mod provider;
mod signature;

use std::sync::Arc;

use ::http::HeaderValue;
use ::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};
use utoipa::IntoParams;

use super::Identity;
use super::cookie::Cookie;
use super::refusal::Refusal;
use super::secret::{self, Kind, Secret};
use provider::Metadata;
pub(super) use provider::Provider;

/// How long a person may take over the provider's pages.
const LOGIN_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// Longest `code` and `state` that are looked at, in bytes.
const MAX_PARAMETER: usize = 4096;

/// The configured provider.
#[derive(Debug)]
pub(super) struct Oidc {
    provider: Provider,
    redirect: Url,
}

/// What is remembered of a login that is under way.
#[derive(Serialize, Deserialize)]
struct Pending {
    nonce: String,
    verifier: String,
    next: String,
}

/// What the provider adds to the address that it sends people back to.
#[derive(Deserialize, IntoParams)]
pub(super) struct Callback {
    /// What the provider exchanges for an identity token.
    code: Option<String>,
    /// Which login it belongs to.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// The provider's name for itself.
    iss: Option<String>,
}

impl Callback {
    /// What the login was begun with; empty where the address names nothing.
    pub(super) fn state(&self) -> &str {
        self.state.as_deref().unwrap_or_default()
    }
}

/// What the provider answers to a code (RFC 6749, section 5.1), as far as it is used.
#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
}

impl Oidc {
    /// Prepares logins that come back to `callback`; asks nobody yet.
    pub(super) fn new(provider: Provider, callback: Url) -> Self {
        Self { provider, redirect: callback }
    }

    /// Where to send somebody to log in (OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636).
    fn authorization_url(&self, metadata: &Metadata, state: &str, nonce: &str, verifier: &str) -> Url {
        let config = self.provider.config();
        let scopes = ["openid"].into_iter().chain(config.scopes.iter().map(String::as_str));
        let mut url = metadata.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &config.client_id)
            .append_pair("state", state)
            .append_pair("nonce", nonce)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)))
            .append_pair("code_challenge_method", "S256")
            .append_pair("redirect_uri", self.redirect.as_str())
            .append_pair("scope", &scopes.collect::<Vec<_>>().join(" "));
        url
    }

    /// The form that exchanges a code (RFC 6749, section 4.1.3), and the header that proves who sends it: the secret is in
    /// one of them (section 2.3.1).
    fn exchange_form(&self, metadata: &Metadata, code: &str, verifier: &str) -> (String, Option<String>) {
        let client = &self.provider.config().client_id;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("code_verifier", verifier)
            .append_pair("redirect_uri", self.redirect.as_str());
        let secret = self.provider.client_secret();
        if let Some(secret) = secret.filter(|_| !metadata.secret_in_form()) {
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let proof = STANDARD.encode(format!("{}:{}", encoded(client), encoded(secret)));
            return (form.finish(), Some(format!("Basic {proof}")));
        }
        form.append_pair("client_id", client);
        form.extend_pairs(secret.map(|secret| ("client_secret", secret)));
        (form.finish(), None)
    }
}

impl Identity {
    fn oidc(&self) -> Result<&Oidc, Refusal> {
        self.oidc.as_ref().ok_or(Refusal::NoProvider)
    }

    /// Begins a login that ends at the path `next`: the provider's address, and the header that binds the login to this
    /// browser.
    pub(super) async fn begin_login(&self, next: &str) -> Result<(Url, HeaderValue), Refusal> {
        let oidc = self.oidc()?;
        let metadata = oidc.provider.metadata().await.map_err(|error| error.refuse())?;
        let (state, browser) = (Secret::generate(Kind::Login)?, Secret::generate(Kind::Browser)?);
        let (nonce, verifier) = (Secret::generate(Kind::Login)?, Secret::generate(Kind::Login)?);
        let pending =
            Pending { nonce: nonce.expose().into(), verifier: verifier.expose().into(), next: self.local_path(next) };
        let pending = serde_json::to_value(pending).map_err(|error| Refusal::internal("beginning a login", &error))?;
        let hash = secret::bound_hash(state.expose(), browser.expose()).ok_or(Refusal::Internal)?;
        let now = self.clock.now();
        self.store.put_login_state(&hash, &pending, now + LOGIN_LIFETIME, now).await?;

        let url = oidc.authorization_url(&metadata, state.expose(), nonce.expose(), verifier.expose());
        let cookie = Cookie::Login.set(self.tls(), browser.expose(), LOGIN_LIFETIME.unsigned_abs().as_secs())?;
        Ok((url, cookie))
    }

    /// Ends a login: checks the provider's answer, begins a session. Returns the path to go on at and the header that
    /// sets the session's cookie.
    pub(super) async fn finish_login(
        &self,
        parts: &Parts,
        callback: &Callback,
    ) -> Result<(String, HeaderValue), Refusal> {
        let oidc = self.oidc()?;
        let rejected = |reason: &str| Refusal::Rejected(reason.to_owned());
        let state = callback.state.as_deref().filter(|state| state.len() <= MAX_PARAMETER);
        let browser = Cookie::Login.read(self.tls(), &parts.headers);
        let hash = state.zip(browser).and_then(|(state, browser)| secret::bound_hash(state, browser));
        let hash = hash.ok_or_else(|| rejected("no login was begun in this browser"))?;
        let pending = self.store.take_login_state(&hash, self.clock.now()).await?;
        let pending = pending.ok_or_else(|| rejected("the login has expired or was used already"))?;
        let pending: Pending = serde_json::from_value(pending.data)
            .map_err(|error| Refusal::internal("reading a login that is under way", &error))?;
        if callback.iss.as_deref().is_some_and(|issuer| issuer != oidc.provider.config().issuer_text()) {
            return Err(rejected("the answer names another issuer"));
        }
        if let Some(error) = &callback.error {
            let error: String = error.chars().filter(char::is_ascii_graphic).take(100).collect();
            return Err(Refusal::Rejected(format!("the provider answered `{error}`")));
        }
        let code = callback.code.as_deref().filter(|code| code.len() <= MAX_PARAMETER);
        let code = code.ok_or_else(|| rejected("the answer holds no code"))?;
        let login = oidc.exchange(code, &pending.verifier, &pending.nonce, self.clock.now()).await?;
        let account = self.store.record_login(&login, self.clock.now()).await?;
        if account.disabled {
            return Err(rejected("the account is disabled"));
        }
        Ok((pending.next, self.begin_session(parts, &account, "oidc").await?))
    }

    /// `next` where it is a path on this server, else the root. What browsers might read as another host is not a path.
    pub(super) fn local_path(&self, next: &str) -> String {
        let root = self.url("/");
        let plain = next.len() <= 2048 && next.starts_with('/') && !next.contains(['\\', '\t', '\n', '\r']);
        let target = Url::parse(root.as_str()).and_then(|root| root.join(next)).ok();
        let target = target.filter(|target| plain && target.origin() == root.origin() && !next.starts_with("//"));
        let target = target.unwrap_or(root);
        target.query().map_or_else(|| target.path().to_owned(), |query| format!("{}?{query}", target.path()))
    }
}

impl Oidc {
    /// Turns a code into what the provider says of the person.
    async fn exchange(
        &self,
        code: &str,
        verifier: &str,
        nonce: &str,
        now: jiff::Timestamp,
    ) -> Result<palisade_store::Login, Refusal> {
        let metadata = self.provider.metadata().await.map_err(|error| error.refuse())?;
        let (form, authorization) = self.exchange_form(&metadata, code, verifier);
        let answer = self.provider.http().post::<Tokens>(&metadata.token_endpoint, form, authorization).await;
        let answer = answer.map_err(|error| Refusal::Rejected(format!("the code was not exchanged: {error}")))?;
        let token = answer.id_token.ok_or_else(|| Refusal::Rejected("there is no identity token".into()))?;
        let config = self.provider.config();
        match claims::check(&token, nonce, config, &metadata.keys, now) {
            Err(claims::Rejection::UnknownKey) => {
                // The provider may have changed its keys since they were read.
                let newer: Arc<Metadata> = self.provider.newer_than(&metadata).await.map_err(|error| error.refuse())?;
                claims::check(&token, nonce, config, &newer.keys, now)
            }
            checked => checked,
        }
        .map_err(|rejection| Refusal::Rejected(rejection.to_string()))
    }
}
