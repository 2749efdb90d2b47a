//! What `/metrics` tells, in the text format of Prometheus.
//!
//! Counters and histograms are written where things happen, by whoever registered them: a capability's own are with it, here
//! is what all share. What has a current value somewhere else (the age of the ruleset, the process's memory) is read when
//! it is asked for.

mod process;

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};

pub(crate) type Seconds = Gauge<f64, AtomicU64>;

/// Everything that is counted and timed.
pub struct Metrics {
    registry: Mutex<Registry>,
    /// Read what is current somewhere else.
    readers: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
    /// Open connections by listener.
    pub(crate) connections: Family<Listener, Gauge>,
    /// Connections that were refused or cut off, by listener and reason.
    pub(crate) cut_off: Family<CutOff, Counter>,
    /// Decisions by what became of their record.
    pub(crate) journal: Family<Journalled, Counter>,
    /// Bytes that wait for the store.
    pub(crate) journal_bytes: Gauge,
    /// Age of the oldest decision that waits for the store.
    pub(crate) journal_lag: Seconds,
    /// How long the store took over one operation.
    pub(crate) store_seconds: Family<StoreOperation, Histogram, fn() -> Histogram>,
    /// Whether this process runs a task that only one may run.
    pub(crate) leading: Family<Task, Gauge>,
    /// How often such a task ended with an error.
    pub(crate) task_failures: Family<Task, Counter>,
    /// Jobs that wait or run.
    jobs: Family<JobsIn, Gauge>,
    /// How long the oldest job that waits has been due.
    jobs_overdue: Family<JobKind, Seconds>,
    /// Attempts at jobs by how they ended.
    job_attempts: Family<JobAttempt, Counter>,
    /// How long they took.
    job_seconds: Family<JobKind, Histogram, fn() -> Histogram>,
    process: process::Gauges,
}

/// Label of a listener.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Listener {
    /// `api`, `admission` or `plain`.
    pub(crate) listener: &'static str,
}

/// Labels of a connection that was refused or ended by us.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct CutOff {
    /// `api`, `admission` or `plain`.
    pub(crate) listener: &'static str,
    /// `limit`, `handshake`, `protocol`.
    pub(crate) reason: &'static str,
}

/// Label of a decision's record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Journalled {
    /// `written`, `stored`, `dropped`, `unreadable`.
    pub(crate) result: &'static str,
}

/// Label of an operation of the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StoreOperation {
    /// Such as `ping`.
    pub(crate) operation: &'static str,
}

/// Label of a task that only one process may run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Task {
    /// Its name.
    pub(crate) task: &'static str,
}

/// Labels of jobs that have not ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobsIn {
    kind: String,
    state: &'static str,
}

/// Label of a kind of job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobKind {
    kind: String,
}

/// Labels of an attempt at a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobAttempt {
    kind: &'static str,
    result: &'static str,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// From 0.1 ms to 26 s, each bound 1.5 times the last: a 99th percentile is known to within half of itself.
pub(crate) fn latency() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 1.5, 32))
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("palisade")),
            readers: Mutex::default(),
            connections: Family::default(),
            cut_off: Family::default(),
            journal: Family::default(),
            journal_bytes: Gauge::default(),
            journal_lag: Seconds::default(),
            store_seconds: Family::new_with_constructor(latency),
            leading: Family::default(),
            task_failures: Family::default(),
            jobs: Family::default(),
            jobs_overdue: Family::default(),
            job_attempts: Family::default(),
            job_seconds: Family::new_with_constructor(latency),
            process: process::Gauges::default(),
        };
        metrics.register_shared();
        metrics
    }
}

impl Metrics {
    fn register_shared(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let r = &mut *registry;
        r.register("connections", "Open connections", self.connections.clone());
        r.register("connections_cut_off", "Connections refused or ended by the server", self.cut_off.clone());
        r.register("journal_decisions", "Decisions by what became of their record", self.journal.clone());
        r.register("journal_pending_bytes", "Bytes on disk that wait for the store", self.journal_bytes.clone());
        r.register(
            "journal_lag_seconds",
            "Age of the oldest decision that waits for the store",
            self.journal_lag.clone(),
        );
        r.register("store_seconds", "Seconds that the store took over an operation", self.store_seconds.clone());
        r.register("leader_task", "1 where this process runs the task", self.leading.clone());
        r.register("leader_task_failures", "Runs of the task that ended with an error", self.task_failures.clone());
        r.register("jobs", "Jobs that wait or run", self.jobs.clone());
        r.register(
            "job_overdue_seconds",
            "Seconds that the oldest waiting job has been due",
            self.jobs_overdue.clone(),
        );
        r.register("job_attempts", "Attempts at jobs by how they ended", self.job_attempts.clone());
        r.register("job_seconds", "Seconds that an attempt at a job took", self.job_seconds.clone());
        self.process.register(r);
    }

    /// Tells of what somebody counts or times.
    pub(crate) fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register(name, help, metric);
    }

    /// Has something read whenever somebody asks.
    pub(crate) fn read_by(&self, read: impl Fn() + Send + Sync + 'static) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(read));
    }

    /// Times one operation of the store.
    pub(crate) async fn time_store<T>(&self, operation: &'static str, work: impl Future<Output = T>) -> T {
        let start = tokio::time::Instant::now();
        let result = work.await;
        let family = self.store_seconds.get_or_create_owned(&StoreOperation { operation });
        family.observe(start.elapsed().as_secs_f64());
        result
    }

    /// Counts what became of the records of `number` decisions.
    pub(crate) fn journalled(&self, result: &'static str, number: u64) {
        self.journal.get_or_create_owned(&Journalled { result }).inc_by(number);
    }

    /// How many decisions' records met this fate.
    #[cfg(test)]
    pub(crate) fn journal_fate(&self, result: &'static str) -> u64 {
        self.journal.get_or_create_owned(&Journalled { result }).get()
    }

    /// Everything as text, what is current read now.
    pub(crate) fn render(&self) -> String {
        self.process.read();
        for read in &*self.readers.lock().unwrap_or_else(PoisonError::into_inner) {
            read();
        }
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
        text
    }
}

impl palisade_runtime::leader::LeaderObserver for Metrics {
    fn leads(&self, task: &'static str, leads: bool) {
        self.leading.get_or_create_owned(&Task { task }).set(i64::from(leads));
    }

    fn failed(&self, task: &'static str) {
        self.task_failures.get_or_create_owned(&Task { task }).inc();
    }
}

impl palisade_runtime::jobs::JobObserver for Metrics {
    fn ended(&self, kind: &'static str, how: palisade_runtime::jobs::Ended, took: Duration) {
        self.job_attempts.get_or_create_owned(&JobAttempt { kind, result: how.as_str() }).inc();
        self.job_seconds.get_or_create_owned(&JobKind { kind: kind.to_owned() }).observe(took.as_secs_f64());
    }

    fn counted(&self, counts: &[palisade_runtime::jobs::JobCount]) {
        self.jobs.clear();
        self.jobs_overdue.clear();
        for count in counts {
            let (kind, state) = (count.kind.clone(), count.state.as_str());
            let number = i64::try_from(count.number).unwrap_or(i64::MAX);
            self.jobs.get_or_create_owned(&JobsIn { kind: kind.clone(), state }).set(number);
            if count.state == palisade_runtime::jobs::JobState::Waiting {
                self.jobs_overdue.get_or_create_owned(&JobKind { kind }).set(count.overdue.as_secs_f64());
            }
        }
    }
}
