//! What stands before every route of the API listener: identifiers of requests, security headers, and the promise that
//! whatever fails is a problem document with that identifier.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use serde_json::Value;
use uuid::Uuid;

use crate::problem::{Code, MEDIA_TYPE, Problem};

/// The header that carries a request's identifier, both ways.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest identifier that is taken over from a client.
const MAX_ID: usize = 64;
/// The largest problem document of ours, in bytes.
const MAX_PROBLEM: usize = 64 << 10;

/// Nothing here is a page: no script, frame, or other site has any business with an answer.
const SECURITY: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Stands before everything.
pub async fn outer(request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let head = request.method() == Method::HEAD;
    let span = tracing::info_span!("api", request_id = id, method = %request.method(), path = request.uri().path());
    let response = tracing::Instrument::instrument(next.run(request), span).await;
    let mut response = if response.status().is_client_error() || response.status().is_server_error() {
        as_problem(response, &id, head).await
    } else {
        response
    };
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    response
}

/// The client's identifier where it is harmless, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let harmless = |text: &&str| {
        (1..=MAX_ID).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(harmless);
    given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The same failure as a problem document that names the request.
async fn as_problem(response: Response, id: &str, head: bool) -> Response {
    let (mut parts, body) = response.into_parts();
    let is_problem = parts.headers.get(header::CONTENT_TYPE).is_some_and(|value| value == MEDIA_TYPE);
    let told = match Limited::new(body, MAX_PROBLEM).collect().await {
        Ok(collected) if is_problem => serde_json::from_slice(&collected.to_bytes()).ok(),
        _ => None,
    };
    let mut document = told.unwrap_or_else(|| {
        let problem = foreign(parts.status, &parts.headers);
        serde_json::to_value(problem.document()).unwrap_or_default()
    });
    if let Value::Object(members) = &mut document {
        members.insert("request_id".to_owned(), id.into());
    }
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = if head { Body::empty() } else { Body::from(document.to_string()) };
    Response::from_parts(parts, body)
}

/// A failure that the router or another layer answered in its own words.
fn foreign(status: StatusCode, headers: &HeaderMap) -> Problem {
    let code = Code::of_status(status);
    match code {
        Code::NotFound => Problem::new(code, "there is no such route; `/api/v1/openapi.json` lists all of them"),
        Code::MethodNotAllowed => {
            let allow = headers.get(header::ALLOW).and_then(|value| value.to_str().ok()).unwrap_or_default();
            Problem::new(code, format!("this route knows {}; use one of these", allow.replace(',', ", ")))
        }
        _ => Problem::new(code, code.explanation()),
    }
}

/// The answer for a path that no route has.
pub async fn no_route() -> Response {
    StatusCode::NOT_FOUND.into_response()
}
