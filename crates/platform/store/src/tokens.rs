//! API tokens. The token is shown once when it is made; only its hash is stored.

use jiff::Timestamp;
use serde::Serialize;

use crate::page::{Column, Order};
use crate::statement::Sql;
use crate::store::new_id;
use crate::table::{Columns, table};
use crate::{Listed, Page, Role, SecretHash, Store, StoreError};

const NEWEST: Order = Order { list: "tokens", columns: &[Column::text("id", "id")], descending: true };

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

table! {
    TOKENS = tokens (id);
    Token {
        id: text,
        name: text,
        role: word,
        team: optional_text,
        account_id: optional_text,
        created_at: time,
        expires_at: time,
        last_used_at: optional_time,
        revoked_at: optional_time,
    }
    with { hash: text }
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
        let token = Token {
            id: new_id(),
            name: new.name.clone(),
            role: new.role,
            team: new.team.clone(),
            account_id: new.account_id.clone(),
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        self.database
            .attempt("storing a token", async || {
                let mut session = self.database.write().await?;
                let mut row = token.clone().values();
                row.push(new.hash.as_str().into());
                let sql = TOKENS.insert([row]);
                session.execute(sql).await?;
                session.commit().await
            })
            .await?;
        Ok(token)
    }

    /// The token with this hash that is neither expired nor revoked at `now`, of an account that is not disabled.
    pub async fn live_token(&self, hash: &SecretHash, now: Timestamp) -> Result<Option<Token>, StoreError> {
        self.database
            .attempt("looking a token up", async || {
                let sql = Sql::new(
                    "SELECT * FROM tokens WHERE hash = $1 AND revoked_at IS NULL AND expires_at > $2 AND NOT EXISTS \
             (SELECT 1 FROM accounts WHERE accounts.id = tokens.account_id AND accounts.disabled = 1)",
                );
                let sql = sql.arg(hash.as_str()).arg(now);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Notes that a token was used. Call it at most once a minute per token: it writes.
    pub async fn touch_token(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql = || Sql::new("UPDATE tokens SET last_used_at = $1 WHERE id = $2").arg(now).arg(id);
        self.write_one("noting a token", sql).await.map(|_| ())
    }

    /// The token with this identifier, live or not.
    pub async fn token(&self, id: &str) -> Result<Option<Token>, StoreError> {
        self.database
            .attempt("looking a token up", async || {
                let sql = Sql::new("SELECT * FROM tokens WHERE id = $1").arg(id);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Revokes a token; returns whether it was live.
    pub async fn revoke_token(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = || {
            let text = "UPDATE tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL AND expires_at > $3";
            Sql::new(text).arg(now).arg(id).arg(now)
        };
        self.write_one("revoking a token", sql).await.map(|count| count > 0)
    }

    /// Tokens, the newest first.
    pub async fn list_tokens(&self, filter: &TokenFilter, page: &Page) -> Result<Listed<Token>, StoreError> {
        self.database
            .attempt("listing tokens", async || {
                let sql = Sql::new("SELECT * FROM tokens WHERE 1 = 1")
                    .equal("account_id", filter.account_id.as_deref())
                    .among("team", filter.teams.as_deref());
                self.database.read().await?.list(sql, &NEWEST, page, Columns::read).await
            })
            .await
    }
}
