//! Jobs: what waits, runs, was done or given up; withdrawing one, and trying one again.
//!
//! Deliberately absent: what a job was given and what it answered, which may hold what only its capability shows; adding jobs,
//! which capabilities do.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use palisade_api::wire::Time;
use palisade_api::{Code, List, Listing, Part, Problem, UUID, is_uuid, shape};
use palisade_identity::{Authorized, Endpoint, Permission, Reach, Role};
use palisade_runtime::jobs::Job;
use palisade_store::JobFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::audit::note;
use crate::Context;
use crate::capability::wire::JobStateWord;

/// See jobs, withdraw them and try them again.
pub(crate) const MANAGE_JOBS: Permission = Permission::new(
    "manage-jobs",
    "see jobs, withdraw them and try them again",
    Reach::Platform,
    &[Role::Operator, Role::Admin],
);

pub(crate) fn endpoints() -> Vec<Endpoint<Arc<Context>>> {
    vec![
        Endpoint::get(MANAGE_JOBS, "/jobs", list).named("listJobs", "Jobs, the newest first."),
        Endpoint::get(MANAGE_JOBS, "/jobs/{job}", get).named("getJob", "One job."),
        Endpoint::post(MANAGE_JOBS, "/jobs/{job}/cancel", cancel)
            .named("cancelJob", "Withdraws a job that has not ended; who does it stops at the next step."),
        Endpoint::post(MANAGE_JOBS, "/jobs/{job}/retry", retry).named(
            "retryJob",
            "Lets a job that failed or was withdrawn be done after all, from the step it had come to.",
        ),
    ]
}

shape!(
    /// Identifier of a job.
    JobId, "job", 36, UUID, is_uuid
);

/// Which jobs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct JobQuery {
    /// What became of them.
    #[param(inline)]
    state: Option<JobStateWord>,
    /// What they are, such as `retention`.
    kind: Option<String>,
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
struct JobView {
    /// Its identifier.
    id: String,
    /// What it is.
    kind: String,
    /// What became of it.
    state: JobStateWord,
    /// By what it is told from others of its kind.
    key: Option<String>,
    /// When it was to begin.
    run_at: Time,
    /// How often it was taken up.
    attempts: u32,
    /// How often it failed.
    failures: u32,
    /// How often it may fail.
    max_attempts: u32,
    /// Why it failed last.
    last_error: Option<String>,
    /// When it was asked for.
    created_at: Time,
    /// When it ended.
    ended_at: Option<Time>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            state: job.state.into(),
            key: job.key,
            run_at: job.run_at.into(),
            attempts: job.attempts,
            failures: job.failures,
            max_attempts: job.max_attempts,
            last_error: job.last_error,
            created_at: job.created_at.into(),
            ended_at: job.ended_at.map(Time),
        }
    }
}

async fn list(
    State(context): State<Arc<Context>>,
    _: Authorized,
    listing: Listing<JobQuery>,
) -> Result<List<JobView>, Problem> {
    let filter = JobFilter { state: listing.filter.state.map(|word| word.0), kind: listing.filter.kind.clone() };
    Ok(listing.answer(context.store.list_jobs(&filter, &listing.page).await?))
}

async fn get(
    State(context): State<Arc<Context>>,
    _: Authorized,
    Part(id, _): Part<JobId>,
) -> Result<Json<JobView>, Problem> {
    Ok(Json(found(&context, &id).await?.into()))
}

async fn found(context: &Context, id: &str) -> Result<Job, Problem> {
    let found = context.store.job(id).await?;
    found.map(|(job, _)| job).ok_or_else(|| Problem::not_found("job"))
}

async fn cancel(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(id, _): Part<JobId>,
) -> Result<Json<JobView>, Problem> {
    let job = found(&context, &id).await?;
    if job.ended_at.is_some() || !context.store.cancel_job(&id).await? {
        return Err(Problem::new(Code::Conflict, "the job has ended; there is nothing to withdraw"));
    }
    changed(&context, &authorized, "job.cancel", &id).await
}

async fn retry(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(id, _): Part<JobId>,
) -> Result<Json<JobView>, Problem> {
    found(&context, &id).await?;
    if !context.store.retry_job(&id).await? {
        let detail = "the job has neither failed nor been withdrawn, or another one waits under its key";
        return Err(Problem::new(Code::Conflict, detail));
    }
    changed(&context, &authorized, "job.retry", &id).await
}

/// Notes what was done, and shows what came of it.
async fn changed(context: &Context, authorized: &Authorized, action: &str, id: &str) -> Result<Json<JobView>, Problem> {
    note(context, authorized, action, id, None).await?;
    Ok(Json(found(context, id).await?.into()))
}
