//! API tokens. The token is shown once when it is made; only its hash is stored.

use jiff::Timestamp;
use serde::Serialize;

use crate::{Listed, Page, Role, SecretHash, Store, StoreError};

/// A token to make.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Hash of the token.
    pub hash: SecretHash,
    /// What it is for.
    pub name: String,
    /// The role that it has.
    pub role: Role,
    /// In which team; none is in every team.
    pub team: Option<String>,
    /// What it is confined to within its role; empty is all of it.
    pub scopes: Vec<String>,
    /// Identifier of the account that made it.
    pub account_id: Option<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A stored token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Its identifier (UUIDv7).
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The role that it has.
    pub role: Role,
    /// In which team; none is in every team.
    pub team: Option<String>,
    /// What it is confined to within its role; empty is all of it.
    pub scopes: Vec<String>,
    /// Identifier of the account that made it.
    pub account_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Which tokens are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct TokenFilter {
    /// Identifier of the account that made it.
    pub account_id: Option<String>,
    /// Of any of these teams.
    pub teams: Option<Vec<String>>,
}

impl Store {
    /// Stores a token.
    pub async fn create_token(&self, new: &NewToken, now: Timestamp) -> Result<Token, StoreError> {
        todo!()
    }

    /// The token with this hash that is neither expired nor revoked at `now`, of an account that is not disabled.
    pub async fn live_token(&self, hash: &SecretHash, now: Timestamp) -> Result<Option<Token>, StoreError> {
        todo!()
    }

    /// Notes that a token was used. Call it at most once a minute per token: it writes.
    pub async fn touch_token(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// The token with this identifier, live or not.
    pub async fn token(&self, id: &str) -> Result<Option<Token>, StoreError> {
        todo!()
    }

    /// Revokes a token; returns whether it was live.
    pub async fn revoke_token(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        todo!()
    }

    /// Tokens, the newest first.
    pub async fn list_tokens(&self, filter: &TokenFilter, page: &Page) -> Result<Listed<Token>, StoreError> {
        todo!()
    }
}
