//! Resources: every object that was judged, where it is, whose it is, and what was said of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use palisade_api::wire::Time;
use palisade_api::{List, Listing, NAME, Part, Problem, is_name, shape, view};
use palisade_identity::permission::READ;
use palisade_identity::{Authorized, Endpoint};
use palisade_model::VerdictCounts;
use palisade_store::{DecisionFilter, FindingFilter, FindingOrder, Page, ResourceFilter, ResourceRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Context;
use crate::capability::decisions::DecisionView;
use crate::capability::findings::{FindingView, ResourceName};
use crate::capability::scope;

/// Findings and decisions that come with a resource at most; the lists have the rest.
const ALONG: u32 = 50;

pub(crate) fn endpoints() -> Vec<Endpoint<Arc<Context>>> {
    vec![
        Endpoint::get(READ, "/resources", list).named("listResources", "The inventory."),
        Endpoint::get(READ, "/resources/{resource}", get)
            .named("getResource", "One resource with its open findings, the worst first, and its latest decisions."),
    ]
}

shape!(
    /// Identifier of a resource.
    ResourceId, "resource", 64, NAME, is_name
);

/// Which resources are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ResourceQuery {
    /// Where it lives: `cluster:NAME` or `file:PATH`.
    source: Option<String>,
    /// Kind.
    kind: Option<String>,
    /// Namespace; empty for resources of the whole cluster.
    namespace: Option<String>,
    /// Name.
    name: Option<String>,
    /// The team that answers for it.
    team: Option<String>,
    /// The service that it belongs to.
    service: Option<String>,
}

view! {
    /// A resource.
    #[schema(as = Resource)]
    struct ResourceView of ResourceRecord {
        /// Its identifier.
        id: String,
        /// What makes it the same at the next sight.
        resource: ResourceName as address,
        /// API version.
        version: String,
        /// Unique identifier in the cluster, empty outside of one.
        uid: String,
        /// SHA-256 of what was judged.
        input_digest: String,
        /// SHA-256 of the policies that judged it last.
        ruleset_digest: String,
        /// The team that answers for it.
        team: String,
        /// The service that it belongs to.
        service: String,
        /// What the rules said last.
        counts: Counts,
        /// First seen.
        first_seen: Time,
        /// Last seen.
        last_seen: Time,
    }
}

view! {
    /// How many rules answered what.
    #[schema(as = VerdictCounts)]
    pub(crate) struct Counts of VerdictCounts {
        /// Satisfied.
        pass: u32,
        /// Violated.
        fail: u32,
        /// Violated, and only warned about.
        warn: u32,
        /// Declined to judge.
        skip: u32,
        /// Could not be evaluated.
        error: u32,
    }
}

/// A resource and what was said of it.
#[derive(Debug, Serialize, ToSchema)]
struct ResourceDetail {
    /// The resource.
    resource: ResourceView,
    /// Its open findings, the worst first, 50 at most.
    findings: Vec<FindingView>,
    /// The latest decisions about objects of its kind, namespace and name, 50 at most.
    decisions: Vec<DecisionView>,
}

async fn list(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    listing: Listing<ResourceQuery>,
) -> Result<List<ResourceView>, Problem> {
    let query = &listing.filter;
    let filter = ResourceFilter {
        source: query.source.clone(),
        kind: query.kind.clone(),
        namespace: query.namespace.clone(),
        name: query.name.clone(),
        teams: scope::teams(&authorized, query.team.clone()),
        service: query.service.clone(),
    };
    Ok(listing.answer(context.store.list_resources(&filter, &listing.page).await?))
}

async fn get(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(id, _): Part<ResourceId>,
) -> Result<Json<ResourceDetail>, Problem> {
    let store = &context.store;
    let found = store.resource(&id).await?.filter(|found| scope::sees(&authorized, &found.team));
    let resource = found.ok_or_else(|| Problem::not_found("resource"))?;
    let address = &resource.address;
    let findings = FindingFilter {
        resource_id: Some(id),
        order: FindingOrder::Severity,
        teams: scope::teams(&authorized, None),
        ..FindingFilter::default()
    };
    let decisions = DecisionFilter {
        kind: Some(address.kind.to_string()),
        namespace: Some(address.namespace.to_string()),
        name: Some(address.name.to_string()),
        teams: scope::teams(&authorized, None),
        ..DecisionFilter::default()
    };
    let findings = store.list_findings(&findings, &Page::first(ALONG)).await?.items;
    let decisions = store.list_decisions(&decisions, &Page::first(ALONG)).await?.items.into_iter();
    let same_group = decisions.filter(|decision| *decision.group == *address.group).map(DecisionView::from).collect();
    let findings = findings.into_iter().map(FindingView::from).collect();
    Ok(Json(ResourceDetail { findings, decisions: same_group, resource: resource.into() }))
}
