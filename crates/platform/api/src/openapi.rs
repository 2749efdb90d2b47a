//! The OpenAPI document: what the routes' declarations say, with what stands before each of them.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, Info, OpenApi};

use crate::endpoint::{Access, problem_response};
use crate::problem::Code;
use crate::routes::{Permission, Registered};

const TOKEN: &str = "token";
const SESSION: &str = "session";

/// The document of `registered` routes, as bytes of JSON; `cookie` is the name of the session's cookie.
pub fn render<P: Permission>(mut api: OpenApi, registered: &[Registered<P>], info: Info, cookie: &str) -> Arc<str> {
    api.info = info;
    let components = api.components.take().unwrap_or_default();
    let mut components: utoipa::openapi::Components = ComponentsBuilder::from(components).build();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(cookie))));
    api.components = Some(components);
    api.servers = None;
    for route in registered {
        let operation = api.paths.paths.get_mut(&route.path).and_then(|item| operation(item, &route.method));
        if let Some(operation) = operation {
            checked(operation, route.access);
        }
    }
    let mut document = serde_json::to_value(&api).unwrap_or_default();
    let operations = document
        .get_mut("paths")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|paths| paths.values_mut().filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()));
    operations.for_each(parameters);
    serde_json::to_string_pretty(&document).unwrap_or_default().into()
}

fn operation<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Operation> {
    match *method {
        Method::GET => item.get.as_mut(),
        Method::POST => item.post.as_mut(),
        Method::PUT => item.put.as_mut(),
        Method::DELETE => item.delete.as_mut(),
        Method::PATCH => item.patch.as_mut(),
        _ => None,
    }
}

/// Says what stands before an operation.
fn checked<P: Permission>(operation: &mut Operation, access: Access<P>) {
    let mut fails = |code: Code| {
        let responses = &mut operation.responses.responses;
        responses.entry(code.status().as_str().into()).or_insert(problem_response(code.title()).into());
    };
    fails(Code::Throttled);
    let Access::Needs(permission) = access else {
        operation.security = Some(Vec::new());
        return;
    };
    fails(Code::Unauthenticated);
    fails(Code::Forbidden);
    let none: [&str; 0] = [];
    operation.security = Some(vec![SecurityRequirement::new(TOKEN, none), SecurityRequirement::new(SESSION, none)]);
    operation.extensions.get_or_insert_default().insert("x-palisade-permission".into(), json!(permission.name()));
}

/// A parameter that is left out is not sent as null: takes `null` out of the types of parameters.
fn parameters(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten();
    for schema in parameters.filter_map(|parameter| parameter.get_mut("schema")) {
        not_null(schema);
    }
}

fn not_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema["type"] = only;
        }
    }
    let alternatives = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    if let Some(alternatives) = alternatives {
        alternatives.retain(|alternative| alternative.get("type").is_none_or(|name| name != "null"));
        if let [only] = alternatives.as_slice() {
            let only = only.clone();
            *schema = only;
        }
    }
}
