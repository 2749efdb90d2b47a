//! Leases for tasks that only one replica may do. Time is the database's, so that replicas with wrong clocks agree.

use std::time::Duration;

use futures_util::future::BoxFuture;
use palisade_runtime::{Failure as Trouble, Lease, Locks};

use crate::error::Failure;
use crate::row::Row;
use crate::statement::Sql;
use crate::table::table;
use crate::{Store, StoreError};

/// The longest lifetime, in microseconds: a century.
const LONGEST: i64 = 100 * 366 * 86_400 * 1_000_000;

table! {
    LOCKS = locks (name);
    { name: text, holder: text, fence: int, expires_at: time }
}

impl Store {
    /// Takes a lock where it is free, expired or held by the same holder already (which renews it and keeps the fence).
    /// None where somebody else holds it.
    pub async fn acquire_lock(
        &self,
        name: &str,
        holder: &str,
        lifetime: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        self.database
    .attempt("taking a lock", async || {
        let mut session = self.database.write().await?;
        let now = session.dialect.now();
        // The clause at the end decides: where somebody else holds the lock, no row comes back.
        let sql = Sql::new("INSERT INTO locks (name, holder, fence, expires_at) VALUES ($1, $2, 1, ")
            .push(now)
            .push(" + $3) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at, ")
            .push("fence = locks.fence + CASE WHEN locks.holder = excluded.holder AND locks.expires_at > ")
            .push(now)
            .push(" THEN 0 ELSE 1 END WHERE locks.holder = excluded.holder OR locks.expires_at <= ")
            .push(now)
            .push(" RETURNING *");
        let row = session.row(sql.arg(name).arg(holder).arg(microseconds(lifetime))).await?;
        session.commit().await?;
        row.as_ref().map(read).transpose()
    })
    .await
    }

    /// Extends a lease; none where it was lost, then stop at once what it guarded.
    pub async fn renew_lock(&self, lease: &Lease, lifetime: Duration) -> Result<Option<Lease>, StoreError> {
        self.database
            .attempt("renewing a lock", async || {
                let mut session = self.database.write().await?;
                let now = session.dialect.now();
                let sql = Sql::new("UPDATE locks SET expires_at = ")
                    .push(now)
                    .push(" + $1 WHERE name = $2 AND holder = $3 AND fence = $4 AND expires_at > ")
                    .push(now)
                    .push(" RETURNING *");
                let sql = sql.arg(microseconds(lifetime)).arg(&lease.name).arg(&lease.holder).arg(lease.fence);
                let row = session.row(sql).await?;
                session.commit().await?;
                row.as_ref().map(read).transpose()
            })
            .await
    }

    /// Gives a lock back; returns whether it was still held.
    pub async fn release_lock(&self, lease: &Lease) -> Result<bool, StoreError> {
        self.database
            .attempt("releasing a lock", async || {
                let mut session = self.database.write().await?;
                let now = session.dialect.now();
                let sql = Sql::new(
                    "UPDATE locks SET expires_at = 0 WHERE name = $1 AND holder = $2 AND fence = $3 AND expires_at > ",
                );
                let sql = sql.push(now).arg(&lease.name).arg(&lease.holder).arg(lease.fence);
                let released = session.execute(sql).await?;
                session.commit().await?;
                Ok(released > 0)
            })
            .await
    }

    /// Who holds a lock now.
    pub async fn lock(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        self.database
            .attempt("reading a lock", async || {
                let mut session = self.database.read().await?;
                let now = session.dialect.now();
                let sql = Sql::new("SELECT * FROM locks WHERE name = $1 AND expires_at > ").push(now).arg(name);
                session.row(sql).await?.as_ref().map(read).transpose()
            })
            .await
    }
}

impl Locks for Store {
    fn acquire<'a>(
        &'a self,
        name: &'a str,
        holder: &'a str,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, Trouble>> {
        Box::pin(async move { Ok(self.acquire_lock(name, holder, lifetime).await?) })
    }

    fn renew<'a>(&'a self, lease: &'a Lease, lifetime: Duration) -> BoxFuture<'a, Result<Option<Lease>, Trouble>> {
        Box::pin(async move { Ok(self.renew_lock(lease, lifetime).await?) })
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), Trouble>> {
        Box::pin(async move { Ok(self.release_lock(lease).await.map(drop)?) })
    }
}

/// A span of time as the columns have it.
pub(crate) fn microseconds(lifetime: Duration) -> i64 {
    i64::try_from(lifetime.as_micros()).unwrap_or(LONGEST).min(LONGEST)
}

fn read(row: &Row) -> Result<Lease, Failure> {
    Ok(Lease {
        name: row.text("name")?,
        holder: row.text("holder")?,
        fence: row.int("fence")?,
        expires_at: row.time("expires_at")?,
    })
}
