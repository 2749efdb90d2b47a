//! The table of what kinds of problems there are, and the pages that the `type` of a problem stands for. They are for
//! everybody.

use axum::Json;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, TYPE_PREFIX};
use crate::endpoint::Endpoint;
use crate::extract::Part;
use crate::page::List;
use crate::routes::Permission;
use crate::shape;

/// What kinds of problems there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
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
    pub const ALL: [Self; 20] = [
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
    pub const fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.entry().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What it is, in a few words.
    pub const fn title(self) -> &'static str {
        self.entry().2
    }

    /// What it means and what to do.
    pub const fn explanation(self) -> &'static str {
        self.entry().3
    }

    /// The first code with this status, for answers that other layers made.
    pub fn of_status(status: StatusCode) -> Self {
        let fallback = if status.is_server_error() { Self::Internal } else { Self::Invalid };
        Self::ALL.into_iter().find(|code| code.status() == status).unwrap_or(fallback)
    }
}

/// The routes that explain the kinds of problems.
pub fn endpoints<S: Clone + Send + Sync + 'static, P: Permission>() -> Vec<Endpoint<S, P>> {
    vec![
        Endpoint::open("/problems", list).named("listProblems", "All kinds of problems."),
        Endpoint::open("/problems/{code}", get).named("getProblem", "What a kind of problem means."),
    ]
}

shape!(
    /// The last part of a problem's `type`.
    CodeName, "kind of problem", 40, "^[a-z-]+$", |text| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    }
);

/// A kind of problem.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemKind {
    /// As problems name it.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status.
    status: u16,
    /// What it is.
    title: &'static str,
    /// What it means and what to do.
    explanation: &'static str,
}

impl From<Code> for ProblemKind {
    fn from(code: Code) -> Self {
        let kind = format!("{TYPE_PREFIX}{}", code.as_str());
        Self { kind, status: code.status().as_u16(), title: code.title(), explanation: code.explanation() }
    }
}

async fn list() -> List<ProblemKind> {
    List::whole(Code::ALL.into_iter().map(ProblemKind::from).collect())
}

async fn get(Part(name, _): Part<CodeName>) -> Result<Json<ProblemKind>, Problem> {
    let code = Code::ALL.into_iter().find(|code| code.as_str() == name);
    code.map(|code| Json(code.into())).ok_or_else(|| Problem::not_found("kind of problem"))
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
}
