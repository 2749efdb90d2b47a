//! Jobs: keys, turns, fences, and workers that are killed at every point of a job.
//!
//! A killed worker is this test binary again, with one ignored test, which sends itself SIGKILL.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use palisade_runtime::jobs::{
    Claimed, Ended, Handler, Job, JobCount, JobError, JobLease, JobObserver, JobState, JobStore, Jobs, NewJob, Once,
    Run, Worker, WorkerOptions,
};
use palisade_runtime::{Clock, Failure};
use palisade_store::{Store, StoreConfig};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::database::TestDatabase;

const MINUTE: Duration = Duration::from_mins(1);
/// As if so much time had passed that every lease ran out.
const LEASES_RUN_OUT: &str = "UPDATE jobs SET due_at = 0 WHERE state = 'running'";

async fn claim(store: &Store, holder: &str) -> Option<Claimed> {
    store.claim(&["a", "b"], holder, MINUTE).await.unwrap()
}

async fn job(store: &Store, id: &str) -> Job {
    store.job(id).await.unwrap().unwrap().0
}

pub(crate) async fn a_key_is_there_once(database: &TestDatabase) {
    let store = database.open().await;
    let with = |once| NewJob { once: Some(once), ..NewJob::new("a", json!({"n": 1})) };
    let (pending, kept) = (with(Once::Pending("p".into())), with(Once::Kept("k".into())));
    let asked = tokio::join!(store.enqueue_job(&pending), store.enqueue_job(&pending), store.enqueue_job(&kept));
    let (first, kept_id) = (asked.0.unwrap(), asked.2.unwrap());
    assert_eq!(asked.1.unwrap(), first, "two replicas that ask at once get the same job");
    let other = NewJob { kind: "b".into(), ..pending.clone() };
    assert_ne!(store.enqueue_job(&other).await.unwrap(), first, "the keys of another kind are others");
    while let Some(claimed) = claim(&store, "me").await {
        assert_eq!(store.enqueue_job(&pending).await.unwrap(), first, "it runs");
        assert!(store.finish(&claimed.lease, &json!("done")).await.unwrap());
        if claimed.job.id == first {
            break;
        }
    }
    while let Some(claimed) = claim(&store, "me").await {
        assert!(store.finish(&claimed.lease, &json!("done")).await.unwrap());
    }
    assert_eq!(store.enqueue_job(&kept).await.unwrap(), kept_id, "a key that is kept stays taken after the end");
    assert_ne!(store.enqueue_job(&pending).await.unwrap(), first, "one that was pending is free again");
    let done = job(&store, &kept_id).await;
    assert_eq!((done.state, done.result, done.payload), (JobState::Done, Some(json!("done")), json!({"n": 1})));
    let later = store.enqueue_job(&NewJob::new("a", Value::Null)).await.unwrap();
    assert_ne!(
        later,
        store.enqueue_job(&NewJob::new("a", Value::Null)).await.unwrap(),
        "without a key each is another"
    );
}

pub(crate) async fn turns_come_by_time_and_to_one_worker_each(database: &TestDatabase) {
    use palisade_runtime::jobs::When;
    let (one, two) = (database.open().await, database.open().await);
    let at = |second| When::At(jiff::Timestamp::from_second(second).unwrap());
    for (when, payload) in [(at(20), 2), (at(10), 1), (When::In(MINUTE), 0), (at(30), 3), (at(40), 4)] {
        one.enqueue_job(&NewJob { when, ..NewJob::new("a", json!(payload)) }).await.unwrap();
    }
    one.enqueue_job(&NewJob::new("unknown", Value::Null)).await.unwrap();
    assert_eq!(claim(&one, "one").await.unwrap().job.payload, json!(1));
    assert_eq!(claim(&two, "two").await.unwrap().job.payload, json!(2));
    let both = tokio::join!(claim(&one, "one"), claim(&two, "two"));
    let mut payloads = [both.0.unwrap().job.payload, both.1.unwrap().job.payload].map(|value| value.as_i64().unwrap());
    payloads.sort_unstable();
    assert_eq!(payloads, [3, 4]);
    assert_eq!(claim(&one, "one").await, None, "one is to wait, one is of a kind that nobody here does");
    let mut counts = one.counts().await.unwrap();
    counts.sort_by(|a, b| (&a.kind, a.state).cmp(&(&b.kind, b.state)));
    let numbers: Vec<_> = counts.iter().map(|count| (&*count.kind, count.state, count.number)).collect();
    let expected = [("a", JobState::Waiting, 1), ("a", JobState::Running, 4), ("unknown", JobState::Waiting, 1)];
    assert_eq!(numbers, expected);
    assert!(counts[0].overdue.is_zero() && counts[1].overdue.is_zero(), "{counts:?}");
}

