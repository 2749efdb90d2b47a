//! Agents: programs that present a client certificate instead of a token.

use jiff::Timestamp;
use serde::Serialize;

use crate::{Listed, Page, Store, StoreError};

/// An agent to admit.
#[derive(Clone, Debug)]
pub struct NewAgent {
    /// Its name.
    pub name: String,
    /// SHA-256 of its certificate's DER form, 64 hexadecimal digits in lower case.
    pub fingerprint: String,
    /// The team that it works for; none is every team.
    pub team: Option<String>,
    /// When its certificate ends.
    pub expires_at: Timestamp,
}

/// A stored agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// Its identifier (UUIDv7).
    pub id: String,
    /// Its name.
    pub name: String,
    /// SHA-256 of its certificate's DER form.
    pub fingerprint: String,
    /// The team that it works for; none is every team.
    pub team: Option<String>,
    /// When it was admitted.
    pub created_at: Timestamp,
    /// When its certificate ends.
    pub expires_at: Timestamp,
    /// When it was last heard of.
    pub last_seen_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Store {
    /// Admits an agent. A conflict where the certificate is known already.
    pub async fn create_agent(&self, new: &NewAgent, now: Timestamp) -> Result<Agent, StoreError> {
        todo!()
    }

    /// The agent with this certificate that is neither expired nor revoked at `now`.
    pub async fn live_agent(&self, fingerprint: &str, now: Timestamp) -> Result<Option<Agent>, StoreError> {
        todo!()
    }

    /// Notes that an agent was heard of. Call it at most once a minute per agent: it writes.
    pub async fn touch_agent(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// Revokes an agent; returns whether it was live.
    pub async fn revoke_agent(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        todo!()
    }

    /// Agents, the newest first.
    pub async fn list_agents(&self, page: &Page) -> Result<Listed<Agent>, StoreError> {
        todo!()
    }
}
