//! Admission: reviews of the API server are answered, and every decision is on record before its answer leaves.

use std::time::Duration;

use super::{Capability, Ground, Plug};
use crate::admission::Admission;
use crate::journal::Journal;

/// How long the journal may be moved at the end.
pub(crate) const LAST_MOVE: Duration = Duration::from_secs(5);

/// The capability.
pub(super) const CAPABILITY: Capability =
    Capability::new("admission", "answers to reviews, by the policies in force", plug);

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    let context = ground.context;
    let server = &context.config.server;
    let (metrics, health) = (context.metrics.clone(), context.health.clone());
    let journal = match Journal::open(server.data_folder().join("journal"), &server.journal, metrics, health) {
        Ok(journal) => journal,
        Err(error) => return plug.failed(error),
    };
    let mover = journal.mover(context.store.clone(), context.clock.clone());
    plug.task("the journal", move |stop| async move {
        mover.run(stop, LAST_MOVE).await;
        Ok(())
    });
    plug.reviews(Admission::new(context.clone(), journal, ground.cluster.surroundings(), ground.traces));
}
