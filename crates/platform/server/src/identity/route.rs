//! Registration of routes with the permission that each needs.
//!
//! [`Routes`] is the only way to mount a handler under the server: it takes a [`Permission`] with the handlers and puts
//! the check in front of them. A handler learns its caller only from [`Authorized`], which only that check makes. A
//! route without a check, or a check without a route, cannot be written.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::Method;
use http::request::Parts;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

use super::Identity;
use super::caller::{Caller, Teams, authorize};
use super::rate::Rates;
use super::refusal::Refusal;
use super::role::Permission;
use super::throttle::Suspect;

/// What stands before a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// A caller with this permission.
    Needs(Permission),
    /// Nothing: the route is how one logs in, or tells nothing that is not public.
    Open,
}

/// A registered route, for tests and documentation that go through all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registered {
    /// The HTTP method.
    pub(crate) method: Method,
    /// The path, with its parameters in braces.
    pub(crate) path: String,
    /// What stands before it.
    pub(crate) access: Access,
}

/// Routes and their OpenAPI description, each with what stands before it.
pub(crate) struct Routes<S = ()> {
    identity: Arc<Identity>,
    rates: Arc<Rates>,
    router: OpenApiRouter<S>,
    registered: Vec<Registered>,
}

impl<S> std::fmt::Debug for Routes<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes").field("registered", &self.registered).finish_non_exhaustive()
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet; callers will be recognised by `identity`, and counted by `rates`.
    pub(crate) fn new(identity: &Arc<Identity>, rates: &Arc<Rates>) -> Self {
        let (identity, rates) = (Arc::clone(identity), Arc::clone(rates));
        Self { identity, rates, router: OpenApiRouter::new(), registered: Vec::new() }
    }

    /// Adds what `utoipa_axum::routes!` made; its handlers run only for callers with `permission`.
    #[must_use]
    pub(crate) fn protected(mut self, permission: Permission, routes: UtoipaMethodRouter<S>) -> Self {
        self.register(Access::Needs(permission), &routes);
        let gate = self.gate(permission);
        self.router = self.router.routes(routes.map(|router| router.route_layer(from_fn_with_state(gate, check))));
        self
    }

    /// Adds routes that anybody may call. Each has to be listed in the test that goes through all routes.
    #[must_use]
    pub(crate) fn open(mut self, routes: UtoipaMethodRouter<S>) -> Self {
        self.register(Access::Open, &routes);
        let gate = self.gate(());
        self.router = self.router.routes(routes.map(|router| router.route_layer(from_fn_with_state(gate, admit))));
        self
    }

    /// Adds all of `other`.
    #[must_use]
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.registered.extend(other.registered);
        self
    }

    /// Gives the handlers their state.
    #[must_use]
    pub(crate) fn with_state<T>(self, state: S) -> Routes<T> {
        let Self { identity, rates, router, registered } = self;
        Routes { identity, rates, router: router.with_state(state), registered }
    }

    /// Every route that was registered.
    pub(crate) fn registered(&self) -> &[Registered] {
        &self.registered
    }

    /// The router to serve and the OpenAPI description of it.
    pub(crate) fn split(self) -> (Router<S>, OpenApi) {
        self.router.split_for_parts()
    }

    fn gate<P>(&self, permission: P) -> Gate<P> {
        Gate { identity: Arc::clone(&self.identity), rates: Arc::clone(&self.rates), permission }
    }

    fn register(&mut self, access: Access, (_, paths, _): &UtoipaMethodRouter<S>) {
        for (path, item) in &paths.paths {
            let methods = [
                (Method::GET, &item.get),
                (Method::PUT, &item.put),
                (Method::POST, &item.post),
                (Method::DELETE, &item.delete),
                (Method::PATCH, &item.patch),
                (Method::HEAD, &item.head),
                (Method::OPTIONS, &item.options),
                (Method::TRACE, &item.trace),
            ];
            let present = methods.into_iter().filter(|(_, operation)| operation.is_some());
            self.registered.extend(present.map(|(method, _)| Registered { method, path: path.clone(), access }));
        }
    }
}

#[derive(Clone)]
struct Gate<P> {
    identity: Arc<Identity>,
    rates: Arc<Rates>,
    permission: P,
}

/// Lets anybody through, as often as their address may ask.
async fn admit(State(gate): State<Gate<()>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let allowance = gate.rates.take(&Suspect::from(gate.identity.client_address(&parts)).to_string());
    allowance.spend(Request::from_parts(parts, body), next).await
}

/// Lets callers with the permission through, as often as they may ask.
async fn check(State(gate): State<Gate<Permission>>, mut request: Request, next: Next) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let admitted = gate.identity.authenticate(&parts).await.and_then(|caller| {
        let teams = authorize(&caller, gate.permission)?;
        Ok(Authorized { caller: Arc::new(caller), teams })
    });
    request = Request::from_parts(parts, body);
    Ok(match admitted {
        Ok(authorized) => {
            let allowance = gate.rates.take(authorized.caller.id());
            request.extensions_mut().insert(authorized);
            allowance.spend(request, next).await
        }
        Err(refusal) => refusal.into_response(),
    })
}

/// The checked caller of a handler, with the teams in which it holds the route's permission.
#[derive(Clone, Debug)]
pub(crate) struct Authorized {
    caller: Arc<Caller>,
    teams: Teams,
}

impl Authorized {
    /// Who calls.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The teams whose things the handler may show or change.
    pub(crate) const fn teams(&self) -> &Teams {
        &self.teams
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Authorized {
    type Rejection = Refusal;

    /// Fails with an internal error behind a route that was not registered through [`Routes::protected`].
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or(Refusal::Internal)
    }
}
