//! What can go wrong with the store, by what the caller should do about it.

use thiserror::Error;

/// A failed operation of the store. No message holds a password.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The configuration cannot be used.
    #[error("the configuration of the store cannot be used: {0}")]
    Config(String),
    /// The database did not answer in time, refused the connection or went away; the same call may succeed later.
    #[error("the database is not available for {operation}: {reason}")]
    Unavailable {
        /// What was attempted.
        operation: &'static str,
        /// What the database or the network said.
        reason: String,
    },
    /// No space is left for the database; nothing of the operation was kept.
    #[error("the database has no space left for {operation}; free space on its disk, nothing was written")]
    Full {
        /// What was attempted.
        operation: &'static str,
    },
    /// What the operation names does not exist.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// The noun.
        what: &'static str,
        /// Its identifier.
        id: String,
    },
    /// The record is not in the state that the operation needs, or exists already.
    #[error("{0}")]
    Conflict(String),
    /// A page cursor that this list did not give out.
    #[error("the cursor is not one that this list gave out; start again without it")]
    Cursor,
    /// The database was written by a newer program.
    #[error("the database has schema version {found}, this program knows up to {known}; run a newer palisade")]
    FromTheFuture {
        /// Version of the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A migration that ran is not the one that this program has.
    #[error(
        "migration {version} of the database is not the one of this program; the database belongs to another build"
    )]
    ForeignMigration {
        /// The migration's number.
        version: i64,
    },
    /// A backup that cannot be written, read or trusted.
    #[error("the backup cannot be used: {0}")]
    Backup(String),
    /// A row that this program cannot read.
    #[error("a stored {what} cannot be read: {reason}")]
    Corrupt {
        /// The noun.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Anything else that the database said.
    #[error("the database refused {operation}: {reason}")]
    Database {
        /// What was attempted.
        operation: &'static str,
        /// What it said.
        reason: String,
    },
}
