//! What keeps the store in order: it is watched, and what is too old is removed.

use std::time::Duration;

use futures_util::future::BoxFuture;
use palisade_runtime::Clock;
use palisade_runtime::jobs::{Handler, JobError, Run};
use palisade_store::Store;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::error::ServerError;

/// How often the store is asked whether it answers.
const CHECK: Duration = Duration::from_secs(5);
/// The kind of the job that removes what retention no longer keeps.
pub(crate) const RETENTION: &str = "retention";
/// How often it comes round.
pub(crate) const PRUNE: Duration = Duration::from_hours(1);

/// Removes what the configuration no longer wants kept.
pub(crate) struct Retention {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
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

/// A store that is away degrades the server: decisions wait in the journal, the API says so itself.
pub(crate) async fn watch_store(context: Context, stop: CancellationToken) -> Result<(), ServerError> {
    while stop.run_until_cancelled(tokio::time::sleep(CHECK)).await.is_some() {
        match context.metrics.time_store("check", context.store.check()).await {
            Ok(()) => context.health.holds("store"),
            Err(error) => context.health.degraded("store", error.to_string()),
        }
    }
    Ok(())
}
