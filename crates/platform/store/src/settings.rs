//! Settings that are changed while the server runs: a key and a JSON document.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::changes::tell;
use crate::error::Failure;
use crate::row::Row;
use crate::statement::{Sql, json as document};
use crate::{Store, StoreError};

/// A setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Key.
    pub key: String,
    /// Value.
    pub value: Value,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
}

impl Store {
    /// The setting with this key.
    pub async fn setting(&self, key: &str) -> Result<Option<Setting>, StoreError> {
        self.database
            .attempt("reading a setting", async || {
                let sql = Sql::new("SELECT * FROM settings WHERE name = $1").arg(key);
                self.database.read().await?.row(sql).await?.as_ref().map(read).transpose()
            })
            .await
    }

    /// All settings by key, 500 at most.
    pub async fn settings(&self) -> Result<Vec<Setting>, StoreError> {
        self.database
            .attempt("reading the settings", async || {
                let sql = Sql::new("SELECT * FROM settings ORDER BY name LIMIT 500");
                self.database.read().await?.rows(sql).await?.iter().map(read).collect()
            })
            .await
    }

    /// Writes a setting. With `expected`, only where its version is still that one (0: where there is none), else it
    /// is a conflict. Tells the feed of changes (topic `settings`).
    pub async fn put_setting(
        &self,
        key: &str,
        value: &Value,
        expected: Option<i64>,
        by: &str,
        now: Timestamp,
    ) -> Result<Setting, StoreError> {
        self.database
            .attempt("writing a setting", async || {
                let mut session = self.database.write().await?;
                let sql = Sql::new("SELECT version FROM settings WHERE name = $1").arg(key);
                let found = session.row(sql).await?.map_or(Ok(0), |row| row.int("version"))?;
                if expected.is_some_and(|expected| expected != found) {
                    return Err(changed_meanwhile(key).into());
                }
                // The condition settles the race between two writers of PostgreSQL that both read the same version.
                let sql = Sql::new(
                    "INSERT INTO settings (name, value, version, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, version = settings.version + 1, \
             updated_at = excluded.updated_at, updated_by = excluded.updated_by",
                );
                let sql = sql.arg(key).arg(document(value)).arg(1_i64).arg(now).arg(by);
                let sql = if expected.is_some() { sql.push(" WHERE settings.version = ").bind(found) } else { sql };
                let Some(row) = session.row(sql.push(" RETURNING *")).await? else {
                    return Err(changed_meanwhile(key).into());
                };
                let setting = read(&row)?;
                tell(&mut session, "settings", [(None, json!({ "key": key, "version": setting.version }))], now)
                    .await?;
                session.commit().await?;
                Ok(setting)
            })
            .await
    }

    /// Removes a setting; returns whether it was there.
    pub async fn delete_setting(&self, key: &str) -> Result<bool, StoreError> {
        let sql = || Sql::new("DELETE FROM settings WHERE name = $1").arg(key);
        self.write_one("removing a setting", sql).await.map(|count| count > 0)
    }
}

fn changed_meanwhile(key: &str) -> StoreError {
    StoreError::Conflict(format!("the setting `{key}` was changed meanwhile; read it again"))
}

fn read(row: &Row) -> Result<Setting, Failure> {
    Ok(Setting {
        key: row.text("name")?,
        value: row.json("value")?,
        version: row.int("version")?,
        updated_at: row.time("updated_at")?,
        updated_by: row.text("updated_by")?,
    })
}
