//! The routes over identity: logging in and out, tokens, accounts, agents.

mod accounts;
mod agents;
mod auth;
mod sessions;
mod tokens;

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use utoipa_axum::routes;

use super::role::Permission;
use super::{Identity, Rates, Routes};
use crate::api::problem::{Code, Problem};

/// The routes of identity: `/auth/*`, `/api/v1/session`, `/api/v1/tokens`, `/api/v1/accounts`, `/api/v1/agents`.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(identity: &Arc<Identity>, rates: &Arc<Rates>) -> Routes<S> {
    Routes::new(identity, rates)
        .open(routes!(auth::login))
        .open(routes!(auth::callback))
        .open(routes!(auth::first))
        .open(routes!(agents::enrol))
        .protected(Permission::OwnSession, routes!(sessions::show, sessions::end))
        .protected(Permission::OwnSession, routes!(sessions::end_all))
        .protected(Permission::OwnTokens, routes!(tokens::list, tokens::create))
        .protected(Permission::OwnTokens, routes!(tokens::revoke))
        .protected(Permission::ManageAccounts, routes!(accounts::list))
        .protected(Permission::ManageAccounts, routes!(accounts::show, accounts::change))
        .protected(Permission::ManageAccounts, routes!(accounts::grant, accounts::take))
        .protected(Permission::ManageAccounts, routes!(accounts::end_sessions))
        .protected(Permission::ManageAgents, routes!(agents::list))
        .protected(Permission::ManageAgents, routes!(agents::invite))
        .protected(Permission::ManageAgents, routes!(agents::revoke))
        .protected(Permission::Ingest, routes!(agents::renew))
        .with_state(Arc::clone(identity))
}

/// A JSON body; what does not fit is a problem document.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = axum::Json::<T>::from_request(request, state).await;
        read.map(|axum::Json(body)| Self(body)).map_err(|rejection| match rejection.status() {
            status @ (StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE) => {
                Problem::new(Code::of_status(status), rejection.body_text())
            }
            _ => Problem::invalid(rejection.body_text()),
        })
    }
}

/// An answer that holds a secret or sets a cookie: nothing on the way keeps it.
fn unkept(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer that sets a cookie.
fn with_cookie(answer: impl IntoResponse, cookie: HeaderValue) -> Response {
    let mut response = unkept(answer);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}
