//! The feed of changes: one task reads them from the store, every subscriber hears of them.
//!
//! Subscribers are bounded, in all and per caller. A subscriber that reads too slowly falls back to reading from the
//! store, one that does not read at all is let go; memory is bounded either way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use palisade_store::{Change, Store, StoreError};
use tokio::sync::{OnceCell, broadcast};
use tokio_util::sync::CancellationToken;

/// How often the store is asked.
const ASK: Duration = Duration::from_millis(250);
/// Changes that are read at once at most.
pub(super) const BATCH: u32 = 500;
/// Batches that a subscriber may be behind before it reads from the store.
const BEHIND: usize = 64;
/// Subscribers in all.
const SUBSCRIBERS: usize = 1000;
/// Subscribers of one caller.
const PER_CALLER: usize = 50;

/// Changes that were read together.
#[derive(Debug)]
pub(super) struct Batch {
    /// The number of the last change before them.
    pub(super) after: i64,
    /// In order.
    pub(super) changes: Vec<Change>,
}

/// The feed.
#[derive(Debug)]
pub(super) struct Feed {
    store: Store,
    sender: broadcast::Sender<Arc<Batch>>,
    started: OnceCell<()>,
    stop: CancellationToken,
    places: Places,
}

/// How many places each caller has taken.
#[derive(Clone, Debug, Default)]
struct Places(Arc<Mutex<HashMap<String, usize>>>);

/// The place of a subscriber; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    caller: String,
    places: Places,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = places.get_mut(&self.caller) {
            *taken -= 1;
            if *taken == 0 {
                places.remove(&self.caller);
            }
        }
    }
}

impl Feed {
    /// The feed of `store` until `stop`; nothing is read before somebody subscribes.
    pub(super) fn new(store: Store, stop: CancellationToken) -> Self {
        let (sender, started) = (broadcast::Sender::new(BEHIND), OnceCell::new());
        Self { store, sender, started, stop, places: Places::default() }
    }

    /// A place for a subscriber, if one is free.
    pub(super) fn place(&self, caller: &str) -> Option<Place> {
        self.places.take(caller)
    }

    /// Changes from now on. What came before the call is in the store.
    pub(super) async fn subscribe(&self) -> Result<broadcast::Receiver<Arc<Batch>>, StoreError> {
        self.started
            .get_or_try_init(async || {
                let last = self.store.last_change().await?;
                let (store, sender, stop) = (self.store.clone(), self.sender.clone(), self.stop.clone());
                tokio::spawn(async move { stop.run_until_cancelled(read(store, sender, last)).await });
                Ok(())
            })
            .await?;
        Ok(self.sender.subscribe())
    }
}

impl Places {
    fn take(&self, caller: &str) -> Option<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = places.values().sum();
        let own = places.get(caller).copied().unwrap_or_default();
        if all >= SUBSCRIBERS || own >= PER_CALLER {
            return None;
        }
        places.insert(caller.to_owned(), own + 1);
        Some(Place { caller: caller.to_owned(), places: self.clone() })
    }
}

/// Reads changes as they come and tells all subscribers. Where the store is away it asks again.
async fn read(store: Store, sender: broadcast::Sender<Arc<Batch>>, mut last: i64) {
    loop {
        match store.changes_after(last, BATCH).await {
            Ok(changes) => {
                let full = changes.len() >= BATCH as usize;
                if let Some(newest) = changes.last() {
                    let batch = Batch { after: last, changes: Vec::new() };
                    last = newest.id;
                    // Nobody may be listening.
                    let _ = sender.send(Arc::new(Batch { changes, ..batch }));
                }
                if full {
                    continue;
                }
            }
            Err(error) => tracing::debug!(%error, "the feed of changes cannot be read"),
        }
        tokio::time::sleep(ASK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_per_caller_and_in_all_and_come_free_again() {
        let places = Places::default();
        let take = |caller: usize| places.take(&caller.to_string());
        let mut taken: Vec<_> = (0..SUBSCRIBERS).map(|place| take(place / PER_CALLER).unwrap()).collect();
        assert!(take(SUBSCRIBERS).is_none(), "all places are taken");
        taken.pop();
        assert!(take(0).is_none(), "there is a place, and this caller has its share");
        let last = take(SUBSCRIBERS).unwrap();
        assert!(take(SUBSCRIBERS).is_none());
        drop((last, taken));
        assert!(places.0.lock().unwrap().is_empty(), "nothing is left behind");
    }
}
