//! Tasks that only one process may run, under leases that the store grants.
//!
//! A task starts when its lock is taken and is dropped at once when the lock is lost: another replica holds it then. While
//! the store does not answer, the task goes on until the lease it last had has run out by this process's own monotonic
//! clock, which no jump of the wall clock moves.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Failure, lease};

/// How long a lock is held without being renewed.
const LIFETIME: Duration = Duration::from_secs(15);
/// How often one that somebody else holds is asked for.
const ASK: Duration = Duration::from_secs(5);

/// A held lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is locked.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Grows each time the lock changes hands, so that a holder who lost it unawares can be told apart.
    pub fence: i64,
    /// When it ends unless renewed, by the clock of who grants it.
    pub expires_at: Timestamp,
}

/// Who grants leases.
pub trait Locks: Send + Sync {
    /// Takes a lock where it is free, expired or held by the same holder already. None where somebody else holds it.
    fn acquire<'a>(
        &'a self,
        name: &'a str,
        holder: &'a str,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, Failure>>;

    /// Extends a lease; none where it was lost.
    fn renew<'a>(&'a self, lease: &'a Lease, lifetime: Duration) -> BoxFuture<'a, Result<Option<Lease>, Failure>>;

    /// Gives a lock back.
    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), Failure>>;
}

/// Who counts what becomes of tasks.
pub trait LeaderObserver: Send + Sync {
    /// Whether this process runs the task now.
    fn leads(&self, task: &'static str, leads: bool);

    /// A run of the task ended with an error.
    fn failed(&self, task: &'static str);
}

/// Leads tasks in the name of this process. Clones share everything.
#[derive(Clone)]
pub struct Leader {
    locks: Arc<dyn Locks>,
    observer: Arc<dyn LeaderObserver>,
    holder: Arc<str>,
}

impl std::fmt::Debug for Leader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leader").field("holder", &self.holder).finish_non_exhaustive()
    }
}

/// How a lead ended.
enum End {
    Lost,
    Finished,
    Failed(String),
}

impl Leader {
    /// A leader by the name `holder`, which no other process has.
    pub fn new(locks: Arc<dyn Locks>, observer: Arc<dyn LeaderObserver>, holder: Arc<str>) -> Self {
        Self { locks, observer, holder }
    }

