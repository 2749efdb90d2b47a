//! Owners as the API shows them: teams and services. What imports them is in `owners`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use palisade_api::{List, Listing, NAME, Nothing, Part, Problem, is_name, shape, view};
use palisade_identity::permission::READ;
use palisade_identity::{Authorized, Endpoint};
use palisade_store::{Service, Team};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Context;
use crate::capability::scope;

pub(crate) fn endpoints() -> Vec<Endpoint<Arc<Context>>> {
    vec![
        Endpoint::get(READ, "/teams", teams).named("listTeams", "Teams by name."),
        Endpoint::get(READ, "/teams/{team}", team).named("getTeam", "One team."),
        Endpoint::get(READ, "/services", services).named("listServices", "Services by name."),
        Endpoint::get(READ, "/services/{service}", service).named("getService", "One service."),
    ]
}

shape!(
    /// Name of a team.
    TeamName, "team", 253, NAME, is_name
);
shape!(
    /// Name of a service.
    ServiceName, "service", 253, NAME, is_name
);

view! {
    /// A team.
    #[schema(as = Team)]
    struct TeamView of Team {
        /// Its name.
        name: String,
        /// The name to show.
        title: String,
        /// How to reach it, empty where unknown.
        contact: String,
        /// Where it is written.
        source: String,
    }
}

/// Which services are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ServiceQuery {
    /// The team that owns them.
    team: Option<String>,
}

view! {
    /// A service.
    #[schema(as = Service)]
    struct ServiceView of Service {
        /// Its name.
        name: String,
        /// The team that owns it.
        team: String,
        /// The name to show.
        title: String,
        /// The system that it belongs to, empty where unknown.
        system: String,
        /// Such as `production` or `experimental`, empty where unknown.
        lifecycle: String,
        /// How its resources are recognised.
        selector: serde_json::Value,
        /// Where it is written.
        source: String,
    }
}

async fn teams(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    listing: Listing<Nothing>,
) -> Result<List<TeamView>, Problem> {
    let store = &context.store;
    let Some(own) = authorized.teams().filter() else {
        return Ok(listing.answer(store.list_teams(&listing.page).await?));
    };
    // A caller has few teams: they are one page.
    let mut found = Vec::with_capacity(own.len());
    for name in own {
        found.extend(store.team(&name).await?.map(TeamView::from));
    }
    Ok(List::whole(found))
}

async fn team(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(name, _): Part<TeamName>,
) -> Result<Json<TeamView>, Problem> {
    let found = context.store.team(&name).await?.filter(|found| scope::sees(&authorized, &found.name));
    found.map(|team| Json(team.into())).ok_or_else(|| Problem::not_found("team"))
}

async fn services(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    listing: Listing<ServiceQuery>,
) -> Result<List<ServiceView>, Problem> {
    let teams = scope::teams(&authorized, listing.filter.team.clone());
    Ok(listing.answer(context.store.list_services(teams.as_deref(), &listing.page).await?))
}

async fn service(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(name, _): Part<ServiceName>,
) -> Result<Json<ServiceView>, Problem> {
    let found = context.store.service(&name).await?.filter(|found| scope::sees(&authorized, &found.team));
    found.map(|service| Json(service.into())).ok_or_else(|| Problem::not_found("service"))
}
