//! Why a request is not let in, as an answer to its sender.
//!
//! The answer says what the sender can do about it and never why a secret was wrong: an unknown token, an expired one
//! and a revoked one look the same from outside. The difference is in the audit log.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use palisade_store::StoreError;
use thiserror::Error;

use super::role::Permission;
use crate::api::problem::Problem;

/// A request that identity does not let through.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    /// No proof of who sent it, or one that does not hold.
    #[error("log in, or send a valid API token as `Authorization: Bearer`")]
    Unauthenticated,
    /// A login or an enrolment that does not hold; why is for the log and the audit log only.
    #[error("this did not work: what you sent has expired, was used already or is not valid; begin again")]
    Rejected(String),
    /// The cookie belongs to no live session; the answer makes the browser forget it.
    #[error("the session has ended; log in again")]
    SessionEnded(HeaderValue),
    /// Known, but without the permission.
    #[error("your roles do not include the permission `{0}` here; ask an administrator for a role that does")]
    Forbidden(Permission),
    /// Known, but by a proof that is not enough for this.
    #[error("this needs a session; log in instead of sending a token")]
    NeedsSession,
    /// The caller would hand out more than it holds, or change its own roles.
    #[error("{0}")]
    NotYours(&'static str),
    /// There is no identity provider to log in with.
    #[error("no identity provider is configured; set `[identity.oidc]`, or use the first administrator's link")]
    NoProvider,
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
    /// Too many requests.
    #[error("you sent too many requests; wait {0} seconds")]
    TooMany(u64),
    /// The request itself is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The request clashes with what there is.
    #[error("{0}")]
    Conflict(String),
    /// A page cursor that the list did not give out.
    #[error("`after` is no cursor of this list; start again without it")]
    UnknownCursor,
    /// The other side of a login did not answer as it must.
    #[error("the identity provider cannot be used at the moment; try again, and see the server's log")]
    Provider,
    /// The database does not answer.
    #[error("the server's database is not available; try again in a moment")]
    Unavailable,
    /// The server could not find out. Details are in its log.
    #[error("the request could not be authorised because of an internal error; see the server's log")]
    Internal,
}

impl Refusal {
    /// The HTTP status of the answer.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated | Self::Rejected(_) | Self::SessionEnded(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::NeedsSession | Self::NotYours(_) | Self::OwnRequest | Self::CrossSite => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound | Self::NoProvider | Self::UnknownCursor => StatusCode::NOT_FOUND,
            Self::Throttled(_) | Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Provider => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code of the problem document.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Unauthenticated | Self::Rejected(_) | Self::SessionEnded(_) => "unauthenticated",
            Self::Forbidden(_) | Self::NeedsSession | Self::NotYours(_) => "forbidden",
            Self::NotFound | Self::NoProvider => "not-found",
            Self::OwnRequest => "four-eyes",
            Self::CrossSite => "cross-site",
            Self::Throttled(_) | Self::TooMany(_) => "throttled",
            Self::Invalid(_) => "invalid",
            Self::Conflict(_) => "conflict",
            Self::UnknownCursor => "unknown-cursor",
            Self::Provider => "provider",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// A fault of the server; what happened goes to the log only.
    pub(super) fn internal(operation: &'static str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(operation, %error, "identity could not decide");
        Self::Internal
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } | StoreError::Full { .. } => {
                tracing::warn!(%error, "the store is not available");
                Self::Unavailable
            }
            StoreError::NotFound { .. } => Self::NotFound,
            StoreError::Conflict(reason) => Self::Conflict(reason),
            StoreError::Cursor => Self::UnknownCursor,
            other => Self::internal("asking the store", &other),
        }
    }
}

impl From<getrandom::Error> for Refusal {
    fn from(error: getrandom::Error) -> Self {
        Self::internal("drawing random numbers", &error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let challenge = self.status() == StatusCode::UNAUTHORIZED;
        let cookie = if let Self::SessionEnded(cookie) = &self { Some(cookie.clone()) } else { None };
        let mut response = Problem::from(self).into_response();
        let headers = response.headers_mut();
        if challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"palisade\""));
        }
        if let Some(cookie) = cookie {
            headers.append(header::SET_COOKIE, cookie);
        }
        response
    }
}
