//! Exceptions: leave to break a rule for a while, asked for by one person and granted by another.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::note;
use crate::changes::tell;
use crate::database::Session;
use crate::error::Failure;
use crate::idempotency::answer;
use crate::page::{Column, Order};
use crate::row::Row;
use crate::statement::Sql;
use crate::store::new_id;
use crate::table::{Columns, table};
use crate::{Claim, Listed, NewAuditEntry, Page, Store, StoreError};

const NEWEST: Order = Order { list: "exceptions", columns: &[Column::text("id", "id")], descending: true };

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

impl ExceptionState {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
        }
    }
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

table! {
    EXCEPTIONS = exceptions (id);
    Exception {
        id: text,
        selector: json,
        reason: text,
        owner: text,
        team: text,
        expires_at: time,
        state: word,
        requested_by: text,
        requested_at: time,
        decided_by: optional_text,
        decided_at: optional_time,
        note: optional_text,
    }
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

/// What is kept in the same transaction as an action on an exception: all of it or nothing.
#[derive(Clone, Copy)]
pub struct Receipt<'a> {
    /// The entry of the audit log; its object and team are the exception's.
    pub audit: &'a NewAuditEntry,
    /// The claim of the request, where it came with an idempotency key.
    pub claim: Option<&'a Claim>,
    /// Status and body of the answer that a further attempt gets.
    pub answer: &'a (dyn Fn(&Exception) -> (u16, String) + Send + Sync),
}

impl std::fmt::Debug for Receipt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipt").field("audit", &self.audit).field("claim", &self.claim).finish_non_exhaustive()
    }
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
    /// Stores a request for an exception, with its receipt. Tells the feed of changes (topic `exceptions`), as rulings
    /// do.
    pub async fn request_exception(
        &self,
        new: &NewException,
        receipt: Option<Receipt<'_>>,
        now: Timestamp,
    ) -> Result<Exception, StoreError> {
        let id = new_id();
        self.database
            .attempt("requesting an exception", async || {
                let session = self.database.write().await?;
                let NewException { selector, reason, owner, team, expires_at, requested_by } = new.clone();
                let asked = Exception {
                    id: id.clone(),
                    selector,
                    reason,
                    owner,
                    team,
                    expires_at,
                    state: ExceptionState::Requested,
                    requested_by,
                    requested_at: now,
                    decided_by: None,
                    decided_at: None,
                    note: None,
                };
                let sql = EXCEPTIONS.insert([asked.values()]).push(" RETURNING *");
                keep(session, sql, &id, receipt, now).await
            })
            .await
    }

    /// Decides about an exception. A conflict where it is not in the state that the ruling needs, or has expired
    /// before it was approved. That nobody approves their own request is for the caller to see to.
    pub async fn rule_on_exception(
        &self,
        id: &str,
        ruling: Ruling,
        by: &str,
        note: Option<&str>,
        receipt: Option<Receipt<'_>>,
        now: Timestamp,
    ) -> Result<Exception, StoreError> {
        let (from, to) = match ruling {
            Ruling::Approve => (ExceptionState::Requested, ExceptionState::Approved),
            Ruling::Reject => (ExceptionState::Requested, ExceptionState::Rejected),
            Ruling::Revoke => (ExceptionState::Approved, ExceptionState::Revoked),
        };
        self.database
            .attempt("deciding about an exception", async || {
                let mut session = self.database.write().await?;
                let sql = Sql::new("SELECT * FROM exceptions WHERE id = $1").arg(id);
                let current = found(session.row(sql).await?, id)?;
                if ruling == Ruling::Approve && current.expires_at <= now {
                    return Err(
                        StoreError::Conflict(format!("the exception `{id}` has expired; request a new one")).into()
                    );
                }
                // The condition settles the race of two people who decide at once.
                let sql = Sql::new(
                    "UPDATE exceptions SET state = $1, decided_by = $2, decided_at = $3, note = $4 \
             WHERE id = $5 AND state = $6 RETURNING *",
                );
                let sql = sql.arg(to.as_str()).arg(by).arg(now).arg(note).arg(id).arg(from.as_str());
                keep(session, sql, id, receipt, now).await
            })
            .await
    }

    /// The exception with this identifier.
    pub async fn exception(&self, id: &str) -> Result<Option<Exception>, StoreError> {
        self.database
            .attempt("reading an exception", async || {
                let sql = Sql::new("SELECT * FROM exceptions WHERE id = $1").arg(id);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Exceptions, the newest first.
    pub async fn list_exceptions(
        &self,
        filter: &ExceptionFilter,
        page: &Page,
    ) -> Result<Listed<Exception>, StoreError> {
        self.database
            .attempt("listing exceptions", async || {
                let sql = Sql::new("SELECT * FROM exceptions WHERE 1 = 1")
                    .equal("state", filter.state.map(ExceptionState::as_str))
                    .among("team", filter.teams.as_deref())
                    .equal("requested_by", filter.requested_by.as_deref())
                    .compare("expires_at >", filter.expires_after)
                    .compare("expires_at <", filter.expires_before);
                self.database.read().await?.list(sql, &NEWEST, page, Columns::read).await
            })
            .await
    }

    /// All exceptions that hold at `now`, oldest first, for building a rule set.
    pub async fn exceptions_in_force(&self, now: Timestamp) -> Result<Vec<Exception>, StoreError> {
        self.database
            .attempt("listing exceptions", async || {
                let sql = Sql::new("SELECT * FROM exceptions WHERE state = 'approved' AND expires_at > $1 ORDER BY id");
                self.database.read().await?.rows(sql.arg(now)).await?.iter().map(Columns::read).collect()
            })
            .await
    }
}

/// Runs a statement that writes one exception and returns it, keeps its receipt, tells of it and commits.
async fn keep(
    mut session: Session,
    sql: Sql,
    id: &str,
    receipt: Option<Receipt<'_>>,
    now: Timestamp,
) -> Result<Exception, Failure> {
    let Some(row) = session.row(sql).await? else {
        return Err(StoreError::Conflict(format!("the exception `{id}` is decided already; read it again")).into());
    };
    let exception = Exception::read(&row)?;
    if let Some(receipt) = receipt {
        let (object, team) = (exception.id.clone(), Some(exception.team.clone()));
        note(&mut session, NewAuditEntry { object, team, ..receipt.audit.clone() }, now).await?;
        if let Some(claim) = receipt.claim {
            let (status, body) = (receipt.answer)(&exception);
            answer(&mut session, claim, status, &body).await?;
        }
    }
    let body = serde_json::json!({ "id": exception.id, "state": exception.state });
    tell(&mut session, "exceptions", [(Some(exception.team.clone()), body)], now).await?;
    session.commit().await?;
    Ok(exception)
}

fn found(row: Option<Row>, id: &str) -> Result<Exception, Failure> {
    let row = row.ok_or_else(|| StoreError::NotFound { what: "exception", id: id.to_owned() })?;
    Columns::read(&row)
}
