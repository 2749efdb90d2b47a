//! Idempotency keys: a request that is sent again gets the answer of the first one instead of acting twice.
//!
//! Two strengths. An action whose record carries a [`Claim`] is kept in one transaction with its answer ([`answer`]): it
//! happens once, whatever breaks in between. For others the answer is kept after the action ([`Store::finish_request`]):
//! where the process dies between the two, a further attempt acts again once the claim is a minute old.

use jiff::Timestamp;

use crate::database::Session;
use crate::error::Failure;
use crate::row::Row;
use crate::statement::Sql;
use crate::table::table;
use crate::{Store, StoreError};

/// After so many microseconds a claim without an answer is free again.
const CLAIM: i64 = 60_000_000;

/// What makes a request the same request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Who asks.
    pub caller: String,
    /// Method and path.
    pub route: String,
    /// The key that the caller chose.
    pub key: String,
}

/// The right to carry a request with a key out. Another attempt may take it over when it is a minute old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The request.
    pub key: IdempotencyKey,
    /// The `now` that [`Store::begin_request`] was given.
    pub claimed_at: Timestamp,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Nothing: act, then call [`Store::finish_request`] or [`Store::abandon_request`].
    New,
    /// It was answered.
    Answered {
        /// HTTP status.
        status: u16,
        /// Response body.
        body: String,
    },
    /// The first request is still being worked on.
    InProgress,
    /// The key was used with another request.
    Mismatch,
}

table! {
    IDEMPOTENCY = idempotency (caller, route, request_key) kept 0 since expires_at;
    {
        caller: text,
        route: text,
        request_key: text,
        digest: text,
        claimed_at: time,
        expires_at: time,
        status: optional_int,
        body: optional_text,
    }
}

impl Store {
    /// Claims a key for a request with this digest. A claim that is neither finished nor abandoned within a minute may
    /// be claimed again, so that a crash locks nobody out.
    pub async fn begin_request(
        &self,
        key: &IdempotencyKey,
        digest: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Idempotency, StoreError> {
        self.database
    .attempt("claiming an idempotency key", async || {
        let mut session = self.database.write().await?;
        let sql = Sql::new("DELETE FROM idempotency WHERE expires_at <= $1 AND caller = $2 AND route = $3 AND request_key = $4");
        session.execute(of(sql.arg(now), key)).await?;
        let sql = Sql::new(
            "INSERT INTO idempotency (caller, route, request_key, digest, claimed_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (caller, route, request_key) DO UPDATE \
             SET claimed_at = excluded.claimed_at, expires_at = excluded.expires_at \
             WHERE idempotency.status IS NULL AND idempotency.digest = excluded.digest AND idempotency.claimed_at <= $7",
        );
        let stale = now.as_microsecond().saturating_sub(CLAIM);
        let claimed = session.execute(of(sql, key).arg(digest).arg(now).arg(expires_at).arg(stale)).await?;
        let sql = Sql::new("SELECT * FROM idempotency WHERE caller = $1 AND route = $2 AND request_key = $3");
        let row = session.row(of(sql, key)).await?;
        session.commit().await?;
        match row {
            Some(row) if claimed == 0 => known(&row, digest),
            _ => Ok(Idempotency::New),
        }
    })
    .await
    }

    /// Keeps the answer to a claimed request, unless it has one already.
    pub async fn finish_request(&self, key: &IdempotencyKey, status: u16, body: &str) -> Result<(), StoreError> {
        self.database
            .attempt("keeping an answer", async || {
                let mut session = self.database.write().await?;
                let sql = Sql::new(
                    "UPDATE idempotency SET status = $1, body = $2 \
             WHERE caller = $3 AND route = $4 AND request_key = $5 AND status IS NULL",
                );
                session.execute(of(sql.arg(u32::from(status)).arg(body), key)).await?;
                session.commit().await
            })
            .await
    }

    /// Gives a claim back, where the request failed in a way that may be tried again.
    pub async fn abandon_request(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        self.database
            .attempt("giving an idempotency key back", async || {
                let mut session = self.database.write().await?;
                let sql = Sql::new(
                    "DELETE FROM idempotency WHERE status IS NULL AND caller = $1 AND route = $2 AND request_key = $3",
                );
                session.execute(of(sql, key)).await?;
                session.commit().await
            })
            .await
    }
}

/// Keeps the answer to a claimed request within the transaction of its action. A conflict where another attempt took the
/// claim over: that one acts.
pub(crate) async fn answer(session: &mut Session, claim: &Claim, status: u16, body: &str) -> Result<(), Failure> {
    let sql = Sql::new(
        "UPDATE idempotency SET status = $1, body = $2 WHERE caller = $3 AND route = $4 AND request_key = $5 \
         AND status IS NULL AND claimed_at = $6",
    );
    let sql = of(sql.arg(u32::from(status)).arg(body), &claim.key).arg(claim.claimed_at);
    if session.execute(sql).await? == 0 {
        let reason = "another attempt at this request took it over; send it again to get its answer";
        return Err(StoreError::Conflict(reason.to_owned()).into());
    }
    Ok(())
}

fn of(sql: Sql, key: &IdempotencyKey) -> Sql {
    sql.arg(&key.caller).arg(&key.route).arg(&key.key)
}

fn known(row: &Row, digest: &str) -> Result<Idempotency, Failure> {
    if row.text("digest")? != digest {
        return Ok(Idempotency::Mismatch);
    }
    match row.optional_text("body")? {
        Some(body) => Ok(Idempotency::Answered { status: u16::try_from(row.int("status")?).unwrap_or(500), body }),
        None => Ok(Idempotency::InProgress),
    }
}