    /// Runs `task` whenever this process holds the lock `name`, until `stop`. A task that ends is started again after a
    /// while.
    pub async fn lead<F>(&self, name: &'static str, stop: CancellationToken, task: impl Fn(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), String>>,
    {
        self.observer.leads(name, false);
        loop {
            let asked = Instant::now();
            match self.locks.acquire(name, &self.holder, LIFETIME).await {
                Ok(Some(lease)) => {
                    tracing::info!(task = name, fence = lease.fence, "this process leads");
                    self.observer.leads(name, true);
                    let end = self.hold((lease, asked), &stop, &task).await;
                    self.observer.leads(name, false);
                    if let End::Failed(problem) = end {
                        self.observer.failed(name);
                        tracing::error!(task = name, problem, "the task failed and is started again");
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(task = name, %error, "the lock cannot be asked for"),
            }
            if stop.run_until_cancelled(tokio::time::sleep(ASK)).await.is_none() {
                return;
            }
        }
    }

    async fn hold<F>(
        &self,
        (lease, asked): (Lease, Instant),
        stop: &CancellationToken,
        task: impl Fn(CancellationToken) -> F,
    ) -> End
    where
        F: Future<Output = Result<(), String>>,
    {
        let (name, token) = (lease.name.clone(), stop.child_token());
        let last = Mutex::new(lease.clone());
        let end = tokio::select! {
            biased;
            () = self.keep(&last, asked) => {
                tracing::warn!(task = name, "the lock was lost; another replica goes on");
                End::Lost
            }
            result = task(token.clone()) => result.map_or_else(End::Failed, |()| End::Finished),
        };
        token.cancel();
        if !matches!(end, End::Lost) {
            // A store that is away lets the lease run out by itself.
            let lease = last.into_inner().unwrap_or(lease);
            let _ = self.locks.release(&lease).await;
        }
        end
    }

    /// Renews the lease, which was asked for at `asked`, for as long as it can be renewed.
    async fn keep(&self, last: &Mutex<Lease>, asked: Instant) {
        lease::keep(LIFETIME, asked, || async {
            let held = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let renewed = self.locks.renew(&held, LIFETIME).await?;
            let holds = renewed.is_some();
            if let Some(renewed) = renewed {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = renewed;
            }
            Ok(holds)
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// Grants everything, or answers nothing.
    #[derive(Default)]
    struct OneLock {
        silent: AtomicBool,
        taken: AtomicBool,
        released: AtomicBool,
        seen: Mutex<Vec<(&'static str, bool)>>,
    }

    impl OneLock {
        fn answer(&self) -> BoxFuture<'_, Result<Option<Lease>, Failure>> {
            let lease = Lease { name: "t".into(), holder: "a".into(), fence: 1, expires_at: Timestamp::UNIX_EPOCH };
            let silent = self.silent.load(Ordering::Relaxed);
            let taken = self.taken.load(Ordering::Relaxed);
            Box::pin(async move {
                match (silent, taken) {
                    (true, _) => Err("no answer".into()),
                    (_, true) => Ok(None),
                    _ => Ok(Some(lease)),
                }
            })
        }
    }

    impl Locks for OneLock {
        fn acquire<'a>(&'a self, _: &'a str, _: &'a str, _: Duration) -> BoxFuture<'a, Result<Option<Lease>, Failure>> {
            self.answer()
        }

        fn renew<'a>(&'a self, _: &'a Lease, _: Duration) -> BoxFuture<'a, Result<Option<Lease>, Failure>> {
            self.answer()
        }

        fn release<'a>(&'a self, _: &'a Lease) -> BoxFuture<'a, Result<(), Failure>> {
            self.released.store(true, Ordering::Relaxed);
            Box::pin(async { Ok(()) })
        }
    }

    impl LeaderObserver for OneLock {
        fn leads(&self, task: &'static str, leads: bool) {
            self.seen.lock().unwrap().push((task, leads));
        }

        fn failed(&self, task: &'static str) {
            panic!("{task} did not fail");
        }
    }

    /// Notes when it goes.
    struct Dropped<'a>(&'a Mutex<Option<Instant>>);

    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = Some(Instant::now());
        }
    }

    /// How long a task ran that began leading and then met `trouble`.
    async fn ran(trouble: impl Fn(&OneLock)) -> (Duration, Arc<OneLock>) {
        let lock = Arc::new(OneLock::default());
        let leader = Leader::new(lock.clone(), lock.clone(), "a".into());
        let (began, ended) = (Mutex::new(None), Mutex::new(None));
        let stop = CancellationToken::new();
        let task = |_| {
            let dropped = Dropped(&ended);
            let (began, lock, trouble, stop) = (&began, &lock, &trouble, stop.clone());
            async move {
                let _dropped = dropped;
                *began.lock().unwrap() = Some(Instant::now());
                trouble(lock);
                stop.cancel();
                std::future::pending().await
            }
        };
        leader.lead("t", stop.clone(), task).await;
        let began = began.lock().unwrap().unwrap();
        let ran = ended.lock().unwrap().unwrap() - began;
        (ran, lock)
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_lock_ends_the_task_at_the_next_renewal() {
        let (ran, lock) = ran(|lock| lock.taken.store(true, Ordering::Relaxed)).await;
        assert_eq!(ran, Duration::from_secs(5));
        assert!(!lock.released.load(Ordering::Relaxed), "what was lost is not given back");
        assert_eq!(*lock.seen.lock().unwrap(), [("t", false), ("t", true), ("t", false)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_store_ends_the_task_before_the_lease_runs_out() {
        let (ran, _) = ran(|lock| lock.silent.store(true, Ordering::Relaxed)).await;
        assert_eq!(ran, Duration::from_secs(13), "the lease is for 15 seconds");
    }
}
