//! What handlers answer with.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::ResponseBuilder;

use crate::endpoint::{Description, Output};

impl<T: ToSchema + Serialize> Output for Json<T> {
    fn describe(description: &mut Description) {
        description.answers_with::<T>(200, "The answer.");
    }
}

/// Something new, and where it is.
#[derive(Debug)]
pub struct Created<T> {
    /// The path of what was made.
    pub location: String,
    /// What was made.
    pub body: T,
}

impl<T: ToSchema + Serialize> Output for Created<T> {
    fn describe(description: &mut Description) {
        description.answers_with::<T>(201, "It was made; `Location` names it.");
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

/// Something new that is told once: nothing on the way keeps the answer.
#[derive(Debug)]
pub struct Made<T>(
    /// What was made.
    pub T,
);

impl<T: ToSchema + Serialize> Output for Made<T> {
    fn describe(description: &mut Description) {
        description.answers_with::<T>(201, "It was made; it is told once.");
    }
}

impl<T: Serialize> IntoResponse for Made<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(self.0)).into_response()
    }
}

/// Done, or begun, with nothing to tell of it.
#[derive(Debug)]
pub struct Done;

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
