//! From a body to an answer, on a thread that may take its time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Instant;

use palisade_admission::{Review, answer_failure, mutate, response, validate};
use palisade_model::{Decision, Verdict};
use palisade_policy::environment::Stop;
use palisade_policy::{Environment, FailurePolicy};
use palisade_store::DecisionRecord;
use uuid::Uuid;

use super::pool::End;
use super::request::Endpoint;
use super::{ANSWERED, Answer, GIVEN_UP, Job, Judge, Progress, RUNNING, WAITING};

impl Progress {
    /// The job is taken up; false where nobody waits any more.
    fn start(&self) -> bool {
        self.0.compare_exchange(WAITING, RUNNING, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The answer is there; false where it was given up.
    fn answer(&self) -> bool {
        self.0.compare_exchange(RUNNING, ANSWERED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Nobody waits any more, unless the answer is there. Says what the state was.
    pub(super) fn give_up(&self) -> u8 {
        let given_up = |state| (state != ANSWERED).then_some(GIVEN_UP);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, given_up).unwrap_or(ANSWERED)
    }

    fn is_given_up(&self) -> bool {
        self.0.load(Ordering::Acquire) == GIVEN_UP
    }
}

/// Ends an evaluation that nobody waits for.
struct Patience<'a> {
    progress: &'a Progress,
    deadline: Instant,
}

impl Stop for Patience<'_> {
    fn is_requested(&self) -> bool {
        self.progress.is_given_up() || Instant::now() >= self.deadline
    }
}

impl Judge {
    /// Judges, records and answers.
    pub(super) fn run(&self, job: Job) -> End {
        self.metrics.queued.dec();
        if !job.progress.start() {
            return End::Answered;
        }
        let _entered = job.span.enter();
        self.metrics.evaluating.inc();
        let start = Instant::now();
        let policy = job.asked.unwrap_or(FailurePolicy::Fail);
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(&job)));
        self.metrics.evaluating.dec();
        let (answer, decision) = judged.unwrap_or_else(|_| {
            let uid = super::request::uid_of(&job.body);
            let why = "the evaluation failed; please report this as a bug of Palisade";
            (Answer { bytes: answer_failure(&uid, policy, 500, why), operation: "", outcome: "failed" }, None)
        });
        let in_time = job.progress.answer();
        if let Some(mut decision) = decision {
            if !in_time {
                decision.allowed = policy == FailurePolicy::Ignore;
                decision.message = "the policies did not answer in time; the failure policy decided".into();
            }
            self.record(job.endpoint, &decision, start);
        }
        if !in_time {
            return End::GivenUp;
        }
        // Nobody may be there to take it: the connection ended.
        let _ = job.answer.send(answer);
        End::Answered
    }

    fn judge(&self, job: &Job) -> (Answer, Option<Decision>) {
        let mut review = match Review::read(&job.body, &self.limits) {
            Ok(review) => review,
            Err(error) => {
                let policy = job.asked.unwrap_or(FailurePolicy::Fail);
                let bytes = answer_failure(&error.uid, policy, 400, &error.to_string());
                return (Answer { bytes, operation: "", outcome: "invalid" }, None);
            }
        };
        review.asked = job.asked;
        let roles = self.surroundings.roles(&review.request.user);
        (review.request.roles, review.request.cluster_roles) = (roles.roles, roles.cluster_roles);
        // One ruleset for the whole of the request, whatever replaces it meanwhile.
        let ruleset = self.context.ruleset();
        let patience = Patience { progress: &job.progress, deadline: job.deadline };
        let mut environment = Environment::new(self.context.clock.now(), &*self.surroundings, &self.variables);
        environment.seed = seed(&review.digest);
        environment.stop = Some(&patience);
        let decision = match job.endpoint {
            Endpoint::Validate => validate(&ruleset, &review, &environment),
            Endpoint::Mutate => mutate(&ruleset, &review, &environment),
        };
        let operation = review.request.operation.as_str();
        let outcome = if decision.allowed { "allowed" } else { "denied" };
        (Answer { bytes: response(&decision, &review), operation, outcome }, Some(decision))
    }

    /// Writes the decision down before it is answered. A mutating webhook that changed nothing has said nothing that the
    /// validating one does not say again.
    fn record(&self, endpoint: Endpoint, decision: &Decision, start: Instant) {
        let passing = decision.allowed
            && decision.patched.is_none()
            && decision.warnings.is_empty()
            && !decision.findings.iter().any(|finding| finding.verdict > Verdict::Skip);
        if !self.journal.wants(passing) || (passing && endpoint == Endpoint::Mutate) {
            return;
        }
        let owner = self.context.owners.of(decision);
        let duration_us = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let record = DecisionRecord::new(Uuid::now_v7().to_string(), decision, &owner, duration_us);
        self.journal.record(&record);
    }
}

/// The first 16 hexadecimal digits of a digest, as a number: the same review draws the same random strings.
fn seed(digest: &str) -> u64 {
    digest.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}
