//! How often somebody may fail to prove who he is.
//!
//! Failures are counted per minute: by address, so that nobody tries many secrets, and by the secret's fingerprint, so
//! that nobody tries one from many addresses. The table is bounded; the oldest counts make room. Each replica counts
//! for itself. Deliberately absent: limits on requests that succeed, which are the API's.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::refusal::Refusal;

const WINDOW: Duration = Duration::from_mins(1);
/// Counts at once, a few hundred kilobytes.
const MAX_COUNTS: usize = 8192;

/// What failures are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Suspect {
    /// An IPv4 address, or the /64 network of an IPv6 address, which one household or host has to itself.
    Address(IpAddr),
    /// The fingerprint of a secret.
    Secret(String),
}

impl From<IpAddr> for Suspect {
    fn from(address: IpAddr) -> Self {
        Self::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        })
    }
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "address:{address}"),
            Self::Secret(fingerprint) => write!(f, "secret:{fingerprint}"),
        }
    }
}

#[derive(Debug)]
struct Count {
    since: Instant,
    failures: u32,
}

/// The counts.
#[derive(Debug)]
pub(super) struct Throttle {
    limit: u32,
    counts: Mutex<HashMap<Suspect, Count>>,
}

impl Throttle {
    /// Lets `limit` failures a minute pass.
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, counts: Mutex::default() }
    }

    /// Refuses while one of `suspects` has failed too often.
    pub(super) fn check(&self, suspects: &[Suspect], now: Instant) -> Result<(), Refusal> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = suspects.iter().filter_map(|suspect| {
            let count = counts.get(suspect).filter(|count| count.failures >= self.limit)?;
            WINDOW.checked_sub(now.saturating_duration_since(count.since))
        });
        waits.max().map_or(Ok(()), |wait| Err(Refusal::Throttled(wait.as_secs() + 1)))
    }

    /// Counts a failure of each.
    pub(super) fn failed(&self, suspects: &[Suspect], now: Instant) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for suspect in suspects {
            if counts.len() >= MAX_COUNTS && !counts.contains_key(suspect) {
                make_room(&mut counts, now);
            }
            let count = counts.entry(suspect.clone()).or_insert(Count { since: now, failures: 0 });
            if now.saturating_duration_since(count.since) >= WINDOW {
                *count = Count { since: now, failures: 0 };
            }
            count.failures = count.failures.saturating_add(1);
        }
    }
}

/// Drops what has expired, or else the older half, so that this runs once in thousands of failures.
fn make_room(counts: &mut HashMap<Suspect, Count>, now: Instant) {
    counts.retain(|_, count| now.saturating_duration_since(count.since) < WINDOW);
    if counts.len() >= MAX_COUNTS {
        let mut ages: Vec<_> = counts.values().map(|count| count.since).collect();
        let (_, median, _) = ages.select_nth_unstable(MAX_COUNTS / 2);
        let median = *median;
        counts.retain(|_, count| count.since > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Suspect {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn who_fails_too_often_waits_for_the_rest_of_the_minute() {
        let (throttle, start) = (Throttle::new(3), Instant::now());
        let suspects = [address("192.0.2.1"), Suspect::Secret("00000000".into())];
        for _ in 0..3 {
            throttle.check(&suspects, start).unwrap();
            throttle.failed(&suspects, start);
        }
        let later = start + Duration::from_secs(20);
        assert!(matches!(throttle.check(&suspects[..1], later), Err(Refusal::Throttled(41))));
        assert!(throttle.check(&suspects[1..], later).is_err());
        assert!(throttle.check(&[address("192.0.2.2")], later).is_ok());
        assert!(throttle.check(&suspects, start + Duration::from_secs(61)).is_ok());
    }

    #[test]
    fn an_ipv6_network_is_one_suspect() {
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
    }

    #[test]
    fn the_table_stays_bounded() {
        let (throttle, start) = (Throttle::new(1), Instant::now());
        for number in 0..3 * MAX_COUNTS as u32 {
            let suspect = Suspect::Address(IpAddr::V4(number.into()));
            throttle.failed(&[suspect], start + Duration::from_micros(number.into()));
        }
        assert!(throttle.counts.lock().unwrap().len() <= MAX_COUNTS);
    }
}
