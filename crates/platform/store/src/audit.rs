//! Who did what to the control plane itself, and when.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{Listed, Page, Store, StoreError};

/// An action to note.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAuditEntry {
    /// Who: an account's, token's or agent's identifier, or `system`.
    pub actor: String,
    /// The name to show for it.
    pub actor_name: String,
    /// What, such as `exception.approve`.
    pub action: String,
    /// To what.
    pub object: String,
    /// The team that it concerns; none concerns all.
    pub team: Option<String>,
    /// Whether it succeeded.
    pub allowed: bool,
    /// Anything else worth knowing. Never a secret.
    pub details: Value,
}

/// A noted action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// Its identifier (UUIDv7).
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: String,
    /// The name to show for it.
    pub actor_name: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// The team that it concerns; none concerns all.
    pub team: Option<String>,
    /// Whether it succeeded.
    pub allowed: bool,
    /// Anything else worth knowing.
    pub details: Value,
}

/// Which entries are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Who.
    pub actor: Option<String>,
    /// What.
    pub action: Option<String>,
    /// To what.
    pub object: Option<String>,
    /// Of any of these teams.
    pub teams: Option<Vec<String>>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

impl Store {
    /// Notes an action.
    pub async fn append_audit(&self, new: &NewAuditEntry, now: Timestamp) -> Result<AuditEntry, StoreError> {
        todo!()
    }

    /// Noted actions, the newest first.
    pub async fn list_audit(&self, filter: &AuditFilter, page: &Page) -> Result<Listed<AuditEntry>, StoreError> {
        todo!()
    }
}
