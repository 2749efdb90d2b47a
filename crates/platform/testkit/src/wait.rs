//! Waiting for a condition with a deadline, in place of sleeping and hoping.

use std::time::{Duration, Instant};

use crate::failure::fail;

const PAUSE: Duration = Duration::from_millis(25);

/// Calls `probe` until it returns a value, and returns that.
///
/// # Panics
/// When `limit` has passed first.
#[track_caller]
pub fn wait_for<T>(limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    match poll(limit, &mut probe) {
        Some(value) => value,
        None => fail(&format!("not so within {limit:?}")),
    }
}

/// [`wait_for`] that returns nothing when time is up.
pub(crate) fn poll<T>(limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = probe() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}
