//! One declaration per route: method, path, permission, handler; the OpenAPI operation follows from the handler's types.
//!
//! A handler's arguments and answer describe themselves ([`Input`], [`Output`]), so what is documented is what is parsed
//! and what is sent. Nothing is written down a second time.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ContentBuilder, Deprecated, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::idempotency;
use crate::problem::{self, Code, ProblemDocument};
use crate::routes::Permission;

/// What the path of every route of the API begins with.
pub const PREFIX: &str = "/api/v1";

/// What is known of an operation.
#[derive(Default)]
pub struct Description {
    /// The template of the path, for arguments that are parts of it.
    pub path: &'static str,
    /// What stands in path, query and headers.
    pub parameters: Vec<Parameter>,
    /// What is sent.
    pub body: Option<RequestBody>,
    /// What is answered where all is well.
    pub responses: Vec<(u16, Response)>,
    /// What can be wrong.
    pub problems: Vec<Code>,
    /// The schemas that the others refer to.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

impl std::fmt::Debug for Description {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Description").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Description {
    /// A reference to the schema of `T`, which becomes part of the document.
    pub fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into(), T::schema()));
        T::schemas(&mut self.schemas);
        RefOr::Ref(Ref::from_schema_name(T::name()))
    }

    /// An answer in JSON, as `T` is written.
    pub fn answers_with<T: ToSchema>(&mut self, status: u16, text: &str) {
        let schema = self.reference::<T>();
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new().description(text).content("application/json", content).build();
        self.responses.push((status, response));
    }
}

/// An argument of a handler.
pub trait Input {
    /// Adds what a client has to send for it.
    fn describe(description: &mut Description);
}

/// What a handler answers with.
pub trait Output {
    /// Adds what a client gets.
    fn describe(description: &mut Description);
}

impl<T: Output, E> Output for Result<T, E> {
    fn describe(description: &mut Description) {
        T::describe(description);
    }
}

/// A handler whose arguments and answer describe themselves.
pub trait Described<T> {
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

/// What stands before a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access<P> {
    /// A caller with this permission.
    Needs(P),
    /// Nothing: the route is how one logs in, or tells nothing that is not public.
    Open,
}