pub(crate) async fn a_lost_lease_writes_nothing(database: &TestDatabase) {
    let (one, two) = (database.open().await, database.open().await);
    let id = one.enqueue_job(&NewJob::new("a", Value::Null)).await.unwrap();
    let stale = claim(&one, "one").await.unwrap().lease;
    assert_eq!(one.begin_step(&stale, "first", "key-1").await.unwrap().as_deref(), Some("key-1"));
    assert!(one.renew(&stale, MINUTE).await.unwrap());
    assert_eq!(claim(&two, "two").await, None);
    database.script(LEASES_RUN_OUT).await;
    assert!(one.renew(&stale, Duration::ZERO).await.unwrap(), "what nobody took over is still its holder's");
    database.script(LEASES_RUN_OUT).await;
    let taken = claim(&two, "two").await.unwrap();
    assert_eq!((taken.lease.fence, taken.steps[0].result.as_ref(), taken.job.attempts), (2, None, 2));

    assert!(!one.renew(&stale, MINUTE).await.unwrap());
    assert!(!one.finish_step(&stale, "first", &json!("stale")).await.unwrap());
    assert_eq!(one.begin_step(&stale, "second", "key-2").await.unwrap(), None);
    assert!(!one.finish(&stale, &json!("stale")).await.unwrap());
    assert_eq!(one.fail(&stale, "stale", None).await.unwrap(), None);
    assert!(!one.release(&stale).await.unwrap());
    // The same worker with an older fence is no better.
    let older = JobLease { fence: 1, ..taken.lease.clone() };
    assert!(!two.finish(&older, &json!("older")).await.unwrap());

    let (job, steps) = two.job(&id).await.unwrap().unwrap();
    assert_eq!((job.state, job.failures, job.last_error, steps.len()), (JobState::Running, 0, None, 1));
    // The step is begun again with the key that it had.
    assert_eq!(two.begin_step(&taken.lease, "first", "another").await.unwrap().as_deref(), Some("key-1"));
    assert!(two.finish_step(&taken.lease, "first", &json!(7)).await.unwrap());
    assert!(two.begin_step(&taken.lease, "first", "key-1").await.is_err(), "what is done is not begun again");
    assert!(two.finish(&taken.lease, &json!(null)).await.unwrap());
    assert!(!two.finish(&taken.lease, &json!("again")).await.unwrap());
    let steps = two.job(&id).await.unwrap().unwrap().1;
    assert_eq!((steps[0].attempts, steps[0].result.clone()), (2, Some(json!(7))));
}

pub(crate) async fn failures_end_a_job_and_so_do_workers_that_vanish(database: &TestDatabase) {
    let store = database.open().await;
    let twice = NewJob { max_attempts: 2, ..NewJob::new("a", Value::Null) };
    let id = store.enqueue_job(&twice).await.unwrap();
    let first = claim(&store, "me").await.unwrap().lease;
    assert_eq!(store.fail(&first, "no", Some(Duration::ZERO)).await.unwrap(), Some(JobState::Waiting));
    let second = claim(&store, "me").await.unwrap().lease;
    assert_eq!(store.fail(&second, "no again", Some(Duration::ZERO)).await.unwrap(), Some(JobState::Failed));
    let failed = job(&store, &id).await;
    assert_eq!((failed.failures, failed.last_error.as_deref()), (2, Some("no again")));
    assert!(failed.ended_at.is_some() && claim(&store, "me").await.is_none());

    // A job that ends its workers is given up, but not one whose workers gave it back.
    let id = store.enqueue_job(&NewJob { max_attempts: 1, ..NewJob::new("a", Value::Null) }).await.unwrap();
    for _ in 0..9 {
        let lease = claim(&store, "me").await.unwrap().lease;
        assert!(store.release(&lease).await.unwrap());
    }
    let mut claims = 0;
    while claim(&store, "me").await.is_some() {
        claims += 1;
        database.script(LEASES_RUN_OUT).await;
    }
    let lost = job(&store, &id).await;
    assert_eq!((claims, lost.state, lost.failures), (5, JobState::Failed, 0));
    assert!(lost.last_error.unwrap().contains("5 workers"));

    // What was withdrawn is taken from whoever does it.
    let id = store.enqueue_job(&NewJob::new("a", Value::Null)).await.unwrap();
    let lease = claim(&store, "me").await.unwrap().lease;
    assert!(store.cancel_job(&id).await.unwrap() && !store.cancel_job(&id).await.unwrap());
    assert!(!store.renew(&lease, MINUTE).await.unwrap() && !store.finish(&lease, &json!(1)).await.unwrap());
    assert_eq!(job(&store, &id).await.state, JobState::Cancelled);

    database.script("UPDATE jobs SET ended_at = 1").await;
    store.prune(jiff::Timestamp::now()).await.unwrap();
    assert!(store.job(&id).await.unwrap().is_none(), "what ended long ago is removed");
}

