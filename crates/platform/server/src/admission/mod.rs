//! The webhook endpoint: bytes of a review in, bytes of its answer out, whatever happens in between.
//!
//! | file | what |
//! |---|---|
//! | `request` | path, time-out and body of a request, bounded |
//! | `pool` | threads that evaluate, and what becomes of those that do not come back |
//! | `metrics` | what is counted and timed |
//! | `judge` | from a body to an answer, on such a thread |
//!
//! Reading and writing happen on the reactor's threads, evaluation on threads of its own, which may be busy for as long
//! as a policy takes. Whoever answers first, the thread that judged or the clock that ran out, answers alone. Deliberately
//! absent: what a decision is made of, which `palisade-admission` knows.

mod judge;
mod metrics;
mod pool;
mod request;

use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use palisade_admission::{Roles, answer_failure};
use palisade_policy::{FailurePolicy, Lookups, UserInfo, Variables};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Instrument;

use crate::Context;
use crate::journal::Journal;
use crate::operations;
use crate::telemetry;
use metrics::{Labels, Reviews};
use pool::Pool;
use request::{Bodies, Call, Endpoint, Refused};

/// What policies may look into, and who has which roles: a cluster's watch caches, or nothing.
pub(crate) trait Surroundings: Lookups {
    /// The roles that the cluster's bindings grant.
    fn roles(&self, user: &UserInfo) -> Roles;
}

/// The endpoint.
pub(crate) struct Admission {
    context: Context,
    judge: Arc<Judge>,
    pool: Pool<Job>,
    bodies: Bodies,
    metrics: Arc<Reviews>,
    traces: bool,
}

/// What every evaluation needs.
struct Judge {
    context: Context,
    journal: Arc<Journal>,
    surroundings: Arc<dyn Surroundings>,
    variables: Variables,
    limits: palisade_admission::Limits,
    metrics: Arc<Reviews>,
}

/// A review on its way through a thread.
struct Job {
    body: Bytes,
    endpoint: Endpoint,
    asked: Option<FailurePolicy>,
    deadline: std::time::Instant,
    progress: Arc<Progress>,
    answer: oneshot::Sender<Answer>,
    span: tracing::Span,
}

/// What a thread made of a review.
struct Answer {
    bytes: Vec<u8>,
    operation: &'static str,
    outcome: &'static str,
}

/// How far a job is; whoever moves it to its last state answers.
#[derive(Debug, Default)]
struct Progress(AtomicU8);

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const ANSWERED: u8 = 2;
const GIVEN_UP: u8 = 3;

impl Admission {
    pub(crate) fn new(
        context: Context,
        journal: Arc<Journal>,
        surroundings: Arc<dyn Surroundings>,
        traces: bool,
    ) -> Arc<Self> {
        let config = &context.config.server.admission;
        let workers = config.workers.or_else(|| std::thread::available_parallelism().ok().map(usize::from));
        let limits = palisade_admission::Limits { bytes: config.max_review_bytes, ..Default::default() };
        let metrics = Arc::new(Reviews::registered(&context.metrics));
        let judge = Judge {
            context: context.clone(),
            journal,
            surroundings,
            variables: Variables::default(),
            limits,
            metrics: metrics.clone(),
        };
        let judge = Arc::new(judge);
        let run = {
            let judge = judge.clone();
            move |job: Job| judge.run(job)
        };
        let pool = Pool::new(workers.unwrap_or(2), config.queue, run);
        Arc::new(Self { context, judge, pool, bodies: Bodies::default(), metrics, traces })
    }

    /// Answers a request to the admission listener.
    pub(crate) async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if let Some(response) = operations::answer(&self.context, request.method(), request.uri().path())
            .filter(|_| request.uri().path() != "/metrics")
        {
            return response;
        }
        let call = match Call::of(&request, &self.context.config.server.admission) {
            Ok(call) => call,
            Err(refused) => return refused.response(),
        };
        if !self.traces {
            return self.call(call, request, tracing::Span::none()).await;
        }
        let span = tracing::info_span!(
            target: telemetry::TARGET,
            "review",
            otel.kind = "server",
            endpoint = call.endpoint.as_str(),
            operation = tracing::field::Empty,
            outcome = tracing::field::Empty,
        );
        telemetry::follow(&span, request.headers());
        self.call(call, request, span.clone()).instrument(span).await
    }

    async fn call(&self, call: Call, request: Request<Incoming>, span: tracing::Span) -> Response<Full<Bytes>> {
        let deadline = Instant::now() + call.time;
        let read = self.bodies.read(request.into_body(), self.judge.limits.bytes);
        let held = match tokio::time::timeout_at(deadline, read).await {
            Ok(Ok(held)) => held,
            Ok(Err(refused)) => return self.refuse(&call, refused),
            Err(_) => return self.refuse(&call, Refused::SlowBody),
        };
        let start = Instant::now();
        let answer = self.judged(&call, &held.bytes, deadline, span.clone()).await;
        let labels = Labels { endpoint: call.endpoint.as_str(), operation: answer.operation, outcome: answer.outcome };
        span.record("operation", answer.operation).record("outcome", answer.outcome);
        self.metrics.answered(&labels, start.elapsed());
        let mut response = Response::new(Full::new(Bytes::from(answer.bytes)));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    fn refuse(&self, call: &Call, refused: Refused) -> Response<Full<Bytes>> {
        let labels = Labels { endpoint: call.endpoint.as_str(), operation: "", outcome: refused.outcome() };
        self.metrics.refused(&labels);
        refused.response()
    }

    /// The answer of a thread, or that of the failure policy when there is none in time.
    async fn judged(&self, call: &Call, body: &Bytes, deadline: Instant, span: tracing::Span) -> Answer {
        if !self.context.policies.status().borrow().complete {
            return failure(call, body, "failed", "the policies are not loaded yet; try again in a moment");
        }
        let (answer, mut answered) = oneshot::channel();
        let progress = Arc::new(Progress::default());
        let job = Job {
            body: body.clone(),
            endpoint: call.endpoint,
            asked: call.asked,
            deadline: deadline.into_std(),
            progress: progress.clone(),
            answer,
            span,
        };
        self.metrics.queued.inc();
        if !self.pool.submit(job) {
            self.metrics.queued.dec();
            return failure(call, body, "overloaded", "more requests wait than the policies can judge in time");
        }
        if let Ok(result) = tokio::time::timeout_at(deadline, &mut answered).await {
            return result.unwrap_or_else(|_| failure(call, body, "failed", "the evaluation ended without an answer"));
        }
        match progress.give_up() {
            // The thread is about to send it.
            ANSWERED => {
                let late = tokio::time::timeout(Duration::from_millis(100), answered).await;
                if let Ok(Ok(answer)) = late {
                    return answer;
                }
            }
            RUNNING => self.pool.lost(),
            _ => {}
        }
        let why = format!("the policies did not answer within {:.1} s", call.time.as_secs_f64());
        failure(call, body, "timed-out", &why)
    }
}

/// The answer of the failure policy; where even the review's identifier cannot be read, an empty one.
fn failure(call: &Call, body: &[u8], outcome: &'static str, why: &str) -> Answer {
    let uid = request::uid_of(body);
    tracing::warn!(uid, outcome, endpoint = call.endpoint.as_str(), why, "a review was answered by its failure policy");
    Answer { bytes: answer_failure(&uid, call.failure_policy(), 500, why), operation: "", outcome }
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admission").finish_non_exhaustive()
    }
}

/// A plain answer that is no AdmissionReview; the API server follows its failure policy.
fn status(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    operations::plain(status, "text/plain; charset=utf-8", format!("{text}\n"))
}