/// A route with everything that is known of it. Its handler gets the state `S`; `P` is what routes ask of their callers.
#[derive(Debug)]
pub struct Endpoint<S, P> {
    access: Access<P>,
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    tag: Option<&'static str>,
    keeps_answers: bool,
    deprecated: bool,
    description: Description,
    route: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static, P: Permission> Endpoint<S, P> {
    fn new<H, T>(access: Access<P>, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S> + Described<T>,
        T: 'static,
    {
        let mut description = Description { path, ..Description::default() };
        H::describe(&mut description);
        // The methods that are used here are all known to axum.
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let route = on(filter, handler);
        Self {
            access,
            method,
            path,
            id: "",
            summary: "",
            tag: None,
            keeps_answers: true,
            deprecated: false,
            description,
            route,
        }
    }

    /// Reads what everybody may know. Each such route has to be listed in the test that goes through all routes.
    pub fn open<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S> + Described<T>,
        T: 'static,
    {
        Self::new(Access::Open, Method::GET, path, handler)
    }

    /// Acts for whoever proves by the request itself that they may. Listed like [`Self::open`].
    pub fn open_post<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S> + Described<T>,
        T: 'static,
    {
        Self::new(Access::Open, Method::POST, path, handler)
    }

    /// Reads.
    pub fn get<H, T>(permission: P, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S> + Described<T>,
        T: 'static,
    {
        Self::new(Access::Needs(permission), Method::GET, path, handler)
    }

    /// Acts. A client may send an idempotency key with it.
    pub fn post<H, T>(permission: P, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S> + Described<T>,
        T: 'static,
    {
        Self::new(Access::Needs(permission), Method::POST, path, handler)
    }

    /// Replaces.
    pub fn put<H, T>(permission: P, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S> + Described<T>,
        T: 'static,
    {
        Self::new(Access::Needs(permission), Method::PUT, path, handler)
    }

    /// Changes a part.
    pub fn patch<H, T>(permission: P, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S> + Described<T>,
        T: 'static,
    {
        Self::new(Access::Needs(permission), Method::PATCH, path, handler)
    }

    /// Removes.
    pub fn delete<H, T>(permission: P, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S> + Described<T>,
        T: 'static,
    {
        Self::new(Access::Needs(permission), Method::DELETE, path, handler)
    }

    /// The operation's identifier, and what it does in one sentence.
    #[must_use]
    pub const fn named(mut self, id: &'static str, summary: &'static str) -> Self {
        self.id = id;
        self.summary = summary;
        self
    }

    /// The group of operations, where it is another than the first part of the path.
    #[must_use]
    pub const fn tagged(mut self, tag: &'static str) -> Self {
        self.tag = Some(tag);
        self
    }

    /// Answers hold secrets, or are not worth keeping: they are stored for no idempotency key and get no entity tag.
    #[must_use]
    pub const fn unkept(mut self) -> Self {
        self.keeps_answers = false;
        self
    }

    /// It goes with the next version: the document and every answer say so.
    #[must_use]
    pub const fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }

    /// Adds problems that the handler's types do not tell.
    #[must_use]
    pub fn problems(mut self, codes: &[Code]) -> Self {
        self.description.problems.extend(codes);
        self
    }

    /// Gives the handler its state.
    #[must_use]
    pub fn with_state(self, state: S) -> Endpoint<(), P> {
        let Self { access, method, path, id, summary, tag, keeps_answers, deprecated, description, route } = self;
        let route = route.with_state(state);
        Endpoint { access, method, path, id, summary, tag, keeps_answers, deprecated, description, route }
    }
}

impl<S, P: Permission> Endpoint<S, P> {
    /// What stands before it.
    pub const fn access(&self) -> Access<P> {
        self.access
    }

    /// The HTTP method.
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The whole path, with its parameters in braces. What browsers visit to log in is no part of the API.
    pub fn path(&self) -> String {
        if self.path.starts_with("/auth/") { self.path.to_owned() } else { format!("{PREFIX}{}", self.path) }
    }

    /// Whether a further attempt may get the answer of the first, and a reader's own copy be confirmed.
    pub(crate) const fn keeps_answers(&self) -> bool {
        self.keeps_answers
    }

    /// Whether it goes with the next version.
    pub(crate) const fn is_deprecated(&self) -> bool {
        self.deprecated
    }

    /// Its parts as they are mounted: description, schemas, handler.
    #[allow(clippy::type_complexity, reason = "the parts of a route, taken apart at once")]
    pub(crate) fn split(mut self) -> (utoipa::openapi::Paths, Vec<(String, RefOr<Schema>)>, MethodRouter<S>) {
        let (path, method) = (self.path(), http_method(&self.method));
        self.describe_answers();
        let description = self.description;
        let tag = self.path.trim_start_matches('/').split(['/', ':']).next().unwrap_or_default();
        let mut operation = OperationBuilder::new()
            .operation_id(Some(self.id))
            .summary(Some(self.summary))
            .tag(self.tag.unwrap_or(tag))
            .deprecated(self.deprecated.then_some(Deprecated::True))
            .parameters((!description.parameters.is_empty()).then_some(description.parameters))
            .request_body(description.body);
        for (status, response) in description.responses {
            operation = operation.response(status.to_string(), response);
        }
        for code in description.problems {
            operation = operation.response(code.status().as_str(), problem_response(code.title()));
        }
        operation = operation.response("default", problem_response("Any other problem."));
        (PathsBuilder::new().path(path, PathItem::new(method, operation)).build(), description.schemas, self.route)
    }

    /// Adds what follows from what is known already.
    fn describe_answers(&mut self) {
        let description = &mut self.description;
        if self.method == Method::POST && self.keeps_answers && matches!(self.access, Access::Needs(_)) {
            description.parameters.push(idempotency::parameter());
            description.problems.extend([Code::Conflict, Code::KeyReused]);
        }
        if !description.parameters.is_empty() || description.body.is_some() {
            description.problems.push(Code::Invalid);
        }
        description.problems.sort_by_key(|code| code.status());
        description.problems.dedup_by_key(|code| code.status());
        description.schemas.push((ProblemDocument::name().into(), ProblemDocument::schema()));
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
        Method::PATCH => HttpMethod::Patch,
        _ => HttpMethod::Get,
    }
}
