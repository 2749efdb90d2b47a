//! The pages that the `type` of a problem stands for, and the OpenAPI document. Both are for everybody.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, ResponseBuilder};

use super::Api;
use super::endpoint::{Description, Endpoint, Output};
use super::extract::{Part, shape};
use super::page::List;
use super::problem::{Code, Problem, TYPE_PREFIX};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(None, "/problems", list).named("listProblems", "All kinds of problems."),
        Endpoint::get(None, "/problems/{code}", get).named("getProblem", "What a kind of problem means."),
        Endpoint::get(None, "/openapi.json", openapi).named("getDocument", "This document."),
    ]
}

shape!(
    /// The last part of a problem's `type`.
    CodeName, "kind of problem", 40, "^[a-z-]+$", |text| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    }
);

/// A kind of problem.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemKind {
    /// As problems name it.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status.
    status: u16,
    /// What it is.
    title: &'static str,
    /// What it means and what to do.
    explanation: &'static str,
}

impl From<Code> for ProblemKind {
    fn from(code: Code) -> Self {
        let kind = format!("{TYPE_PREFIX}{}", code.as_str());
        Self { kind, status: code.status().as_u16(), title: code.title(), explanation: code.explanation() }
    }
}

async fn list() -> List<ProblemKind> {
    List::whole(Code::ALL.into_iter().map(ProblemKind::from).collect())
}

async fn get(Part(name, _): Part<CodeName>) -> Result<Json<ProblemKind>, Problem> {
    let code = Code::ALL.into_iter().find(|code| code.as_str() == name);
    code.map(|code| Json(code.into())).ok_or_else(|| Problem::not_found("kind of problem"))
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

async fn openapi(State(api): State<Arc<Api>>) -> Result<Document, Problem> {
    let document = api.document.get().cloned().map(Document);
    document.ok_or_else(|| Problem::new(Code::Unavailable, "the server is starting; try again in a moment"))
}
