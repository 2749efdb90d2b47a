//! What the server does beside serving: it watches the policies and the store, reads catalogues, and removes what is old.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use palisade_runtime::Clock;
use palisade_runtime::jobs::{Handler, JobError, Recurring, Run, Worker, WorkerOptions};
use palisade_store::Store;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::error::{ServerError, Tasks};

/// How often the store is asked whether it answers.
const CHECK: Duration = Duration::from_secs(5);
/// The kind of the job that removes what retention no longer keeps, and how often it comes round.
const RETENTION: &str = "retention";
const PRUNE: Duration = Duration::from_hours(1);
/// How long jobs may go on when the server stops.
const DRAIN: Duration = Duration::from_secs(3);

/// Watches readiness and the store, and removes what is too old.
pub(super) fn start(context: &Context, tasks: &mut Tasks) {
    tasks.spawn("watching the policies", first_ruleset(context.clone(), tasks.stop()));
    tasks.spawn("watching the store", watch_store(context.clone(), tasks.stop()));
    let (owners, config) = (context.owners.clone(), context.config.owners.clone());
    let owned = crate::owners::keep_current(config, context.store.clone(), owners, context.clock.clone(), tasks.stop());
    tasks.spawn("owners", owned);
    tasks.spawn("jobs", work(context.clone(), tasks.stop()));
}

/// Does the jobs of this server, and asks for those that come round.
async fn work(context: Context, stop: CancellationToken) -> Result<(), ServerError> {
    let Context { jobs, holder, clock, metrics, store, .. } = context;
    let retention = Retention { store, clock: clock.clone() };
    let worker = Worker::new(jobs, holder, clock, metrics, WorkerOptions::default())
        .with(Arc::new(retention))
        .recurring(Recurring::every(PRUNE, RETENTION));
    worker.run(stop, DRAIN).await;
    Ok(())
}

/// Removes what the configuration no longer wants kept.
struct Retention {
    store: Store,
    clock: Clock,
}

impl Handler for Retention {
    fn kind(&self) -> &'static str {
        RETENTION
    }

    fn run<'a>(&'a self, _: &'a mut Run) -> BoxFuture<'a, Result<serde_json::Value, JobError>> {
        Box::pin(async move {
            let rows = self.store.prune(self.clock.now()).await?;
            if rows > 0 {
                tracing::info!(rows, "retention removed old records");
            }
            Ok(rows.into())
        })
    }
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
