//! Everything that the API listener serves at `/` and under `/api` and `/auth`: the routes of all capabilities, described by
//! one document, behind the kit's checks, identifiers, security headers and problem documents (`palisade-api`).

mod landing;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use palisade_api::{Kit, Limits, Rates, Routes, no_route, openapi, outer};
use palisade_identity::{Endpoint, Identity};

use crate::Context;
use crate::capability::{Rendered, info};

/// The router of `endpoints`; their description goes into `document`.
pub(crate) fn router(
    context: &Context,
    identity: &Arc<Identity>,
    endpoints: Vec<Endpoint<()>>,
    document: &Rendered,
) -> Router {
    let routes = Routes::new(&kit(context, identity), endpoints);
    let registered = routes.registered().to_vec();
    let (router, api) = routes.split();
    document.get_or_init(|| openapi::render(api, &registered, info(), identity.session_cookie()));
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
