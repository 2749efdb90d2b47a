//! Registration of routes with the permission that each needs.
//!
//! [`Routes`] is the only way to mount an [`Endpoint`]: it puts the [`Guard`]'s check in front of the handler, which learns
//! its caller only from what that check leaves behind. A route without a check, or a check without a route, cannot be
//! written. Behind the check stand, in this order: the caller's rate, idempotency keys and entity tags, the handler.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Method};
use palisade_runtime::Clock;
use palisade_store::Store;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::endpoint::{Access, Endpoint};
use crate::extract::Limits;
use crate::idempotency::{self, Keeper};
use crate::rate::Rates;
use crate::tag;

/// Since when deprecated routes are (RFC 9745): the version that announces their end.
const SINCE: &str = "@1796083200";

/// What a route can ask of its caller.
pub trait Permission: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// How messages and the OpenAPI document name it.
    fn name(&self) -> &'static str;
}

/// Knows who calls and what they may do.
pub trait Guard: Send + Sync + 'static {
    /// What routes ask of callers.
    type Permission: Permission;

    /// Recognises the caller, and leaves with the request what handlers may know of it. Returns the name by which the
    /// caller's requests are counted and told apart, or the answer to somebody without the permission.
    fn check(
        &self,
        parts: &mut Parts,
        permission: Self::Permission,
    ) -> impl Future<Output = Result<String, Response>> + Send;

    /// By what somebody is counted who need not say who they are.
    fn stranger(&self, parts: &Parts) -> String;
}

/// What stands before every endpoint.
#[derive(Debug)]
pub struct Kit<G> {
    guard: Arc<G>,
    rates: Rates,
    limits: Limits,
    keeper: Keeper,
}

impl<G: Guard> Kit<G> {
    /// Callers are recognised by `guard`, counted by `rates` and bounded by `limits`; idempotency keys are kept in `store`.
    pub fn new(guard: Arc<G>, rates: Rates, limits: Limits, store: Store, clock: Clock) -> Arc<Self> {
        Arc::new(Self { guard, rates, limits, keeper: Keeper { store, clock } })
    }
}

/// A registered route, for tests and documentation that go through all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered<P> {
    /// The HTTP method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: String,
    /// What stands before it.
    pub access: Access<P>,
}

/// Routes and their OpenAPI description, each with what stands before it.
pub struct Routes<G: Guard> {
    kit: Arc<Kit<G>>,
    router: OpenApiRouter,
    registered: Vec<Registered<G::Permission>>,
}

impl<G: Guard> std::fmt::Debug for Routes<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes").field("registered", &self.registered).finish_non_exhaustive()
    }
}

impl<G: Guard> Routes<G> {
    /// The endpoints, mounted behind `kit`.
    pub fn new(kit: &Arc<Kit<G>>, endpoints: impl IntoIterator<Item = Endpoint<(), G::Permission>>) -> Self {
        let none = Self { kit: Arc::clone(kit), router: OpenApiRouter::new(), registered: Vec::new() };
        endpoints.into_iter().fold(none, Self::with)
    }

    fn with(mut self, endpoint: Endpoint<(), G::Permission>) -> Self {
        let access = endpoint.access();
        self.registered.push(Registered { method: endpoint.method().clone(), path: endpoint.path(), access });
        let (keeps_answers, deprecated) = (endpoint.keeps_answers(), endpoint.is_deprecated());
        let gate = Gate { kit: Arc::clone(&self.kit), access, keeps_answers, deprecated };
        let (paths, schemas, route) = endpoint.split();
        let route = route.route_layer(from_fn_with_state(gate, admit));
        self.router = self.router.routes((schemas, paths, route));
        self
    }

    /// Every route that was registered.
    pub fn registered(&self) -> &[Registered<G::Permission>] {
        &self.registered
    }

    /// The router to serve and the OpenAPI description of it.
    pub fn split(self) -> (Router, OpenApi) {
        self.router.split_for_parts()
    }
}

struct Gate<G: Guard> {
    kit: Arc<Kit<G>>,
    access: Access<G::Permission>,
    keeps_answers: bool,
    deprecated: bool,
}

impl<G: Guard> Clone for Gate<G> {
    fn clone(&self) -> Self {
        let Self { ref kit, access, keeps_answers, deprecated } = *self;
        Self { kit: Arc::clone(kit), access, keeps_answers, deprecated }
    }
}

/// Lets a request through to its handler, or refuses it.
async fn admit<G: Guard>(State(gate): State<Gate<G>>, request: Request, next: Next) -> Response {
    let kit = &gate.kit;
    let (mut parts, body) = request.into_parts();
    let caller = match gate.access {
        Access::Open => kit.guard.stranger(&parts),
        Access::Needs(permission) => match kit.guard.check(&mut parts, permission).await {
            Ok(caller) => caller,
            Err(refused) => return refused,
        },
    };
    parts.extensions.insert(kit.limits);
    let allowance = kit.rates.take(&caller);
    let mut response = match allowance.spend() {
        Ok(()) => gate.carry_out(caller, Request::from_parts(parts, body), next).await,
        Err(problem) => problem.into_response(),
    };
    allowance.tell(response.headers_mut());
    if gate.deprecated {
        response.headers_mut().insert("deprecation", HeaderValue::from_static(SINCE));
    }
    response
}

impl<G: Guard> Gate<G> {
    async fn carry_out(&self, caller: String, request: Request, next: Next) -> Response {
        if !self.keeps_answers || matches!(self.access, Access::Open) {
            return next.run(request).await;
        }
        match *request.method() {
            Method::POST => idempotency::once(&self.kit.keeper, caller, request, next).await,
            Method::GET | Method::HEAD => {
                let known = tag::Known::of(request.headers());
                tag::tagged(next.run(request).await, &known).await
            }
            _ => next.run(request).await,
        }
    }
}
