//! The worker on a store in memory, whose clock is the test's.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{Backoff, Clock};

const LEASE: Duration = Duration::from_secs(30);

struct Row {
    job: Job,
    steps: BTreeMap<String, Step>,
    due: Instant,
    lease: (String, i64),
}

/// The rules of the real stores in a few lines.
#[derive(Default)]
struct Memory {
    rows: Mutex<Vec<Row>>,
    silent: Mutex<bool>,
    ended: Mutex<Vec<Ended>>,
}

impl Memory {
    fn with<T: Send + 'static>(
        &self,
        lease: &JobLease,
        work: impl FnOnce(&mut Row) -> T,
    ) -> BoxFuture<'_, Result<Option<T>, Failure>> {
        let mut rows = self.rows.lock().unwrap();
        let held = |row: &&mut Row| {
            row.job.id == lease.job
                && row.job.state == JobState::Running
                && row.lease == (lease.holder.clone(), lease.fence)
        };
        let answer = rows.iter_mut().find(held).map(work);
        let silent = *self.silent.lock().unwrap();
        Box::pin(async move { if silent { Err("no answer".into()) } else { Ok(answer) } })
    }

    fn only(&self) -> Job {
        self.rows.lock().unwrap()[0].job.clone()
    }

    fn steal(&self) {
        let row = &mut self.rows.lock().unwrap()[0];
        (row.lease, row.due) = (("thief".into(), 99), Instant::now() + Duration::from_hours(1));
    }
}

fn end(row: &mut Row, state: JobState) {
    row.job.state = state;
    row.job.ended_at = Some(Timestamp::UNIX_EPOCH);
}

impl JobStore for Memory {
    fn enqueue<'a>(&'a self, new: &'a NewJob) -> BoxFuture<'a, Result<String, Failure>> {
        let mut rows = self.rows.lock().unwrap();
        let key = new.once.as_ref().map(|(Once::Pending(key) | Once::Kept(key))| key.clone());
        let taken = rows.iter().find(|row| key.is_some() && row.job.key == key).map(|row| row.job.id.clone());
        let id = taken.unwrap_or_else(|| {
            let job = Job {
                id: rows.len().to_string(),
                kind: new.kind.clone(),
                payload: new.payload.clone(),
                state: JobState::Waiting,
                key,
                run_at: Timestamp::UNIX_EPOCH,
                attempts: 0,
                failures: 0,
                max_attempts: new.max_attempts,
                last_error: None,
                result: None,
                created_at: Timestamp::UNIX_EPOCH,
                ended_at: None,
            };
            let id = job.id.clone();
            rows.push(Row { job, steps: BTreeMap::new(), due: Instant::now(), lease: (String::new(), 0) });
            id
        });
        Box::pin(async { Ok(id) })
    }

