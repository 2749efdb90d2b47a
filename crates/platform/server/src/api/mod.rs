//! `/api/v1`: everything that the command line and a console need, described by the code that serves it.
//!
//! A file per noun holds its views, filters and handlers and lists them as [`endpoint::Endpoint`]s, each with the
//! permission that it needs. [`routes`] mounts them; [`router`] puts what stands before all routes of the API listener
//! in place: identifiers, security headers, problem documents for whatever fails. Deliberately absent: who may do what
//! (`identity`) and how things are kept (`palisade-store`).

mod answer;
mod audit;
mod backups;
mod decisions;
mod document;
mod endpoint;
mod evaluate;
mod events;
mod exceptions;
mod extract;
mod feed;
mod findings;
mod guard;
mod outer;
pub(crate) mod page;
mod policies;
pub(crate) mod problem;
mod problems;
mod resources;
mod scope;
mod settings;
mod status;
mod teams;
mod words;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::middleware::from_fn;
use tokio::sync::Semaphore;

use crate::Context;
use crate::identity::{Identity, Routes};

/// What the handlers share.
pub(crate) struct Api {
    pub(crate) context: Context,
    pub(crate) rates: guard::Rates,
    feed: feed::Feed,
    evaluations: Semaphore,
    backups: tokio::sync::Mutex<()>,
    document: Arc<Document>,
}

/// The rendered OpenAPI document; there is none until all routes are known.
type Document = OnceLock<Arc<str>>;

/// The routes of `/api/v1` that are not identity's or owners'.
pub(crate) fn routes(context: &Context, identity: &Arc<Identity>) -> (Routes, Arc<Document>) {
    let document = Arc::new(Document::new());
    let api = Arc::new(Api {
        context: context.clone(),
        rates: guard::Rates::new(context.config.server.limits.requests_per_second),
        feed: feed::Feed::new(context.store.clone()),
        evaluations: Semaphore::new(evaluate::AT_ONCE),
        backups: tokio::sync::Mutex::default(),
        document: Arc::clone(&document),
    });
    let nouns = [
        audit::endpoints,
        backups::endpoints,
        decisions::endpoints,
        evaluate::endpoints,
        events::endpoints,
        exceptions::endpoints,
        findings::endpoints,
        policies::endpoints,
        problems::endpoints,
        resources::endpoints,
        settings::endpoints,
        status::endpoints,
        teams::endpoints,
    ];
    let endpoints = nouns.into_iter().flat_map(|endpoints| endpoints());
    let routes = endpoints.fold(Routes::new(Arc::clone(identity)), |routes, endpoint| endpoint.mount(routes, &api));
    (routes.with_state(api), document)
}

/// Everything that the API listener serves under `/api` and `/auth`: this crate's routes and `others` (identity's,
/// owners'), described by one document, behind identifiers, security headers and problem documents.
pub(crate) fn router(context: &Context, identity: &Arc<Identity>, others: Routes) -> Router {
    let (routes, document) = routes(context, identity);
    let routes = routes.merge(others);
    let registered = routes.registered().to_vec();
    let (router, api) = routes.split();
    document.get_or_init(|| document::render(api, &registered));
    router.fallback(outer::no_route).layer(from_fn(outer::outer))
}
