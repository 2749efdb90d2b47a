//! `/livez`, `/healthz`, `/readyz` and `/metrics`: what runs the server asks, without a login.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;

use crate::Context;

/// The media type of Prometheus' OpenMetrics text.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// The answer to a request for one of the paths; none for others.
pub(crate) fn answer(context: &Context, method: &Method, path: &str) -> Option<Response<Full<Bytes>>> {
    let (status, kind, text) = match path {
        "/livez" | "/healthz" => (StatusCode::OK, PLAIN, "ok\n".to_owned()),
        "/readyz" if context.health.is_ready() => (StatusCode::OK, PLAIN, context.health.report()),
        "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, PLAIN, context.health.report()),
        "/metrics" => (StatusCode::OK, OPENMETRICS, context.metrics.render()),
        _ => return None,
    };
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Some(plain(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET is allowed here\n".into()));
    }
    Some(plain(status, kind, text))
}

/// An answer of text.
pub(crate) fn plain(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The answer to a request that took too long.
pub(crate) fn late() -> Response<Full<Bytes>> {
    plain(StatusCode::GATEWAY_TIMEOUT, PLAIN, "the server did not finish in time; try again\n".into())
}
