//! Browser sessions. The cookie's value is never stored, only its hash.

use jiff::Timestamp;
use serde::Serialize;

use crate::statement::Sql;
use crate::store::new_id;
use crate::table::{Columns, table};
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

table! {
    SESSIONS = sessions (id) kept 1 since expires_at, revoked_at;
    Session {
        id: text,
        account_id: text,
        user_agent: text,
        created_at: time,
        last_seen_at: time,
        expires_at: time,
        revoked_at: optional_time,
    }
    with { hash: text }
}

impl Store {
    /// Begins a session.
    pub async fn create_session(&self, new: &NewSession, now: Timestamp) -> Result<Session, StoreError> {
        let created = Session {
            id: new_id(),
            account_id: new.account_id.clone(),
            user_agent: new.user_agent.clone(),
            created_at: now,
            last_seen_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
        };
        self.database
            .attempt("beginning a session", async || {
                let mut session = self.database.write().await?;
                let mut row = created.clone().values();
                row.push(new.hash.as_str().into());
                let sql = SESSIONS.insert([row]);
                session.execute(sql).await?;
                session.commit().await
            })
            .await?;
        Ok(created)
    }

    /// The session with this cookie that is neither expired nor revoked at `now`, of an account that is not disabled.
    pub async fn live_session(&self, hash: &SecretHash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        self.database
            .attempt("looking a session up", async || {
                let sql = Sql::new(
                    "SELECT * FROM sessions WHERE hash = $1 AND revoked_at IS NULL AND expires_at > $2 AND EXISTS \
             (SELECT 1 FROM accounts WHERE accounts.id = sessions.account_id AND accounts.disabled = 0)",
                );
                let sql = sql.arg(hash.as_str()).arg(now);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Notes that a session was used. Call it at most once a minute per session: it writes.
    pub async fn touch_session(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql = || Sql::new("UPDATE sessions SET last_seen_at = $1 WHERE id = $2").arg(now).arg(id);
        self.write_one("noting a session", sql).await.map(|_| ())
    }

    /// Revokes a session; returns whether it was live.
    pub async fn revoke_session(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = || {
            let text = "UPDATE sessions SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL AND expires_at > $3";
            Sql::new(text).arg(now).arg(id).arg(now)
        };
        self.write_one("revoking a session", sql).await.map(|count| count > 0)
    }

    /// Revokes all sessions of an account; returns how many.
    pub async fn revoke_sessions_of(&self, account_id: &str, now: Timestamp) -> Result<u64, StoreError> {
        let sql = || {
            let text =
                "UPDATE sessions SET revoked_at = $1 WHERE account_id = $2 AND revoked_at IS NULL AND expires_at > $3";
            Sql::new(text).arg(now).arg(account_id).arg(now)
        };
        self.write_one("revoking sessions", sql).await
    }

    /// The live sessions of an account, the newest first, 500 at most.
    pub async fn sessions_of(&self, account_id: &str, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.database
            .attempt("listing sessions", async || {
                let sql = Sql::new(
                    "SELECT * FROM sessions WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2 \
             ORDER BY id DESC LIMIT 500",
                );
                self.database
                    .read()
                    .await?
                    .rows(sql.arg(account_id).arg(now))
                    .await?
                    .iter()
                    .map(Columns::read)
                    .collect()
            })
            .await
    }
}
