//! A job that is being done, as its handler sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Claimed, Job, JobLease, JobStore, Step};
use crate::Failure;

/// Does the jobs of one kind.
pub trait Handler: Send + Sync {
    /// The kind.
    fn kind(&self) -> &'static str;

    /// Does a job; what it answers is kept. The future may be dropped at any await: when the lease is lost, and when the
    /// process ends.
    fn run<'a>(&'a self, run: &'a mut Run) -> BoxFuture<'a, Result<Value, JobError>>;
}

/// Why a job was not done. Any error makes one that is tried again.
#[derive(Debug)]
pub enum JobError {
    /// It may succeed later.
    Retry(Failure),
    /// It never will.
    GiveUp(Failure),
    /// The process ends; the job goes on elsewhere or later.
    Interrupted,
    /// Somebody else holds the job, or it was cancelled.
    Lost,
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::Retry(error.into())
    }
}

/// A job that is being done.
pub struct Run {
    job: Job,
    steps: BTreeMap<String, Step>,
    store: Arc<dyn JobStore>,
    lease: JobLease,
    stop: CancellationToken,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("job", &self.job).field("lease", &self.lease).finish_non_exhaustive()
    }
}

impl Run {
    pub(super) fn new(claimed: Claimed, store: Arc<dyn JobStore>, stop: CancellationToken) -> Self {
        let steps = claimed.steps.into_iter().map(|step| (step.name.clone(), step)).collect();
        Self { job: claimed.job, steps, store, lease: claimed.lease, stop }
    }

    /// The job.
    pub const fn job(&self) -> &Job {
        &self.job
    }

    /// The payload. One that cannot be read never can.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        serde_json::from_value(self.job.payload.clone()).map_err(|error| JobError::GiveUp(error.into()))
    }

    /// Cancelled when the process is to end.
    pub const fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Does a step, unless it was done before: then this is what it answered. `work` gets the idempotency key that the
    /// step was begun with the first time, to be handed to whoever acts for it.
    pub async fn step<T, F>(
        &mut self,
        name: &str,
        key: &str,
        work: impl FnOnce(String) -> F + Send,
    ) -> Result<T, JobError>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Future<Output = Result<T, JobError>> + Send,
    {
        if let Some(result) = self.steps.get(name).and_then(|step| step.result.clone()) {
            return serde_json::from_value(result).map_err(|error| JobError::GiveUp(error.into()));
        }
        if self.stop.is_cancelled() {
            return Err(JobError::Interrupted);
        }
        let begun = self.store.begin_step(&self.lease, name, key).await.map_err(JobError::Retry)?;
        let key = begun.ok_or(JobError::Lost)?;
        let answer = work(key.clone()).await?;
        let result = serde_json::to_value(&answer)?;
        if !self.store.finish_step(&self.lease, name, &result).await.map_err(JobError::Retry)? {
            return Err(JobError::Lost);
        }
        let step = Step { name: name.to_owned(), key, attempts: 1, result: Some(result) };
        self.steps.insert(step.name.clone(), step);
        Ok(answer)
    }
}
