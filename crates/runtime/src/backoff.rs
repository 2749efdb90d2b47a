//! How long to wait after a failure: twice as long after each, up to a limit, and short again after a success.
//!
//! Deliberately absent: chance. Those who wait here are few, and a wait that can be told beforehand can be tested.

use std::time::Duration;

/// Pauses that double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Pauses from `first` to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// The pause after the failure with this number, counted from 1.
    #[must_use]
    pub fn after(&self, failures: u32) -> Duration {
        let doubled = 2_u32.checked_pow(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.longest)
    }

    /// Counts a failure; the pause after it.
    #[must_use]
    pub fn failed(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.after(self.failures)
    }

    /// Counts a success: the next pause is the first one again.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit_and_begin_anew() {
        let seconds = |pause: Duration| pause.as_secs();
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        assert_eq!([(); 4].map(|()| seconds(backoff.failed())), [1, 2, 4, 5]);
        backoff.succeeded();
        assert_eq!(seconds(backoff.failed()), 1);
        assert_eq!((seconds(backoff.after(0)), seconds(backoff.after(u32::MAX))), (1, 5));
    }
}
