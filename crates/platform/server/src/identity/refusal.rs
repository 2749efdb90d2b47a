//! Why a request is not let in, as an answer to its sender.
//!
//! The answer says what the sender can do about it and never why a secret was wrong: an unknown token, an expired one
//! and a revoked one look the same from outside. The difference is in the audit log.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use thiserror::Error;

use super::role::Permission;

/// A request that identity does not let through.
#[derive(Debug, Error)]
pub enum Refusal {
    /// No proof of who sent it, or one that does not hold.
    #[error("log in, or send a valid API token as `Authorization: Bearer`")]
    Unauthenticated,
    /// Known, but without the permission.
    #[error("your roles do not include the permission `{0}` here; ask an administrator for a role that does")]
    Forbidden(Permission),
    /// The object does not exist, or belongs to a team that the caller may not see; both look the same.
    #[error("there is no such object among those you may see")]
    NotFound,
    /// An approver's own request.
    #[error("you asked for this yourself; another approver has to decide")]
    OwnRequest,
    /// A cookie came with a request that another site caused.
    #[error("this request was sent by another site; send it from the console or with an API token")]
    CrossSite,
    /// Too many failed proofs.
    #[error("too many failed attempts; try again in {0} seconds")]
    Throttled(u64),
    /// The request itself is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The request clashes with what there is.
    #[error("{0}")]
    Conflict(String),
    /// The other side of a login did not answer as it must.
    #[error("the identity provider cannot be used at the moment; try again, and see the server's log")]
    Provider,
    /// The server could not find out. Details are in its log.
    #[error("the request could not be authorised because of an internal error; see the server's log")]
    Internal,
}

impl Refusal {
    /// The HTTP status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::OwnRequest | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Provider => StatusCode::BAD_GATEWAY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A short name of the kind of refusal, for `type` of the problem.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "not-found",
            Self::OwnRequest => "four-eyes",
            Self::CrossSite => "cross-site",
            Self::Throttled(_) => "throttled",
            Self::Invalid(_) => "invalid",
            Self::Conflict(_) => "conflict",
            Self::Provider => "provider",
            Self::Internal => "internal",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = json!({
            "type": format!("urn:palisade:problem:{}", self.kind()),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.to_string(),
        });
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self {
            Self::Unauthenticated => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"palisade\""));
            }
            Self::Throttled(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
        response
    }
}
