//! Removes what is old.

use std::time::Duration;

use futures_util::future::BoxFuture;
use palisade_runtime::Clock;
use palisade_runtime::jobs::{Handler, JobError, Run};
use palisade_store::Store;

/// The kind of the job.
pub(super) const KIND: &str = "__kebab__";

/// Does it.
pub(super) struct Clear {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) keep: Duration,
}

impl Handler for Clear {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run<'a>(&'a self, _: &'a mut Run) -> BoxFuture<'a, Result<serde_json::Value, JobError>> {
        Box::pin(async move {
            let removed = self.store.remove___name__(self.clock.now() - self.keep).await?;
            Ok(removed.into())
        })
    }
}
