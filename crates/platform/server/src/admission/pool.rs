//! Threads that evaluate, a queue before them, and what becomes of threads that do not come back.
//!
//! As many threads as processors, because evaluation does nothing but compute. A thread whose job was given up is
//! replaced, so that a policy which never ends costs a thread and not the endpoint; how many may be lost at once is
//! bounded. Not tokio's blocking pool: that grows with demand instead of queueing, and the process could not end before
//! a job that never does.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Threads that may be lost before no more are started.
const LOST: usize = 16;
/// Deeply nested input makes deep recursion; the limits on its depth are chosen for this much.
const STACK: usize = 8 << 20;

/// Threads with a queue.
pub(super) struct Pool<J>(Arc<Shared<J>>);

struct Shared<J> {
    state: Mutex<State<J>>,
    ready: Condvar,
    workers: usize,
    capacity: usize,
    run: Box<dyn Fn(J) -> End + Send + Sync>,
}

struct State<J> {
    jobs: VecDeque<J>,
    threads: usize,
    /// Threads on jobs that were given up. Below 0 for a moment where a thread comes back before that was noted.
    lost: isize,
    closed: bool,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was answered.
    Answered,
    /// Nobody waited any more.
    GivenUp,
}

impl<J: Send + 'static> Pool<J> {
    pub(super) fn new(workers: usize, queue: usize, run: impl Fn(J) -> End + Send + Sync + 'static) -> Self {
        let state = State { jobs: VecDeque::new(), threads: 0, lost: 0, closed: false };
        let shared = Shared {
            state: Mutex::new(state),
            ready: Condvar::new(),
            workers,
            capacity: queue.saturating_add(workers),
            run: Box::new(run),
        };
        let pool = Self(Arc::new(shared));
        (0..workers).for_each(|_| start(&pool.0, &mut pool.0.lock()));
        pool
    }

    /// Hands a job to the threads; false where too many wait already.
    pub(super) fn submit(&self, job: J) -> bool {
        let mut state = self.0.lock();
        if state.jobs.len() >= self.0.capacity {
            return false;
        }
        state.jobs.push_back(job);
        drop(state);
        self.0.ready.notify_one();
        true
    }

    /// How many jobs wait.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.0.lock().jobs.len()
    }

    /// A job that was running was given up: another thread takes its place.
    pub(super) fn lost(&self) {
        let mut state = self.0.lock();
        state.lost += 1;
        let wanted = self.0.workers.saturating_add_signed(state.lost);
        if state.threads < wanted && state.threads < self.0.workers + LOST {
            start(&self.0, &mut state);
        }
    }
}

impl<J> Drop for Pool<J> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.ready.notify_all();
    }
}

impl<J> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job; none when the thread is to end.
    fn next(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the thread that comes back from a job that was given up has been replaced.
    fn is_replaced(&self) -> bool {
        let mut state = self.lock();
        state.lost -= 1;
        let replaced = state.threads > self.workers.saturating_add_signed(state.lost);
        if replaced {
            state.threads -= 1;
        }
        replaced
    }
}

fn start<J: Send + 'static>(shared: &Arc<Shared<J>>, state: &mut State<J>) {
    let own = shared.clone();
    let work = move || {
        while let Some(job) = own.next() {
            if (own.run)(job) == End::GivenUp && own.is_replaced() {
                return;
            }
        }
    };
    match std::thread::Builder::new().name("admission".into()).stack_size(STACK).spawn(work) {
        Ok(_) => state.threads += 1,
        Err(error) => tracing::error!(%error, "a thread for reviews could not be started"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn lost_threads_are_replaced_and_the_queue_is_bounded() {
        let (done, results) = mpsc::channel();
        let pool = Pool::new(1, 1, move |job: (u32, Option<mpsc::Receiver<()>>)| {
            let (number, wait) = job;
            if let Some(wait) = &wait {
                let _ = wait.recv();
            }
            done.send(number).unwrap();
            if wait.is_some() { End::GivenUp } else { End::Answered }
        });
        let (release, stuck) = mpsc::channel();
        assert!(pool.submit((1, Some(stuck))));
        while pool.waiting() > 0 {
            std::thread::yield_now();
        }
        assert!(pool.submit((2, None)) && pool.submit((3, None)));
        assert!(!pool.submit((4, None)), "the queue is full");
        pool.lost();
        let next = || results.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!((next(), next()), (2, 3), "another thread works");
        release.send(()).unwrap();
        assert_eq!(next(), 1);
        assert!(pool.submit((5, None)));
        assert_eq!(next(), 5);
    }
}
