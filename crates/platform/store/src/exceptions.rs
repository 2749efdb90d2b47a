//! Exceptions: leave to break a rule for a while, asked for by one person and granted by another.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Listed, Page, Store, StoreError};

/// Where an exception stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExceptionState {
    /// Asked for, not decided.
    Requested,
    /// Granted; holds until it expires.
    Approved,
    /// Refused.
    Rejected,
    /// Granted and taken back.
    Revoked,
}

/// What an exception covers. An empty list covers everything of its sort; entries may hold the wildcards `*` and `?`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExceptionSelector {
    /// Policies as `namespace/name` or `name`.
    pub policies: Vec<String>,
    /// Rules.
    pub rules: Vec<String>,
    /// Kinds.
    pub kinds: Vec<String>,
    /// Namespaces.
    pub namespaces: Vec<String>,
    /// Names.
    pub names: Vec<String>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct NewException {
    /// What it covers.
    pub selector: ExceptionSelector,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The team that asks.
    pub team: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Who asks.
    pub requested_by: String,
}

/// A stored exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// Its identifier (UUIDv7).
    pub id: String,
    /// What it covers.
    pub selector: ExceptionSelector,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The team that asked.
    pub team: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: ExceptionState,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// Who approved, rejected or revoked it last.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What that person wrote.
    pub note: Option<String>,
}

/// What becomes of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Grant what was requested.
    Approve,
    /// Refuse what was requested.
    Reject,
    /// Take back what was approved.
    Revoke,
}

/// Which exceptions are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct ExceptionFilter {
    /// State.
    pub state: Option<ExceptionState>,
    /// Of any of these teams.
    pub teams: Option<Vec<String>>,
    /// Who asked.
    pub requested_by: Option<String>,
    /// Ends after.
    pub expires_after: Option<Timestamp>,
    /// Ends before.
    pub expires_before: Option<Timestamp>,
}

impl Store {
    /// Stores a request for an exception. Tells the feed of changes (topic `exceptions`), as rulings do.
    pub async fn request_exception(&self, new: &NewException, now: Timestamp) -> Result<Exception, StoreError> {
        todo!()
    }

    /// Decides about an exception. A conflict where it is not in the state that the ruling needs, or has expired
    /// before it was approved. That nobody approves their own request is for the caller to see to.
    pub async fn rule_on_exception(
        &self,
        id: &str,
        ruling: Ruling,
        by: &str,
        note: Option<&str>,
        now: Timestamp,
    ) -> Result<Exception, StoreError> {
        todo!()
    }

    /// The exception with this identifier.
    pub async fn exception(&self, id: &str) -> Result<Option<Exception>, StoreError> {
        todo!()
    }

    /// Exceptions, the newest first.
    pub async fn list_exceptions(
        &self,
        filter: &ExceptionFilter,
        page: &Page,
    ) -> Result<Listed<Exception>, StoreError> {
        todo!()
    }

    /// All exceptions that hold at `now`, oldest first, for building a rule set.
    pub async fn exceptions_in_force(&self, now: Timestamp) -> Result<Vec<Exception>, StoreError> {
        todo!()
    }
}
