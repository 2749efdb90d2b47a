//! `/api/v1`: everything that the command line and a console need, described by the code that serves it.
//!
//! A file per noun holds its views, filters and handlers and lists them as [`Endpoint`]s, each with the permission that it
//! needs. [`router`] mounts them and identity's behind the kit's checks (`palisade-api`). Deliberately absent: who may do
//! what (`palisade-identity`) and how things are kept (`palisade-store`).

mod audit;
mod backups;
mod catalogues;
mod changes;
mod decisions;
mod document;
mod evaluate;
mod exceptions;
mod feed;
mod findings;
mod landing;
mod policies;
mod resources;
mod scope;
mod status;
mod teams;
mod wire;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use palisade_api::{Kit, Limits, Rates, Routes, no_route, openapi, outer, problem};
use palisade_identity::{Identity, Permission, Permissions};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::admission::Surroundings;

/// A route of a noun.
type Endpoint = palisade_identity::Endpoint<Arc<Api>>;

/// What the handlers share.
pub(crate) struct Api {
    pub(crate) context: Context,
    /// What policies may look into.
    surroundings: Arc<dyn Surroundings>,
    /// Set when the server stops: streams end.
    stop: CancellationToken,
    feed: feed::Feed,
    evaluations: Arc<Semaphore>,
    backups: tokio::sync::Mutex<()>,
    document: Arc<Document>,
}

/// The rendered OpenAPI document; there is none until all routes are known.
type Document = OnceLock<Arc<str>>;

/// What the routes of the nouns ask for beside identity's own permissions.
const PERMISSIONS: [Permission; 8] = [
    evaluate::REPLAY,
    exceptions::REQUEST_EXCEPTIONS,
    exceptions::APPROVE_EXCEPTIONS,
    catalogues::MANAGE_OWNERS,
    crate::cluster::RUN_SCANS,
    policies::MANAGE_POLICIES,
    audit::READ_AUDIT,
    backups::MANAGE_BACKUPS,
];

/// Everything that routes ask of callers.
pub(crate) fn permissions() -> Permissions {
    Permissions::with(PERMISSIONS)
}

/// The routes of `/api/v1` that are not identity's.
fn endpoints(api: &Arc<Api>) -> Vec<palisade_identity::Endpoint<()>> {
    let nouns = [
        audit::endpoints,
        backups::endpoints,
        catalogues::endpoints,
        changes::endpoints,
        decisions::endpoints,
        document::endpoints,
        evaluate::endpoints,
        exceptions::endpoints,
        findings::endpoints,
        policies::endpoints,
        problem::endpoints,
        resources::endpoints,
        status::endpoints,
        teams::endpoints,
    ];
    let endpoints = nouns.into_iter().flat_map(|endpoints| endpoints());
    endpoints.map(|endpoint| endpoint.with_state(Arc::clone(api))).collect()
}

/// Everything that the API listener serves at `/` and under `/api` and `/auth`: identity's routes and the others,
/// described by one document, behind identifiers, security headers and problem documents. Policies that an object is
/// evaluated by look into `surroundings`; streams end with `stop`.
pub(crate) fn router(
    context: &Context,
    identity: &Arc<Identity>,
    surroundings: Arc<dyn Surroundings>,
    stop: CancellationToken,
) -> Router {
    let document = Arc::new(Document::new());
    let api = Arc::new(Api {
        context: context.clone(),
        surroundings,
        feed: feed::Feed::new(context.store.clone(), stop.clone()),
        stop,
        evaluations: Arc::new(Semaphore::new(evaluate::AT_ONCE)),
        backups: tokio::sync::Mutex::default(),
        document: Arc::clone(&document),
    });
    let routes = Routes::new(&kit(context, identity), endpoints(&api).into_iter().chain(identity.endpoints()));
    let registered = routes.registered().to_vec();
    let (router, api) = routes.split();
    document.get_or_init(|| openapi::render(api, &registered, document::info(), identity.session_cookie()));
    router.route("/", get(landing::page)).fallback(no_route).layer(from_fn(outer))
}

/// What stands before every route.
fn kit(context: &Context, identity: &Arc<Identity>) -> Arc<Kit<Identity>> {
    let limits = &context.config.server.limits;
    let rates = Rates::new(limits.requests_per_second);
    // Before the whole request is out of time, so that the client learns what took so long.
    let patience = limits.request_timeout.mul_f64(0.9);
    let limits = Limits { max_body_bytes: limits.max_body_bytes, patience };
    Kit::new(Arc::clone(identity), rates, limits, context.store.clone(), context.clock.clone())
}
