//! Tasks that only one process may run, under locks of the store.
//!
//! A task starts when its lock is taken and is dropped at once when the lock is lost: another replica holds it then. While
//! the store does not answer, the task goes on until the lease it last had has run out by this process's own monotonic
//! clock, which no jump of the wall clock moves.

use std::time::Duration;

use palisade_store::Lease;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::metrics::Task;

/// How long a lock is held without being renewed.
const LIFETIME: Duration = Duration::from_secs(15);
/// How often it is renewed, and how often one that somebody else holds is asked for.
const RENEW: Duration = Duration::from_secs(5);
/// A task stops so long before its lease ends, for the difference between two clocks' pace.
const MARGIN: Duration = Duration::from_secs(2);

/// Runs `task` whenever this process holds the lock `name`, until `stop`. A task that ends is started again after a
/// while.
pub(crate) async fn lead<F>(
    context: Context,
    name: &'static str,
    stop: CancellationToken,
    task: impl Fn(CancellationToken) -> F,
) where
    F: Future<Output = Result<(), String>>,
{
    let gauge = context.metrics.leading.get_or_create_owned(&Task { task: name });
    gauge.set(0);
    loop {
        match context.store.acquire_lock(name, &context.holder, LIFETIME).await {
            Ok(Some(lease)) => {
                tracing::info!(task = name, fence = lease.fence, "this process leads");
                gauge.set(1);
                let end = hold(&context, lease, &stop, &task).await;
                gauge.set(0);
                if let End::Failed(problem) = end {
                    context.metrics.task_failures.get_or_create_owned(&Task { task: name }).inc();
                    tracing::error!(task = name, problem, "the task failed and is started again");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(task = name, %error, "the lock cannot be asked for"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(RENEW)).await.is_none() {
            return;
        }
    }
}

/// How a lead ended.
enum End {
    Lost,
    Finished,
    Failed(String),
}

async fn hold<F>(
    context: &Context,
    lease: Lease,
    stop: &CancellationToken,
    task: impl Fn(CancellationToken) -> F,
) -> End
where
    F: Future<Output = Result<(), String>>,
{
    let (name, token) = (lease.name.clone(), stop.child_token());
    let last = std::sync::Mutex::new(lease.clone());
    let end = tokio::select! {
        biased;
        () = keep(context, &last) => {
            tracing::warn!(task = name, "the lock was lost; another replica goes on");
            End::Lost
        }
        result = task(token.clone()) => result.map_or_else(End::Failed, |()| End::Finished),
    };
    token.cancel();
    if !matches!(end, End::Lost) {
        // A store that is away lets the lease run out by itself.
        let lease = last.into_inner().unwrap_or(lease);
        let _ = context.store.release_lock(&lease).await;
    }
    end
}

/// Renews the lease for as long as it can be renewed.
async fn keep(context: &Context, last: &std::sync::Mutex<Lease>) {
    let mut ticks = tokio::time::interval_at(Instant::now() + RENEW, RENEW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut holds_until = Instant::now() + LIFETIME - MARGIN;
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        let lease = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let renewed = tokio::time::timeout_at(holds_until, context.store.renew_lock(&lease, LIFETIME)).await;
        match renewed {
            Ok(Ok(Some(lease))) => {
                holds_until = asked + LIFETIME - MARGIN;
                *last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = lease;
            }
            Ok(Ok(None)) | Err(_) => return,
            Ok(Err(error)) => tracing::debug!(task = lease.name, %error, "the lock could not be renewed yet"),
        }
        if Instant::now() >= holds_until {
            return;
        }
    }
}
