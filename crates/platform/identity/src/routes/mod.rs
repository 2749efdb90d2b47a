//! The routes over identity: logging in and out, tokens, accounts, agents.

mod accounts;
mod agents;
mod auth;
mod sessions;
mod tokens;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use palisade_api::{Description, Output};
use utoipa::openapi::ResponseBuilder;

use super::{Endpoint, Identity};

/// Every route of identity. Their answers hold secrets or change what others hold: none is kept.
pub(super) fn endpoints(identity: &Arc<Identity>) -> Vec<Endpoint<()>> {
    let nouns = [accounts::endpoints, agents::endpoints, auth::endpoints, sessions::endpoints, tokens::endpoints];
    let endpoints = nouns.into_iter().flat_map(|endpoints| endpoints());
    endpoints.map(|endpoint| endpoint.tagged("identity").unkept().with_state(Arc::clone(identity))).collect()
}

/// The session has ended: the header makes the browser forget it.
struct Ended(HeaderValue);

impl Output for Ended {
    fn describe(description: &mut Description) {
        description.responses.push((204, ResponseBuilder::new().description("Logged out.").build()));
    }
}

impl IntoResponse for Ended {
    fn into_response(self) -> Response {
        let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store")), (header::SET_COOKIE, self.0)];
        (StatusCode::NO_CONTENT, headers).into_response()
    }
}

/// Sends a browser on, with cookies. The address that it comes from may hold a secret: browsers do not tell it on.
struct Onward {
    to: String,
    cookies: Vec<HeaderValue>,
}

impl Output for Onward {
    fn describe(description: &mut Description) {
        description.responses.push((303, ResponseBuilder::new().description("On to where `Location` says.").build()));
    }
}

impl IntoResponse for Onward {
    fn into_response(self) -> Response {
        let Ok(to) = HeaderValue::try_from(self.to) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        let headers = [
            (header::LOCATION, to),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        let mut response = (StatusCode::SEE_OTHER, headers).into_response();
        for cookie in self.cookies {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}
