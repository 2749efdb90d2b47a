//! Tasks that run as long as the server, ended together.

use std::time::Duration;

use palisade_store::StoreError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::error::ServerError;
use crate::leader;

/// How often the store is asked whether it answers.
const CHECK: Duration = Duration::from_secs(5);
/// How often what retention no longer keeps is removed.
const PRUNE: Duration = Duration::from_hours(1);

type Ended = (&'static str, Result<(), ServerError>);

/// Tasks with one signal to stop.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    stop: CancellationToken,
    running: JoinSet<Ended>,
}

impl Tasks {
    /// The signal.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task that is to run until the signal.
    pub(crate) fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), ServerError>> + Send + 'static,
    ) {
        self.running.spawn(async move { (name, task.await) });
    }

    /// Waits until a task ends although there was no signal.
    pub(super) async fn failed(&mut self) -> ServerError {
        let (what, problem) = match self.running.join_next().await {
            None => return std::future::pending().await,
            Some(Ok((_, Err(error)))) => return error,
            Some(Ok((name, Ok(())))) => (name, "it returned".to_owned()),
            Some(Err(error)) => ("a task", error.to_string()),
        };
        ServerError::Task { what, problem }
    }

    /// Gives the signal and waits, for so long at most.
    pub(super) async fn end(mut self, limit: Duration) {
        self.stop.cancel();
        let all = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("a task did not end in time and is dropped");
        }
    }
}

/// Watches readiness and the store, and removes what is too old.
pub(super) fn housekeeping(context: &Context, tasks: &mut Tasks) {
    tasks.spawn("watching the policies", first_ruleset(context.clone(), tasks.stop()));
    tasks.spawn("watching the store", watch_store(context.clone(), tasks.stop()));
    let (owners, config) = (context.owners.clone(), context.config.owners.clone());
    let owned = crate::owners::keep_current(config, context.store.clone(), owners, context.clock.clone(), tasks.stop());
    tasks.spawn("owners", owned);
    let (own, stop) = (context.clone(), tasks.stop());
    let task = async move {
        let prune = |stop: CancellationToken| prune(own.clone(), stop);
        leader::lead(own.clone(), "retention", stop, prune).await;
        Ok(())
    };
    tasks.spawn("retention", task);
}

/// The server is ready once there are policies; what is wrong with some of them is told from then on.
async fn first_ruleset(context: Context, stop: CancellationToken) -> Result<(), ServerError> {
    let mut status = context.policies.status();
    loop {
        let now = status.borrow_and_update().clone();
        match (now.complete, &*now.problems) {
            (false, _) => context.health.fails("ruleset", "the policies are being loaded"),
            (true, []) => context.health.holds("ruleset"),
            (true, [first, rest @ ..]) => {
                let more = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
                context.health.degraded("ruleset", format!("{first}{more}"));
            }
        }
        let changed = stop.run_until_cancelled(status.changed()).await;
        if !matches!(changed, Some(Ok(()))) {
            stop.cancelled().await;
            return Ok(());
        }
    }
}

/// A store that is away degrades the server: decisions wait in the journal, the API says so itself.
async fn watch_store(context: Context, stop: CancellationToken) -> Result<(), ServerError> {
    while stop.run_until_cancelled(tokio::time::sleep(CHECK)).await.is_some() {
        match context.metrics.time_store("check", context.store.check()).await {
            Ok(()) => context.health.holds("store"),
            Err(error) => context.health.degraded("store", error.to_string()),
        }
    }
    Ok(())
}

async fn prune(context: Context, stop: CancellationToken) -> Result<(), String> {
    loop {
        match context.store.prune(context.clock.now()).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "retention removed old records"),
            Err(error @ StoreError::Unavailable { .. }) => tracing::debug!(%error, "retention waits for the store"),
            Err(error) => return Err(error.to_string()),
        }
        if stop.run_until_cancelled(tokio::time::sleep(PRUNE)).await.is_none() {
            return Ok(());
        }
    }
}
