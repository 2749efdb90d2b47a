//! Jobs: what [`palisade_runtime::jobs`] asks of a store, on both databases.
//!
//! Time is the database's, as for locks. Every write of a worker names its lease; the row of the job is locked before
//! anything else of the transaction, and where holder or fence are others nothing is written. A lease that has run out and
//! that nobody took over is still its holder's: the fence alone decides. Deliberately absent: the loop that works.

use std::time::Duration;

use futures_util::future::BoxFuture;
use palisade_runtime::Failure as Trouble;
use palisade_runtime::jobs::{Claimed, Job, JobCount, JobLease, JobState, JobStore, NewJob, Once, Step, When};
use serde_json::Value;

use crate::database::Session;
use crate::error::Failure;
use crate::locks::microseconds;
use crate::page::{Column, Order};
use crate::row::Row;
use crate::statement::{Sql, json};
use crate::store::new_id;
use crate::table::{Columns, table};
use crate::{Listed, Page, Store, StoreError};

/// A job whose workers ended so often without a word is given up: it may be what ends them.
const LOST: u32 = 5;

const NEWEST: Order = Order { list: "jobs", columns: &[Column::text("id", "id")], descending: true };

/// Which jobs are wanted; what is empty matches everything.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// What became of them.
    pub state: Option<JobState>,
    /// What they are.
    pub kind: Option<String>,
}

/// The condition that a lease is still held; the three placeholders that follow are bound by [`held`].
const HELD: &str = " WHERE state = 'running' AND id = ";

table! {
    JOBS = jobs (id) kept job_days since ended_at;
    Job {
        id: text,
        kind: text,
        payload: json,
        state: word,
        key in job_key: optional_text,
        run_at: time,
        attempts: small,
        failures: small,
        max_attempts: small,
        last_error: optional_text,
        result: optional_json,
        created_at: time,
        ended_at: optional_time,
    }
    with { keeps_key: flag, due_at: time, holder: text, fence: int }
}

table! {
    JOB_STEPS = job_steps (job_id, name);
    Step { name: text, key in step_key: text, attempts: small, result: optional_json }
    with { job_id: text, fence: int, begun_at: time, done_at: optional_time }
}

impl Store {
    /// Adds a job; where its key is taken, nothing. Its identifier, or that of the job that has the key.
    pub async fn enqueue_job(&self, job: &NewJob) -> Result<String, StoreError> {
        self.database
            .attempt("adding a job", async || {
                let mut session = self.database.write().await?;
                let id = enqueue(&mut session, job).await?;
                session.commit().await?;
                Ok(id)
            })
            .await
    }

    /// The job with this identifier, and its steps by name.
    pub async fn job(&self, id: &str) -> Result<Option<(Job, Vec<Step>)>, StoreError> {
        self.database
            .attempt("reading a job", async || {
                let mut session = self.database.read().await?;
                let row = session.row(Sql::new("SELECT * FROM jobs WHERE id = $1").arg(id)).await?;
                let Some(job) = row.as_ref().map(Columns::read).transpose()? else { return Ok(None) };
                let steps = steps(&mut session, id).await?;
                Ok(Some((job, steps)))
            })
            .await
    }

    /// Jobs, the newest first.
    pub async fn list_jobs(&self, filter: &JobFilter, page: &Page) -> Result<Listed<Job>, StoreError> {
        self.database
            .attempt("listing jobs", async || {
                let sql = Sql::new("SELECT * FROM jobs WHERE 1 = 1")
                    .equal("state", filter.state.map(JobState::as_str))
                    .equal("kind", filter.kind.as_deref());
                self.database.read().await?.list(sql, &NEWEST, page, Columns::read).await
            })
            .await
    }

    /// Lets a job that was given up or withdrawn be done after all, as if it had never failed; the steps that were done stay
    /// done. Returns whether there was one, and none of its kind waits under its key.
    pub async fn retry_job(&self, id: &str) -> Result<bool, StoreError> {
        let now = self.database.dialect.now();
        let sql = || {
            let sql =
                Sql::new("UPDATE jobs SET state = 'waiting', ended_at = NULL, attempts = 0, failures = 0, due_at = ");
            let sql = sql.push(now).push(" WHERE state IN ('failed', 'cancelled') AND id = ").bind(id);
            sql.push(
                " AND NOT EXISTS (SELECT 1 FROM jobs other WHERE other.kind = jobs.kind AND other.job_key = jobs.job_key \
                 AND other.ended_at IS NULL)",
            )
        };
        self.write_one("trying a job again", sql).await.map(|count| count > 0)
    }

