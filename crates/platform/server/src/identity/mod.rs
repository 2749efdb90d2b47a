//! Who calls, and what they may do: sessions after a login, API tokens, agents' certificates; roles per team.
//!
//! | file | what |
//! |---|---|
//! | `role` | the table of roles and permissions |
//! | `caller` | the checked sender of a request and its teams |
//! | `route` | the only way to mount a handler, with its permission |
//! | `authenticate` | from a request to its caller |
//! | `session`, `cookie` | what a login begins and a logout ends |
//! | `first`, `oidc/` | logins: the first administrator's link, the identity provider |
//! | `token`, `secret` | API tokens, and the random secrets behind everything |
//! | `agent`, `enrolment` | agents' certificates |
//! | `throttle`, `audit`, `address` | failures are limited and noted, by the client's address |
//! | `rate` | how often a caller may ask |
//! | `routes/` | the routes over all this |
//!
//! Everything is refused unless something here lets it through. Deliberately absent: passwords. People prove who they
//! are to an identity provider, programs hold random tokens or keys.

mod address;
mod agent;
mod audit;
mod authenticate;
mod caller;
mod config;
mod cookie;
mod enrolment;
mod first;
mod oidc;
mod rate;
mod refusal;
mod role;
mod route;
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
use palisade_store::Store;
use rustls::server::danger::ClientCertVerifier;
use url::Url;

use crate::Clock;
use crate::error::ServerError;

pub(crate) use caller::{Caller, Teams, authorize, four_eyes};
pub use config::IdentityConfig;
pub(crate) use cookie::Cookie;
pub(crate) use rate::Rates;
pub(crate) use refusal::Refusal;
pub(crate) use role::Permission;
pub(crate) use route::{Access, Authorized, Registered, Routes};
pub(crate) use routes::routes;

use throttle::{Suspect, Throttle};

/// Recognises callers, logs people in, hands out tokens and certificates.
#[derive(Debug)]
pub(crate) struct Identity {
    config: IdentityConfig,
    address: Url,
    store: Store,
    clock: Clock,
    throttle: Throttle,
    oidc: Option<oidc::Oidc>,
    authority: agent::Authority,
}

impl Identity {
    /// Reads keys and secrets, and prepares logins; asks no other machine. `address` is where people reach the server:
    /// `server.address`, or else the listener's. `data` is the folder for what the server keeps.
    pub(crate) fn open(
        config: &IdentityConfig,
        address: &Url,
        data: &Path,
        store: Store,
        clock: Clock,
    ) -> Result<Arc<Self>, ServerError> {
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
        }))
    }

    /// What the agents' listener checks client certificates with.
    pub(crate) fn agent_verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, ServerError> {
        self.authority.verifier()
    }

    /// Whether people reach the server over TLS, so that cookies can insist on it.
    pub(crate) fn tls(&self) -> bool {
        self.address.scheme() == "https"
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
