//! Holding a lease: renewing it in time, and knowing when it can no longer be relied on.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use crate::Failure;

/// Renews a lease that was asked for at `asked` and is granted for `lifetime` each time. Returns when it is lost: when
/// `renew` says so, or when it was not renewed until shortly before it runs out by this process's own clock.
pub(crate) async fn keep<F>(lifetime: Duration, asked: Instant, renew: impl Fn() -> F)
where
    F: Future<Output = Result<bool, Failure>>,
{
    let every = lifetime / 3;
    // For the difference between two clocks' pace.
    let safe = lifetime * 13 / 15;
    let mut ticks = tokio::time::interval_at(asked + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut holds_until = asked + safe;
    loop {
        if tokio::time::timeout_at(holds_until, ticks.tick()).await.is_err() {
            return;
        }
        let asked = Instant::now();
        match tokio::time::timeout_at(holds_until, renew()).await {
            Ok(Ok(true)) => holds_until = asked + safe,
            Ok(Ok(false)) | Err(_) => return,
            Ok(Err(error)) => tracing::debug!(%error, "a lease could not be renewed yet"),
        }
    }
}
