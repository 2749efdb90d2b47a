//! Entity tags: who has the current version already gets 304 and no body.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// The tags that a client says it has.
pub(crate) struct Known(Vec<String>);

impl Known {
    /// From `If-None-Match`; compared weakly, as its definition says.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let tags = values.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/").to_owned());
        Self(tags.collect())
    }

    fn has(&self, tag: &str) -> bool {
        self.0.iter().any(|known| known == "*" || known == tag)
    }
}

/// Gives a JSON answer its tag, and leaves the body out where the client has it.
pub(crate) async fn tagged(response: Response, known: &Known) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json");
    if response.status() != StatusCode::OK || !is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => return Problem::internal("reading an answer", &error).into_response(),
    };
    let of_content = || {
        let digest = palisade_model::hex(&Sha256::digest(&bytes));
        format!("\"{}\"", digest.get(..32).unwrap_or(&digest))
    };
    let given = parts.headers.get(header::ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let tag = given.unwrap_or_else(of_content);
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    if known.has(&tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}
