//! Agents: programs that present a client certificate instead of a token.

use jiff::Timestamp;
use serde::Serialize;

use crate::page::{Column, Order};
use crate::statement::Sql;
use crate::store::new_id;
use crate::table::{Columns, table};
use crate::{Listed, Page, Store, StoreError};

const NEWEST: Order = Order { list: "agents", columns: &[Column::text("id", "id")], descending: true };

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

table! {
    AGENTS = agents (id);
    Agent {
        id: text,
        name: text,
        fingerprint: text,
        team: optional_text,
        created_at: time,
        expires_at: time,
        last_seen_at: optional_time,
        revoked_at: optional_time,
    }
}

impl Store {
    /// Admits an agent. A conflict where the certificate is known already.
    pub async fn create_agent(&self, new: &NewAgent, now: Timestamp) -> Result<Agent, StoreError> {
        let agent = Agent {
            id: new_id(),
            name: new.name.clone(),
            fingerprint: new.fingerprint.clone(),
            team: new.team.clone(),
            created_at: now,
            expires_at: new.expires_at,
            last_seen_at: None,
            revoked_at: None,
        };
        self.database
            .attempt("admitting an agent", async || {
                let mut session = self.database.write().await?;
                let sql = AGENTS.insert([agent.clone().values()]).push(" ON CONFLICT (fingerprint) DO NOTHING");
                if session.execute(sql).await? == 0 {
                    return Err(
                        StoreError::Conflict("an agent with this certificate is known already".to_owned()).into()
                    );
                }
                session.commit().await
            })
            .await?;
        Ok(agent)
    }

    /// The agent with this certificate that is neither expired nor revoked at `now`.
    pub async fn live_agent(&self, fingerprint: &str, now: Timestamp) -> Result<Option<Agent>, StoreError> {
        self.database
            .attempt("looking an agent up", async || {
                let sql =
                    Sql::new("SELECT * FROM agents WHERE fingerprint = $1 AND revoked_at IS NULL AND expires_at > $2");
                self.database
                    .read()
                    .await?
                    .row(sql.arg(fingerprint).arg(now))
                    .await?
                    .as_ref()
                    .map(Columns::read)
                    .transpose()
            })
            .await
    }

    /// Notes that an agent was heard of. Call it at most once a minute per agent: it writes.
    pub async fn touch_agent(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql = || Sql::new("UPDATE agents SET last_seen_at = $1 WHERE id = $2").arg(now).arg(id);
        self.write_one("noting an agent", sql).await.map(|_| ())
    }

    /// Revokes an agent; returns whether it was live.
    pub async fn revoke_agent(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = || {
            let text = "UPDATE agents SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL AND expires_at > $3";
            Sql::new(text).arg(now).arg(id).arg(now)
        };
        self.write_one("revoking an agent", sql).await.map(|count| count > 0)
    }

    /// Agents, the newest first.
    pub async fn list_agents(&self, page: &Page) -> Result<Listed<Agent>, StoreError> {
        self.database
            .attempt("listing agents", async || {
                let sql = Sql::new("SELECT * FROM agents WHERE 1 = 1");
                self.database.read().await?.list(sql, &NEWEST, page, Columns::read).await
            })
            .await
    }
}
