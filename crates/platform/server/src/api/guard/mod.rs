//! What stands between the check of a caller and its handler: rate limits, idempotency keys, entity tags.

pub(crate) mod idempotency;
mod rate;
mod tag;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;

use super::Api;
use super::problem::Problem;
use crate::identity::{Authorized, Refusal};

pub(crate) use rate::Rates;

/// Lets a request of a checked caller through to its handler, within the caller's limits.
pub(crate) async fn protect(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let Some(authorized) = request.extensions().get::<Authorized>().cloned() else {
        return Problem::from(Refusal::Internal).into_response();
    };
    let allowance = api.rates.take(authorized.caller().id());
    let mut response = if let Some(seconds) = allowance.wait {
        let detail = format!("you sent too many requests; wait {seconds} seconds");
        Problem::new(super::problem::Code::Throttled, detail).retry_after(seconds).into_response()
    } else {
        answer(&api, authorized, request, next).await
    };
    allowance.tell(response.headers_mut());
    response
}

async fn answer(api: &Arc<Api>, authorized: Authorized, request: Request, next: Next) -> Response {
    match *request.method() {
        Method::POST => idempotency::once(api, &authorized, request, next).await,
        Method::GET | Method::HEAD => {
            let known = tag::Known::of(request.headers());
            tag::tagged(next.run(request).await, &known).await
        }
        _ => next.run(request).await,
    }
}
