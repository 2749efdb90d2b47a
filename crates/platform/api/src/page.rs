//! Lists: one envelope, keyset pages, the same two parameters everywhere.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Query};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Uri, header};
use palisade_store::Page;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Required};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::endpoint::{Description, Output};
use crate::problem::Problem;

/// What a list was asked for: its filter, and which page of it.
#[derive(Debug)]
pub struct Listing<F> {
    /// Which items.
    pub filter: F,
    /// Which part of them.
    pub page: Page,
    /// The request's address without `after`, for the link to the next page.
    base: String,
}

impl<F> Listing<F> {
    /// The answer: a page of items, and where the next one starts.
    pub fn answer<R, T: From<R>>(&self, listed: palisade_store::Listed<R>) -> List<T> {
        let next = listed.next.map(|cursor| cursor.to_string());
        let link = next.as_ref().map(|next| {
            let separator = if self.base.contains('?') { '&' } else { '?' };
            format!("<{}{separator}after={next}>; rel=\"next\"", self.base)
        });
        List { items: listed.items.into_iter().map(T::from).collect(), next, link }
    }
}

impl<S: Send + Sync, F: DeserializeOwned> FromRequestParts<S> for Listing<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut page = Paging::default();
        let mut rest = form_urlencoded::Serializer::new(String::new());
        let mut base = form_urlencoded::Serializer::new(String::new());
        for (key, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            if key != "after" {
                base.append_pair(&key, &value);
            }
            if !page.take(&key, &value)? {
                rest.append_pair(&key, &value);
            }
        }
        let base = match base.finish() {
            query if query.is_empty() => parts.uri.path().to_owned(),
            query => format!("{}?{query}", parts.uri.path()),
        };
        let page = Page { limit: page.limit.unwrap_or(Page::DEFAULT_LIMIT), after: page.after };
        Ok(Self { filter: parse_query(&rest.finish())?, page, base })
    }
}

/// Reads a query strictly: unknown and repeated parameters are errors.
pub(crate) fn parse_query<F: DeserializeOwned>(query: &str) -> Result<F, Problem> {
    let uri: Uri = format!("/?{query}").parse().map_err(|_| Problem::invalid("the query is not a valid address"))?;
    let read = Query::<F>::try_from_uri(&uri);
    read.map(|Query(filter)| filter).map_err(|rejection| Problem::invalid(rejection.body_text()))
}

/// The parameters `limit` and `after`, as far as they were met.
#[derive(Default)]
struct Paging {
    limit: Option<u32>,
    after: Option<palisade_store::Cursor>,
}

impl Paging {
    /// Whether the parameter was one of these.
    fn take(&mut self, key: &str, value: &str) -> Result<bool, Problem> {
        let repeated = || Problem::invalid(format!("the parameter `{key}` is given twice; give it once"));
        match key {
            "limit" => {
                let wrong = || format!("`limit` is a whole number from 1 to {}", Page::MAX_LIMIT);
                let limit = value.parse().ok().filter(|limit| (1..=Page::MAX_LIMIT).contains(limit));
                let limit = limit.ok_or_else(|| Problem::invalid(wrong()))?;
                self.limit.replace(limit).map_or(Ok(true), |_| Err(repeated()))
            }
            "after" => {
                let cursor = value.parse::<palisade_store::Cursor>()?;
                self.after.replace(cursor).map_or(Ok(true), |_| Err(repeated()))
            }
            _ => Ok(false),
        }
    }
}

/// The parameters of a list that filters by `F`.
pub(crate) fn parameters<F: IntoParams>() -> Vec<Parameter> {
    let query = |name: &str, description: &str, schema: ObjectBuilder| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(schema))
            .build()
    };
    let limit = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .minimum(Some(1))
        .maximum(Some(Page::MAX_LIMIT))
        .default(Some(Page::DEFAULT_LIMIT.into()));
    let after = ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).max_length(Some(2048));
    let mut parameters = F::into_params(|| Some(ParameterIn::Query));
    parameters.push(query("limit", "At most so many items.", limit));
    parameters.push(query("after", "Where to go on: `next` of the page before.", after));
    parameters
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next page, for `after`; null at the end.
    pub next: Option<String>,
    #[serde(skip)]
    link: Option<String>,
}

impl<T> List<T> {
    /// A list that has one page only.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None, link: None }
    }
}

impl<T: ToSchema> PartialSchema for List<T> {
    fn schema() -> RefOr<Schema> {
        let item = RefOr::Ref(Ref::from_schema_name(T::name()));
        let next = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("The cursor of the next page, for `after`; null at the end."));
        ObjectBuilder::new()
            .description(Some("One page of a list."))
            .property("items", ArrayBuilder::new().items(item))
            .required("items")
            .property("next", next)
            .required("next")
            .into()
    }
}

impl<T: ToSchema> ToSchema for List<T> {
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: Serialize + ToSchema> Output for List<T> {
    fn describe(description: &mut Description) {
        description.answers_with::<Self>(200, "A page of the list.");
    }
}

impl<T: Serialize> IntoResponse for List<T> {
    fn into_response(self) -> Response {
        let link = self.link.as_deref().and_then(|link| HeaderValue::from_str(link).ok());
        let mut response = axum::Json(self).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}
