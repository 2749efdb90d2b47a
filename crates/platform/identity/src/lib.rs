//! Who calls, and what they may do: sessions after a login, API tokens, agents' certificates; roles per team.
//!
//! | file | what |
//! |---|---|
//! | `permission` | what routes ask of callers, and which roles carry it |
//! | `caller` | the checked sender of a request and its teams |
//! | `authenticate` | from a request to its caller |
//! | `authorized` | the check before every route, and what handlers learn by it |
//! | `session`, `cookie` | what a login begins and a logout ends |
//! | `bootstrap`, `oidc/` | logins: the first administrator's link, the identity provider |
//! | `token`, `secret` | API tokens, and the random secrets behind everything |
//! | `agent`, `enrolment` | agents' certificates |
//! | `throttle`, `audit`, `address` | failures are limited and noted, by the client's address |
//! | `routes/` | the routes over all this |
//!
//! Everything is refused unless something here lets it through. Deliberately absent: passwords. People prove who they
//! are to an identity provider, programs hold random tokens or keys.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

mod address;
mod agent;
mod audit;
mod authenticate;
mod authorized;
mod bootstrap;
mod caller;
mod config;
mod cookie;
mod enrolment;
mod error;
mod oidc;
mod peer;
pub mod permission;
mod refusal;
mod routes;
mod secret;
mod session;
#[cfg(test)]
mod tests;
mod throttle;
mod token;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use jiff::SignedDuration;
use palisade_runtime::Clock;
use palisade_store::Store;
use rustls::server::danger::ClientCertVerifier;
use url::Url;

pub use authorized::Authorized;
pub use caller::{Caller, Teams, authorize, four_eyes};
pub use config::{IdentityConfig, Network, OidcConfig};
pub use error::IdentityError;
pub use peer::Peer;
pub use permission::{Permission, Permissions, Reach, Role};
pub use refusal::Refusal;

use cookie::Cookie;
use throttle::{Suspect, Throttle};

/// A route of the API, as its permission and its handler's types describe it.
pub type Endpoint<S> = palisade_api::Endpoint<S, Permission>;

/// Recognises callers, logs people in, hands out tokens and certificates.
#[derive(Debug)]
pub struct Identity {
    config: IdentityConfig,
    address: Url,
    store: Store,
    clock: Clock,
    throttle: Throttle,
    oidc: Option<oidc::Oidc>,
    authority: agent::Authority,
    permissions: Permissions,
}

impl Identity {
    /// Reads keys and secrets, and prepares logins; asks no other machine. `address` is where people reach the server:
    /// `server.address`, or else the listener's. `data` is the folder for what the server keeps; `permissions` are all that
    /// routes ask for.
    pub fn open(
        config: &IdentityConfig,
        address: &Url,
        data: &Path,
        (store, clock): (Store, Clock),
        permissions: Permissions,
    ) -> Result<Arc<Self>, IdentityError> {
        let provider = config.oidc.clone().map(oidc::Provider::open).transpose()?;
        let authority = agent::Authority::open(config.agent_key_file.as_deref(), data)?;
        let oidc = provider.map(|provider| oidc::Oidc::new(provider, below(address, "/auth/callback")));
        Ok(Arc::new(Self {
            config: config.clone(),
            address: address.clone(),
            store,
            clock,
            throttle: Throttle::new(config.failures_per_minute),
            oidc,
            authority,
            permissions,
        }))
    }

    /// What the agents' listener checks client certificates with.
    pub fn agent_verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, IdentityError> {
        self.authority.verifier()
    }

    /// Whether people reach the server over TLS, so that cookies can insist on it.
    pub(crate) fn tls(&self) -> bool {
        self.address.scheme() == "https"
    }

    /// The name of the cookie by which sessions are recognised.
    pub fn session_cookie(&self) -> &'static str {
        Cookie::Session.name(self.tls())
    }

    /// The routes of identity: `/auth/*`, `/api/v1/session`, `/api/v1/tokens`, `/api/v1/accounts`, `/api/v1/agents`.
    pub fn endpoints(self: &Arc<Self>) -> Vec<Endpoint<()>> {
        routes::endpoints(self)
    }

    /// The address of a path of this server.
    fn url(&self, path: &str) -> Url {
        below(&self.address, path)
    }

    /// Runs an attempt to log in or to join with `secret`, unless too many have failed, and counts and notes failures.
    async fn attempt<T>(
        &self,
        parts: &Parts,
        action: &str,
        secret: &str,
        attempt: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let address = self.client_address(parts);
        let suspects = [address.into(), Suspect::Secret(secret::fingerprint(secret))];
        self.throttle.check(&suspects, Instant::now())?;
        let result = attempt.await;
        if let Err(Refusal::Rejected(reason)) = &result {
            self.throttle.failed(&suspects, Instant::now());
            self.note_failure(action, "", address, reason).await;
        }
        result
    }
}

/// `path` below an address that may have a path of its own.
fn below(address: &Url, path: &str) -> Url {
    let mut url = address.clone();
    url.set_path(&format!("{}{path}", address.path().trim_end_matches('/')));
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// A configured time, for calculating with timestamps. Validation keeps them in range.
fn seconds(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
