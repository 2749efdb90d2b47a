//! A queue of things to look at: each stands in it once, changes go before rescans, and rescans are paced.
//!
//! What is added again while it is worked on comes again afterwards, so that the last state is always looked at, and never
//! by two workers at once. Its size is bounded by the number of different things. Deliberately absent: what the things are.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::Backoff;

/// How soon a thing is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// As part of a rescan: paced, after everything else.
    Rescan,
    /// As soon as possible.
    Now,
}

/// The queue.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Notify,
    /// The time between two things of a rescan.
    pace: Duration,
}

#[derive(Debug)]
struct State<T> {
    urgent: VecDeque<T>,
    rescan: VecDeque<T>,
    later: BTreeMap<(Instant, u64), T>,
    delayed: HashSet<T>,
    standing: HashMap<T, Standing>,
    failures: HashMap<T, u32>,
    next_rescan: Instant,
    /// Tells things apart that are due at the same moment.
    count: u64,
}

/// Where a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Waiting(Urgency),
    /// Somebody works on it, and it was added again meanwhile.
    Working(Option<Urgency>),
}

impl<T: Clone + Eq + Hash> Queue<T> {
    /// An empty queue that hands out at most `per_second` things of rescans.
    pub fn new(per_second: u32) -> Self {
        let state = State {
            urgent: VecDeque::new(),
            rescan: VecDeque::new(),
            later: BTreeMap::new(),
            delayed: HashSet::new(),
            standing: HashMap::new(),
            failures: HashMap::new(),
            next_rescan: Instant::now(),
            count: 0,
        };
        let pace = Duration::from_secs(1) / per_second.max(1);
        Self { state: Mutex::new(state), changed: Notify::new(), pace }
    }

    /// Adds a thing, or makes it more urgent.
    pub fn add(&self, thing: T, urgency: Urgency) {
        self.lock().add(thing, urgency);
        self.changed.notify_one();
    }

    /// Adds a thing that is not to be looked at before `delay` has passed, unless it is wanted sooner anyway.
    pub fn add_later(&self, thing: T, delay: Duration) {
        let mut state = self.lock();
        if matches!(state.standing.get(&thing), Some(Standing::Waiting(_))) || !state.delayed.insert(thing.clone()) {
            return;
        }
        state.count += 1;
        let due = (Instant::now() + delay, state.count);
        state.later.insert(due, thing);
        drop(state);
        self.changed.notify_one();
    }

