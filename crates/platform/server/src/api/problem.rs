//! Every way in which a request can fail, as problem documents (RFC 9457).
//!
//! One table, [`Code`], holds the status, the title and the explanation of each; `/api/v1/problems/{code}` and the
//! reference pages show the same. What went wrong inside is written to the log with the request's identifier and never
//! to the client.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use palisade_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::Refusal;

/// The media type of problem documents.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";
/// What the `type` of every problem begins with; the rest is the code.
pub(crate) const TYPE_PREFIX: &str = "urn:palisade:problem:";
/// Seconds after which a client may try again what failed because something was away for a moment.
const RETRY_SECONDS: u64 = 2;

/// What kinds of problems there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    /// 400.
    Invalid,
    /// 401.
    Unauthenticated,
    /// 403.
    Forbidden,
    /// 403.
    FourEyes,
    /// 403.
    CrossSite,
    /// 404.
    NotFound,
    /// 404.
    UnknownCursor,
    /// 405.
    MethodNotAllowed,
    /// 408.
    Timeout,
    /// 409.
    Conflict,
    /// 409.
    RequestInProgress,
    /// 413.
    TooLarge,
    /// 415.
    UnsupportedMediaType,
    /// 422.
    KeyReused,
    /// 422.
    Unprocessable,
    /// 429.
    Throttled,
    /// 431.
    HeadersTooLarge,
    /// 500.
    Internal,
    /// 502.
    Provider,
    /// 503.
    Unavailable,
}

impl Code {
    /// All of them.
    pub(crate) const ALL: [Self; 20] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::FourEyes,
        Self::CrossSite,
        Self::NotFound,
        Self::UnknownCursor,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::Conflict,
        Self::RequestInProgress,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::KeyReused,
        Self::Unprocessable,
        Self::Throttled,
        Self::HeadersTooLarge,
        Self::Internal,
        Self::Provider,
        Self::Unavailable,
    ];

    /// The code's name, status, title and explanation.
    #[allow(clippy::too_many_lines, reason = "a table, a row for each code")]
    const fn entry(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::Invalid => (
                "invalid",
                400,
                "The request is malformed",
                "A parameter, a header or the body does not have the form that the route describes. Unknown parameters and \
                 unknown members are refused as well, so that a typing mistake never widens a filter. `detail` names what \
                 is wrong.",
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                401,
                "The sender is not known",
                "Send a valid API token as `Authorization: Bearer TOKEN`, or log in and send the session's cookie. An \
                 unknown, an expired and a revoked token are answered alike.",
            ),
            Self::Forbidden => (
                "forbidden",
                403,
                "The sender may not do this",
                "The sender is known and has no role that carries the route's permission, or not in all teams where the \
                 route concerns all of them. The route's permission is in the OpenAPI document as \
                 `x-palisade-permission`.",
            ),
            Self::FourEyes => {
                ("four-eyes", 403, "Another person has to decide", "Nobody decides about a request of their own.")
            }
            Self::CrossSite => (
                "cross-site",
                403,
                "Another site caused the request",
                "A request with a session's cookie came from another site. Use the console, or an API token.",
            ),
            Self::NotFound => (
                "not-found",
                404,
                "There is no such object",
                "It does not exist, or it belongs to a team whose objects the sender may not see; both are answered alike.",
            ),
            Self::UnknownCursor => (
                "unknown-cursor",
                404,
                "There is no such page",
                "`after` is not a cursor that this list gave out as `next`. Start again without it.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                405,
                "The route does not know this method",
                "The header `Allow` names the methods that it knows.",
            ),
            Self::Timeout => (
                "timeout",
                408,
                "The request took too long to arrive",
                "Send the whole body within the time that `server.limits.request-timeout` grants.",
            ),
            Self::Conflict => {
                ("conflict", 409, "The object is in another state", "Read the object anew and decide again.")
            }
            Self::RequestInProgress => (
                "request-in-progress",
                409,
                "The same request is being worked on",
                "A request with this `Idempotency-Key` has not been answered yet. Send it again in a moment to get the \
                 answer of the first.",
            ),
            Self::TooLarge => (
                "too-large",
                413,
                "The body is too large",
                "A body may have as many bytes as `server.limits.max-body-bytes` says.",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                415,
                "The body is not of the expected media type",
                "Send the media type that the route describes in `Content-Type`, without a content encoding.",
            ),
            Self::KeyReused => (
                "key-reused",
                422,
                "The idempotency key belongs to another request",
                "The `Idempotency-Key` was used with another body. Choose a new key for a new request.",
            ),
            Self::Unprocessable => (
                "unprocessable",
                422,
                "The request cannot be carried out as it is",
                "It is well formed and means something impossible. `detail` says what.",
            ),
            Self::Throttled => (
                "throttled",
                429,
                "Too many requests",
                "Wait as many seconds as `Retry-After` says. `RateLimit` tells what is left.",
            ),
            Self::HeadersTooLarge => ("headers-too-large", 431, "A header is too large", "Send shorter headers."),
            Self::Internal => (
                "internal",
                500,
                "The server could not answer",
                "This is a fault of the server. Its log holds the details under the identifier that `request_id` names.",
            ),
            Self::Provider => (
                "provider",
                502,
                "The identity provider could not be used",
                "Try again; the server's log holds the details.",
            ),
            Self::Unavailable => (
                "unavailable",
                503,
                "The server cannot answer at the moment",
                "Its database, or a place among bounded resources, is not available. Wait as many seconds as `Retry-After` \
                 says and send the request again.",
            ),
        }
    }

    /// How `type` and the pages name it.
    pub(crate) const fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// The HTTP status.
    pub(crate) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.entry().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What it is, in a few words.
    pub(crate) const fn title(self) -> &'static str {
        self.entry().2
    }

    /// What it means and what to do.
    pub(crate) const fn explanation(self) -> &'static str {
        self.entry().3
    }

    /// The first code with this status, for answers that other layers made.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let fallback = if status.is_server_error() { Self::Internal } else { Self::Invalid };
        Self::ALL.into_iter().find(|code| code.status() == status).unwrap_or(fallback)
    }
}

