//! What stands between the check of a caller and its handler: idempotency keys and entity tags.

pub(crate) mod idempotency;
mod tag;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;

use super::Api;
use super::problem::Problem;
use crate::identity::{Authorized, Refusal};

/// Lets a request of a checked caller through to its handler.
pub(crate) async fn protect(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let Some(authorized) = request.extensions().get::<Authorized>().cloned() else {
        return Problem::from(Refusal::Internal).into_response();
    };
    match *request.method() {
        Method::POST => idempotency::once(&api, &authorized, request, next).await,
        Method::GET | Method::HEAD => {
            let known = tag::Known::of(request.headers());
            tag::tagged(next.run(request).await, &known).await
        }
        _ => next.run(request).await,
    }
}
