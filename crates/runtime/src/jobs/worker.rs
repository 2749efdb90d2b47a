//! The loop that claims jobs and has them done.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Claimed, Handler, JobCount, JobError, JobState, JobStore, Jobs, Recurring, Run};
use crate::{Backoff, Clock, Failure, lease};

/// How a worker goes about its work.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// How many jobs are done at a time.
    pub concurrent: usize,
    /// How often the store is asked for jobs that others added or that became due.
    pub poll: Duration,
    /// How long a job is held without being renewed, and so how long after SIGKILL it goes on elsewhere.
    pub lease: Duration,
    /// The pauses after failures of one job.
    pub retry: Backoff,
    /// How often the jobs that wait and run are counted.
    pub count: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            concurrent: 4,
            poll: Duration::from_secs(1),
            lease: Duration::from_secs(30),
            retry: Backoff::new(Duration::from_secs(5), Duration::from_hours(1)),
            count: Duration::from_secs(15),
        }
    }
}

/// How an attempt at a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was done.
    Done,
    /// It failed and is tried again.
    Retried,
    /// It was given up.
    Failed,
    /// The process ends; the job was given back.
    Released,
    /// Somebody else holds it now, it was cancelled, or the store did not answer.
    Lost,
}

impl Ended {
    /// As metrics write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retried => "retried",
            Self::Failed => "failed",
            Self::Released => "released",
            Self::Lost => "lost",
        }
    }
}

/// Who counts what becomes of jobs.
pub trait JobObserver: Send + Sync {
    /// An attempt at a job ended.
    fn ended(&self, kind: &'static str, how: Ended, took: Duration);

    /// So many jobs wait and run.
    fn counted(&self, counts: &[JobCount]);
}

/// Claims jobs and has them done.
pub struct Worker {
    jobs: Jobs,
    holder: Arc<str>,
    handlers: Vec<Arc<dyn Handler>>,
    recurring: Vec<Recurring>,
    clock: Clock,
    observer: Arc<dyn JobObserver>,
    options: WorkerOptions,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker by the name `holder`, which no other one has. Without handlers it does nothing.
    pub fn new(
        jobs: Jobs,
        holder: Arc<str>,
        clock: Clock,
        observer: Arc<dyn JobObserver>,
        options: WorkerOptions,
    ) -> Self {
        Self { jobs, holder, handlers: Vec::new(), recurring: Vec::new(), clock, observer, options }
    }

    /// Does the jobs of a further kind.
    #[must_use]
    pub fn with(mut self, handler: Arc<dyn Handler>) -> Self {
        self.handlers.push(handler);
        self
    }

    /// Asks for a job again and again.
    #[must_use]
    pub fn recurring(mut self, recurring: Recurring) -> Self {
        self.recurring.push(recurring);
        self
    }

    /// Works until `stop`. What runs then may finish its step for at most `drain`, and is given back: another worker goes
    /// on with it at once.
    pub async fn run(mut self, stop: CancellationToken, drain: Duration) {
        let (ending, mut running) = (CancellationToken::new(), JoinSet::new());
        let mut count_at = Instant::now();
        loop {
            self.ask_for_recurring().await;
            let has_room = self.fill(&mut running, (&stop, &ending)).await;
            if Instant::now() >= count_at {
                self.count().await;
                count_at = Instant::now() + self.options.count;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = running.join_next() => {}
                () = self.jobs.added.notified(), if has_room => {}
                () = tokio::time::sleep(self.options.poll) => {}
            }
        }
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, all).await.is_err() {
            ending.cancel();
            while running.join_next().await.is_some() {}
        }
    }

