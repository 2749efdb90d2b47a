//! `/auth/*`: what a browser visits to log in.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderValue, header};
use serde::Deserialize;

use super::with_cookie;
use crate::identity::Identity;
use crate::identity::cookie::Cookie;
use crate::identity::oidc::Callback;
use crate::identity::refusal::Refusal;

#[derive(Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

/// Begins a login with the identity provider.
#[utoipa::path(get, path = "/auth/login", operation_id = "beginLogin", tag = "identity",
    params(("next" = Option<String>, Query, description = "The path on this server to go on at.")),
    responses((status = 303, description = "To the identity provider.")))]
pub(super) async fn login(
    State(identity): State<Arc<Identity>>,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Refusal> {
    let (url, cookie) = identity.begin_login(next.as_deref().unwrap_or("/")).await?;
    Ok(with_cookie(Redirect::to(url.as_str()), cookie))
}

/// Ends a login with the identity provider, which sends people here.
#[utoipa::path(get, path = "/auth/callback", operation_id = "finishLogin", tag = "identity",
    params(
        ("code" = Option<String>, Query, description = "What the provider exchanges for an identity token."),
        ("state" = Option<String>, Query, description = "Which login it belongs to."),
        ("error" = Option<String>, Query, description = "Why there is no code."),
        ("iss" = Option<String>, Query, description = "The provider's name for itself."),
    ),
    responses((status = 303, description = "Logged in; on to where the login began.")))]
pub(super) async fn callback(
    State(identity): State<Arc<Identity>>,
    Query(callback): Query<Callback>,
    parts: Parts,
) -> Result<Response, Refusal> {
    let attempt = identity.finish_login(&parts, &callback);
    let (next, cookie) = identity.attempt(&parts, "login", callback.state(), attempt).await?;
    let next = identity.url("").join(&next).map_err(|error| Refusal::internal("ending a login", &error))?;
    let mut response = with_cookie(Redirect::to(next.as_str()), cookie);
    response.headers_mut().append(header::SET_COOKIE, Cookie::Login.clear(identity.tls()));
    Ok(unreferred(response))
}

#[derive(Deserialize)]
pub(super) struct FirstToken {
    #[serde(default)]
    token: String,
}

/// Logs the first administrator in, by the link that the server printed at its start.
#[utoipa::path(get, path = "/auth/first", operation_id = "beginFirstSession", tag = "identity",
    params(("token" = Option<String>, Query, description = "The link's one-time token.")),
    responses((status = 303, description = "Logged in.")))]
pub(super) async fn first(
    State(identity): State<Arc<Identity>>,
    Query(FirstToken { token }): Query<FirstToken>,
    parts: Parts,
) -> Result<Response, Refusal> {
    let attempt = identity.redeem_first_link(&parts, &token);
    let cookie = identity.attempt(&parts, "first-link", &token, attempt).await?;
    Ok(unreferred(with_cookie(Redirect::to(identity.url("/").as_str()), cookie)))
}

/// The address held a secret: browsers do not tell it to where they go next.
fn unreferred(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
