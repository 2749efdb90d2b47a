//! Segments on their way into the sink: in order, in batches, deleted when everything in them is stored.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::segments::{self, Batch};
use super::{Codec, Fate, Spool, SpoolError};
use crate::{Backoff, Clock, Failure, blocking};

/// Records that are stored at once.
const BATCH: usize = 500;
/// How long records gather before they are moved.
const GATHER: Duration = Duration::from_millis(500);
/// The pauses after the sink refused.
const RETRY: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));

/// Where records go in the end.
pub trait Sink<R>: Send + Sync {
    /// Stores records; those that it has already change nothing.
    fn store(&self, records: &[R]) -> impl Future<Output = Result<(), Refusal>> + Send;
}

/// Why a sink did not take records.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It may take them later.
    #[error(transparent)]
    Later(Failure),
    /// Something about the records is wrong, and will be.
    #[error(transparent)]
    Never(Failure),
}

/// The task that moves.
#[derive(Debug)]
pub struct Mover<C, S> {
    spool: Arc<Spool<C>>,
    sink: S,
    clock: Clock,
}

impl<C: Codec, S: Sink<C::Record>> Mover<C, S> {
    /// A mover from `spool` into `sink`.
    pub const fn new(spool: Arc<Spool<C>>, sink: S, clock: Clock) -> Self {
        Self { spool, sink, clock }
    }

    /// Moves until `stop`, then once more what is there, for at most `drain`.
    pub async fn run(self, stop: CancellationToken, drain: Duration) {
        let (mut retry, mut pause) = (RETRY, GATHER);
        loop {
            let stopping = tokio::select! {
                () = stop.cancelled() => true,
                () = self.spool.full.notified() => false,
                () = tokio::time::sleep(pause) => false,
            };
            if stopping {
                // What is not moved in time is moved after the next start.
                let _ = tokio::time::timeout(drain, self.pass()).await;
                return;
            }
            pause = match self.pass().await {
                Ok(()) => {
                    retry.succeeded();
                    GATHER
                }
                Err(error) => {
                    self.spool.observer.waiting(&error.to_string());
                    retry.failed()
                }
            };
        }
    }

    /// Moves every segment that there is.
    pub(super) async fn pass(&self) -> Result<(), Failure> {
        let spool = self.spool.clone();
        let segments = self.on_disk("reading", self.spool.folder(), move || spool.closed()).await?;
        for segment in segments {
            self.segment(&segment).await?;
        }
        self.spool.observer.lag(0.0);
        self.spool.is_well();
        Ok(())
    }

    async fn segment(&self, path: &Path) -> Result<(), Failure> {
        let observer = &self.spool.observer;
        let mut from = 0;
        loop {
            let file = path.to_owned();
            let read = move || segments::read::<C>(&file, from, BATCH);
            let Batch { records, next, unreadable, last } = self.on_disk("reading", path, read).await?;
            if let Some(first) = records.first() {
                observer.lag(self.clock.now().duration_since(C::time(first)).as_secs_f64().max(0.0));
                self.store(&records).await?;
            }
            observer.counted(Fate::Unreadable, unreadable);
            from = next;
            if last {
                break;
            }
        }
        let gone = path.to_owned();
        let size = self.on_disk("removing", path, move || segments::remove(&gone)).await?;
        self.spool.shrunk(size);
        Ok(())
    }

    /// Stores a batch; one that the sink finds wrong is stored record by record, so that one bad record does not hold up
    /// the others.
    async fn store(&self, records: &[C::Record]) -> Result<(), Failure> {
        let mut dropped = 0;
        match self.sink.store(records).await {
            Ok(()) => {}
            Err(Refusal::Later(error)) => return Err(error),
            Err(Refusal::Never(_)) => {
                for record in records {
                    match self.sink.store(std::slice::from_ref(record)).await {
                        Ok(()) => {}
                        Err(Refusal::Later(error)) => return Err(error),
                        Err(Refusal::Never(error)) => {
                            tracing::error!(record = C::id(record), %error, "a record cannot be stored");
                            dropped += 1;
                        }
                    }
                }
            }
        }
        self.spool.observer.counted(Fate::Dropped, dropped);
        self.spool.observer.counted(Fate::Stored, (records.len() as u64).saturating_sub(dropped));
        Ok(())
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        operation: &'static str,
        path: &Path,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let path = PathBuf::from(path);
        Ok(blocking("the spool", work).await?.map_err(|source| SpoolError { operation, path, source })?)
    }
}