/// A request that failed, as an answer to its sender.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem; `detail` says what is wrong with this request and what to do next.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = (code == Code::Unavailable).then_some(RETRY_SECONDS);
        Self { code, detail: detail.into(), retry_after }
    }

    /// Something in the request has the wrong form.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Invalid, detail)
    }

    /// There is no `noun` of this name among those that the caller may see.
    pub(crate) fn not_found(noun: &'static str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {noun} among those you may see"))
    }

    /// A fault of the server; what happened goes to the log only.
    pub(crate) fn internal(operation: &'static str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(operation, %error, "a request failed");
        Self::new(Code::Internal, "the server could not answer; its log says why, under this `request_id`")
    }

    /// When the client may try again, in seconds.
    #[must_use]
    pub(crate) const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The problem's document.
    pub(crate) fn document(&self) -> ProblemDocument {
        ProblemDocument {
            kind: format!("{TYPE_PREFIX}{}", self.code.as_str()),
            title: self.code.title().to_owned(),
            status: self.code.status().as_u16(),
            detail: self.detail.to_string(),
            request_id: None,
        }
    }
}

/// What a client gets to see of a problem.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem, description = "A failed request (RFC 9457).")]
pub(crate) struct ProblemDocument {
    /// `urn:palisade:problem:` and the code; `/api/v1/problems/{code}` explains it.
    #[serde(rename = "type")]
    #[schema(example = "urn:palisade:problem:not-found")]
    pub(crate) kind: String,
    /// What kind of problem it is.
    pub(crate) title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub(crate) status: u16,
    /// What is wrong with this request, and what to do next.
    pub(crate) detail: String,
    /// The identifier under which the server's log tells of this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.document()).unwrap_or_default();
        let mut response = (self.code.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let named = Code::ALL.into_iter().find(|code| code.as_str() == refusal.kind());
        let problem = Self::new(named.unwrap_or(Code::of_status(refusal.status())), refusal.to_string());
        match refusal {
            Refusal::Throttled(seconds) | Refusal::TooMany(seconds) => problem.retry_after(seconds),
            _ => problem,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } | StoreError::Full { .. } => {
                tracing::warn!(%error, "the store is not available");
                Self::new(Code::Unavailable, "the server's database is not available; try again in a moment")
            }
            StoreError::NotFound { what, .. } => Self::not_found(what),
            StoreError::Conflict(reason) => Self::new(Code::Conflict, reason),
            StoreError::Cursor => {
                Self::new(Code::UnknownCursor, "`after` is no cursor of this list; start again without it")
            }
            other => Self::internal("store", &other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_name_and_an_error_status() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.status().as_u16() >= 400));
    }

    #[test]
    fn what_happened_inside_is_not_told() {
        let problem = Problem::from(StoreError::Database { operation: "reading", reason: "secret table".into() });
        assert!(!serde_json::to_string(&problem.document()).unwrap().contains("secret"));
        assert_eq!(problem.into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn refusals_keep_their_kind() {
        let problem = Problem::from(Refusal::OwnRequest);
        assert_eq!(problem.document().kind, "urn:palisade:problem:four-eyes");
        let throttled = Problem::from(Refusal::Throttled(7)).into_response();
        assert_eq!(throttled.headers()[header::RETRY_AFTER], "7");
    }
}