    /// The next thing, once there is one. It is not handed out again before [`Queue::done`].
    pub async fn next(&self) -> T {
        loop {
            let changed = self.changed.notified();
            let until = {
                let mut state = self.lock();
                match state.take(Instant::now(), self.pace) {
                    Ok(thing) => {
                        // Whoever waits beside us may find another one.
                        self.changed.notify_one();
                        return thing;
                    }
                    Err(until) => until,
                }
            };
            match until {
                Some(until) => {
                    let _ = tokio::time::timeout_at(until, changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// The thing was looked at.
    pub fn done(&self, thing: &T) {
        self.lock().failures.remove(thing);
        self.finish(thing);
    }

    /// The thing could not be dealt with: it comes again after a pause that grows with each failure since it was last done.
    pub fn failed(&self, thing: &T, retry: Backoff) {
        let pause = {
            let mut state = self.lock();
            let failures = state.failures.entry(thing.clone()).or_default();
            *failures = failures.saturating_add(1);
            retry.after(*failures)
        };
        self.add_later(thing.clone(), pause);
        self.finish(thing);
    }

    fn finish(&self, thing: &T) {
        let mut state = self.lock();
        if let Some(Standing::Working(Some(urgency))) = state.standing.remove(thing) {
            state.add(thing.clone(), urgency);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// How many things wait, are delayed, or are worked on.
    pub fn backlog(&self) -> usize {
        let state = self.lock();
        state.standing.len() + state.delayed.iter().filter(|thing| !state.standing.contains_key(*thing)).count()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone + Eq + Hash> State<T> {
    fn add(&mut self, thing: T, urgency: Urgency) {
        match self.standing.get_mut(&thing) {
            Some(Standing::Working(again)) => {
                *again = (*again).max(Some(urgency));
                return;
            }
            Some(Standing::Waiting(before)) if *before >= urgency => return,
            _ => {}
        }
        self.standing.insert(thing.clone(), Standing::Waiting(urgency));
        match urgency {
            Urgency::Now => self.urgent.push_back(thing),
            Urgency::Rescan => self.rescan.push_back(thing),
        }
    }

    /// What is due, or when something will be.
    fn take(&mut self, now: Instant, pace: Duration) -> Result<T, Option<Instant>> {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let thing = entry.remove();
            self.delayed.remove(&thing);
            self.add(thing, Urgency::Now);
        }
        while let Some(thing) = self.urgent.pop_front() {
            if self.start(&thing, Urgency::Now) {
                return Ok(thing);
            }
        }
        while self.next_rescan <= now
            && let Some(thing) = self.rescan.pop_front()
        {
            if self.start(&thing, Urgency::Rescan) {
                // A burst after a pause is a tenth of a second's worth at most.
                let earliest = now.checked_sub(Duration::from_millis(100)).unwrap_or(now);
                self.next_rescan = self.next_rescan.max(earliest) + pace;
                return Ok(thing);
            }
        }
        let rescan = (!self.rescan.is_empty()).then_some(self.next_rescan);
        let later = self.later.keys().next().map(|(due, _)| *due);
        Err(rescan.into_iter().chain(later).min())
    }

    /// Whether the thing still stands in this line; a thing that was made more urgent left its old place behind.
    fn start(&mut self, thing: &T, line: Urgency) -> bool {
        let Some(standing) = self.standing.get_mut(thing) else { return false };
        let here = *standing == Standing::Waiting(line);
        if here {
            *standing = Standing::Working(None);
        }
        here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_thing_stands_once_and_changes_go_first() {
        let queue = Queue::new(1_000_000);
        for thing in ["a", "b", "a", "c"] {
            queue.add(thing, Urgency::Rescan);
        }
        queue.add("c", Urgency::Now);
        assert_eq!(queue.backlog(), 3);
        let mut seen = Vec::new();
        for _ in 0..3 {
            let thing = queue.next().await;
            queue.done(&thing);
            seen.push(thing);
        }
        assert_eq!((seen, queue.backlog()), (vec!["c", "a", "b"], 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_while_it_is_worked_on_comes_again_afterwards() {
        let queue = Queue::new(1_000_000);
        queue.add("a", Urgency::Now);
        assert_eq!(queue.next().await, "a");
        queue.add("a", Urgency::Now);
        queue.add("b", Urgency::Now);
        assert_eq!(queue.next().await, "b");
        queue.done(&"b");
        assert!(tokio::time::timeout(Duration::from_millis(20), queue.next()).await.is_err());
        queue.done(&"a");
        assert_eq!(queue.next().await, "a");
    }

    #[tokio::test(start_paused = true)]
    async fn delays_and_paces_hold() {
        let queue = Queue::new(50);
        let start = Instant::now();
        queue.add_later("late", Duration::from_millis(80));
        for thing in ["a", "b", "c"] {
            queue.add(thing, Urgency::Rescan);
        }
        for expected in ["a", "b", "c"] {
            assert_eq!(queue.next().await, expected);
        }
        assert!(start.elapsed() >= Duration::from_millis(40), "{:?}", start.elapsed());
        assert_eq!(queue.next().await, "late");
        assert!(start.elapsed() >= Duration::from_millis(80));
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_comes_again_later_each_time_until_it_is_done() {
        let (queue, start) = (Queue::new(1_000_000), Instant::now());
        let retry = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
        queue.add("a", Urgency::Now);
        let mut seen = Vec::new();
        for _ in 0..3 {
            let thing = queue.next().await;
            seen.push(start.elapsed().as_secs());
            queue.failed(&thing, retry);
        }
        assert_eq!(seen, [0, 1, 3]);
        let thing = queue.next().await;
        queue.done(&thing);
        assert_eq!(queue.backlog(), 0);
        let again = Instant::now();
        queue.add("a", Urgency::Now);
        queue.failed(&queue.next().await, retry);
        queue.next().await;
        assert_eq!(again.elapsed().as_secs(), 1, "a success makes the next pause short");
    }
}
