//! The check before every route with a permission, and what its handler learns by it.
//!
//! A handler learns its caller only from [`Authorized`], which only that check makes.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use palisade_api::{Description, Guard, Input};

use crate::Identity;
use crate::caller::{Caller, Teams, authorize};
use crate::permission::Permission;
use crate::refusal::Refusal;
use crate::throttle::Suspect;

impl Guard for Identity {
    type Permission = Permission;

    async fn check(&self, parts: &mut Parts, permission: Permission) -> Result<String, Response> {
        let checked = self.authenticate(parts).await.and_then(|caller| {
            let teams = authorize(&caller, permission)?;
            Ok(Authorized { caller: Arc::new(caller), teams })
        });
        let authorized = checked.map_err(Refusal::into_response)?;
        let id = authorized.caller.id().to_owned();
        parts.extensions.insert(authorized);
        Ok(id)
    }

    fn stranger(&self, parts: &Parts) -> String {
        Suspect::from(self.client_address(parts)).to_string()
    }
}

/// The checked caller of a handler, with the teams in which it holds the route's permission.
#[derive(Clone, Debug)]
pub struct Authorized {
    caller: Arc<Caller>,
    teams: Teams,
}

impl Authorized {
    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The teams whose things the handler may show or change.
    pub const fn teams(&self) -> &Teams {
        &self.teams
    }
}

impl Input for Authorized {
    fn describe(_: &mut Description) {}
}

impl<S: Send + Sync> FromRequestParts<S> for Authorized {
    type Rejection = Refusal;

    /// Fails with an internal error behind a route without a permission.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or(Refusal::Internal)
    }
}
