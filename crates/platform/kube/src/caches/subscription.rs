//! Changes for those who act on them.
//!
//! A subscription holds at most one pending change for each object: whoever is slow sees the newest state, and memory is
//! bounded by the objects themselves. Deliberately absent: the states in between.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use palisade_model::{GroupVersionKind, Str, Value};
use tokio::sync::Notify;

use super::Caches;
use crate::Kind;

/// Namespace (empty for cluster-scoped objects) and name.
pub(super) type Key = (Str, Str);

/// What happened to an object.
#[derive(Clone, Debug)]
pub enum Event {
    /// It exists like this: it was there when the subscription began, was created or changed.
    Applied(Value),
    /// It is gone; this is how it looked last.
    Deleted(Value),
}

/// A change of an object.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its kind.
    pub kind: Arc<Kind>,
    /// Its namespace; empty for cluster-scoped objects.
    pub namespace: Str,
    /// Its name.
    pub name: Str,
    /// What happened.
    pub event: Event,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    pending: Mutex<Pending>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    order: VecDeque<(GroupVersionKind, Key)>,
    changes: HashMap<(GroupVersionKind, Key), Change>,
}

impl Queue {
    pub(super) fn push(&self, kind: &Arc<Kind>, key: &Key, event: Event) {
        let of = (kind.gvk.clone(), key.clone());
        let change = Change { kind: kind.clone(), namespace: key.0.clone(), name: key.1.clone(), event };
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.changes.insert(of.clone(), change).is_none() {
            pending.order.push_back(of);
        }
        drop(pending);
        self.filled.notify_one();
    }

    pub(super) fn pop(&self) -> Option<Change> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let of = pending.order.pop_front()?;
        pending.changes.remove(&of)
    }

    fn forget(&self, gvk: &GroupVersionKind) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.order.retain(|(of, _)| of != gvk);
        pending.changes.retain(|(of, _), _| of != gvk);
    }
}

/// The changes of some kinds. Dropping it ends the watches that nobody else needs, some time later.
#[derive(Debug)]
pub struct Subscription {
    caches: Caches,
    queue: Arc<Queue>,
    kinds: Vec<Arc<Kind>>,
}

impl Subscription {
    pub(super) fn new(caches: Caches) -> Self {
        Self { caches, queue: Arc::default(), kinds: Vec::new() }
    }

    /// Follows exactly these kinds from now on. Everything that exists of an added kind arrives as [`Event::Applied`].
    pub fn follow(&mut self, kinds: &[Arc<Kind>]) {
        let same = |a: &Arc<Kind>, b: &Arc<Kind>| a.gvk == b.gvk;
        let (kept, dropped): (Vec<_>, Vec<_>) =
            self.kinds.drain(..).partition(|old| kinds.iter().any(|kind| same(old, kind)));
        for kind in dropped {
            self.caches.shared.open(&kind).unfollow(&self.queue);
            self.queue.forget(&kind.gvk);
        }
        self.kinds = kept;
        for kind in kinds {
            if !self.kinds.iter().any(|known| same(known, kind)) {
                self.caches.shared.open(kind).follow(&self.queue);
                self.kinds.push(kind.clone());
            }
        }
    }

    /// The kinds that are followed.
    pub fn kinds(&self) -> &[Arc<Kind>] {
        &self.kinds
    }

    /// Whether the first list of every followed kind is complete.
    pub fn is_synced(&self) -> bool {
        self.kinds.iter().all(|kind| self.caches.shared.open(kind).is_synced())
    }

    /// The next change; waits for one. Nothing is lost when the future is dropped.
    pub async fn next(&self) -> Change {
        loop {
            if let Some(change) = self.queue.pop() {
                return change;
            }
            self.queue.filled.notified().await;
        }
    }

    /// The next change, where one is waiting.
    pub fn try_next(&self) -> Option<Change> {
        self.queue.pop()
    }
}
