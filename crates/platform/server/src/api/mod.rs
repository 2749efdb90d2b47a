//! `/api/v1`: everything that the command line and a console need, described by the code that serves it.
//!
//! A file per noun holds its views, filters and handlers and lists them as [`endpoint::Endpoint`]s, each with the
//! permission that it needs. [`routes`] mounts them; [`router`] puts what stands before all routes of the API listener
//! in place: identifiers, security headers, problem documents for whatever fails. Deliberately absent: who may do what
//! (`identity`) and how things are kept (`palisade-store`).

mod answer;
mod audit;
mod backups;
mod catalogues;
mod changes;
mod decisions;
mod document;
mod endpoint;
mod evaluate;
mod exceptions;
mod extract;
mod feed;
mod findings;
mod guard;
mod home;
mod outer;
pub(crate) mod page;
mod policies;
pub(crate) mod problem;
mod problems;
mod resources;
mod scope;
mod status;
mod teams;
mod words;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::admission::Surroundings;
use crate::identity::{self, Identity, Rates, Routes};

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

/// The routes of `/api/v1` that are not identity's.
fn routes(none: Routes<Arc<Api>>, api: Arc<Api>) -> Routes {
    let nouns = [
        audit::endpoints,
        backups::endpoints,
        catalogues::endpoints,
        changes::endpoints,
        decisions::endpoints,
        evaluate::endpoints,
        exceptions::endpoints,
        findings::endpoints,
        policies::endpoints,
        problems::endpoints,
        resources::endpoints,
        status::endpoints,
        teams::endpoints,
    ];
    let endpoints = nouns.into_iter().flat_map(|endpoints| endpoints());
    endpoints.fold(none, |routes, endpoint| endpoint.mount(routes, &api)).with_state(api)
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
    let rates = Arc::new(Rates::new(context.config.server.limits.requests_per_second));
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
    let routes = routes(Routes::new(identity, &rates), api).merge(identity::routes(identity, &rates));
    let registered = routes.registered().to_vec();
    let (router, api) = routes.split();
    document.get_or_init(|| document::render(api, &registered, identity.tls()));
    router.route("/", get(home::page)).fallback(outer::no_route).layer(from_fn(outer::outer))
}
