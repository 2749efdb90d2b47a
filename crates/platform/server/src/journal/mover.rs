//! Segments on their way into the store: in order, in batches, deleted when everything in them is stored.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use palisade_runtime::{Backoff, Clock, blocking};
use palisade_store::{DecisionRecord, Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::{CONDITION, Journal, line};
use crate::ServerError;

/// Decisions in one transaction.
const BATCH: usize = 500;
/// How long decisions gather before they are moved.
const GATHER: Duration = Duration::from_millis(500);
/// The pauses after the store refused.
const RETRY: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
/// A longer line is no record of ours.
const LINE: u64 = 16 << 20;

/// The task that moves.
#[derive(Debug)]
pub(crate) struct Mover {
    pub(crate) journal: Arc<Journal>,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
}

/// What a part of a segment holds.
struct Batch {
    decisions: Vec<DecisionRecord>,
    /// Where the next part starts.
    next: u64,
    unreadable: u64,
    /// Whether this was the last part.
    last: bool,
}

impl Mover {
    /// Moves until `stop`, then once more what is there, for at most `drain`.
    pub(crate) async fn run(self, stop: CancellationToken, drain: Duration) -> Result<(), ServerError> {
        let (mut retry, mut pause) = (RETRY, GATHER);
        loop {
            let stopping = tokio::select! {
                () = stop.cancelled() => true,
                () = self.journal.full.notified() => false,
                () = tokio::time::sleep(pause) => false,
            };
            if stopping {
                // What is not moved in time is moved after the next start.
                let _ = tokio::time::timeout(drain, self.pass()).await;
                return Ok(());
            }
            pause = match self.pass().await {
                Ok(()) => {
                    retry.succeeded();
                    GATHER
                }
                Err(error) => {
                    self.journal.health.degraded(CONDITION, format!("decisions wait on disk: {error}"));
                    retry.failed()
                }
            };
        }
    }

    /// Moves every segment that there is.
    async fn pass(&self) -> Result<(), ServerError> {
        let journal = self.journal.clone();
        let folder = journal.folder.clone();
        let segments = blocking("listing the journal", move || journal.closed())
            .await?
            .map_err(|error| ServerError::file("reading", &folder, error))?;
        for segment in segments {
            self.segment(&segment).await?;
        }
        self.journal.metrics.journal_lag.set(0.0);
        self.journal.is_well();
        Ok(())
    }

    async fn segment(&self, path: &Path) -> Result<(), ServerError> {
        let mut from = 0;
        loop {
            let batch = self.read(path.to_owned(), from).await?;
            if let Some(first) = batch.decisions.first() {
                let age = self.clock.now().duration_since(first.time).as_secs_f64().max(0.0);
                self.journal.metrics.journal_lag.set(age);
                self.append(&batch.decisions).await?;
            }
            self.journal.metrics.journalled("stored", batch.decisions.len() as u64);
            self.journal.metrics.journalled("unreadable", batch.unreadable);
            from = batch.next;
            if batch.last {
                break;
            }
        }
        let (gone, folder) = (path.to_owned(), path.to_owned());
        let size = blocking("removing a segment", move || remove(&gone))
            .await?
            .map_err(|error| ServerError::file("removing", folder, error))?;
        self.journal.grown(-i64::try_from(size).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Stores a batch; one that the database finds wrong is stored decision by decision, so that one bad record does not
    /// hold up the others.
    async fn append(&self, decisions: &[DecisionRecord]) -> Result<(), ServerError> {
        let metrics = &self.journal.metrics;
        let all = metrics.time_store("append_decisions", self.store.append_decisions(decisions)).await;
        match all {
            Ok(_) => Ok(()),
            Err(StoreError::Database { .. }) => {
                for decision in decisions {
                    match self.store.append_decisions(std::slice::from_ref(decision)).await {
                        Err(error @ StoreError::Database { .. }) => {
                            tracing::error!(decision = decision.id, %error, "a decision cannot be stored");
                            metrics.journalled("dropped", 1);
                        }
                        other => drop(other?),
                    }
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn read(&self, path: PathBuf, from: u64) -> Result<Batch, ServerError> {
        let name = path.clone();
        blocking("reading a segment", move || read(&path, from))
            .await?
            .map_err(|error| ServerError::file("reading", name, error))
    }
}

fn remove(path: &Path) -> io::Result<u64> {
    let size = path.metadata()?.len();
    fs::remove_file(path)?;
    Ok(size)
}

/// The part of a segment that starts at `from`. What is no record is counted and passed over.
fn read(path: &Path, from: u64) -> io::Result<Batch> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let mut batch = Batch { decisions: Vec::new(), next: from, unreadable: 0, last: false };
    let mut text = Vec::new();
    while batch.decisions.len() < BATCH {
        text.clear();
        let length = io::Read::take(&mut reader, LINE).read_until(b'\n', &mut text)?;
        if length == 0 {
            batch.last = true;
            break;
        }
        batch.next = batch.next.saturating_add(length as u64);
        match text.strip_suffix(b"\n").map(line::read) {
            Some(Ok(decision)) => batch.decisions.push(decision),
            _ => batch.unreadable += 1,
        }
    }
    Ok(batch)
}
