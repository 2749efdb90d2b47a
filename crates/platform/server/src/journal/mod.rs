//! Decisions on disk before they are answered, and from there into the store: a spool of decisions.
//!
//! A full disk, or a store that is away for long, never keeps admission from answering: what cannot be kept is counted, and
//! health tells of it. Deliberately absent: a sync for each decision. A crash of the machine may lose the last moment's
//! records, as it may lose the API server's audit log.

mod line;

use std::path::PathBuf;
use std::sync::Arc;

use palisade_runtime::spool::{Dropped, Durability, Fate, Mover, Refusal, Sink, Spool, SpoolObserver, SpoolOptions};
use palisade_runtime::{Clock, Health};
use palisade_store::{DecisionRecord, Store, StoreError};

use crate::config::{JournalConfig, Record};
use crate::error::ServerError;
use crate::metrics::Metrics;
use line::Line;

/// The condition that health tells of.
const CONDITION: &str = "journal";

/// The record of decisions on its way into the store.
#[derive(Debug)]
pub(crate) struct Journal {
    spool: Arc<Spool<Line>>,
    record: Record,
    metrics: Arc<Metrics>,
}

impl Journal {
    /// Opens the folder; what an earlier process left there waits for the mover.
    pub(crate) fn open(
        folder: PathBuf,
        config: &JournalConfig,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
    ) -> Result<Arc<Self>, ServerError> {
        let options = SpoolOptions { folder, max_bytes: config.max_bytes, durability: Durability::Process };
        let spool = Spool::open(options, Arc::new(Watch { metrics: metrics.clone(), health }))?;
        Ok(Arc::new(Self { spool, record: config.record, metrics }))
    }

    /// Whether a decision of this kind is kept.
    pub(crate) fn wants(&self, passing: bool) -> bool {
        self.record == Record::All || !passing
    }

    /// Writes a decision down. Returns when the system has it; what cannot be written is counted. Blocks for as long as
    /// a write does.
    pub(crate) fn record(&self, decision: &DecisionRecord) {
        // It was counted and told; the answer must not wait for it.
        let _ = self.spool.append(decision);
    }

    /// The task that brings decisions into `store`.
    pub(crate) fn mover(&self, store: Store, clock: Clock) -> Mover<Line, Decisions> {
        Mover::new(self.spool.clone(), Decisions { store, metrics: self.metrics.clone() }, clock)
    }
}

/// The store as a sink of decisions.
#[derive(Debug)]
pub(crate) struct Decisions {
    store: Store,
    metrics: Arc<Metrics>,
}

impl Sink<DecisionRecord> for Decisions {
    async fn store(&self, decisions: &[DecisionRecord]) -> Result<(), Refusal> {
        match self.metrics.time_store("append_decisions", self.store.append_decisions(decisions)).await {
            Ok(_) => Ok(()),
            Err(error @ StoreError::Database { .. }) => Err(Refusal::Never(error.into())),
            Err(error) => Err(Refusal::Later(error.into())),
        }
    }
}

/// Puts what becomes of decisions into metrics and health.
struct Watch {
    metrics: Arc<Metrics>,
    health: Arc<Health>,
}

impl SpoolObserver for Watch {
    fn counted(&self, fate: Fate, number: u64) {
        self.metrics.journalled(fate.as_str(), number);
    }

    fn pending(&self, bytes: u64) {
        self.metrics.journal_bytes.set(bytes.cast_signed());
    }

    fn lag(&self, seconds: f64) {
        self.metrics.journal_lag.set(seconds);
    }

    fn dropping(&self, why: &Dropped) {
        let reason = match why {
            Dropped::Full => "as much as `server.journal.max-bytes` permits waits for the store".to_owned(),
            why => why.to_string(),
        };
        self.health.degraded(CONDITION, format!("decisions are not recorded: {reason}"));
    }

    fn waiting(&self, why: &str) {
        self.health.degraded(CONDITION, format!("decisions wait on disk: {why}"));
    }

    fn well(&self) {
        self.health.holds(CONDITION);
    }
}

#[cfg(test)]
mod tests;