    fn claim<'a>(
        &'a self,
        kinds: &'a [&'static str],
        holder: &'a str,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<Option<Claimed>, Failure>> {
        let mut rows = self.rows.lock().unwrap();
        let due =
            |row: &&mut Row| row.job.ended_at.is_none() && row.due <= Instant::now() && kinds.contains(&&*row.job.kind);
        let claimed = rows.iter_mut().find(due).map(|row| {
            (row.job.state, row.due) = (JobState::Running, Instant::now() + lifetime);
            row.job.attempts += 1;
            row.lease = (holder.to_owned(), row.lease.1 + 1);
            let lease = JobLease { job: row.job.id.clone(), holder: holder.to_owned(), fence: row.lease.1 };
            Claimed { job: row.job.clone(), steps: row.steps.values().cloned().collect(), lease }
        });
        Box::pin(async { Ok(claimed) })
    }

    fn renew<'a>(&'a self, lease: &'a JobLease, lifetime: Duration) -> BoxFuture<'a, Result<bool, Failure>> {
        let held = self.with(lease, |row| row.due = Instant::now() + lifetime);
        Box::pin(async { Ok(held.await?.is_some()) })
    }

    fn begin_step<'a>(
        &'a self,
        lease: &'a JobLease,
        name: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, Failure>> {
        self.with(lease, |row| {
            let new = Step { name: name.into(), key: key.into(), attempts: 0, result: None };
            let step = row.steps.entry(name.into()).or_insert(new);
            step.attempts += 1;
            step.key.clone()
        })
    }

    fn finish_step<'a>(
        &'a self,
        lease: &'a JobLease,
        name: &'a str,
        result: &'a Value,
    ) -> BoxFuture<'a, Result<bool, Failure>> {
        let held = self.with(lease, |row| row.steps.get_mut(name).unwrap().result = Some(result.clone()));
        Box::pin(async { Ok(held.await?.is_some()) })
    }

    fn finish<'a>(&'a self, lease: &'a JobLease, result: &'a Value) -> BoxFuture<'a, Result<bool, Failure>> {
        let held = self.with(lease, |row| {
            end(row, JobState::Done);
            row.job.result = Some(result.clone());
        });
        Box::pin(async { Ok(held.await?.is_some()) })
    }

    fn fail<'a>(
        &'a self,
        lease: &'a JobLease,
        error: &'a str,
        retry: Option<Duration>,
    ) -> BoxFuture<'a, Result<Option<JobState>, Failure>> {
        self.with(lease, |row| {
            row.job.failures += 1;
            row.job.last_error = Some(error.into());
            match retry.filter(|_| row.job.failures < row.job.max_attempts) {
                Some(pause) => (row.job.state, row.due) = (JobState::Waiting, Instant::now() + pause),
                None => end(row, JobState::Failed),
            }
            row.job.state
        })
    }

    fn release<'a>(&'a self, lease: &'a JobLease) -> BoxFuture<'a, Result<bool, Failure>> {
        let held = self.with(lease, |row| {
            (row.job.state, row.due) = (JobState::Waiting, Instant::now());
            row.job.attempts -= 1;
        });
        Box::pin(async { Ok(held.await?.is_some()) })
    }

    fn counts(&self) -> BoxFuture<'_, Result<Vec<JobCount>, Failure>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

impl JobObserver for Memory {
    fn ended(&self, _: &'static str, how: Ended, _: Duration) {
        self.ended.lock().unwrap().push(how);
    }

    fn counted(&self, _: &[JobCount]) {}
}

/// A handler of two steps; the second one does what the test says, by the number of the attempt.
struct Two<F> {
    begun: Mutex<Vec<&'static str>>,
    second: F,
}

impl<F, D> Handler for Two<F>
where
    F: Fn(u32) -> D + Send + Sync,
    D: Future<Output = Result<u32, JobError>> + Send,
{
    fn kind(&self) -> &'static str {
        "two"
    }

    fn run<'a>(&'a self, run: &'a mut Run) -> BoxFuture<'a, Result<Value, JobError>> {
        Box::pin(async move {
            let attempt = run.job().attempts;
            let first = async |_: String| {
                self.begun.lock().unwrap().push("first");
                Ok(1)
            };
            let one: u32 = run.step("first", "k1", first).await?;
            let two = run
                .step("second", "k2", |_| {
                    self.begun.lock().unwrap().push("second");
                    (self.second)(attempt)
                })
                .await?;
            Ok((one + two).into())
        })
    }
}

/// Works on one job until `stop`, which the test cancels.
async fn work<F, D>(memory: &Arc<Memory>, second: F, stop: CancellationToken) -> Vec<&'static str>
where
    F: Fn(u32) -> D + Send + Sync + 'static,
    D: Future<Output = Result<u32, JobError>> + Send + 'static,
{
    let handler = Arc::new(Two { begun: Mutex::default(), second });
    let options = WorkerOptions {
        lease: LEASE,
        retry: Backoff::new(Duration::from_mins(1), Duration::from_mins(4)),
        ..WorkerOptions::default()
    };
    let jobs = Jobs::new(memory.clone());
    let new = NewJob { max_attempts: 3, once: Some(Once::Kept("only".into())), ..NewJob::new("two", Value::Null) };
    jobs.enqueue(&new).await.unwrap();
    let worker = Worker::new(jobs, "me".into(), Clock::system(), memory.clone(), options).with(handler.clone());
    worker.run(stop, Duration::from_secs(5)).await;
    let begun = handler.begun.lock().unwrap();
    begun.clone()
}

