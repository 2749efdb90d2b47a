//! One declaration per route: method, path, permission, handler; the OpenAPI operation follows from the handler's types.
//!
//! A handler's arguments and answer describe themselves ([`Input`], [`Output`]), so what is documented is what is parsed
//! and what is sent. Nothing is written down a second time.

use std::sync::Arc;

use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};
use http::Method;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::problem::{self, Code, Problem, ProblemDocument};
use super::{Api, guard};
use crate::identity::{Permission, Routes};

/// What the path of every route begins with.
pub(crate) const PREFIX: &str = "/api/v1";

/// What is known of an operation.
#[derive(Default)]
pub(crate) struct Description {
    /// The template of the path, for arguments that are parts of it.
    pub(crate) path: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<RequestBody>,
    pub(crate) responses: Vec<(u16, Response)>,
    pub(crate) problems: Vec<Code>,
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
}

impl Description {
    /// A reference to the schema of `T`, which becomes part of the document.
    pub(crate) fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into(), T::schema()));
        T::schemas(&mut self.schemas);
        RefOr::Ref(Ref::from_schema_name(T::name()))
    }

    /// An answer in JSON, as `T` is written.
    pub(crate) fn answers_with<T: ToSchema>(&mut self, status: u16, text: &str) {
        let schema = self.reference::<T>();
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new().description(text).content("application/json", content).build();
        self.responses.push((status, response));
    }
}

/// An argument of a handler.
pub(crate) trait Input {
    /// Adds what a client has to send for it.
    fn describe(description: &mut Description);
}

/// What a handler answers with.
pub(crate) trait Output {
    /// Adds what a client gets.
    fn describe(description: &mut Description);
}

impl<T: Output> Output for Result<T, Problem> {
    fn describe(description: &mut Description) {
        T::describe(description);
    }
}

/// A handler whose arguments and answer describe themselves.
pub(crate) trait Described<T> {
    /// Adds what a client has to send and what it gets.
    fn describe(description: &mut Description);
}

macro_rules! described {
    ($($input:ident),*) => {
        impl<F, Fut, R, M, $($input,)*> Described<(M, $($input,)*)> for F
        where
            F: FnOnce($($input,)*) -> Fut,
            Fut: Future<Output = R>,
            R: Output,
            $($input: Input,)*
        {
            fn describe(description: &mut Description) {
                $($input::describe(description);)*
                R::describe(description);
            }
        }
    };
}
described!();
described!(A);
described!(A, B);
described!(A, B, C);
described!(A, B, C, D);
described!(A, B, C, D, E);

/// A route with everything that is known of it.
pub(crate) struct Endpoint {
    permission: Option<Permission>,
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    description: Description,
    route: axum::routing::MethodRouter<Arc<Api>>,
}

impl Endpoint {
    fn new<H, T>(access: impl Into<Option<Permission>>, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Api>> + Described<T>,
        T: 'static,
    {
        let mut description = Description { path, ..Description::default() };
        H::describe(&mut description);
        // The methods that the table uses are all known to axum.
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let route = on(filter, handler);
        Self { permission: access.into(), method, path, id: "", summary: "", description, route }
    }

    /// Reads. `access` is `None` for what everybody may know.
    pub(crate) fn get<H, T>(access: impl Into<Option<Permission>>, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Api>> + Described<T>,
        T: 'static,
    {
        Self::new(access, Method::GET, path, handler)
    }

    /// Acts. A client may send an idempotency key with it.
    pub(crate) fn post<H, T>(permission: Permission, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Api>> + Described<T>,
        T: 'static,
    {
        let mut endpoint = Self::new(permission, Method::POST, path, handler);
        endpoint.description.parameters.push(guard::idempotency::parameter());
        endpoint.description.problems.extend([Code::Conflict, Code::KeyReused]);
        endpoint
    }

    /// Replaces.
    pub(crate) fn put<H, T>(permission: Permission, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Api>> + Described<T>,
        T: 'static,
    {
        Self::new(permission, Method::PUT, path, handler)
    }

    /// Removes.
    pub(crate) fn delete<H, T>(permission: Permission, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Api>> + Described<T>,
        T: 'static,
    {
        Self::new(permission, Method::DELETE, path, handler)
    }

    /// The operation's identifier, and what it does in one sentence.
    #[must_use]
    pub(crate) const fn named(mut self, id: &'static str, summary: &'static str) -> Self {
        self.id = id;
        self.summary = summary;
        self
    }

    /// Adds problems that the handler's types do not tell.
    #[must_use]
    pub(crate) fn problems(mut self, codes: &[Code]) -> Self {
        self.description.problems.extend(codes);
        self
    }

    /// Mounts the route with its checks.
    pub(crate) fn mount(self, routes: Routes<Arc<Api>>, api: &Arc<Api>) -> Routes<Arc<Api>> {
        let (permission, path) = (self.permission, format!("{PREFIX}{}", self.path));
        let method = self.method.clone();
        let (operation, schemas, route) = self.operation();
        let paths = PathsBuilder::new().path(path, PathItem::new(http_method(&method), operation)).build();
        match permission {
            Some(permission) => {
                let route = route.route_layer(from_fn_with_state(Arc::clone(api), guard::protect));
                routes.protected(permission, (schemas, paths, route))
            }
            None => routes.open((schemas, paths, route)),
        }
    }

    #[allow(clippy::type_complexity, reason = "the parts of a route, taken apart at once")]
    fn operation(self) -> (OperationBuilder, Vec<(String, RefOr<Schema>)>, axum::routing::MethodRouter<Arc<Api>>) {
        let mut description = self.description;
        let tag = self.path.trim_start_matches('/').split(['/', ':']).next().unwrap_or_default();
        if !description.parameters.is_empty() || description.body.is_some() {
            description.problems.push(Code::Invalid);
        }
        let mut operation = OperationBuilder::new()
            .operation_id(Some(self.id))
            .summary(Some(self.summary))
            .tag(tag)
            .parameters((!description.parameters.is_empty()).then_some(description.parameters))
            .request_body(description.body);
        for (status, response) in description.responses {
            operation = operation.response(status.to_string(), response);
        }
        description.problems.sort_by_key(|code| code.status());
        description.problems.dedup_by_key(|code| code.status());
        for code in description.problems {
            operation = operation.response(code.status().as_str(), problem_response(code.title()));
        }
        description.schemas.push((ProblemDocument::name().into(), ProblemDocument::schema()));
        (operation.response("default", problem_response("Any other problem.")), description.schemas, self.route)
    }
}

/// The answer of a request that failed.
pub(crate) fn problem_response(description: &str) -> Response {
    let schema = Ref::from_schema_name(ProblemDocument::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(problem::MEDIA_TYPE, content).build()
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
