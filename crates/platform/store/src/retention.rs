//! What is no longer kept: in batches, so that no transaction keeps writers waiting for long.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::table::{Kept, Table};
use crate::tables::TABLES;
use crate::{Store, StoreError};

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
        let mut removed = 0;
        for (table, kept) in TABLES.iter().filter_map(|table| Some((table, table.kept?))) {
            let days = SignedDuration::from_hours(24 * i64::from((kept.days)(&self.config)));
            removed += self.prune_table(table, &kept, before(now, days)).await?;
        }
        Ok(removed)
    }

    async fn prune_table(&self, table: &Table, kept: &Kept, limit: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        for _ in 0..BATCHES {
            let batch = self.write_one("pruning", || table.prune(kept, limit, BATCH)).await?;
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
