//! Connections, transactions and second attempts.
//!
//! SQLite has one connection that writes, so that writers queue here instead of failing as busy, and several that only
//! read. PostgreSQL has one pool. Whatever is dropped in the middle of a statement (a time-out, a client that went away) closes its
//! connection, so that a silent server cannot keep the pool's connections.

use std::fmt::Write as _;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use palisade_runtime::Backoff;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions as _};
use url::Url;

use crate::config::Place;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::page::Order;
use crate::row::Row;
use crate::statement::Sql;
use crate::{Listed, Page, StoreConfig, StoreError};

/// How long an operation may take, second attempts included.
const OPERATION: Duration = Duration::from_secs(15);
/// How long an operation waits for a connection to PostgreSQL, which is how long a stopped server goes unnoticed.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a writer waits for its turn at SQLite.
const TURN: Duration = Duration::from_secs(10);
/// Attempts at an operation, and the pauses after failed ones.
const ATTEMPTS: u32 = 4;
const RETRY: Backoff = Backoff::new(Duration::from_millis(20), OPERATION);

/// A written row survives the loss of power: `FULL` syncs the log at each commit.
const SQLITE_SESSION: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 5000; PRAGMA journal_size_limit = 67108864;";
/// As above; a server that was told to lose writes is told otherwise. No replica waits for ever for another one's lock.
const POSTGRES_SESSION: &str = "SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') = 'off'; \
     SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = 'warning';";

/// The pools of one database.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    reader: AnyPool,
    writer: AnyPool,
    pub(crate) dialect: Dialect,
}

impl Database {
    pub(crate) async fn connect(config: &StoreConfig, data_dir: &Path) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let connections = config.max_connections.clamp(2, 1000);
        match config.place(data_dir)? {
            Place::Sqlite(file) => {
                prepare_file(&file)?;
                let url = sqlite_url(&file)?;
                let session = |text| pool(text).acquire_timeout(TURN).test_before_acquire(false);
                let writer = session(SQLITE_SESSION).max_connections(1).idle_timeout(None).max_lifetime(None);
                let writer = open(writer, &url).await?;
                let reader = open(session(SQLITE_SESSION).max_connections(connections - 1), &url).await?;
                Ok(Self { reader, writer, dialect: Dialect::Sqlite })
            }
            Place::Postgres(url) => {
                let options = pool(POSTGRES_SESSION).acquire_timeout(CONNECT).max_connections(connections);
                let pool = open(options, &url).await?;
                Ok(Self { reader: pool.clone(), writer: pool, dialect: Dialect::Postgres })
            }
        }
    }

    pub(crate) async fn close(&self) {
        self.writer.close().await;
        self.reader.close().await;
    }

    /// A connection that reads, each statement for itself.
    pub(crate) async fn read(&self) -> Result<Session, Failure> {
        Session::open(&self.reader, None, self.dialect).await
    }

    /// A connection that reads everything as of one moment.
    pub(crate) async fn snapshot(&self) -> Result<Session, Failure> {
        Session::open(&self.reader, Some(self.dialect.begin_snapshot()), self.dialect).await
    }

    /// A transaction that writes.
    pub(crate) async fn write(&self) -> Result<Session, Failure> {
        Session::open(&self.writer, Some(self.dialect.begin_write()), self.dialect).await
    }

    /// Does `work`, again where another transaction was in the way or the connection broke before the commit, and ends
    /// it when it takes too long.
    pub(crate) async fn attempt<T, F>(&self, operation: &'static str, work: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let attempts = async {
            let mut retry = RETRY;
            for _ in 1..ATTEMPTS {
                match work().await {
                    Err(failure) if failure.may_be_retried() => {
                        tracing::debug!(operation, ?failure, "trying again");
                        tokio::time::sleep(retry.failed()).await;
                    }
                    settled => return settled,
                }
            }
            work().await
        };
        let Ok(result) = tokio::time::timeout(OPERATION, attempts).await else {
            let reason = format!("it did not answer within {} seconds", OPERATION.as_secs());
            return Err(StoreError::Unavailable { operation, reason });
        };
        result.map_err(|failure| failure.into_error(operation))
    }
}

fn pool(session: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new().after_connect(move |connection, _| {
        Box::pin(async move { sqlx::raw_sql(session).execute(connection).await.map(|_| ()) })
    })
}

async fn open(options: AnyPoolOptions, url: &Url) -> Result<AnyPool, StoreError> {
    let connect = AnyConnectOptions::from_url(url).map_err(|_| StoreError::Config("`url` is no address".to_owned()))?;
    options.connect_with(connect).await.map_err(|error| match error {
        sqlx::Error::Configuration(reason) => StoreError::Config(reason.to_string()),
        error => Failure::Sql(error).into_error("opening the store"),
    })
}

