//! Work on many items at once, its results in the order of the items.
//!
//! Threads of the standard library and no pool: a run does this a few times. Deliberately absent: whatever outlives the
//! call.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many threads to use: what was asked for, or one per core.
pub fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
}

/// Applies `work` to every item on `jobs` threads and returns the results in the order of the items.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    const BATCH: usize = 8;
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len().div_ceil(BATCH)));
    let worker = || {
        loop {
            let start = next.fetch_add(BATCH, Ordering::Relaxed);
            let Some(batch) = items.get(start..items.len().min(start.saturating_add(BATCH))).filter(|b| !b.is_empty())
            else {
                return;
            };
            let done: Vec<R> = batch.iter().map(&work).collect();
            results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((start, done));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.min(items.len().div_ceil(BATCH)) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_unstable_by_key(|(start, _)| *start);
    results.into_iter().flat_map(|(_, done)| done).collect()
}
