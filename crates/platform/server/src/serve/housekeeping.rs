//! What the server does beside serving: it watches the policies and the store, reads catalogues, and removes what is old.

use std::time::Duration;

use palisade_store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::error::{ServerError, Tasks};

/// How often the store is asked whether it answers.
const CHECK: Duration = Duration::from_secs(5);
/// How often what retention no longer keeps is removed.
const PRUNE: Duration = Duration::from_hours(1);

/// Watches readiness and the store, and removes what is too old.
pub(super) fn start(context: &Context, tasks: &mut Tasks) {
    tasks.spawn("watching the policies", first_ruleset(context.clone(), tasks.stop()));
    tasks.spawn("watching the store", watch_store(context.clone(), tasks.stop()));
    let (owners, config) = (context.owners.clone(), context.config.owners.clone());
    let owned = crate::owners::keep_current(config, context.store.clone(), owners, context.clock.clone(), tasks.stop());
    tasks.spawn("owners", owned);
    let (own, stop) = (context.clone(), tasks.stop());
    let task = async move {
        own.leader.lead("retention", stop, |stop| prune(own.clone(), stop)).await;
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
