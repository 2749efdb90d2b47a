//! What handlers answer with.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::ResponseBuilder;

use super::endpoint::{Description, Output};
use super::page::List;

impl<T: ToSchema + Serialize> Output for Json<T> {
    fn describe(description: &mut Description) {
        description.answers::<T>(200, "The answer.");
    }
}

impl<T: ToSchema + Serialize> Output for List<T> {
    fn describe(description: &mut Description) {
        description.answers::<Self>(200, "A page of the list.");
    }
}

/// Something new, and where it is.
#[derive(Debug)]
pub(crate) struct Created<T> {
    /// The path of what was made.
    pub(crate) location: String,
    /// What was made.
    pub(crate) body: T,
}

impl<T: ToSchema + Serialize> Output for Created<T> {
    fn describe(description: &mut Description) {
        description.answers::<T>(201, "It was made; `Location` names it.");
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::CREATED, Json(self.body)).into_response();
        if let Ok(location) = HeaderValue::from_str(&self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// Begun, or done, with nothing to tell of it.
#[derive(Debug)]
pub(crate) enum Done {
    /// It is done.
    Now,
    /// It will be done soon.
    Soon,
}

impl Output for Done {
    fn describe(description: &mut Description) {
        let empty = |text: &str| ResponseBuilder::new().description(text).build();
        description.responses.push((204, empty("It is done, or will be in a moment.")));
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}
