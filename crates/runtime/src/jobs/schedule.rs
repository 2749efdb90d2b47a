//! Jobs that come round: one for each slot of time, whichever replica asks for it first.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{NewJob, Once};

/// A job that is asked for again and again.
#[derive(Clone, Debug)]
pub struct Recurring {
    kind: &'static str,
    every: Duration,
    /// The slot that was asked for last.
    asked: Option<i64>,
}

impl Recurring {
    /// A job of this kind every so often, a second at least. Slots count from 1970, so that all replicas have the same.
    pub fn every(every: Duration, kind: &'static str) -> Self {
        Self { kind, every: every.max(Duration::from_secs(1)), asked: None }
    }

    fn slot(&self, now: Timestamp) -> i64 {
        now.as_second().div_euclid(i64::try_from(self.every.as_secs()).unwrap_or(i64::MAX))
    }

    /// The job of the current slot, where it was not asked for yet.
    pub(super) fn due(&self, now: Timestamp) -> Option<NewJob> {
        let slot = self.slot(now);
        let key = format!("{} seconds, slot {slot}", self.every.as_secs());
        (self.asked != Some(slot))
            .then(|| NewJob { once: Some(Once::Kept(key)), ..NewJob::new(self.kind, Value::Null) })
    }

    /// The job of the current slot was asked for.
    pub(super) fn asked(&mut self, now: Timestamp) {
        self.asked = Some(self.slot(now));
    }
}
