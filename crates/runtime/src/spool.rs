//! Records on disk before they are acknowledged, and from there into a sink.
//!
//! A record is a line that is appended to a segment file with one `write` before [`Spool::append`] returns, so that
//! SIGKILL loses none that was acknowledged; with [`Durability::Machine`] it is synced before that too, many of them with
//! one sync, so that the loss of power loses none either. [`Mover`] brings segments into the sink and deletes them; records
//! carry identifiers, so that a segment which is moved twice is stored once. A full disk, or a sink that is away for long,
//! never keeps who appends waiting: what cannot be kept is counted. Deliberately absent: reading records back for any other
//! purpose.

mod mover;
mod segments;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::Failure;
use crate::files::sync_folder_of;
pub use mover::{Mover, Refusal, Sink};

/// A segment of this size is closed, in bytes.
const SEGMENT: u64 = 4 << 20;
/// A longer line is no record.
const LINE: u64 = 16 << 20;
/// How long after a record was dropped it is told.
const TOLD: Duration = Duration::from_mins(1);

/// How records are written. One type for each kind of record, which stays readable from version to version.
pub trait Codec: Send + Sync + 'static {
    /// What is spooled.
    type Record: Send + Sync + 'static;

    /// Appends the record to `line`, without a line break.
    fn write(record: &Self::Record, line: &mut Vec<u8>) -> Result<(), Failure>;

    /// The record of a line.
    fn read(line: &[u8]) -> Result<Self::Record, Failure>;

    /// By what the log names a record.
    fn id(record: &Self::Record) -> &str;

    /// When it came to be.
    fn time(record: &Self::Record) -> Timestamp;
}

/// What an acknowledged record survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process. A crash of the machine may lose the last moment's records.
    Process,
    /// A crash of the machine too.
    Machine,
}

/// Where and how much is spooled.
#[derive(Clone, Debug)]
pub struct SpoolOptions {
    /// The folder of the segments; made where there is none.
    pub folder: PathBuf,
    /// The most that waits on disk, in bytes.
    pub max_bytes: u64,
    /// What an acknowledged record survives.
    pub durability: Durability,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on disk.
    Written,
    /// The sink has it.
    Stored,
    /// It was not kept.
    Dropped,
    /// A line that is no record was passed over.
    Unreadable,
}

impl Fate {
    /// As metrics write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Stored => "stored",
            Self::Dropped => "dropped",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Why a record was not kept.
#[derive(Debug, thiserror::Error)]
pub enum Dropped {
    /// As much waits on disk as is permitted.
    #[error("as much as is permitted waits on disk")]
    Full,
    /// The record has no written form.
    #[error("it cannot be written down: {0}")]
    Unwritable(Failure),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// A failed operation on the files of a spool.
#[derive(Debug, thiserror::Error)]
#[error("{operation} `{}`: {source}", path.display())]
pub struct SpoolError {
    /// What was tried.
    pub operation: &'static str,
    /// On what.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Who counts and tells what becomes of records.
pub trait SpoolObserver: Send + Sync {
    /// So many records met this fate.
    fn counted(&self, fate: Fate, number: u64);

    /// So many bytes wait on disk.
    fn pending(&self, bytes: u64);

    /// The oldest record that waits is so old, in seconds.
    fn lag(&self, seconds: f64);

    /// A record was not kept.
    fn dropping(&self, why: &Dropped);

    /// Records stay on disk because the sink refuses.
    fn waiting(&self, why: &str);

    /// Nothing is dropped and nothing waits.
    fn well(&self);
}

/// Records on their way into a sink.
pub struct Spool<C> {
    options: SpoolOptions,
    open: Mutex<Open>,
    /// The segment that was synced last, and up to where.
    synced: Mutex<(u64, u64)>,
    /// Bytes of all segments.
    pending: AtomicU64,
    /// When a record could not be kept last.
    dropped_at: Mutex<Option<Instant>>,
    /// Rings when a segment is full.
    full: Notify,
    observer: Arc<dyn SpoolObserver>,
    codec: PhantomData<fn() -> C>,
}

/// The segment that is written now.
#[derive(Debug)]
struct Open {
    number: u64,
    file: Option<Arc<File>>,
    size: u64,
}

/// Where a record ends.
#[derive(Debug)]
struct Place {
    file: Arc<File>,
    number: u64,
    end: u64,
}

impl<C> std::fmt::Debug for Spool<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("options", &self.options).field("open", &self.open).finish_non_exhaustive()
    }
}

impl<C: Codec> Spool<C> {
    /// Opens the folder; segments of an earlier process stay for the [`Mover`].
    pub fn open(options: SpoolOptions, observer: Arc<dyn SpoolObserver>) -> Result<Arc<Self>, SpoolError> {
        let folder = &options.folder;
        let failed = |operation| move |source| SpoolError { operation, path: folder.clone(), source };
        fs::create_dir_all(folder).map_err(failed("creating"))?;
        let found = segments::list(folder).map_err(failed("reading"))?;
        let number = found.last().map_or(0, |(number, _)| number + 1);
        let pending = found.iter().filter_map(|(_, path)| path.metadata().ok()).map(|data| data.len()).sum::<u64>();
        observer.pending(pending);
        observer.well();
        Ok(Arc::new(Self {
            options,
            open: Mutex::new(Open { number, file: None, size: 0 }),
            synced: Mutex::default(),
            pending: AtomicU64::new(pending),
            dropped_at: Mutex::default(),
            full: Notify::new(),
            observer,
            codec: PhantomData,
        }))
    }

