//! Who calls, and what they may do: sessions after a login, API tokens, agents' certificates; roles per team.
//!
//! | file | what |
//! |---|---|
//! | `role` | the table of roles and permissions |
//! | `caller` | the checked sender of a request and its teams |
//! | `route` | the only way to mount a handler, with its permission |
//! | `authenticate` | from a request to its caller |
//!
//! Everything is refused unless something here lets it through. Deliberately absent: passwords. People prove who they
//! are to an identity provider, programs hold random tokens or keys.

mod authenticate;
mod caller;
mod config;
mod refusal;
mod role;
mod route;

use std::sync::Arc;

use palisade_store::Store;
use url::Url;

use crate::Clock;
use crate::error::ServerError;

pub use caller::{ALL_TEAMS, Binding, Caller, Method, Teams, authorize, four_eyes};
pub use config::{GroupRole, IdentityConfig, Network, OidcConfig};
pub use refusal::Refusal;
pub use role::{Permission, Reach, Role};
pub use route::{Access, Authorized, Registered, Routes};

/// Recognises callers, logs people in, hands out tokens and certificates.
#[derive(Debug)]
pub struct Identity {
    config: IdentityConfig,
    address: Url,
    store: Store,
    clock: Clock,
}

impl Identity {
    /// Reads keys and secrets, and prepares logins. `address` is where people reach the server: `server.address`, or
    /// else the listener's.
    pub async fn open(
        config: IdentityConfig,
        address: Url,
        store: Store,
        clock: Clock,
    ) -> Result<Arc<Self>, ServerError> {
        Ok(Arc::new(Self { config, address, store, clock }))
    }
}

/// The routes of identity: `/auth/*`, `/api/v1/session`, `/api/v1/tokens`, `/api/v1/accounts`, `/api/v1/agents`.
pub fn routes<S: Clone + Send + Sync + 'static>(identity: &Arc<Identity>) -> Routes<S> {
    Routes::new(Arc::clone(identity)).with_state(())
}
