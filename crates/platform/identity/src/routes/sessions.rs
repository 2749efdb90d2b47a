//! `/api/v1/session`: who one is, and logging out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Ended;
use crate::caller::{Binding, Method};
use crate::cookie::Cookie;
use crate::permission::{OWN_SESSION, Permission};
use crate::refusal::Refusal;
use crate::{Authorized, Endpoint, Identity, authorize};

pub(super) fn endpoints() -> Vec<Endpoint<Arc<Identity>>> {
    vec![
        Endpoint::get(OWN_SESSION, "/session", show).named("getSession", "Who am I?"),
        Endpoint::delete(OWN_SESSION, "/session", end).named("endSession", "Logs out of this session."),
        Endpoint::delete(OWN_SESSION, "/sessions", end_all)
            .named("endSessions", "Ends all sessions of the caller, on every device."),
    ]
}

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionView {
    /// Identifier of the account or agent.
    id: String,
    /// What a person calls it.
    name: String,
    /// How it was recognised.
    method: Method,
    /// The roles held, by team.
    roles: Vec<Binding>,
    /// The permissions held, in some team at least.
    permissions: Vec<&'static str>,
}

async fn show(State(identity): State<Arc<Identity>>, authorized: Authorized) -> Json<SessionView> {
    let caller = authorized.caller();
    let held = identity.permissions.iter().filter(|permission| authorize(caller, *permission).is_ok());
    Json(SessionView {
        id: caller.id().to_owned(),
        name: caller.name().to_owned(),
        method: caller.method(),
        roles: caller.bindings().to_vec(),
        permissions: held.map(|permission: Permission| permission.as_str()).collect(),
    })
}

async fn end(State(identity): State<Arc<Identity>>, authorized: Authorized) -> Result<Ended, Refusal> {
    Ok(Ended(identity.end_session(authorized.caller()).await?))
}

async fn end_all(State(identity): State<Arc<Identity>>, authorized: Authorized) -> Result<Ended, Refusal> {
    let caller = authorized.caller();
    identity.end_sessions_of(caller, caller.id()).await?;
    Ok(Ended(Cookie::Session.clear(identity.tls())))
}
