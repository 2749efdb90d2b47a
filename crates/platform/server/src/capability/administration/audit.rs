//! The audit log: who did what to the control plane itself.

use std::sync::Arc;

use axum::extract::State;
use palisade_api::wire::Time;
use palisade_api::{List, Listing, Problem, view};
use palisade_identity::{Authorized, Endpoint, Permission, Reach, Role};
use palisade_store::{AuditEntry, AuditFilter, NewAuditEntry};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use crate::Context;

/// Read the audit log.
pub(crate) const READ_AUDIT: Permission =
    Permission::new("read-audit", "read the audit log", Reach::Platform, &[Role::Approver, Role::Admin]);

pub(crate) fn endpoints() -> Vec<Endpoint<Arc<Context>>> {
    vec![Endpoint::get(READ_AUDIT, "/audit", list).named("listAudit", "The audit log, the newest first.")]
}

/// Which entries are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// Who: the identifier of an account, a token or an agent.
    actor: Option<String>,
    /// What, such as `exception.approve`.
    action: Option<String>,
    /// To what.
    object: Option<String>,
    /// The team that it concerns.
    team: Option<String>,
    /// Not before.
    #[param(inline)]
    since: Option<Time>,
    /// Before.
    #[param(inline)]
    until: Option<Time>,
}

view! {
    /// An action.
    #[schema(as = AuditEntry)]
    struct EntryView of AuditEntry {
        /// Its identifier.
        id: String,
        /// When.
        time: Time,
        /// Who.
        actor: String,
        /// The name to show for it.
        actor_name: String,
        /// What.
        action: String,
        /// To what.
        object: String,
        /// The team that it concerns; null concerns all.
        team: Option<String>,
        /// Whether it succeeded.
        allowed: bool,
        /// Anything else worth knowing.
        details: Value,
    }
}

async fn list(
    State(context): State<Arc<Context>>,
    _: Authorized,
    listing: Listing<AuditQuery>,
) -> Result<List<EntryView>, Problem> {
    let query = &listing.filter;
    let filter = AuditFilter {
        actor: query.actor.clone(),
        action: query.action.clone(),
        object: query.object.clone(),
        // The permission holds in all teams or not at all.
        teams: query.team.clone().map(|team| vec![team]),
        since: query.since.map(|time| time.0),
        until: query.until.map(|time| time.0),
    };
    Ok(listing.answer(context.store.list_audit(&filter, &listing.page).await?))
}

/// Notes what the caller does.
pub(crate) async fn note(
    context: &Context,
    authorized: &Authorized,
    action: &str,
    object: &str,
    team: Option<&str>,
) -> Result<(), Problem> {
    let entry = entry(authorized, action, object, team);
    context.store.append_audit(&entry, context.clock.now()).await?;
    Ok(())
}

/// The entry about what the caller does.
pub(crate) fn entry(authorized: &Authorized, action: &str, object: &str, team: Option<&str>) -> NewAuditEntry {
    let caller = authorized.caller();
    NewAuditEntry {
        actor: caller.id().to_owned(),
        actor_name: caller.name().to_owned(),
        action: action.to_owned(),
        object: object.to_owned(),
        team: team.map(str::to_owned),
        allowed: true,
        details: Value::Null,
    }
}