/// Makes the file where there is none, for this user only; it holds hashes of tokens.
fn prepare_file(file: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(|_| ()).map_err(|error| {
        StoreError::Config(format!("the store's file `{}` cannot be opened for writing: {error}", file.display()))
    })
}

/// The file as an address, every unusual byte escaped.
fn sqlite_url(file: &Path) -> Result<Url, StoreError> {
    let unusable = || StoreError::Config(format!("`{}` cannot be the path of a store", file.display()));
    let file = std::path::absolute(file).map_err(|_| unusable())?;
    let mut text = String::from("sqlite://");
    for byte in file.to_str().ok_or_else(unusable)?.bytes() {
        // Writing to a string cannot fail.
        let _ = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => write!(text, "{}", byte as char),
            _ => write!(text, "%{byte:02X}"),
        };
    }
    text.push_str("?mode=rw");
    Url::parse(&text).map_err(|_| unusable())
}

/// A connection, in a transaction or not.
pub(crate) struct Session {
    connection: Option<PoolConnection<Any>>,
    pub(crate) dialect: Dialect,
    transaction: bool,
    /// A statement is under way, or failed in a transaction: the connection does not go back to the pool.
    unsettled: bool,
}

impl Session {
    async fn open(pool: &AnyPool, begin: Option<&'static str>, dialect: Dialect) -> Result<Self, Failure> {
        let mut session =
            Self { connection: Some(pool.acquire().await?), dialect, transaction: begin.is_some(), unsettled: false };
        if let Some(begin) = begin {
            session.script(begin).await?;
        }
        Ok(session)
    }

    fn connection(&mut self) -> Result<&mut AnyConnection, sqlx::Error> {
        self.unsettled = true;
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    fn settle<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, Failure> {
        self.unsettled = self.transaction && result.is_err();
        Ok(result?)
    }

    /// Runs fixed statements that return nothing.
    pub(crate) async fn script(&mut self, text: &'static str) -> Result<(), Failure> {
        let result = sqlx::raw_sql(text).execute(self.connection()?).await;
        self.settle(result).map(|_| ())
    }

    /// Runs a statement; returns how many rows it wrote.
    pub(crate) async fn execute(&mut self, sql: Sql) -> Result<u64, Failure> {
        let result = sql.query(self.dialect)?.execute(self.connection()?).await;
        self.settle(result).map(|done| done.rows_affected())
    }

    /// The rows of a statement.
    pub(crate) async fn rows(&mut self, sql: Sql) -> Result<Vec<Row>, Failure> {
        let result = sql.query(self.dialect)?.fetch_all(self.connection()?).await;
        self.settle(result).map(|rows| rows.into_iter().map(Row).collect())
    }

    /// The only row of a statement.
    pub(crate) async fn row(&mut self, sql: Sql) -> Result<Option<Row>, Failure> {
        let result = sql.query(self.dialect)?.fetch_optional(self.connection()?).await;
        self.settle(result).map(|row| row.map(Row))
    }

    /// Hands each row of a statement to `each` as it arrives.
    pub(crate) async fn stream<F>(&mut self, sql: Sql, mut each: impl FnMut(Row) -> F) -> Result<(), Failure>
    where
        F: Future<Output = Result<(), Failure>>,
    {
        let mut rows = sql.query(self.dialect)?.fetch(self.connection()?);
        while let Some(row) = rows.try_next().await? {
            each(Row(row)).await?;
        }
        drop(rows);
        self.settle(Ok(()))
    }

    /// One page of a list.
    pub(crate) async fn list<T>(
        &mut self,
        sql: Sql,
        order: &Order,
        page: &Page,
        read: impl Fn(&Row) -> Result<T, Failure>,
    ) -> Result<Listed<T>, Failure> {
        let rows = self.rows(sql.page(order, page)?).await?;
        order.listed(page, rows, read)
    }

    /// Makes the transaction's writes permanent. Where this fails for a lost connection, they may be or not.
    pub(crate) async fn commit(mut self) -> Result<(), Failure> {
        let result = sqlx::raw_sql("COMMIT").execute(self.connection()?).await;
        result.map_err(Failure::Commit)?;
        (self.transaction, self.unsettled) = (false, false);
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.unsettled {
            // Closes the socket or the file, which rolls back.
            drop(connection.detach());
        } else if self.transaction {
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move {
                    let rollback = sqlx::raw_sql("ROLLBACK").execute(&mut *connection);
                    if !matches!(tokio::time::timeout(CONNECT, rollback).await, Ok(Ok(_))) {
                        drop(connection.detach());
                    }
                });
            } else {
                drop(connection.detach());
            }
        }
    }
}
