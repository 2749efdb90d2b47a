//! What the capability `__kebab__` keeps.

use jiff::Timestamp;
use serde::Serialize;

use crate::page::{Column, Order};
use crate::statement::Sql;
use crate::store::new_id;
use crate::table::{Columns, table};
use crate::{Listed, Page, Store, StoreError};

const NEWEST: Order = Order { list: "__name__", columns: &[Column::text("id", "id")], descending: true };

/// Something that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct __Name__Record {
    /// Its identifier (UUIDv7).
    pub id: String,
    /// What it says.
    pub text: String,
    /// When it was added.
    pub created_at: Timestamp,
}

table! {
    __UPPER__ = __name__ (id);
    __Name__Record { id: text, text: text, created_at: time }
}

impl Store {
    /// Adds something.
    pub async fn add___name__(&self, text: &str, now: Timestamp) -> Result<__Name__Record, StoreError> {
        let record = __Name__Record { id: new_id(), text: text.to_owned(), created_at: now };
        self.write_one("adding something", || __UPPER__.insert([record.clone().values()])).await?;
        Ok(record)
    }

    /// What is kept, the newest first.
    pub async fn list___name__(&self, page: &Page) -> Result<Listed<__Name__Record>, StoreError> {
        self.database
            .attempt("listing what is kept", async || {
                let sql = Sql::new("SELECT * FROM __name__ WHERE 1 = 1");
                self.database.read().await?.list(sql, &NEWEST, page, Columns::read).await
            })
            .await
    }

    /// Removes what was added before `time`; returns how much.
    pub async fn remove___name__(&self, time: Timestamp) -> Result<u64, StoreError> {
        self.write_one("removing what is old", || Sql::new("DELETE FROM __name__ WHERE created_at < $1").arg(time)).await
    }
}
