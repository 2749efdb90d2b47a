//! How the server is: its version, what judges, what is amiss.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use palisade_api::wire::Time;
use palisade_identity::permission::READ;
use palisade_identity::{Authorized, Endpoint};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Context;

pub(crate) fn endpoints() -> Vec<Endpoint<Arc<Context>>> {
    vec![Endpoint::get(READ, "/status", get).named("getStatus", "Version, readiness, and the live ruleset.")]
}

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
struct Status {
    /// The server's version.
    version: &'static str,
    /// Whether admission is served.
    ready: bool,
    /// A line per condition: `[+]` holds, `[!]` is degraded, `[-]` fails.
    conditions: Vec<String>,
    /// What judges.
    ruleset: RulesetStatus,
}

/// The live ruleset and how it came to be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ruleset)]
struct RulesetStatus {
    /// SHA-256 of the policies and agreements, as decisions name it.
    digest: String,
    /// How many policies judge.
    policies: usize,
    /// When it was built; null before the first load.
    loaded_at: Option<Time>,
    /// How often policies were loaded since the start.
    loads: u64,
    /// How often something was wrong then, so that an older version stayed in force.
    failures: u64,
    /// What is wrong now.
    problems: Vec<String>,
}

async fn get(State(context): State<Arc<Context>>, _: Authorized) -> Json<Status> {
    let loading = context.policies.status().borrow().clone();
    let ruleset = context.ruleset();
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        ready: context.health.is_ready(),
        conditions: context.health.report().lines().map(str::to_owned).collect(),
        ruleset: RulesetStatus {
            digest: ruleset.digest.to_string(),
            policies: ruleset.references().len(),
            loaded_at: loading.loaded_at.map(Time),
            loads: loading.loads,
            failures: loading.failures,
            problems: loading.problems.to_vec(),
        },
    })
}