    /// Claims jobs while there is room; whether there is some left.
    async fn fill(&self, running: &mut JoinSet<()>, (stop, ending): (&CancellationToken, &CancellationToken)) -> bool {
        let kinds: Vec<_> = self.handlers.iter().map(|handler| handler.kind()).collect();
        while running.len() < self.options.concurrent && !stop.is_cancelled() && !kinds.is_empty() {
            let asked = Instant::now();
            let claimed = match self.jobs.store.claim(&kinds, &self.holder, self.options.lease).await {
                Ok(Some(claimed)) => claimed,
                Ok(None) => return true,
                Err(error) => {
                    tracing::debug!(%error, "no job can be claimed at the moment");
                    return true;
                }
            };
            let Some(handler) = self.handlers.iter().find(|handler| handler.kind() == claimed.job.kind) else {
                continue;
            };
            let attempt = Attempt {
                handler: handler.clone(),
                store: self.jobs.store.clone(),
                observer: self.observer.clone(),
                options: self.options.clone(),
                asked,
            };
            running.spawn(attempt.carry_out(claimed, stop.clone(), ending.clone()));
        }
        running.len() < self.options.concurrent
    }

    async fn ask_for_recurring(&mut self) {
        let now = self.clock.now();
        for recurring in &mut self.recurring {
            let Some(job) = recurring.due(now) else { continue };
            match self.jobs.store.enqueue(&job).await {
                Ok(_) => recurring.asked(now),
                Err(error) => tracing::debug!(kind = job.kind, %error, "a job cannot be asked for at the moment"),
            }
        }
    }

    async fn count(&self) {
        match self.jobs.store.counts().await {
            Ok(counts) => self.observer.counted(&counts),
            Err(error) => tracing::debug!(%error, "jobs cannot be counted at the moment"),
        }
    }
}

/// One attempt at a job.
struct Attempt {
    handler: Arc<dyn Handler>,
    store: Arc<dyn JobStore>,
    observer: Arc<dyn JobObserver>,
    options: WorkerOptions,
    /// When the lease was asked for.
    asked: Instant,
}

impl Attempt {
    async fn carry_out(self, claimed: Claimed, stop: CancellationToken, ending: CancellationToken) {
        let (lease, failures) = (claimed.lease.clone(), claimed.job.failures);
        let (kind, begun) = (self.handler.kind(), Instant::now());
        let mut run = Run::new(claimed, self.store.clone(), stop);
        let lifetime = self.options.lease;
        let result = tokio::select! {
            biased;
            () = lease::keep(lifetime, self.asked, || self.store.renew(&lease, lifetime)) => Err(JobError::Lost),
            () = ending.cancelled() => Err(JobError::Interrupted),
            result = AssertUnwindSafe(self.handler.run(&mut run)).catch_unwind() => {
                result.unwrap_or_else(|_| Err(JobError::Retry("its handler panicked, which is a bug".into())))
            }
        };
        let settled = self.settle(&lease, failures, result).await.unwrap_or_else(|error| {
            tracing::warn!(kind, job = lease.job, %error, "what became of a job cannot be written down; it is done again");
            Ended::Lost
        });
        self.observer.ended(kind, settled, begun.elapsed());
    }

    /// Writes down what became of a job.
    async fn settle(
        &self,
        lease: &super::JobLease,
        failures: u32,
        result: Result<Value, JobError>,
    ) -> Result<Ended, Failure> {
        let (kind, job) = (self.handler.kind(), &lease.job);
        let (error, retry) = match result {
            Ok(answer) => {
                return Ok(if self.store.finish(lease, &answer).await? { Ended::Done } else { Ended::Lost });
            }
            Err(JobError::Interrupted) => {
                return Ok(if self.store.release(lease).await? { Ended::Released } else { Ended::Lost });
            }
            Err(JobError::Lost) => {
                tracing::warn!(kind, job, "the lease of a job was lost, or the job was cancelled");
                return Ok(Ended::Lost);
            }
            Err(JobError::Retry(error)) => (error, Some(self.options.retry.after(failures.saturating_add(1)))),
            Err(JobError::GiveUp(error)) => (error, None),
        };
        let error = error.to_string();
        Ok(match self.store.fail(lease, &error, retry).await? {
            None => Ended::Lost,
            Some(JobState::Waiting) => {
                tracing::warn!(kind, job, error, "a job failed and is tried again");
                Ended::Retried
            }
            Some(_) => {
                tracing::error!(kind, job, error, "a job failed and is given up");
                Ended::Failed
            }
        })
    }
}