/// Where a worker is killed: before and after each write, and around what a step does.
const POINTS: [&str; 12] = [
    "before-claim",
    "after-claim",
    "before-begin-1",
    "after-begin-1",
    "before-effect-1",
    "after-effect-1",
    "before-done-1",
    "after-done-1",
    "before-begin-2",
    "after-effect-2",
    "before-finish",
    "after-finish",
];

const FOLDER: &str = "PALISADE_JOBS_TEST_FOLDER";
const ADDRESS: &str = "PALISADE_JOBS_TEST_URL";
const POINT: &str = "PALISADE_JOBS_TEST_POINT";

/// Kills this process with SIGKILL where it is at the point that it was told.
fn here(point: &str) {
    if std::env::var(POINT).is_ok_and(|told| told == point) {
        let own = std::process::id().to_string();
        let _ = Command::new("kill").args(["-KILL", &own]).status();
        unreachable!("SIGKILL ends a process");
    }
}

/// The store, with a point before and behind every write.
struct Fatal(Store);

impl JobStore for Fatal {
    fn enqueue<'a>(&'a self, job: &'a NewJob) -> BoxFuture<'a, Result<String, Failure>> {
        self.0.enqueue(job)
    }

    fn claim<'a>(
        &'a self,
        kinds: &'a [&'static str],
        holder: &'a str,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<Option<Claimed>, Failure>> {
        Box::pin(async move {
            here("before-claim");
            let claimed = self.0.claim(kinds, holder, lifetime).await?;
            if claimed.is_some() {
                here("after-claim");
            }
            Ok(claimed)
        })
    }

    fn renew<'a>(&'a self, lease: &'a JobLease, lifetime: Duration) -> BoxFuture<'a, Result<bool, Failure>> {
        self.0.renew(lease, lifetime)
    }

    fn begin_step<'a>(
        &'a self,
        lease: &'a JobLease,
        name: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, Failure>> {
        Box::pin(async move {
            here(&format!("before-begin-{name}"));
            let begun = self.0.begin_step(lease, name, key).await?;
            here(&format!("after-begin-{name}"));
            Ok(begun)
        })
    }

    fn finish_step<'a>(
        &'a self,
        lease: &'a JobLease,
        name: &'a str,
        result: &'a Value,
    ) -> BoxFuture<'a, Result<bool, Failure>> {
        Box::pin(async move {
            here(&format!("before-done-{name}"));
            let done = self.0.finish_step(lease, name, result).await?;
            here(&format!("after-done-{name}"));
            Ok(done)
        })
    }

    fn finish<'a>(&'a self, lease: &'a JobLease, result: &'a Value) -> BoxFuture<'a, Result<bool, Failure>> {
        Box::pin(async move {
            here("before-finish");
            let done = self.0.finish(lease, result).await?;
            here("after-finish");
            Ok(done)
        })
    }

    fn fail<'a>(
        &'a self,
        lease: &'a JobLease,
        error: &'a str,
        retry: Option<Duration>,
    ) -> BoxFuture<'a, Result<Option<JobState>, Failure>> {
        self.0.fail(lease, error, retry)
    }

    fn release<'a>(&'a self, lease: &'a JobLease) -> BoxFuture<'a, Result<bool, Failure>> {
        self.0.release(lease)
    }

    fn counts(&self) -> BoxFuture<'_, Result<Vec<JobCount>, Failure>> {
        self.0.counts()
    }
}

