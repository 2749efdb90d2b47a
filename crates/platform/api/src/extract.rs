//! What handlers take from a request, strictly: nothing unknown, nothing twice, nothing unbounded.

use std::marker::PhantomData;
use std::time::Duration;

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

use crate::endpoint::{Description, Input};
use crate::page::{self, Listing};
use crate::problem::{Code, Problem};

/// What the body of a request may take; an extension of every request that reaches a handler.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes.
    pub max_body_bytes: usize,
    /// Time to arrive in.
    pub patience: Duration,
}

impl Limits {
    /// Nothing may be sent: what is not mounted by the kit takes no bodies.
    const NONE: Self = Self { max_body_bytes: 0, patience: Duration::ZERO };

    /// Those of a request.
    pub(crate) fn of(extensions: &http::Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self::NONE)
    }
}

impl<S> Input for State<S> {
    fn describe(_: &mut Description) {}
}

/// The head of the request as it came, for what it may hold beside what is described.
impl Input for Parts {
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
pub struct Query<T>(
    /// What they say.
    pub T,
);

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
pub struct Nothing {}

/// What a part of a path looks like.
pub trait Shape {
    /// What it names.
    const NOUN: &'static str;
    /// A regular expression that both sides understand.
    const PATTERN: &'static str;
    /// The most characters.
    const MAX: usize;
    /// Whether the text has the shape.
    fn fits(text: &str) -> bool;
}

/// A variable part of the path: the first one, unless `N` says otherwise.
#[derive(Debug)]
pub struct Part<T, const N: usize = 0>(
    /// Its text.
    pub String,
    /// Its shape.
    pub PhantomData<T>,
);

/// Declares the shape of a part of a path: its noun, its longest text, its regular expression, and the same as code.
#[macro_export]
macro_rules! shape {
    ($(#[$attribute:meta])* $visibility:vis $name:ident, $noun:literal, $max:expr, $pattern:expr, $fits:expr) => {
        $(#[$attribute])*
        #[derive(Debug)]
        $visibility struct $name;

        impl $crate::Shape for $name {
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

/// The shape of the store's own identifiers.
pub const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// Whether a text is a UUID as the store writes it.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// The shape of SHA-256 digests.
pub const SHA_256: &str = "^[0-9a-f]{64}$";

/// Whether a text is a SHA-256 in hexadecimal.
pub fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The shape of names that people choose: nothing that could not be written in an address.
pub const NAME: &str = "^[^\\u0000-\\u001f\\u007f/]+$";

/// Whether a text may be a name.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_ascii_control() || c == '/')
}

impl<T: Shape, const N: usize> Input for Part<T, N> {
    fn describe(description: &mut Description) {
        let inside = |text: &'static str| text.split('{').nth(N + 1)?.split_once('}').map(|(name, _)| name);
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

impl<S: Send + Sync, T: Shape, const N: usize> FromRequestParts<S> for Part<T, N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let text = params.ok().and_then(|params| params.iter().nth(N).map(|(_, text)| text.to_owned()));
        // What has another shape names nothing, whatever characters it is made of.
        let known = text.filter(|text| text.chars().count() <= T::MAX && T::fits(text));
        known.map(|text| Self(text, PhantomData)).ok_or_else(|| Problem::not_found(T::NOUN))
    }
}

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

/// A body in JSON, all members of it known.
#[derive(Debug)]
pub struct Body<T>(
    /// What it says.
    pub T,
);

impl<T: ToSchema> Input for Body<T> {
    fn describe(description: &mut Description) {
        let schema = description.reference::<T>();
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let body = RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True));
        description.body = Some(body.build());
        description.problems.extend([Code::Timeout, Code::TooLarge, Code::UnsupportedMediaType, Code::Unprocessable]);
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        expect(request.headers(), JSON)?;
        let limits = Limits::of(request.extensions());
        let bytes = read(request.into_body(), limits).await?;
        let value = serde_json::from_slice(&bytes);
        value.map(Self).map_err(|error| Problem::invalid(format!("the body cannot be read: {error}")))
    }
}

/// A body of YAML documents, as it was sent.
#[derive(Debug)]
pub struct Yaml(
    /// Its text.
    pub Bytes,
);

impl Input for Yaml {
    fn describe(description: &mut Description) {
        let schema = ObjectBuilder::new().description(Some("YAML documents, as in a `catalog-info.yaml`."));
        let content = ContentBuilder::new().schema(Some(schema.schema_type(SchemaType::AnyValue))).build();
        let body = RequestBodyBuilder::new().content(YAML, content).required(Some(Required::True));
        description.body = Some(body.build());
        description.problems.extend([Code::Timeout, Code::TooLarge, Code::UnsupportedMediaType, Code::Unprocessable]);
    }
}

impl<S: Send + Sync> FromRequest<S> for Yaml {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        expect(request.headers(), YAML)?;
        let limits = Limits::of(request.extensions());
        read(request.into_body(), limits).await.map(Self)
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
pub(crate) async fn read(body: axum::body::Body, limits: Limits) -> Result<Bytes, Problem> {
    let Limits { max_body_bytes, patience } = limits;
    let reading = Limited::new(body, max_body_bytes).collect();
    let read = tokio::time::timeout(patience, reading).await.map_err(|_| {
        let seconds = patience.as_secs_f64();
        Problem::new(
            Code::Timeout,
            format!("the body did not arrive within {seconds:.1} seconds; send it anew, faster"),
        )
    })?;
    read.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            let detail = format!("the body has more than {max_body_bytes} bytes; send a smaller one");
            return Problem::new(Code::TooLarge, detail);
        }
        Problem::invalid("the body broke off; send it anew")
    })
}
