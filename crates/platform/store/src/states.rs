//! What the server's own controllers remember from one run to the next: a document each, which nobody else writes.

use jiff::Timestamp;
use serde_json::Value;

use crate::statement::Sql;
use crate::statement::json;
use crate::table::table;
use crate::{Store, StoreError};

table! {
    STATES = states (name);
    { name: text, value: json, updated_at: time }
}

impl Store {
    /// What is remembered under a name.
    pub async fn state(&self, name: &str) -> Result<Option<Value>, StoreError> {
        self.database
            .attempt("reading a state", async || {
                let sql = Sql::new("SELECT value FROM states WHERE name = $1").arg(name);
                self.database.read().await?.row(sql).await?.map(|row| row.json("value")).transpose()
            })
            .await
    }

    /// Remembers something under a name, instead of what was remembered before.
    pub async fn put_state(&self, name: &str, value: &Value, now: Timestamp) -> Result<(), StoreError> {
        let row = || vec![name.into(), json(value), now.into()];
        self.write_one("writing a state", || STATES.upsert([row()], STATES.key, &[])).await.map(|_| ())
    }
}
