//! Why a request is not let in, as an answer to its sender.
//!
//! The answer says what the sender can do about it and never why a secret was wrong: an unknown token, an expired one
//! and a revoked one look the same from outside. The difference is in the audit log.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use palisade_api::{Code, Problem};
use palisade_store::StoreError;
use thiserror::Error;

use super::permission::Permission;

/// A request that identity does not let through.
#[derive(Debug, Error)]
pub enum Refusal {
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
    /// What kind of problem it is to its sender.
    const fn code(&self) -> Code {
        match self {
            Self::Unauthenticated | Self::Rejected(_) | Self::SessionEnded(_) => Code::Unauthenticated,
            Self::Forbidden(_) | Self::NeedsSession | Self::NotYours(_) => Code::Forbidden,
            Self::NotFound | Self::NoProvider => Code::NotFound,
            Self::OwnRequest => Code::FourEyes,
            Self::CrossSite => Code::CrossSite,
            Self::Throttled(_) => Code::Throttled,
            Self::Invalid(_) => Code::Invalid,
            Self::Conflict(_) => Code::Conflict,
            Self::UnknownCursor => Code::UnknownCursor,
            Self::Provider => Code::Provider,
            Self::Unavailable => Code::Unavailable,
            Self::Internal => Code::Internal,
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

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(refusal.code(), refusal.to_string());
        match refusal {
            Refusal::Throttled(seconds) => problem.retry_after(seconds),
            _ => problem,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let challenge = self.code() == Code::Unauthenticated;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_keep_their_kind() {
        let problem = Problem::from(Refusal::OwnRequest);
        assert_eq!(problem.document().kind, "urn:palisade:problem:four-eyes");
        let throttled = Refusal::Throttled(7).into_response();
        assert_eq!(throttled.headers()[header::RETRY_AFTER], "7");
    }
}
