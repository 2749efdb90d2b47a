//! Every way in which a request can fail, as problem documents (RFC 9457).
//!
//! [`catalogue`] is the table of their kinds and explains them under `/api/v1/problems`. What went wrong inside is written
//! to the log with the request's identifier and never to the client.

mod catalogue;

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use palisade_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

pub use catalogue::{Code, endpoints};

/// The media type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// What the `type` of every problem begins with; the rest is the code.
pub const TYPE_PREFIX: &str = "urn:palisade:problem:";
/// Seconds after which a client may try again what failed because something was away for a moment.
const RETRY_SECONDS: u64 = 2;

/// A request that failed, as an answer to its sender.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem; `detail` says what is wrong with this request and what to do next.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = (code == Code::Unavailable).then_some(RETRY_SECONDS);
        Self { code, detail: detail.into(), retry_after }
    }

    /// Something in the request has the wrong form.
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Invalid, detail)
    }

    /// There is no `noun` of this name among those that the caller may see.
    pub fn not_found(noun: &'static str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {noun} among those you may see"))
    }

    /// A fault of the server; what happened goes to the log only.
    pub fn internal(operation: &'static str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(operation, %error, "a request failed");
        Self::new(Code::Internal, "the server could not answer; its log says why, under this `request_id`")
    }

    /// When the client may try again, in seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The problem's document.
    pub fn document(&self) -> ProblemDocument {
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
pub struct ProblemDocument {
    /// `urn:palisade:problem:` and the code; `/api/v1/problems/{code}` explains it.
    #[serde(rename = "type")]
    #[schema(example = "urn:palisade:problem:not-found")]
    pub kind: String,
    /// What kind of problem it is.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong with this request, and what to do next.
    pub detail: String,
    /// The identifier under which the server's log tells of this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
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
    use http::StatusCode;

    use super::*;

    #[test]
    fn what_happened_inside_is_not_told() {
        let problem = Problem::from(StoreError::Database { operation: "reading", reason: "secret table".into() });
        assert!(!serde_json::to_string(&problem.document()).unwrap().contains("secret"));
        assert_eq!(problem.into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