    /// Withdraws a job that has not ended; returns whether there was one. A worker that does it notices at its next write,
    /// and when it renews its lease.
    pub async fn cancel_job(&self, id: &str) -> Result<bool, StoreError> {
        let now = self.database.dialect.now();
        let sql = || {
            let sql = Sql::new("UPDATE jobs SET state = 'cancelled', ended_at = ").push(now);
            sql.push(" WHERE ended_at IS NULL AND id = ").bind(id)
        };
        self.write_one("withdrawing a job", sql).await.map(|count| count > 0)
    }

    async fn claim_job(
        &self,
        kinds: &[&'static str],
        holder: &str,
        lifetime: Duration,
    ) -> Result<Option<Claimed>, StoreError> {
        self.database
            .attempt("claiming a job", async || {
                let mut session = self.database.write().await?;
                let mut claimed = None;
                while let Some(row) = session.row(claim(&session, kinds, holder, lifetime)).await? {
                    let (job, fence) = (Job::read(&row)?, row.int("fence")?);
                    let lease = JobLease { job: job.id.clone(), holder: holder.to_owned(), fence };
                    if job.attempts.saturating_sub(job.failures) > LOST {
                        give_up(&mut session, &lease).await?;
                        continue;
                    }
                    let steps = steps(&mut session, &job.id).await?;
                    claimed = Some(Claimed { job, steps, lease });
                    break;
                }
                session.commit().await?;
                Ok(claimed)
            })
            .await
    }

    /// Changes a job that is held; returns whether it was.
    async fn change_job(
        &self,
        operation: &'static str,
        lease: &JobLease,
        changes: impl Fn(&'static str) -> Sql,
    ) -> Result<bool, StoreError> {
        let now = self.database.dialect.now();
        self.write_one(operation, || held(changes(now), lease)).await.map(|count| count > 0)
    }

    async fn begin_job_step(&self, lease: &JobLease, name: &str, key: &str) -> Result<Option<String>, StoreError> {
        self.database
            .attempt("beginning a step", async || {
                let mut session = self.database.write().await?;
                if !hold(&mut session, lease).await? {
                    return Ok(None);
                }
                let sql = Sql::new(
                    "INSERT INTO job_steps (job_id, name, step_key, attempts, fence, begun_at) VALUES ($1, $2, $3, 1, $4, ",
                );
                let sql = sql.push(session.dialect.now()).push(
                    ") ON CONFLICT (job_id, name) DO UPDATE SET attempts = job_steps.attempts + 1, \
                     fence = excluded.fence, begun_at = excluded.begun_at WHERE job_steps.done_at IS NULL RETURNING *",
                );
                let row = session.row(sql.arg(&lease.job).arg(name).arg(key).arg(lease.fence)).await?;
                let Some(row) = row else {
                    return Err(StoreError::Conflict(format!("the step `{name}` of the job is done already")).into());
                };
                session.commit().await?;
                row.text("step_key").map(Some)
            })
            .await
    }

    async fn finish_job_step(&self, lease: &JobLease, name: &str, result: &Value) -> Result<bool, StoreError> {
        self.database
            .attempt("ending a step", async || {
                let mut session = self.database.write().await?;
                if !hold(&mut session, lease).await? {
                    return Ok(false);
                }
                let sql = Sql::new("UPDATE job_steps SET result = $1, done_at = ").push(session.dialect.now());
                let sql = sql.push(" WHERE job_id = $2 AND name = $3 AND fence = $4");
                let count = session.execute(sql.arg(json(result)).arg(&lease.job).arg(name).arg(lease.fence)).await?;
                session.commit().await?;
                Ok(count > 0)
            })
            .await
    }

    async fn fail_job(
        &self,
        lease: &JobLease,
        error: &str,
        retry: Option<Duration>,
    ) -> Result<Option<JobState>, StoreError> {
        self.database
            .attempt("writing a failure down", async || {
                let mut session = self.database.write().await?;
                let now = session.dialect.now();
                let more = if retry.is_some() { "failures + 1 < max_attempts" } else { "1 = 0" };
                let sql = Sql::new("UPDATE jobs SET failures = failures + 1, last_error = ").bind(error);
                let sql = sql.push(", state = CASE WHEN ").push(more).push(" THEN 'waiting' ELSE 'failed' END");
                let sql =
                    sql.push(", ended_at = CASE WHEN ").push(more).push(" THEN NULL ELSE ").push(now).push(" END");
                let sql = sql.push(", due_at = ").push(now).push(" + ").bind(microseconds(retry.unwrap_or_default()));
                let row = session.row(held(sql, lease).push(" RETURNING state")).await?;
                session.commit().await?;
                row.map(|row| row.word("state")).transpose()
            })
            .await
    }

    async fn count_jobs(&self) -> Result<Vec<JobCount>, StoreError> {
        self.database
            .attempt("counting jobs", async || {
                let mut session = self.database.read().await?;
                let sql = Sql::new("SELECT kind, state, count(*) AS number, ").push(session.dialect.now());
                let sql = sql.push(" - min(due_at) AS overdue FROM jobs WHERE ended_at IS NULL GROUP BY kind, state");
                session.rows(sql).await?.iter().map(count).collect()
            })
            .await
    }
}

/// Adds a job within a transaction.
async fn enqueue(session: &mut Session, job: &NewJob) -> Result<String, Failure> {
    let now = session.dialect.now();
    let (key, keeps) = match &job.once {
        None => (None, false),
        Some(Once::Pending(key)) => (Some(key.as_str()), false),
        Some(Once::Kept(key)) => (Some(key.as_str()), true),
    };
    let time = |sql: Sql| match job.when {
        When::Now => sql.push(now),
        When::In(pause) => sql.push(now).push(" + ").bind(microseconds(pause)),
        When::At(time) => sql.bind(time),
    };
    let sql = Sql::new(
        "INSERT INTO jobs (id, kind, payload, state, job_key, keeps_key, max_attempts, holder, fence, attempts, failures, \
         created_at, run_at, due_at) VALUES ($1, $2, $3, 'waiting', $4, $5, $6, '', 0, 0, 0, ",
    );
    let sql = sql.arg(new_id()).arg(&job.kind).arg(json(&job.payload)).arg(key).arg(keeps).arg(job.max_attempts.max(1));
    let sql = time(time(sql.push(now).push(", ")).push(", ")).push(") ON CONFLICT DO NOTHING RETURNING id");
    if let Some(row) = session.row(sql).await? {
        return row.text("id");
    }
    let sql = Sql::new("SELECT id FROM jobs WHERE kind = $1 AND job_key = $2 AND (ended_at IS NULL OR keeps_key = 1)");
    match session.row(sql.arg(&job.kind).arg(key)).await? {
        Some(row) => row.text("id"),
        None => Err(StoreError::Conflict("the job that had the key ended meanwhile; ask again".into()).into()),
    }
}

/// Claims the job that has been due for longest. PostgreSQL passes over those that others are about to claim.
fn claim(session: &Session, kinds: &[&'static str], holder: &str, lifetime: Duration) -> Sql {
    let now = session.dialect.now();
    let sql = Sql::new("UPDATE jobs SET state = 'running', fence = fence + 1, attempts = attempts + 1, holder = ");
    let sql = sql.bind(holder).push(", due_at = ").push(now).push(" + ").bind(microseconds(lifetime));
    let sql = sql.push(" WHERE id = (SELECT id FROM jobs WHERE ended_at IS NULL AND due_at <= ").push(now);
    let sql = sql.push(" AND kind IN ").tuple(kinds.iter().copied()).push(" ORDER BY due_at, id LIMIT 1");
    sql.push(session.dialect.skip_locked()).push(") RETURNING *")
}

async fn give_up(session: &mut Session, lease: &JobLease) -> Result<(), Failure> {
    let sql =
        Sql::new("UPDATE jobs SET state = 'failed', attempts = attempts - 1, ended_at = ").push(session.dialect.now());
    let reason = format!("{LOST} workers ended while they did it");
    session.execute(held(sql.push(", last_error = ").bind(reason), lease)).await.map(drop)
}

/// Adds the condition that the lease is held.
fn held(sql: Sql, lease: &JobLease) -> Sql {
    let sql = sql.push(HELD).bind(&lease.job).push(" AND holder = ").bind(&lease.holder);
    sql.push(" AND fence = ").bind(lease.fence)
}

/// Locks the row of a job until the end of the transaction; false where the lease is lost.
async fn hold(session: &mut Session, lease: &JobLease) -> Result<bool, Failure> {
    Ok(session.execute(held(Sql::new("UPDATE jobs SET fence = fence"), lease)).await? > 0)
}

async fn steps(session: &mut Session, id: &str) -> Result<Vec<Step>, Failure> {
    let sql = Sql::new("SELECT * FROM job_steps WHERE job_id = $1 ORDER BY name").arg(id);
    session.rows(sql).await?.iter().map(Columns::read).collect()
}

fn count(row: &Row) -> Result<JobCount, Failure> {
    Ok(JobCount {
        kind: row.text("kind")?,
        state: row.word("state")?,
        number: row.count("number")?,
        overdue: Duration::from_micros(u64::try_from(row.int("overdue")?).unwrap_or_default()),
    })
}

impl JobStore for Store {
    fn enqueue<'a>(&'a self, job: &'a NewJob) -> BoxFuture<'a, Result<String, Trouble>> {
        Box::pin(async move { Ok(self.enqueue_job(job).await?) })
    }

    fn claim<'a>(
        &'a self,
        kinds: &'a [&'static str],
        holder: &'a str,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<Option<Claimed>, Trouble>> {
        Box::pin(async move { Ok(self.claim_job(kinds, holder, lifetime).await?) })
    }

    fn renew<'a>(&'a self, lease: &'a JobLease, lifetime: Duration) -> BoxFuture<'a, Result<bool, Trouble>> {
        let changes =
            move |now| Sql::new("UPDATE jobs SET due_at = ").push(now).push(" + ").bind(microseconds(lifetime));
        Box::pin(async move { Ok(self.change_job("renewing the lease of a job", lease, changes).await?) })
    }

    fn begin_step<'a>(
        &'a self,
        lease: &'a JobLease,
        name: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, Trouble>> {
        Box::pin(async move { Ok(self.begin_job_step(lease, name, key).await?) })
    }

    fn finish_step<'a>(
        &'a self,
        lease: &'a JobLease,
        name: &'a str,
        result: &'a Value,
    ) -> BoxFuture<'a, Result<bool, Trouble>> {
        Box::pin(async move { Ok(self.finish_job_step(lease, name, result).await?) })
    }

    fn finish<'a>(&'a self, lease: &'a JobLease, result: &'a Value) -> BoxFuture<'a, Result<bool, Trouble>> {
        let changes = |now| {
            Sql::new("UPDATE jobs SET state = 'done', ended_at = ").push(now).push(", result = ").bind(json(result))
        };
        Box::pin(async move { Ok(self.change_job("ending a job", lease, changes).await?) })
    }

    fn fail<'a>(
        &'a self,
        lease: &'a JobLease,
        error: &'a str,
        retry: Option<Duration>,
    ) -> BoxFuture<'a, Result<Option<JobState>, Trouble>> {
        Box::pin(async move { Ok(self.fail_job(lease, error, retry).await?) })
    }

    fn release<'a>(&'a self, lease: &'a JobLease) -> BoxFuture<'a, Result<bool, Trouble>> {
        let changes = |now| Sql::new("UPDATE jobs SET state = 'waiting', attempts = attempts - 1, due_at = ").push(now);
        Box::pin(async move { Ok(self.change_job("giving a job back", lease, changes).await?) })
    }

    fn counts(&self) -> BoxFuture<'_, Result<Vec<JobCount>, Trouble>> {
        Box::pin(async move { Ok(self.count_jobs().await?) })
    }
}
