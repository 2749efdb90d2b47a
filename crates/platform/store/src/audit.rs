//! Who did what to the control plane itself, and when.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::database::Session;
use crate::error::Failure;
use crate::page::{Column, Order};
use crate::statement::Sql;
use crate::store::new_id;
use crate::table::{Columns, table};
use crate::{Listed, Page, Store, StoreError};

const NEWEST: Order =
    Order { list: "audit", columns: &[Column::int("time", "time"), Column::text("id", "id")], descending: true };

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

table! {
    AUDIT = audit (id) kept audit_days since time;
    AuditEntry {
        id: text,
        time: time,
        actor: text,
        actor_name: text,
        action: text,
        object: text,
        team: optional_text,
        allowed: flag,
        details: json,
    }
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
        self.database
            .attempt("noting an action", async || {
                let mut session = self.database.write().await?;
                let entry = note(&mut session, new.clone(), now).await?;
                session.commit().await?;
                Ok(entry)
            })
            .await
    }

    /// Noted actions, the newest first.
    pub async fn list_audit(&self, filter: &AuditFilter, page: &Page) -> Result<Listed<AuditEntry>, StoreError> {
        self.database
            .attempt("listing noted actions", async || {
                let sql = Sql::new("SELECT * FROM audit WHERE 1 = 1")
                    .equal("actor", filter.actor.as_deref())
                    .equal("action", filter.action.as_deref())
                    .equal("object", filter.object.as_deref())
                    .among("team", filter.teams.as_deref())
                    .compare("time >=", filter.since)
                    .compare("time <", filter.until);
                self.database.read().await?.list(sql, &NEWEST, page, Columns::read).await
            })
            .await
    }
}

/// Notes an action within a transaction.
pub(crate) async fn note(session: &mut Session, new: NewAuditEntry, now: Timestamp) -> Result<AuditEntry, Failure> {
    let NewAuditEntry { actor, actor_name, action, object, team, allowed, details } = new;
    let entry = AuditEntry { id: new_id(), time: now, actor, actor_name, action, object, team, allowed, details };
    let sql = AUDIT.insert([entry.clone().values()]);
    session.execute(sql).await?;
    Ok(entry)
}
