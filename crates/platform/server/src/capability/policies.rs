//! Policies: which there are, from where, in which versions, and what is wrong with them. They are shared by all teams.

mod metrics;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use palisade_api::wire::Time;
use palisade_api::{Done, List, Listing, NAME, Nothing, Part, Problem, SHA_256, is_digest, is_name, shape, view};
use palisade_identity::permission::READ;
use palisade_identity::{Authorized, Endpoint, Permission, Reach, Role};
use palisade_store::{PolicyFilter, PolicyRecord, PolicyVersion};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use super::{Capability, Ground, Plug};
use crate::capability::administration::audit::note;
use crate::capability::wire::PolicyStatusWord;
use crate::{Context, ServerError};

/// Have policies read anew.
const MANAGE_POLICIES: Permission =
    Permission::new("manage-policies", "have policies read anew", Reach::Platform, &[Role::Operator, Role::Admin]);

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    permissions: &[MANAGE_POLICIES],
    tables: &["policies", "policy_versions"],
    ..Capability::new("policies", "which policies there are, in which versions, and what is wrong with them", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    plug.routes(&Arc::new(ground.context.clone()), endpoints());
    metrics::register(ground.context);
    let context = ground.context.clone();
    plug.task("watching the policies", move |stop| first_ruleset(context, stop));
}

fn endpoints() -> Vec<Endpoint<Arc<Context>>> {
    vec![
        Endpoint::get(READ, "/policies", list).named("listPolicies", "Policies by name."),
        Endpoint::get(READ, "/policies/{policy}", get).named("getPolicy", "One policy."),
        Endpoint::get(READ, "/policies/{policy}/versions", versions)
            .named("listPolicyVersions", "The versions of a policy with their content, the newest first."),
        Endpoint::get(READ, "/policy-versions/{digest}", version)
            .named("getPolicyVersion", "The content of a version, as findings and decisions name it."),
        Endpoint::post(MANAGE_POLICIES, "/policies/reload", reload)
            .named("reloadPolicies", "Reads all policies anew, soon."),
    ]
}

shape!(
    /// Identifier of a policy.
    PolicyId, "policy", 64, NAME, is_name
);
shape!(
    /// SHA-256 of a version.
    Digest, "version of a policy", 64, SHA_256, is_digest
);

/// Which policies are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct PolicyQuery {
    /// The source that offers it.
    source: Option<String>,
    /// Kind of the policy object.
    kind: Option<String>,
    /// Namespace; empty where it has none.
    namespace: Option<String>,
    /// Name.
    name: Option<String>,
    /// Whether it judges; those that were removed are left out where nothing is said.
    #[param(inline)]
    status: Option<PolicyStatusWord>,
}

view! {
    /// A policy.
    #[schema(as = Policy)]
    struct PolicyView of PolicyRecord {
        /// Its identifier.
        id: String,
        /// The source that offers it.
        source: String,
        /// Kind of the policy object.
        kind: String,
        /// Namespace, empty where it has none.
        namespace: String,
        /// Name.
        name: String,
        /// SHA-256 of the version offered last.
        digest: String,
        /// Where in the source it is.
        place: String,
        /// Whether it judges.
        status: PolicyStatusWord,
        /// What is wrong with it.
        problem: Option<String>,
        /// First seen.
        first_seen: Time,
        /// When version, status or problem changed last.
        changed_at: Time,
    }
}

view! {
    /// A version of a policy.
    #[schema(as = PolicyVersion)]
    struct VersionView of PolicyVersion {
        /// Identifier of the policy.
        policy_id: String,
        /// SHA-256 of its canonical JSON.
        digest: String,
        /// The document as text.
        content: String,
        /// First seen.
        first_seen: Time,
    }
}

async fn list(
    State(context): State<Arc<Context>>,
    _: Authorized,
    listing: Listing<PolicyQuery>,
) -> Result<List<PolicyView>, Problem> {
    let query = &listing.filter;
    let filter = PolicyFilter {
        source: query.source.clone(),
        kind: query.kind.clone(),
        namespace: query.namespace.clone(),
        name: query.name.clone(),
        status: query.status.map(|word| word.0),
    };
    Ok(listing.answer(context.store.list_policies(&filter, &listing.page).await?))
}

async fn get(
    State(context): State<Arc<Context>>,
    _: Authorized,
    Part(id, _): Part<PolicyId>,
) -> Result<Json<PolicyView>, Problem> {
    let found = context.store.policy(&id).await?;
    found.map(|record| Json(record.into())).ok_or_else(|| Problem::not_found("policy"))
}

async fn versions(
    State(context): State<Arc<Context>>,
    _: Authorized,
    Part(id, _): Part<PolicyId>,
    listing: Listing<Nothing>,
) -> Result<List<VersionView>, Problem> {
    let store = &context.store;
    store.policy(&id).await?.ok_or_else(|| Problem::not_found("policy"))?;
    Ok(listing.answer(store.list_policy_versions(&id, &listing.page).await?))
}

async fn version(
    State(context): State<Arc<Context>>,
    _: Authorized,
    Part(digest, _): Part<Digest>,
) -> Result<Json<VersionView>, Problem> {
    let found = context.store.policy_version(&digest).await?;
    found.map(|version| Json(version.into())).ok_or_else(|| Problem::not_found("version of a policy"))
}

async fn reload(State(context): State<Arc<Context>>, authorized: Authorized) -> Result<Done, Problem> {
    note(&context, &authorized, "policies.reload", "policies", None).await?;
    context.policies.reload();
    Ok(Done)
}

/// The server is ready once there are policies; what is wrong with some of them is told from then on.
async fn first_ruleset(context: Context, stop: CancellationToken) -> Result<(), ServerError> {
    let mut status = context.policies.status();
    loop {
        let now = status.borrow_and_update().clone();
        match (now.complete, &*now.problems) {
            (false, _) => context.health.fails("ruleset", "the policies are being loaded"),
            (true, []) => context.health.holds("ruleset"),
            (true, [first, rest @ ..]) => {
                let more = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
                context.health.degraded("ruleset", format!("{first}{more}"));
            }
        }
        let changed = stop.run_until_cancelled(status.changed()).await;
        if !matches!(changed, Some(Ok(()))) {
            stop.cancelled().await;
            return Ok(());
        }
    }
}
