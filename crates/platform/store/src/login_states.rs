//! What has to be remembered while somebody is logging in: short-lived, and taken out exactly once.

use jiff::Timestamp;
use serde_json::Value;

use crate::statement::Sql;
use crate::table::{Columns, table};
use crate::{SecretHash, Store, StoreError};

/// So many logins are remembered at most.
const MAX_LOGINS: i64 = 10_000;

/// A remembered login, such as the nonce and the PKCE verifier of an OIDC request, or a first-start link.
#[derive(Clone, Debug, PartialEq)]
pub struct LoginState {
    /// What was remembered.
    pub data: Value,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

table! {
    LOGIN_STATES = login_states (id) kept 0 since expires_at;
    LoginState { data: json, expires_at: time }
    with { id: text }
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
        self.database
            .attempt("remembering a login", async || {
                let mut session = self.database.write().await?;
                session.execute(Sql::new("DELETE FROM login_states WHERE expires_at <= $1").arg(now)).await?;
                let row = session.row(Sql::new("SELECT count(*) AS total FROM login_states")).await?;
                if row.map_or(Ok(0), |row| row.int("total"))? >= MAX_LOGINS {
                    return Err(
                        StoreError::Conflict("too many logins are under way; try again in a while".to_owned()).into()
                    );
                }
                let mut row = LoginState { data: data.clone(), expires_at }.values();
                row.push(state.as_str().into());
                session.execute(LOGIN_STATES.insert([row])).await?;
                session.commit().await
            })
            .await
    }

    /// Takes a login out: whoever comes second, or after it expired, gets nothing.
    pub async fn take_login_state(&self, state: &SecretHash, now: Timestamp) -> Result<Option<LoginState>, StoreError> {
        self.database
            .attempt("taking a login", async || {
                let mut session = self.database.write().await?;
                let sql =
                    Sql::new("DELETE FROM login_states WHERE id = $1 RETURNING data, expires_at").arg(state.as_str());
                let row = session.row(sql).await?;
                session.commit().await?;
                let Some(row) = row else { return Ok(None) };
                let taken = LoginState::read(&row)?;
                Ok((taken.expires_at > now).then_some(taken))
            })
            .await
    }
}
