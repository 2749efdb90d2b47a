//! The handle that everything goes through.

use std::path::Path;

use jiff::Timestamp;

use crate::database::Database;
use crate::migrations::{migrate, newest};
use crate::statement::Sql;
use crate::tables::TABLES;
use crate::{StoreConfig, StoreError, table};

/// The state of the control plane. Cloning is cheap; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) database: Database,
    pub(crate) config: StoreConfig,
}

impl Store {
    /// Opens the store, creating the file of an SQLite store where there is none, and brings its schema up to date.
    /// `data_dir` has to exist.
    pub async fn open(config: &StoreConfig, data_dir: &Path) -> Result<Self, StoreError> {
        let database = Database::connect(config, data_dir).await?;
        let migrated = async {
            let mut session = database.write().await?;
            migrate(&mut session, newest(), process_time()).await?;
            table::check(&mut session, TABLES).await?;
            session.commit().await
        };
        match migrated.await {
            Ok(()) => Ok(Self { database, config: config.clone() }),
            Err(failure) => {
                database.close().await;
                Err(failure.into_error("migrating the store"))
            }
        }
    }

    /// Asks the database whether it answers, for readiness.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.database
            .attempt("checking the store", async || {
                self.database.read().await?.row(Sql::new("SELECT version FROM migrations LIMIT 1")).await.map(|_| ())
            })
            .await
    }

    /// Runs one statement that writes; returns how many rows it wrote.
    pub(crate) async fn write_one(&self, operation: &'static str, sql: impl Fn() -> Sql) -> Result<u64, StoreError> {
        self.database
            .attempt(operation, async || {
                let mut session = self.database.write().await?;
                let count = session.execute(sql()).await?;
                session.commit().await?;
                Ok(count)
            })
            .await
    }

    /// Closes all connections, after what runs has ended.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

/// The time of this process, for what is noted about the database itself: migrations, backups. What is stored for others
/// has the time that they give.
#[expect(clippy::disallowed_methods, reason = "nothing that is decided depends on it")]
pub(crate) fn process_time() -> Timestamp {
    Timestamp::now()
}

/// A new identifier, which sorts by the time of its making.
pub(crate) fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
