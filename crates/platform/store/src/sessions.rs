//! Browser sessions. The cookie's value is never stored, only its hash.

use jiff::Timestamp;
use serde::Serialize;

use crate::{SecretHash, Store, StoreError};

/// A session to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Hash of the cookie's value.
    pub hash: SecretHash,
    /// Identifier of the account.
    pub account_id: String,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// What the browser calls itself.
    pub user_agent: String,
}

/// A stored session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Its identifier (UUIDv7); not the cookie.
    pub id: String,
    /// Identifier of the account.
    pub account_id: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Store {
    /// Begins a session.
    pub async fn create_session(&self, new: &NewSession, now: Timestamp) -> Result<Session, StoreError> {
        todo!()
    }

    /// The session with this cookie that is neither expired nor revoked at `now`, of an account that is not disabled.
    pub async fn live_session(&self, hash: &SecretHash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        todo!()
    }

    /// Notes that a session was used. Call it at most once a minute per session: it writes.
    pub async fn touch_session(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// Revokes a session; returns whether it was live.
    pub async fn revoke_session(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        todo!()
    }

    /// Revokes all sessions of an account; returns how many.
    pub async fn revoke_sessions_of(&self, account_id: &str, now: Timestamp) -> Result<u64, StoreError> {
        todo!()
    }

    /// The live sessions of an account, the newest first, 500 at most.
    pub async fn sessions_of(&self, account_id: &str, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        todo!()
    }
}
