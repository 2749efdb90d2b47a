//! The provider's addresses and keys: found by discovery at the first login, kept for an hour, read anew when a token is
//! signed by a key that is not among them.
//!
//! One request to the provider is under way at a time, and none for a few seconds after one failed, so that a provider
//! that is away does not hold up the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::http::Http;
use super::signature::KeySet;
use crate::config::{OidcConfig, is_https_or_loopback};
use crate::error::IdentityError;
use crate::refusal::Refusal;

const FRESH: Duration = Duration::from_hours(1);
/// How long known metadata serve while the provider cannot be reached.
const STALE: Duration = Duration::from_hours(24);
/// Between two readings that an unknown key causes.
const ROTATION: Duration = Duration::from_mins(1);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(3);
/// Longest client secret, in bytes.
const MAX_SECRET: usize = 4096;

/// What a provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as it is used, with its keys.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    /// Where people are sent to log in.
    pub(super) authorization_endpoint: Url,
    /// Where codes are exchanged.
    pub(super) token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    /// The keys at `jwks_uri`.
    #[serde(skip)]
    pub(super) keys: KeySet,
}

impl Metadata {
    /// Whether a client shows its secret in the form that it sends; in the `Authorization` header otherwise.
    pub(super) fn secret_in_form(&self) -> bool {
        let supports = |method| self.token_endpoint_auth_methods_supported.iter().any(|known| known == method);
        supports("client_secret_post") && !supports("client_secret_basic")
    }
}

/// A client's secret, which is never shown.
struct ClientSecret(String);

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

/// The provider could not be found.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the identity provider `{issuer}` could not be used: {reason}")]
pub(crate) struct ProviderError {
    issuer: String,
    reason: String,
}

impl ProviderError {
    /// What the person who wants to log in is told; the log says more.
    pub(crate) fn refuse(&self) -> Refusal {
        tracing::warn!(error = %self, "a login failed");
        Refusal::Provider
    }
}

/// The provider, as configured and as far as it is known.
#[derive(Debug)]
pub(crate) struct Provider {
    config: OidcConfig,
    client_secret: Option<ClientSecret>,
    http: Http,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Instant)>,
    rotated: Option<Instant>,
    failure: Option<(ProviderError, Instant)>,
}

impl Provider {
    /// Reads the client's secret and the certificates to trust; asks nobody yet.
    pub(crate) fn open(config: OidcConfig) -> Result<Self, IdentityError> {
        let client_secret = config.client_secret_file.as_ref().map(|file| {
            let text = std::fs::read_to_string(file)
                .map_err(|error| IdentityError::file("reading the identity provider's client secret", file, error))?;
            let text = text.trim_end_matches(['\r', '\n']);
            if text.is_empty() || text.len() > MAX_SECRET {
                let problem = format!("`{}` is empty or longer than {MAX_SECRET} bytes", file.display());
                let remedy = "write the secret that the provider gave to the file, and nothing else";
                return Err(IdentityError::Config { key: "identity.oidc.client-secret-file", problem, remedy });
            }
            Ok(ClientSecret(text.to_owned()))
        });
        Ok(Self {
            client_secret: client_secret.transpose()?,
            http: Http::new(config.ca_file.as_deref())?,
            known: Mutex::default(),
            config,
        })
    }

    pub(crate) const fn config(&self) -> &OidcConfig {
        &self.config
    }

    /// The secret that the provider gave to this client.
    pub(super) fn client_secret(&self) -> Option<&str> {
        self.client_secret.as_ref().map(|secret| secret.0.as_str())
    }

    pub(crate) const fn http(&self) -> &Http {
        &self.http
    }

    /// The metadata, not older than they may be.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        let mut known = self.known.lock().await;
        match &known.metadata {
            Some((metadata, read)) if read.elapsed() < FRESH => Ok(Arc::clone(metadata)),
            Some((metadata, read)) if read.elapsed() < STALE => {
                let before = Arc::clone(metadata);
                Ok(self.read(&mut known).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "what was known of the provider stays in use");
                    before
                }))
            }
            _ => self.read(&mut known).await,
        }
    }

    /// Metadata that are newer than `used`, whose keys did not suffice; `used` again where they were read just now.
    pub(super) async fn newer_than(&self, used: &Arc<Metadata>) -> Result<Arc<Metadata>, ProviderError> {
        let mut known = self.known.lock().await;
        if let Some((metadata, _)) = known.metadata.as_ref().filter(|(metadata, _)| !Arc::ptr_eq(metadata, used)) {
            return Ok(Arc::clone(metadata));
        }
        if known.rotated.is_some_and(|last| last.elapsed() < ROTATION) {
            return Ok(Arc::clone(used));
        }
        known.rotated = Some(Instant::now());
        self.read(&mut known).await
    }

    async fn read(&self, known: &mut Known) -> Result<Arc<Metadata>, ProviderError> {
        if let Some((error, _)) = known.failure.as_ref().filter(|(_, at)| at.elapsed() < PAUSE_AFTER_FAILURE) {
            return Err(error.clone());
        }
        match self.discover().await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                known.metadata = Some((Arc::clone(&metadata), Instant::now()));
                known.failure = None;
                Ok(metadata)
            }
            Err(reason) => {
                let error = ProviderError { issuer: self.config.issuer_text().into(), reason };
                known.failure = Some((error.clone(), Instant::now()));
                Err(error)
            }
        }
    }

    /// Discovery, then the keys that it names.
    async fn discover(&self) -> Result<Metadata, String> {
        let issuer = self.config.issuer_text();
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let address = Url::parse(&address).map_err(|error| error.to_string())?;
        let mut metadata: Metadata = self.http.get(&address).await.map_err(|error| error.to_string())?;
        if metadata.issuer != issuer {
            return Err(format!("it calls itself `{}`; write `identity.oidc.issuer` exactly so", metadata.issuer));
        }
        if !is_https_or_loopback(&metadata.authorization_endpoint) {
            return Err(format!("logins at `{}` would be readable on the way", metadata.authorization_endpoint));
        }
        metadata.keys = self.http.get(&metadata.jwks_uri).await.map_err(|error| error.to_string())?;
        Ok(metadata)
    }
}
