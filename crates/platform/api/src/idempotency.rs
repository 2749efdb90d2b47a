//! Idempotency keys: a POST that is sent again gets the answer of the first one instead of acting twice.
//!
//! The claim of a key and the answer to it are in the store, so that they survive a restart and hold for all replicas.
//! The request is carried out to its end even where its client goes away, so that the answer is there when it comes back.
//!
//! What a retry may rely on where the process, or the machine, dies in the middle is the route's to say: once, where action
//! and answer are one transaction ([`Claimed`]); elsewhere at least once, a minute later; nothing where answers are not
//! kept ([`Endpoint::unkept`](crate::Endpoint::unkept)). The API's guide has the table.
//!
//! `PUT` and `DELETE` may be repeated as they are.

use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use jiff::SignedDuration;
use palisade_runtime::Clock;
use palisade_store::{Claim, Idempotency, IdempotencyKey, Store};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

use crate::endpoint::{Description, Input};
use crate::extract::{self, Limits};
use crate::problem::{Code, Problem};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// The longest key.
const MAX_KEY: usize = 255;
/// The largest answer that is kept, in bytes.
const MAX_ANSWER: usize = 4 << 20;

/// How the document describes the header.
pub(crate) fn parameter() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .min_length(Some(1))
        .max_length(Some(MAX_KEY))
        .pattern(Some("^[!-~]+$"));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "A text of your choice that makes it safe to send the request again: for a day, the same key with the same \
             request gets the answer of the first one.",
        ))
        .schema(Some(schema))
        .build()
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    content_type: Option<String>,
    location: Option<String>,
    body: String,
}

/// The claim of a request that came with a key, for handlers that keep their answer with what they do.
#[derive(Debug)]
pub struct Claimed(
    /// None where there was no key.
    pub Option<Claim>,
);

impl Input for Claimed {
    fn describe(_: &mut Description) {}
}

impl<S: Send + Sync> FromRequestParts<S> for Claimed {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get().cloned()))
    }
}

/// An answer in JSON, as a further attempt gets it: its status, and what the store keeps of it.
pub fn answer(status: StatusCode, location: Option<&str>, body: &impl Serialize) -> (u16, String) {
    let kept = Kept {
        content_type: Some("application/json".to_owned()),
        location: location.map(str::to_owned),
        body: serde_json::to_string(body).unwrap_or_default(),
    };
    (status.as_u16(), serde_json::to_string(&kept).unwrap_or_default())
}

/// Where claims and answers are kept.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
}

/// Carries the request of `caller` out, at most once for a key.
pub(crate) async fn once(keeper: &Keeper, caller: String, request: Request, next: Next) -> Response {
    match try_once(keeper, caller, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn try_once(keeper: &Keeper, caller: String, request: Request, next: Next) -> Result<Response, Problem> {
    let Some(key) = chosen_key(request.headers())? else { return Ok(next.run(request).await) };
    let (parts, body) = request.into_parts();
    let bytes = extract::read(body, Limits::of(&parts.extensions)).await?;
    let mut digest = Sha256::new();
    digest.update(parts.uri.query().unwrap_or_default());
    digest.update([0]);
    digest.update(&bytes);
    let digest = palisade_model::hex(&digest.finalize());
    let key = IdempotencyKey { caller, route: format!("{} {}", parts.method, parts.uri.path()), key };
    let now = keeper.clock.now();
    match keeper.store.begin_request(&key, &digest, now + KEPT, now).await? {
        Idempotency::New => {}
        Idempotency::Answered { status, body } => return replay(status, &body),
        Idempotency::InProgress => {
            let detail = "a request with this `Idempotency-Key` is being worked on; send it again in a moment";
            return Err(Problem::new(Code::RequestInProgress, detail).retry_after(1));
        }
        Idempotency::Mismatch => {
            let detail = "this `Idempotency-Key` was used with another body; choose a new key for a new request";
            return Err(Problem::new(Code::KeyReused, detail));
        }
    }
    let mut request = Request::from_parts(parts, Body::from(bytes));
    request.extensions_mut().insert(Claim { key: key.clone(), claimed_at: now });
    let store = keeper.store.clone();
    let work = tokio::spawn(async move {
        let response = next.run(request).await;
        keep(&store, &key, response).await
    });
    work.await.map_err(|error| Problem::internal("carrying out a request", &error))?
}

/// The client's key, where it sent one.
fn chosen_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let visible = (1..=MAX_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible || values.next().is_some() {
        let detail = format!("`Idempotency-Key` is one text of 1 to {MAX_KEY} visible ASCII characters");
        return Err(Problem::invalid(detail));
    }
    Ok(Some(text.to_owned()))
}

/// Keeps an answer that would be the same again, and gives the claim back where trying again may help.
async fn keep(store: &Store, key: &IdempotencyKey, response: Response) -> Result<Response, Problem> {
    let status = response.status();
    let transient = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT);
    if transient {
        store.abandon_request(key).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await;
    let bytes = body.map_err(|error| Problem::internal("reading an answer", &error))?.to_bytes();
    let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let kept = Kept {
        content_type: text(header::CONTENT_TYPE),
        location: text(header::LOCATION),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    let kept = serde_json::to_string(&kept).map_err(|error| Problem::internal("keeping an answer", &error))?;
    store.finish_request(key, status.as_u16(), &kept).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// The answer that was given before.
fn replay(status: u16, kept: &str) -> Result<Response, Problem> {
    let corrupt = |error: &dyn std::fmt::Display| Problem::internal("reading a kept answer", error);
    let kept: Kept = serde_json::from_str(kept).map_err(|error| corrupt(&error))?;
    let status = StatusCode::from_u16(status).map_err(|error| corrupt(&error))?;
    let mut response = (status, kept.body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, text) in [(header::CONTENT_TYPE, kept.content_type), (header::LOCATION, kept.location)] {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
