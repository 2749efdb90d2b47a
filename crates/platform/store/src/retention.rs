//! What is no longer kept: in batches, so that no transaction keeps writers waiting for long.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::statement::Sql;
use crate::{Store, StoreError};

/// Days that jobs stay after they ended.
const JOB_DAYS: u32 = 7;
/// Rows of one batch.
const BATCH: i64 = 1000;
/// Batches of one table in one call; what is left waits for the next.
const BATCHES: u32 = 1000;
/// Between two batches others get their turn.
const PAUSE: Duration = Duration::from_millis(5);

impl Store {
    /// Removes what is older than the configuration wants kept, and what has expired. Returns how many rows went. Run
    /// it every few minutes, in one replica.
    pub async fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        let days = |count: u32| before(now, SignedDuration::from_hours(24 * i64::from(count)));
        let config = &self.config;
        let mut removed = 0;
        for (statement, limit) in [
            (
                "DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE time < $1 ORDER BY time LIMIT $2)",
                days(config.decision_days),
            ),
            (
                "DELETE FROM findings WHERE id IN (SELECT id FROM findings WHERE resolved_at < $1 LIMIT $2)",
                days(config.finding_days),
            ),
            (
                "DELETE FROM changes WHERE id IN (SELECT id FROM changes WHERE time < $1 LIMIT $2)",
                days(config.change_days),
            ),
            ("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE time < $1 LIMIT $2)", days(config.audit_days)),
            (
                "DELETE FROM idempotency WHERE (caller, route, request_key) IN \
                 (SELECT caller, route, request_key FROM idempotency WHERE expires_at < $1 LIMIT $2)",
                now,
            ),
            ("DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE ended_at < $1 LIMIT $2)", days(JOB_DAYS)),
            ("DELETE FROM login_states WHERE id IN (SELECT id FROM login_states WHERE expires_at < $1 LIMIT $2)", now),
            (
                "DELETE FROM sessions WHERE id IN \
                 (SELECT id FROM sessions WHERE expires_at < $1 OR revoked_at < $1 LIMIT $2)",
                before(now, SignedDuration::from_hours(24)),
            ),
        ] {
            removed += self.prune_table(statement, limit).await?;
        }
        Ok(removed)
    }

    async fn prune_table(&self, statement: &'static str, limit: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        for _ in 0..BATCHES {
            let batch = self.write_one("pruning", || Sql::new(statement).arg(limit).arg(BATCH)).await?;
            removed += batch;
            if batch < BATCH as u64 {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(removed)
    }
}

/// A time so long ago that nothing is older, where the calendar ends.
fn before(now: Timestamp, duration: SignedDuration) -> Timestamp {
    now.checked_sub(duration).unwrap_or(Timestamp::MIN)
}
