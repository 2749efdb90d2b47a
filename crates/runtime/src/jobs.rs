//! Work that outlives the process that began it.
//!
//! A job is a row of the store: a kind, a payload, and the steps that were done. A [`Worker`] claims jobs of the kinds that
//! it has [`Handler`]s for, under a lease that it renews; each write names the lease, and the store refuses the writes of
//! one that was lost. After SIGKILL another worker claims the job when the lease has run out, and goes on behind the last
//! step that was done. What a step did outside of the store may be done twice, where the process ended between doing it and
//! writing that down: that is what its idempotency key is for. Deliberately absent: order between jobs, and workers that
//! are told of new ones by the database; they ask.

mod run;
mod schedule;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::Failure;
pub use run::{Handler, JobError, Run};
pub use schedule::Recurring;
pub use worker::{Ended, JobObserver, Worker, WorkerOptions};

/// A job to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// What it is, such as `retention`: which handler does it.
    pub kind: String,
    /// What the handler has to know.
    pub payload: Value,
    /// When it may begin.
    pub when: When,
    /// By what it is told from others, where it is to be there once.
    pub once: Option<Once>,
    /// How often it may fail; the last failure ends it.
    pub max_attempts: u32,
}

impl NewJob {
    /// How often a job may fail where nothing is said.
    pub const MAX_ATTEMPTS: u32 = 10;

    /// A job that may begin at once and is there as often as it is asked for.
    pub fn new(kind: impl Into<String>, payload: Value) -> Self {
        Self { kind: kind.into(), payload, when: When::Now, once: None, max_attempts: Self::MAX_ATTEMPTS }
    }
}

/// When a job may begin, by the clock of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// After so long.
    In(Duration),
    /// At a time.
    At(Timestamp),
}

/// The key that a job shares with no other one of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once {
    /// While it waits or runs: what is asked for meanwhile is the same job.
    Pending(String),
    /// For as long as the job is on record, after its end too: for what has a time or an event of its own.
    Kept(String),
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It is to be done.
    Waiting,
    /// A worker holds it, or held it when its process ended.
    Running,
    /// It was done.
    Done,
    /// It was given up.
    Failed,
    /// Somebody withdrew it.
    Cancelled,
}

impl JobState {
    /// As records write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Job {
    /// Identifier, which sorts by the time of its making.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// What the handler has to know.
    pub payload: Value,
    /// What became of it.
    pub state: JobState,
    /// By what it is told from others.
    pub key: Option<String>,
    /// When it was to begin.
    pub run_at: Timestamp,
    /// How often a worker took it up.
    pub attempts: u32,
    /// How often it failed.
    pub failures: u32,
    /// How often it may fail.
    pub max_attempts: u32,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// What it answered.
    pub result: Option<Value>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A part of a job that is not done again once it was done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Its name, one of the job's own.
    pub name: String,
    /// What tells others that it is the same step when it is done again.
    pub key: String,
    /// How often it was begun.
    pub attempts: u32,
    /// What it answered; none before it is done.
    pub result: Option<Value>,
}

/// The right to do a job. It ends when somebody else claims the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobLease {
    /// The job.
    pub job: String,
    /// Who holds it.
    pub holder: String,
    /// Grows with each claim, so that a holder who lost it unawares can be told apart.
    pub fence: i64,
}

/// A job that was claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The job.
    pub job: Job,
    /// Its steps.
    pub steps: Vec<Step>,
    /// The right to do it.
    pub lease: JobLease,
}

/// How many jobs of a kind are in a state.
#[derive(Clone, Debug, PartialEq)]
pub struct JobCount {
    /// The kind.
    pub kind: String,
    /// The state: waiting or running.
    pub state: JobState,
    /// How many.
    pub number: u64,
    /// How long the oldest of them has been due; zero where none is.
    pub overdue: Duration,
}

/// Where jobs are. What a lost lease asks for is refused and changes nothing.
pub trait JobStore: Send + Sync {
    /// Adds a job; where its key is taken, nothing. Its identifier, or that of the job that has the key.
    fn enqueue<'a>(&'a self, job: &'a NewJob) -> BoxFuture<'a, Result<String, Failure>>;

    /// Claims the job of one of these kinds that has been due for longest.
    fn claim<'a>(
        &'a self,
        kinds: &'a [&'static str],
        holder: &'a str,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<Option<Claimed>, Failure>>;

    /// Extends a lease; false where it is lost.
    fn renew<'a>(&'a self, lease: &'a JobLease, lifetime: Duration) -> BoxFuture<'a, Result<bool, Failure>>;

    /// Notes that a step begins. The key that it was begun with first; none where the lease is lost.
    fn begin_step<'a>(
        &'a self,
        lease: &'a JobLease,
        name: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, Failure>>;

    /// Notes that a step is done; false where the lease is lost.
    fn finish_step<'a>(
        &'a self,
        lease: &'a JobLease,
        name: &'a str,
        result: &'a Value,
    ) -> BoxFuture<'a, Result<bool, Failure>>;

    /// The job is done; false where the lease is lost.
    fn finish<'a>(&'a self, lease: &'a JobLease, result: &'a Value) -> BoxFuture<'a, Result<bool, Failure>>;

    /// The job failed. It waits for so long, or is given up where it may not fail again or `retry` is none. Its state then;
    /// none where the lease is lost.
    fn fail<'a>(
        &'a self,
        lease: &'a JobLease,
        error: &'a str,
        retry: Option<Duration>,
    ) -> BoxFuture<'a, Result<Option<JobState>, Failure>>;

    /// Gives a job back as if it had not been claimed, its steps kept; false where the lease is lost.
    fn release<'a>(&'a self, lease: &'a JobLease) -> BoxFuture<'a, Result<bool, Failure>>;

    /// How many jobs wait and run.
    fn counts(&self) -> BoxFuture<'_, Result<Vec<JobCount>, Failure>>;
}

/// The jobs of a store, for those who ask for some. Clones share everything.
#[derive(Clone)]
pub struct Jobs {
    store: Arc<dyn JobStore>,
    added: Arc<Notify>,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

impl Jobs {
    /// The jobs in `store`.
    pub fn new(store: Arc<dyn JobStore>) -> Self {
        Self { store, added: Arc::default() }
    }

    /// Adds a job and wakes the worker of this process. Its identifier, or that of the job that has its key.
    pub async fn enqueue(&self, job: &NewJob) -> Result<String, Failure> {
        let id = self.store.enqueue(job).await?;
        self.added.notify_one();
        Ok(id)
    }
}

#[cfg(test)]
mod tests;
