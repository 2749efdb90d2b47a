//! What handlers take from a request, strictly: nothing unknown, nothing twice, nothing unbounded.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request, State};
use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Required};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::endpoint::{Description, Input};
use super::page::{self, Listing};
use super::problem::{Code, Problem};
use crate::identity::Authorized;

impl Input for State<Arc<Api>> {
    fn describe(_: &mut Description) {}
}

impl Input for Authorized {
    fn describe(_: &mut Description) {}
}

impl<F: IntoParams> Input for Listing<F> {
    fn describe(description: &mut Description) {
        description.parameters.extend(page::parameters::<F>());
        description.problems.push(Code::UnknownCursor);
    }
}

/// The parameters of the query, all of them known.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: IntoParams> Input for Query<T> {
    fn describe(description: &mut Description) {
        description.parameters.extend(T::into_params(|| Some(ParameterIn::Query)));
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        page::parse_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// No parameters: whatever stands in the query is a mistake.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// What a part of a path looks like.
pub(crate) trait Shape {
    /// What it names.
    const NOUN: &'static str;
    /// A regular expression that both sides understand.
    const PATTERN: &'static str;
    /// The most characters.
    const MAX: usize;
    /// Whether the text has the shape.
    fn fits(text: &str) -> bool;
}

/// The one part of the path that is variable.
#[derive(Debug)]
pub(crate) struct Part<T>(pub(crate) String, pub(crate) PhantomData<T>);

/// Declares the shape of a part of a path: its noun, its longest text, its regular expression, and the same as code.
macro_rules! shape {
    ($(#[$attribute:meta])* $name:ident, $noun:literal, $max:expr, $pattern:expr, $fits:expr) => {
        $(#[$attribute])*
        #[derive(Debug)]
        pub(super) struct $name;

        impl $crate::api::extract::Shape for $name {
            const NOUN: &'static str = $noun;
            const PATTERN: &'static str = $pattern;
            const MAX: usize = $max;

            fn fits(text: &str) -> bool {
                let fits: fn(&str) -> bool = $fits;
                fits(text)
            }
        }
    };
}
pub(super) use shape;

/// The shape of the store's own identifiers.
pub(super) const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// Whether a text is a UUID as the store writes it.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// The shape of SHA-256 digests.
pub(super) const SHA_256: &str = "^[0-9a-f]{64}$";

/// Whether a text is a SHA-256 in hexadecimal.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The shape of names that people choose: nothing that could not be written in an address.
pub(super) const NAME: &str = "^[^\\u0000-\\u001f\\u007f/]+$";

/// Whether a text may be a name.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_ascii_control() || c == '/')
}

impl<T: Shape> Input for Part<T> {
    fn describe(description: &mut Description) {
        let inside = |text: &'static str| text.split_once('{')?.1.split_once('}').map(|(name, _)| name);
        let schema = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .pattern(Some(T::PATTERN))
            .min_length(Some(1))
            .max_length(Some(T::MAX));
        let parameter = ParameterBuilder::new()
            .name(inside(description.path).unwrap_or_default())
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(format!("Which {}.", T::NOUN)))
            .schema(Some(schema));
        description.parameters.push(parameter.build());
        description.problems.push(Code::NotFound);
    }
}

impl<S: Send + Sync, T: Shape> FromRequestParts<S> for Part<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let text = params.ok().and_then(|params| params.iter().next().map(|(_, text)| text.to_owned()));
        // What has another shape names nothing, whatever characters it is made of.
        let known = text.filter(|text| text.chars().count() <= T::MAX && T::fits(text));
        known.map(|text| Self(text, PhantomData)).ok_or_else(|| Problem::not_found(T::NOUN))
    }
}

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

/// A body in JSON, all members of it known.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: ToSchema> Input for Body<T> {
    fn describe(description: &mut Description) {
        let schema = description.reference::<T>();
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let body = RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True));
        description.body = Some(body.build());
        description.problems.extend([Code::Timeout, Code::TooLarge, Code::UnsupportedMediaType, Code::Unprocessable]);
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Problem> {
        expect(request.headers(), JSON)?;
        let bytes = read(request.into_body(), api).await?;
        let value = serde_json::from_slice(&bytes);
        value.map(Self).map_err(|error| Problem::invalid(format!("the body cannot be read: {error}")))
    }
}

/// A body of YAML documents, as it was sent.
#[derive(Debug)]
pub(crate) struct Yaml(pub(crate) Bytes);

impl Input for Yaml {
    fn describe(description: &mut Description) {
        let schema = ObjectBuilder::new().description(Some("YAML documents, as in a `catalog-info.yaml`."));
        let content = ContentBuilder::new().schema(Some(schema.schema_type(SchemaType::AnyValue))).build();
        let body = RequestBodyBuilder::new().content(YAML, content).required(Some(Required::True));
        description.body = Some(body.build());
        description.problems.extend([Code::Timeout, Code::TooLarge, Code::UnsupportedMediaType, Code::Unprocessable]);
    }
}

impl FromRequest<Arc<Api>> for Yaml {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Problem> {
        expect(request.headers(), YAML)?;
        read(request.into_body(), api).await.map(Self)
    }
}

/// Refuses a body that does not claim to be of this media type.
fn expect(headers: &HeaderMap, wanted: &'static str) -> Result<(), Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(wanted) {
        let detail = format!("send the body as `Content-Type: {wanted}`");
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Problem::new(Code::UnsupportedMediaType, "send the body without `Content-Encoding`"));
    }
    Ok(())
}

/// Reads a body within the limits of size and time.
pub(crate) async fn read(body: axum::body::Body, api: &Api) -> Result<Bytes, Problem> {
    let limits = &api.context.config.server.limits;
    let reading = Limited::new(body, limits.max_body_bytes).collect();
    // Before the whole request is out of time, so that the client learns what took so long.
    let patience = limits.request_timeout.mul_f64(0.9);
    let read = tokio::time::timeout(patience, reading).await.map_err(|_| {
        let seconds = patience.as_secs_f64();
        Problem::new(
            Code::Timeout,
            format!("the body did not arrive within {seconds:.1} seconds; send it anew, faster"),
        )
    })?;
    read.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            let limit = limits.max_body_bytes;
            return Problem::new(Code::TooLarge, format!("the body has more than {limit} bytes; send a smaller one"));
        }
        Problem::invalid("the body broke off; send it anew")
    })
}
