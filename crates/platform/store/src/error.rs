//! What can go wrong with the store, by what the caller should do about it.

use thiserror::Error;

/// A failure inside an attempt, before it is known whether to try again.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Settled: trying again changes nothing.
    Store(StoreError),
    /// A statement failed; nothing was committed.
    Sql(sqlx::Error),
    /// The commit failed; it may or may not have happened.
    Commit(sqlx::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl Failure {
    /// Whether the same attempt may succeed and cannot act twice.
    pub(crate) fn may_be_retried(&self) -> bool {
        match self {
            Self::Store(_) => false,
            Self::Sql(error) => lost(error) || contended(error),
            Self::Commit(error) => contended(error),
        }
    }

    pub(crate) fn into_error(self, operation: &'static str) -> StoreError {
        let error = match self {
            Self::Store(error) => return error,
            Self::Sql(error) | Self::Commit(error) => error,
        };
        let reason = error.to_string();
        match &error {
            _ if full(&error) => StoreError::Full { operation },
            sqlx::Error::PoolTimedOut => {
                StoreError::Unavailable { operation, reason: "no connection could be had in time".to_owned() }
            }
            sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => StoreError::Unavailable { operation, reason },
            sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                StoreError::Corrupt { what: operation, reason }
            }
            _ if lost(&error) || contended(&error) => StoreError::Unavailable { operation, reason },
            _ => StoreError::Database { operation, reason },
        }
    }
}

fn code(error: &sqlx::Error) -> String {
    error.as_database_error().and_then(|error| error.code().map(String::from)).unwrap_or_default()
}

/// Whether another transaction was in the way: PostgreSQL's serialization failure, deadlock and lock timeout, SQLite's
/// busy and locked. All of them mean that nothing was committed.
fn contended(error: &sqlx::Error) -> bool {
    matches!(code(error).as_str(), "40001" | "40P01" | "55P03" | "5" | "6" | "261" | "262" | "517" | "773")
}

/// Whether the connection is gone or the server is on its way down or up.
fn lost(error: &sqlx::Error) -> bool {
    let code = code(error);
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed)
        || matches!(code.as_str(), "57P01" | "57P02" | "57P03" | "57014" | "25P03" | "53300")
        || (code.len() == 5 && code.starts_with("08"))
}

/// Whether the disk or the quota is full: SQLite's `SQLITE_FULL` and failed writes, PostgreSQL's `disk_full`.
fn full(error: &sqlx::Error) -> bool {
    matches!(code(error).as_str(), "13" | "778" | "53100")
}

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
