//! Decisions on disk before they are answered, and from there into the store.
//!
//! A decision is appended to a segment file with one `write` before its answer leaves, so that SIGKILL loses none that
//! was answered. [`mover`] brings segments into the store and deletes them; records carry identifiers, so that a segment
//! which is moved twice is stored once. A full disk, or a store that is away for long, never keeps admission from
//! answering: what cannot be kept is counted. Deliberately absent: an `fsync` per decision. A crash of the machine may
//! lose the last moment's records, as it may lose the API server's audit log.

mod line;
mod mover;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use palisade_runtime::Health;
use palisade_store::DecisionRecord;
use tokio::sync::Notify;

use crate::config::{JournalConfig, Record};
use crate::error::ServerError;
use crate::metrics::Metrics;

pub(crate) use mover::Mover;

/// A segment of this size is closed, in bytes.
const SEGMENT: u64 = 4 << 20;
/// How the files end.
const EXTENSION: &str = "jsonl";
/// How long after a decision was dropped health tells of it.
const TOLD: Duration = Duration::from_mins(1);
/// The condition that health tells of.
const CONDITION: &str = "journal";

/// The record of decisions on its way into the store.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    config: JournalConfig,
    open: Mutex<Open>,
    /// Bytes of all segments.
    pending: AtomicU64,
    /// When a decision could not be kept last.
    dropped_at: Mutex<Option<Instant>>,
    /// Rings when a segment is full.
    full: Notify,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
}

/// The segment that is written now.
#[derive(Debug)]
struct Open {
    number: u64,
    file: Option<File>,
    size: u64,
}

impl Journal {
    /// Opens the folder; segments of an earlier process stay for the [`Mover`].
    pub(crate) fn open(
        folder: PathBuf,
        config: JournalConfig,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
    ) -> Result<Arc<Self>, ServerError> {
        fs::create_dir_all(&folder).map_err(|error| ServerError::file("creating", &folder, error))?;
        let found = segments(&folder).map_err(|error| ServerError::file("reading", &folder, error))?;
        let number = found.last().map_or(0, |(number, _)| number + 1);
        let pending = found.iter().filter_map(|(_, path)| path.metadata().ok()).map(|data| data.len()).sum::<u64>();
        metrics.journal_bytes.set(pending.cast_signed());
        health.holds(CONDITION);
        Ok(Arc::new(Self {
            folder,
            config,
            open: Mutex::new(Open { number, file: None, size: 0 }),
            pending: AtomicU64::new(pending),
            dropped_at: Mutex::default(),
            full: Notify::new(),
            metrics,
            health,
        }))
    }

    /// Whether a decision of this kind is kept.
    pub(crate) fn wants(&self, passing: bool) -> bool {
        self.config.record == Record::All || !passing
    }

    /// Writes a decision down. Returns when the system has it; what cannot be written is counted. Blocks for as long as
    /// a write does.
    pub(crate) fn record(&self, decision: &DecisionRecord) {
        let Ok(line) = line::write(decision) else { return self.dropped(1, "a decision could not be written as JSON") };
        let length = line.len() as u64;
        if self.pending.load(Ordering::Relaxed).saturating_add(length) > self.config.max_bytes {
            return self.dropped(1, "as much as `server.journal.max-bytes` permits waits for the store");
        }
        match self.append(&line) {
            Ok(()) => {
                self.grown(length.cast_signed());
                self.metrics.journalled("written", 1);
            }
            Err(error) => self.dropped(1, &error.to_string()),
        }
    }

    fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = &mut *open;
        let file = match &mut open.file {
            Some(file) => file,
            none => {
                let path = self.path(open.number);
                open.size = 0;
                none.insert(OpenOptions::new().append(true).create_new(true).open(path)?)
            }
        };
        if let Err(error) = file.write_all(line) {
            // Half a line may be there; what follows must not be joined to it.
            if file.set_len(open.size).is_err() {
                open.close();
            }
            return Err(error);
        }
        open.size = open.size.saturating_add(line.len() as u64);
        if open.size >= SEGMENT {
            open.close();
            self.full.notify_one();
        }
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:020}.{EXTENSION}"))
    }

    /// Closes the segment that is written now and lists all closed ones, the oldest first.
    fn closed(&self) -> io::Result<Vec<PathBuf>> {
        let current = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.close();
            open.number
        };
        Ok(segments(&self.folder)?.into_iter().filter(|(number, _)| *number < current).map(|(_, path)| path).collect())
    }

    fn grown(&self, by: i64) {
        let before = if by < 0 {
            let less = |pending: u64| Some(pending.saturating_sub(by.unsigned_abs()));
            self.pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_default()
        } else {
            self.pending.fetch_add(by.unsigned_abs(), Ordering::Relaxed)
        };
        self.metrics.journal_bytes.set((before.cast_signed()).saturating_add(by).max(0));
    }

    /// All is well again, unless something was dropped a moment ago.
    fn is_well(&self) {
        let dropped_at = *self.dropped_at.lock().unwrap_or_else(PoisonError::into_inner);
        if dropped_at.is_none_or(|at| at.elapsed() > TOLD) {
            self.health.holds(CONDITION);
        }
    }

    fn dropped(&self, number: u64, why: &str) {
        self.metrics.journalled("dropped", number);
        *self.dropped_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.health.degraded(CONDITION, format!("decisions are not recorded: {why}"));
    }
}

impl Open {
    fn close(&mut self) {
        if self.file.take().is_some() {
            self.number += 1;
        }
    }
}

/// The segments of a folder by number.
fn segments(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
        if let Some(number) = number.filter(|_| path.extension().is_some_and(|extension| extension == EXTENSION)) {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests;
