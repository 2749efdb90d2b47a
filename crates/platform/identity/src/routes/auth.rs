//! `/auth/*`: what a browser visits to log in.

use std::sync::Arc;

use axum::extract::State;
use http::request::Parts;
use palisade_api::Query;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Onward;
use crate::cookie::Cookie;
use crate::oidc::Callback;
use crate::refusal::Refusal;
use crate::{Endpoint, Identity};

pub(super) fn endpoints() -> Vec<Endpoint<Arc<Identity>>> {
    vec![
        Endpoint::open("/auth/login", login).named("beginLogin", "Begins a login with the identity provider."),
        Endpoint::open("/auth/callback", callback)
            .named("finishLogin", "Ends a login with the identity provider, which sends people here."),
        Endpoint::open("/auth/first", first).named(
            "beginFirstSession",
            "Logs the first administrator in, by the link that the server printed at its start.",
        ),
    ]
}

#[derive(Deserialize, IntoParams)]
struct Next {
    /// The path on this server to go on at.
    next: Option<String>,
}

async fn login(State(identity): State<Arc<Identity>>, Query(Next { next }): Query<Next>) -> Result<Onward, Refusal> {
    let (url, cookie) = identity.begin_login(next.as_deref().unwrap_or("/")).await?;
    Ok(Onward { to: url.into(), cookies: vec![cookie] })
}

async fn callback(
    State(identity): State<Arc<Identity>>,
    Query(callback): Query<Callback>,
    parts: Parts,
) -> Result<Onward, Refusal> {
    let attempt = identity.finish_login(&parts, &callback);
    let (next, cookie) = identity.attempt(&parts, "login", callback.state(), attempt).await?;
    let next = identity.url("").join(&next).map_err(|error| Refusal::internal("ending a login", &error))?;
    Ok(Onward { to: next.into(), cookies: vec![cookie, Cookie::Login.clear(identity.tls())] })
}

#[derive(Deserialize, IntoParams)]
struct FirstToken {
    /// The link's one-time token.
    token: Option<String>,
}

async fn first(
    State(identity): State<Arc<Identity>>,
    Query(FirstToken { token }): Query<FirstToken>,
    parts: Parts,
) -> Result<Onward, Refusal> {
    let token = token.unwrap_or_default();
    let attempt = identity.redeem_first_link(&parts, &token);
    let cookie = identity.attempt(&parts, "first-link", &token, attempt).await?;
    Ok(Onward { to: identity.url("/").into(), cookies: vec![cookie] })
}
