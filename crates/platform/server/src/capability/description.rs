//! What the API says of itself, for everybody: the OpenAPI document, and what kinds of problems there are.

use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use palisade_api::{Code, Description, Output, Problem, problem};
use palisade_identity::Endpoint;
use utoipa::openapi::{ContentBuilder, Info, InfoBuilder, LicenseBuilder, ObjectBuilder, ResponseBuilder};

use super::{Capability, Ground, Plug};

/// The capability.
pub(super) const CAPABILITY: Capability =
    Capability::new("description", "the OpenAPI document, and what kinds of problems there are", plug);

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    let document = Endpoint::open("/openapi.json", openapi).named("getDocument", "This document.");
    plug.routes(&ground.document, vec![document]);
    plug.routes(&(), problem::endpoints());
}

/// The rendered OpenAPI document; there is none until all routes are known.
pub(crate) type Rendered = Arc<OnceLock<Arc<str>>>;

/// What the document says of itself.
pub(crate) fn info() -> Info {
    InfoBuilder::new()
        .title("Palisade")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The control plane: findings, resources, policies, decisions, exceptions, owners. Lists come in pages \
             (`limit`, `after`, `next`). Whatever fails is a problem document (RFC 9457). `x-palisade-permission` names \
             the permission that an operation needs.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build()
}

/// The OpenAPI document.
struct Document(Arc<str>);

impl Output for Document {
    fn describe(description: &mut Description) {
        let content = ContentBuilder::new().schema(Some(ObjectBuilder::new())).build();
        let response = ResponseBuilder::new().description("The document.").content("application/json", content);
        description.responses.push((200, response.build()));
    }
}

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let mut response = self.0.to_string().into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

async fn openapi(State(rendered): State<Rendered>) -> Result<Document, Problem> {
    let document = rendered.get().cloned().map(Document);
    document.ok_or_else(|| Problem::new(Code::Unavailable, "the server is starting; try again in a moment"))
}