fn after(pause: Duration) -> CancellationToken {
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(pause).await;
        cancelled.cancel();
    });
    stop
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_done_is_not_done_again_when_a_later_one_fails() {
    let memory = Arc::new(Memory::default());
    let second = async |attempt| if attempt < 3 { Err(JobError::Retry("not yet".into())) } else { Ok(2) };
    let begun = work(&memory, second, after(Duration::from_mins(10))).await;
    assert_eq!(begun, ["first", "second", "second", "second"]);
    let job = memory.only();
    assert_eq!((job.state, job.result, job.failures), (JobState::Done, Some(3.into()), 2));
    assert_eq!(*memory.ended.lock().unwrap(), [Ended::Retried, Ended::Retried, Ended::Done]);
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_and_the_last_failure_ends_the_job() {
    let memory = Arc::new(Memory::default());
    let begun_at = Instant::now();
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen = times.clone();
    let second = move |_| {
        seen.lock().unwrap().push(begun_at.elapsed().as_secs() / 60);
        async { Err(JobError::Retry("never".into())) }
    };
    work(&memory, second, after(Duration::from_mins(30))).await;
    assert_eq!(*times.lock().unwrap(), [0, 1, 3]);
    let job = memory.only();
    assert_eq!((job.state, job.failures, job.last_error.as_deref()), (JobState::Failed, 3, Some("never")));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_succeed_is_given_up_and_a_panic_is_a_failure() {
    for (second, failures) in [(false, 1), (true, 3)] {
        let memory = Arc::new(Memory::default());
        let work_of = move |_| async move {
            assert!(!second, "a bug");
            Err(JobError::GiveUp("no such object".into()))
        };
        work(&memory, work_of, after(Duration::from_mins(30))).await;
        let job = memory.only();
        assert_eq!((job.state, job.failures), (JobState::Failed, failures), "{:?}", job.last_error);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_gives_the_job_back_after_the_drain_and_it_goes_on_behind_the_first_step() {
    let memory = Arc::new(Memory::default());
    let begun = work(&memory, |_| std::future::pending(), after(Duration::from_secs(1))).await;
    assert_eq!(begun, ["first", "second"]);
    let job = memory.only();
    assert_eq!((job.state, job.attempts), (JobState::Waiting, 0));
    let begun = work(&memory, async |_| Ok(2), after(Duration::from_secs(5))).await;
    assert_eq!((begun, memory.only().state), (vec!["second"], JobState::Done));
    assert_eq!(*memory.ended.lock().unwrap(), [Ended::Released, Ended::Done]);
}

#[tokio::test(start_paused = true)]
async fn whoever_lost_the_lease_stops_and_writes_nothing() {
    let memory = Arc::new(Memory::default());
    let thief = memory.clone();
    let second = move |_| {
        thief.steal();
        std::future::pending()
    };
    work(&memory, second, after(Duration::from_mins(5))).await;
    assert_eq!((memory.only().state, memory.only().failures), (JobState::Running, 0));
    assert_eq!(*memory.ended.lock().unwrap(), [Ended::Lost]);
    // One that ends its step only then is refused too.
    let (memory, begun_at) = (Arc::new(Memory::default()), Instant::now());
    let thief = memory.clone();
    let second = move |_| {
        thief.steal();
        async { Ok(2) }
    };
    work(&memory, second, after(Duration::from_secs(2))).await;
    assert!(memory.rows.lock().unwrap()[0].steps["second"].result.is_none());
    assert!(begun_at.elapsed() < LEASE);
}

/// Looks at the time when it goes.
struct Notes(Instant, CancellationToken);

impl Drop for Notes {
    fn drop(&mut self) {
        assert!(self.0.elapsed() < LEASE, "{:?}", self.0.elapsed());
        self.1.cancel();
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_store_ends_the_work_before_the_lease_does() {
    let memory = Arc::new(Memory::default());
    let (store, begun_at, stop) = (memory.clone(), Instant::now(), CancellationToken::new());
    let stopping = stop.clone();
    let second = move |_| {
        let notes = Notes(begun_at, stopping.clone());
        *store.silent.lock().unwrap() = true;
        async move {
            let _notes = notes;
            std::future::pending().await
        }
    };
    work(&memory, second, stop).await;
    assert_eq!(*memory.ended.lock().unwrap(), [Ended::Lost]);
}

#[test]
fn each_slot_has_one_job_whichever_replica_asks() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let (mut one, other) =
        (Recurring::every(Duration::from_hours(1), "r"), Recurring::every(Duration::from_hours(1), "r"));
    let job = one.due(at(7_200)).unwrap();
    assert_eq!(Some(&job), other.due(at(10_799)).as_ref(), "the same slot has the same key");
    one.asked(at(7_200));
    assert_eq!(one.due(at(10_799)), None);
    assert_ne!(one.due(at(10_800)).unwrap().once, job.once);
}