impl JobObserver for Fatal {
    fn ended(&self, _: &'static str, _: Ended, _: Duration) {}

    fn counted(&self, _: &[JobCount]) {}
}

/// Two steps, each of which writes a line into a file that all processes share.
struct Scribe {
    kind: &'static str,
    file: PathBuf,
}

impl Handler for Scribe {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn run<'a>(&'a self, run: &'a mut Run) -> BoxFuture<'a, Result<Value, JobError>> {
        Box::pin(async move {
            let attempt = run.job().attempts;
            for step in ["1", "2"] {
                let effect = async |key: String| {
                    here(&format!("before-effect-{step}"));
                    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&self.file)?;
                    file.write_all(format!("{} {step} {key}\n", self.kind).as_bytes())?;
                    here(&format!("after-effect-{step}"));
                    Ok(())
                };
                // A key of a later attempt must not take the place of the first one.
                run.step(step, &format!("{step}-of-attempt-{attempt}"), effect).await?;
            }
            Ok(json!(attempt))
        })
    }
}

async fn work(store: Store, file: &Path, kinds: &[&'static str], holder: String, stop: CancellationToken) {
    let store = Arc::new(Fatal(store));
    let options = WorkerOptions { poll: Duration::from_millis(50), concurrent: 2, ..WorkerOptions::default() };
    let mut worker = Worker::new(Jobs::new(store.clone()), holder.into(), Clock::system(), store, options);
    for kind in kinds {
        worker = worker.with(Arc::new(Scribe { kind, file: file.to_owned() }));
    }
    worker.run(stop, MINUTE).await;
}

#[tokio::test]
#[ignore = "run by the tests of this module as a process of its own"]
async fn child_works() {
    let (Ok(folder), Ok(point)) = (std::env::var(FOLDER), std::env::var(POINT)) else { return };
    let url = std::env::var(ADDRESS).ok().filter(|url| !url.is_empty());
    let folder = Path::new(&folder);
    let store = Store::open(&StoreConfig { url, ..StoreConfig::default() }, folder).await.unwrap();
    // A worker that is to die at a point does the job of that point, one without does all.
    let kinds: Vec<_> = POINTS.into_iter().filter(|kind| point.is_empty() || *kind == point).collect();
    let holder = std::process::id().to_string();
    work(store, &folder.join("effects"), &kinds, holder, CancellationToken::new()).await;
}

fn child(database: &TestDatabase, point: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "jobs::child_works", "--ignored", "--nocapture"]);
    command.env(FOLDER, &database.folder.0).env(ADDRESS, database.config.url.as_deref().unwrap_or_default());
    command.env(POINT, point).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

pub(crate) async fn a_killed_worker_loses_and_repeats_nothing(database: &TestDatabase) {
    use std::os::unix::process::ExitStatusExt as _;
    let store = database.open().await;
    let mut ids = Vec::new();
    for point in POINTS {
        ids.push(store.enqueue_job(&NewJob::new(point, Value::Null)).await.unwrap());
    }
    let dying: Vec<_> = POINTS.into_iter().map(|point| (point, child(database, point))).collect();
    for (point, mut child) in dying {
        assert_eq!(child.wait().unwrap().signal(), Some(9), "{point}");
    }
    database.script(LEASES_RUN_OUT).await;
    let mut replicas = [child(database, ""), child(database, "")];
    let deadline = Instant::now() + MINUTE;
    for id in &ids {
        while job(&store, id).await.state != JobState::Done {
            assert!(Instant::now() < deadline, "not done: {:?}", job(&store, id).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    for replica in &mut replicas {
        replica.kill().unwrap();
        replica.wait().unwrap();
    }
    let effects = std::fs::read_to_string(database.folder.0.join("effects")).unwrap();
    for (point, id) in POINTS.into_iter().zip(&ids) {
        let (job, steps) = store.job(id).await.unwrap().unwrap();
        assert_eq!((job.failures, steps.len()), (0, 2), "{point}: {job:?}");
        let attempts = if matches!(point, "before-claim" | "after-finish") { 1 } else { 2 };
        assert_eq!(job.attempts, attempts, "{point}");
        for step in &steps {
            // Only what was done and not yet written down is done again, under the same key.
            let prefix = format!("{point} {} ", step.name);
            let keys: Vec<_> = effects.lines().filter_map(|line| line.strip_prefix(&prefix)).collect();
            let between = [format!("after-effect-{}", step.name), format!("before-done-{}", step.name)];
            let times = if between.iter().any(|known| known == point) { 2 } else { 1 };
            assert_eq!(keys.len(), times, "{point}, step {}: {keys:?}", step.name);
            assert!(keys.iter().all(|key| *key == step.key), "{point}: {keys:?}");
        }
    }
}
