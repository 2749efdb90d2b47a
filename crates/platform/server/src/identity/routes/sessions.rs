//! `/api/v1/session`: who one is, and logging out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::with_cookie;
use crate::api::problem::ProblemDocument;
use crate::identity::caller::{Binding, Method};
use crate::identity::cookie::Cookie;
use crate::identity::refusal::Refusal;
use crate::identity::role::Permission;
use crate::identity::{Authorized, Identity, authorize};

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
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

/// Who am I?
#[utoipa::path(get, path = "/api/v1/session", operation_id = "getSession", tag = "identity",
    responses((status = 200, description = "The caller.", body = SessionView)))]
pub(super) async fn show(authorized: Authorized) -> Json<SessionView> {
    let caller = authorized.caller();
    let held = Permission::ALL.into_iter().filter(|permission| authorize(caller, *permission).is_ok());
    Json(SessionView {
        id: caller.id().to_owned(),
        name: caller.name().to_owned(),
        method: caller.method(),
        roles: caller.bindings().to_vec(),
        permissions: held.map(Permission::as_str).collect(),
    })
}

/// Logs out of this session.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "endSession", tag = "identity",
    responses(
        (status = 204, description = "Logged out."),
        (status = 403, description = "The caller came by a token.", body = ProblemDocument),
    ))]
pub(super) async fn end(State(identity): State<Arc<Identity>>, authorized: Authorized) -> Result<Response, Refusal> {
    let cookie = identity.end_session(authorized.caller()).await?;
    Ok(with_cookie(StatusCode::NO_CONTENT, cookie))
}

/// Ends all sessions of the caller, on every device.
#[utoipa::path(delete, path = "/api/v1/sessions", operation_id = "endSessions", tag = "identity",
    responses((status = 204, description = "Logged out everywhere.")))]
pub(super) async fn end_all(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
) -> Result<Response, Refusal> {
    let caller = authorized.caller();
    identity.end_sessions_of(caller, caller.id()).await?;
    Ok(with_cookie(StatusCode::NO_CONTENT, Cookie::Session.clear(identity.tls())))
}
