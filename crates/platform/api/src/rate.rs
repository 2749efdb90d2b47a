//! How often somebody may ask: a token bucket per caller, and per address for those who need not say who they are, in
//! bounded memory. Each replica counts for itself. Deliberately absent: limits on failed
//! proofs, which are the guard's.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::problem::{Code, Problem};

/// The most callers that are told apart. Past it the ones that have been quiet longest are forgotten, which gives them
/// full buckets.
const CALLERS: usize = 10_000;
/// How many seconds' worth of requests a caller may send at once.
const BURST_SECONDS: u32 = 2;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The buckets of all callers.
#[derive(Debug)]
pub struct Rates {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    seen: Instant,
}

/// What a caller may still do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Allowance {
    /// Seconds to wait; none where the request may go on.
    wait: Option<u64>,
    left: u64,
    burst: u64,
    window: u64,
}

impl Rates {
    /// Buckets that fill by so many requests a second.
    pub fn new(per_second: u32) -> Self {
        let burst = per_second.saturating_mul(BURST_SECONDS);
        Self { per_second: f64::from(per_second), burst: f64::from(burst), buckets: Mutex::default() }
    }

    /// Takes one request out of the caller's bucket.
    pub(crate) fn take(&self, caller: &str) -> Allowance {
        self.take_at(caller, Instant::now())
    }

    fn take_at(&self, caller: &str, now: Instant) -> Allowance {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CALLERS && !buckets.contains_key(caller) {
            self.forget(&mut buckets, now);
        }
        let full = Bucket { left: self.burst, seen: now };
        let bucket = buckets.entry(caller.to_owned()).or_insert(full);
        let filled = bucket.left + now.saturating_duration_since(bucket.seen).as_secs_f64() * self.per_second;
        *bucket = Bucket { left: filled.min(self.burst), seen: now };
        let wait = (bucket.left < 1.0).then(|| ((1.0 - bucket.left) / self.per_second).ceil().max(1.0) as u64);
        if wait.is_none() {
            bucket.left -= 1.0;
        }
        Allowance { wait, left: bucket.left as u64, burst: self.burst as u64, window: u64::from(BURST_SECONDS) }
    }

    /// Makes room: callers with full buckets lose nothing by being forgotten, then goes whoever was quiet longest.
    fn forget(&self, buckets: &mut HashMap<String, Bucket>, now: Instant) {
        buckets.retain(|_, bucket| {
            bucket.left + now.saturating_duration_since(bucket.seen).as_secs_f64() * self.per_second < self.burst
        });
        if buckets.len() >= CALLERS {
            let oldest = buckets.iter().min_by_key(|(_, bucket)| bucket.seen).map(|(caller, _)| caller.clone());
            oldest.map(|caller| buckets.remove(&caller));
        }
    }
}

impl Allowance {
    /// Refuses the request where the caller has to wait.
    pub(crate) fn spend(&self) -> Result<(), Problem> {
        let Some(seconds) = self.wait else { return Ok(()) };
        let detail = format!("you sent too many requests; wait {seconds} seconds");
        Err(Problem::new(Code::Throttled, detail).retry_after(seconds))
    }

    /// Writes what is left into the headers of the answer.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let policy = format!("\"caller\";q={};w={}", self.burst, self.window);
        let limit = format!("\"caller\";r={};t={}", self.left, self.wait.unwrap_or(self.window));
        for (name, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, limit)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again_and_others_have_their_own() {
        let rates = Rates::new(2);
        let start = Instant::now();
        let waits: Vec<_> = (0..5).map(|_| rates.take_at("a", start).wait).collect();
        assert_eq!(waits, [None, None, None, None, Some(1)]);
        assert_eq!(rates.take_at("b", start).wait, None);
        assert_eq!(rates.take_at("a", start + Duration::from_millis(600)).wait, None);
    }

    #[test]
    fn memory_is_bounded_and_the_one_who_is_throttled_stays_throttled() {
        let rates = Rates::new(1);
        let start = Instant::now();
        let later = start + Duration::from_secs(1);
        for caller in 0..CALLERS + 50 {
            rates.take_at(&caller.to_string(), start);
        }
        for _ in 0..5 {
            rates.take_at("busy", later);
        }
        rates.take_at("another", later);
        assert!(rates.buckets.lock().unwrap().len() <= CALLERS);
        assert!(rates.take_at("busy", later).wait.is_some());
    }
}
