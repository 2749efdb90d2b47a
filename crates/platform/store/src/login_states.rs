//! What has to be remembered while somebody is logging in: short-lived, and taken out exactly once.

use jiff::Timestamp;
use serde_json::Value;

use crate::{SecretHash, Store, StoreError};

/// A remembered login, such as the nonce and the PKCE verifier of an OIDC request, or a first-start link.
#[derive(Clone, Debug, PartialEq)]
pub struct LoginState {
    /// What was remembered.
    pub data: Value,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

impl Store {
    /// Remembers a login under the hash of its `state`. At most 10,000 are remembered; beyond that it is a conflict.
    pub async fn put_login_state(
        &self,
        state: &SecretHash,
        data: &Value,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Takes a login out: whoever comes second, or after it expired, gets nothing.
    pub async fn take_login_state(&self, state: &SecretHash, now: Timestamp) -> Result<Option<LoginState>, StoreError> {
        todo!()
    }
}