    /// Writes a record down. Returns when it will survive what the spool is to survive; what cannot be written is counted.
    /// Blocks for as long as a write does.
    pub fn append(&self, record: &C::Record) -> Result<(), Dropped> {
        match self.keep(record) {
            Ok(_) => {
                self.observer.counted(Fate::Written, 1);
                Ok(())
            }
            Err(why) => {
                self.observer.counted(Fate::Dropped, 1);
                *lock(&self.dropped_at) = Some(Instant::now());
                self.observer.dropping(&why);
                Err(why)
            }
        }
    }

    fn keep(&self, record: &C::Record) -> Result<Place, Dropped> {
        let mut line = Vec::with_capacity(512);
        C::write(record, &mut line).map_err(Dropped::Unwritable)?;
        if line.contains(&b'\n') || line.len() as u64 >= LINE {
            return Err(Dropped::Unwritable("it has a line break or is too long".into()));
        }
        line.push(b'\n');
        let length = line.len() as u64;
        let room = |pending: u64| pending.checked_add(length).filter(|pending| *pending <= self.options.max_bytes);
        let before =
            self.pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).map_err(|_| Dropped::Full)?;
        let place = self.write(&line).inspect_err(|_| self.shrunk(length))?;
        self.observer.pending(before.saturating_add(length));
        if self.options.durability == Durability::Machine {
            self.sync(&place)?;
        }
        Ok(place)
    }

    fn write(&self, line: &[u8]) -> io::Result<Place> {
        let mut open = lock(&self.open);
        let open = &mut *open;
        let file = match &open.file {
            Some(file) => file.clone(),
            None => self.begin(open)?,
        };
        if let Err(error) = (&*file).write_all(line) {
            // Half a line may be there; what follows must not be joined to it.
            if file.set_len(open.size).is_err() {
                open.close();
            }
            return Err(error);
        }
        open.size = open.size.saturating_add(line.len() as u64);
        let place = Place { file, number: open.number, end: open.size };
        if open.size >= SEGMENT {
            open.close();
            self.full.notify_one();
        }
        Ok(place)
    }

    fn begin(&self, open: &mut Open) -> io::Result<Arc<File>> {
        let path = segments::path(&self.options.folder, open.number);
        let file = Arc::new(OpenOptions::new().append(true).create_new(true).open(&path)?);
        (open.size, open.file) = (0, Some(file.clone()));
        if self.options.durability == Durability::Machine {
            sync_folder_of(&path)?;
        }
        Ok(file)
    }

    /// Syncs what was written up to a place, unless somebody has meanwhile: who waits for a sync finds it done.
    fn sync(&self, place: &Place) -> io::Result<()> {
        let mut synced = lock(&self.synced);
        if synced.0 == place.number && synced.1 >= place.end {
            return Ok(());
        }
        let written = {
            let open = lock(&self.open);
            if open.number == place.number { open.size } else { place.end }
        };
        if let Err(error) = place.file.sync_data() {
            // What the system has of the file is not known any more, so nothing further is trusted to it.
            let mut open = lock(&self.open);
            if open.number == place.number {
                open.close();
            }
            return Err(error);
        }
        *synced = (place.number, written);
        Ok(())
    }

    /// Closes the segment that is written now and lists all closed ones, the oldest first.
    fn closed(&self) -> io::Result<Vec<PathBuf>> {
        let current = {
            let mut open = lock(&self.open);
            open.close();
            open.number
        };
        let found = segments::list(&self.options.folder)?;
        Ok(found.into_iter().filter(|(number, _)| *number < current).map(|(_, path)| path).collect())
    }

    fn shrunk(&self, by: u64) {
        let less = |pending: u64| Some(pending.saturating_sub(by));
        let before = self.pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_default();
        self.observer.pending(before.saturating_sub(by));
    }

    /// All is well again, unless something was dropped a moment ago.
    fn is_well(&self) {
        if lock(&self.dropped_at).is_none_or(|at| at.elapsed() > TOLD) {
            self.observer.well();
        }
    }

    fn folder(&self) -> &Path {
        &self.options.folder
    }
}

impl Open {
    fn close(&mut self) {
        if self.file.take().is_some() {
            self.number += 1;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
