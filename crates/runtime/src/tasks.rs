//! Tasks that run as long as the process, ended together, and work that blocks.

use std::fmt;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A task or thread ended although it must not.
#[derive(Debug, thiserror::Error)]
#[error("{what} ended unexpectedly: {problem}; please report this as a bug of Palisade")]
pub struct TaskEnded {
    /// Which.
    pub what: &'static str,
    /// How.
    pub problem: String,
}

/// Tasks with one signal to stop. `E` is why one of them may fail.
pub struct Tasks<E> {
    stop: CancellationToken,
    running: JoinSet<(&'static str, Result<(), E>)>,
}

impl<E> Default for Tasks<E> {
    fn default() -> Self {
        Self { stop: CancellationToken::new(), running: JoinSet::new() }
    }
}

impl<E> fmt::Debug for Tasks<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

impl<E: From<TaskEnded> + Send + 'static> Tasks<E> {
    /// The signal.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task that is to run until the signal.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = Result<(), E>> + Send + 'static) {
        self.running.spawn(async move { (name, task.await) });
    }

    /// Waits until a task ends although there was no signal.
    pub async fn failed(&mut self) -> E {
        let (what, problem) = match self.running.join_next().await {
            None => return std::future::pending().await,
            Some(Ok((_, Err(error)))) => return error,
            Some(Ok((name, Ok(())))) => (name, "it returned".to_owned()),
            Some(Err(error)) => ("a task", error.to_string()),
        };
        TaskEnded { what, problem }.into()
    }

    /// Gives the signal and waits, for so long at most.
    pub async fn end(mut self, limit: Duration) {
        self.stop.cancel();
        let all = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("a task did not end in time and is dropped");
        }
    }
}

/// Runs `work` where it may block.
pub async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, TaskEnded> {
    tokio::task::spawn_blocking(work).await.map_err(|error| TaskEnded { what, problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_returns_or_panics_is_told_by_its_name() {
        let mut tasks = Tasks::<TaskEnded>::default();
        tasks.spawn("the keeper", async { Ok(()) });
        assert_eq!(tasks.failed().await.what, "the keeper");
        assert!(blocking("counting", || assert_eq!(1, 2)).await.unwrap_err().to_string().starts_with("counting ended"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_so_long_only() {
        let mut tasks = Tasks::<TaskEnded>::default();
        let stop = tasks.stop();
        tasks.spawn("obedient", async move {
            stop.cancelled().await;
            Ok(())
        });
        tasks.spawn("deaf", std::future::pending());
        let begun = tokio::time::Instant::now();
        tasks.end(Duration::from_secs(3)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
    }
}
