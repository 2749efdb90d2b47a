//! What a rule may still spend: steps, and the patience of whoever waits for the answer.
//!
//! For engines that count in steps and hand one count through expressions, patterns and patches of a rule. Deliberately
//! absent: cost as Kubernetes counts it, which is CEL's own.

use std::cell::Cell;
use std::fmt;

use crate::environment::Stop;

/// After how many steps the one who waits is asked.
const BETWEEN_QUESTIONS: u64 = 4_096;

/// The steps that are left of a rule's budget.
pub struct Steps<'a> {
    left: Cell<u64>,
    /// At how many steps left the one who waits is asked next.
    ask_at: Cell<u64>,
    stop: Option<&'a dyn Stop>,
}

impl<'a> Steps<'a> {
    /// So many steps, until `stop` says otherwise.
    pub fn new(limit: u64, stop: Option<&'a dyn Stop>) -> Self {
        let ask_at = if stop.is_some() { limit.saturating_sub(BETWEEN_QUESTIONS) } else { 0 };
        Self { left: Cell::new(limit), ask_at: Cell::new(ask_at), stop }
    }

    /// Takes `count` steps; whether there were as many. Once there were not, there are none.
    pub fn take(&self, count: u64) -> bool {
        let left = self.left.get().checked_sub(count);
        self.left.set(left.unwrap_or_default());
        let Some(left) = left else { return false };
        if left < self.ask_at.get() {
            self.ask_at.set(left.saturating_sub(BETWEEN_QUESTIONS));
            if self.stop.is_some_and(Stop::is_requested) {
                self.left.set(0);
                return false;
            }
        }
        true
    }

    /// The steps that are left.
    pub fn left(&self) -> u64 {
        self.left.get()
    }
}

impl fmt::Debug for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn steps_end_at_the_limit_and_soon_after_a_stop() {
        let steps = Steps::new(10, None);
        assert!(steps.take(10) && !steps.take(1) && steps.left() == 0);
        let flag = AtomicBool::new(false);
        let steps = Steps::new(1_000_000, Some(&flag));
        assert!((0..10_000).all(|_| steps.take(1)));
        flag.store(true, Ordering::Relaxed);
        assert!((0..5_000).any(|_| !steps.take(1)));
        assert!(!steps.take(1));
    }
}
