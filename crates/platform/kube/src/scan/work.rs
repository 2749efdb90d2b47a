//! The workers of the scan: take an object from the queue, see whether it is to be judged, judge it, tell.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use palisade_model::GroupVersionKind;
use palisade_runtime::{Backoff, Queue};
use tokio_util::sync::CancellationToken;

use super::Scanner;
use super::judging::{self, Basis, Candidate};
use super::state::Judged;
use crate::controller::{Failure, ObjectKey, Patience, uid_of};

/// How soon an object is tried again that could not be judged or told of.
const RETRY: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(10));

/// What the workers share.
pub(super) struct Work {
    pub(super) scanner: Scanner,
    pub(super) queue: Queue<ObjectKey>,
    /// What the last verdicts rest on, of objects that exist.
    known: Mutex<HashMap<ObjectKey, Basis>>,
    /// The kinds that policies are about.
    pub(super) scanned: RwLock<HashSet<GroupVersionKind>>,
    /// Counts the changes of objects that policies look up.
    pub(super) surroundings: AtomicU64,
    /// Counts how often everything was to be judged anew.
    pub(super) round: AtomicU64,
    stop: CancellationToken,
}

impl Work {
    pub(super) fn new(scanner: Scanner, stop: CancellationToken) -> Self {
        Self {
            queue: Queue::new(scanner.config.rescans_per_second),
            known: Mutex::default(),
            scanned: RwLock::default(),
            surroundings: AtomicU64::new(0),
            round: AtomicU64::new(0),
            scanner,
            stop,
        }
    }

    pub(super) fn is_scanned(&self, gvk: &GroupVersionKind) -> bool {
        self.scanned.read().unwrap_or_else(PoisonError::into_inner).contains(gvk)
    }

    /// What was judged and is of a kind that no policy is about any more.
    pub(super) fn unscanned(&self) -> Vec<ObjectKey> {
        let scanned = self.scanned.read().unwrap_or_else(PoisonError::into_inner);
        self.known().keys().filter(|key| !scanned.contains(&key.gvk)).cloned().collect()
    }

    /// Returns when the cluster can take reports that it could not before.
    pub(super) async fn reports_wanted(&self) {
        match &self.scanner.reporter {
            Some(reporter) => reporter.wanted().await,
            None => std::future::pending().await,
        }
    }

    /// Works until it is aborted.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            let key = self.queue.next().await;
            match self.look_at(&key).await {
                Ok(()) => self.queue.done(&key),
                Err(error) => {
                    tracing::warn!(kind = %key.gvk, namespace = %key.namespace, name = %key.name, %error,
                        "the scan has no result for an object; it tries again");
                    self.queue.failed(&key, RETRY);
                }
            }
        }
    }

    async fn look_at(self: &Arc<Self>, key: &ObjectKey) -> Result<(), Failure> {
        let candidate = if self.is_scanned(&key.gvk) { self.candidate(key).await? } else { None };
        let Some(candidate) = candidate else { return self.gone(key).await };
        let before = self.known().get(key).cloned();
        if before.as_ref() == Some(&candidate.basis) && !self.lacks_report(&candidate.basis) {
            return Ok(());
        }
        if let Some(before) = before.as_ref().filter(|before| before.uid != candidate.basis.uid) {
            self.tell_gone(key, before).await?;
        }
        let basis = candidate.basis.clone();
        if !(before.is_none() && self.was_judged(key, &basis).await?) {
            self.judge(key, candidate).await?;
        }
        self.known().insert(key.clone(), basis);
        Ok(())
    }

    async fn candidate(self: &Arc<Self>, key: &ObjectKey) -> Result<Option<Candidate>, Failure> {
        let (work, key) = (self.clone(), key.clone());
        let ruleset = self.scanner.rulesets.borrow().clone();
        let counts = (self.surroundings.load(Ordering::Relaxed), self.round.load(Ordering::Relaxed));
        let asking = move || judging::candidate(&key, &ruleset, counts, &work.scanner.caches);
        Ok(tokio::task::spawn_blocking(asking).await??)
    }

    /// Whether the same was judged before a restart. What looks at other objects is judged again, because they may have
    /// changed unseen.
    async fn was_judged(&self, key: &ObjectKey, basis: &Basis) -> Result<bool, Failure> {
        if basis.surroundings.is_some() || basis.round > 0 || self.lacks_report(basis) {
            return Ok(false);
        }
        let ruleset = self.scanner.rulesets.borrow().digest.clone();
        let judged = self.scanner.state.judged(&key.subject(basis.uid.clone())).await?;
        Ok(judged == Some(Judged { object: basis.object.clone(), ruleset }))
    }

    fn lacks_report(&self, basis: &Basis) -> bool {
        self.scanner.reporter.as_ref().is_some_and(|reporter| reporter.lacks(&basis.uid))
    }

    async fn judge(self: &Arc<Self>, key: &ObjectKey, candidate: Candidate) -> Result<(), Failure> {
        let work = self.clone();
        let judging = move || {
            let ruleset = work.scanner.rulesets.borrow().clone();
            let every = work.scanner.reporter.as_ref().is_some_and(|reporter| reporter.is_wanted());
            let patience = Patience::until(&work.stop);
            let now = work.scanner.clock.now();
            let (decision, results) = judging::judge(&candidate, &ruleset, now, &work.scanner.caches, &patience, every);
            (candidate.object, decision, results)
        };
        let (object, mut decision, results) = tokio::task::spawn_blocking(judging).await?;
        if self.stop.is_cancelled() {
            return Err("the scan stops".into());
        }
        decision.subject = key.subject(uid_of(&object));
        let counts = decision.counts;
        let silent = counts.pass + counts.fail + counts.warn + counts.skip + counts.error == 0;
        // What no rule is about is not recorded, unless there is a record of it to be replaced.
        if !silent || self.scanner.state.judged(&decision.subject).await?.is_some() {
            self.scanner.sink.judged(&object, &decision).await?;
        }
        if let Some(reporter) = &self.scanner.reporter {
            reporter.judged(&object, &decision.subject, results);
        }
        Ok(())
    }

    async fn gone(&self, key: &ObjectKey) -> Result<(), Failure> {
        let before = self.known().get(key).cloned();
        match before {
            Some(before) => self.tell_gone(key, &before).await,
            None => self.scanner.sink.gone(&key.subject("".into())).await,
        }
    }

    async fn tell_gone(&self, key: &ObjectKey, before: &Basis) -> Result<(), Failure> {
        self.scanner.sink.gone(&key.subject(before.uid.clone())).await?;
        if let Some(reporter) = &self.scanner.reporter {
            reporter.gone(&before.uid);
        }
        self.known().remove(key);
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<ObjectKey, Basis>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
