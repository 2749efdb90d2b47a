//! The OpenAPI document: what the routes' declarations say, with what stands before each of them.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi};

use super::endpoint::problem_response;
use super::problem::Code;
use crate::identity::{Access, Cookie, Registered};

const TOKEN: &str = "token";
const SESSION: &str = "session";

/// The document of `registered` routes, as bytes of JSON; `tls` says which of its names the session's cookie has.
pub(crate) fn render(mut api: OpenApi, registered: &[Registered], tls: bool) -> Arc<str> {
    api.info = InfoBuilder::new()
        .title("Palisade")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The control plane: findings, resources, policies, decisions, exceptions, owners. Lists come in pages \
             (`limit`, `after`, `next`). Whatever fails is a problem document (RFC 9457). `x-palisade-permission` names \
             the permission that an operation needs.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let components = api.components.take().unwrap_or_default();
    let mut components: utoipa::openapi::Components = ComponentsBuilder::from(components).build();
    let cookie = ApiKey::Cookie(ApiKeyValue::new(Cookie::Session.name(tls)));
    components.add_security_scheme(TOKEN, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(cookie));
    api.components = Some(components);
    api.servers = None;
    for route in registered {
        let Some(item) = api.paths.paths.get_mut(&route.path) else { continue };
        let operation = match route.method {
            Method::GET => item.get.as_mut(),
            Method::POST => item.post.as_mut(),
            Method::PUT => item.put.as_mut(),
            Method::DELETE => item.delete.as_mut(),
            Method::PATCH => item.patch.as_mut(),
            _ => None,
        };
        let Some(operation) = operation else { continue };
        let responses = &mut operation.responses.responses;
        let throttled = problem_response(Code::Throttled.title());
        responses.entry(Code::Throttled.status().as_str().into()).or_insert(throttled.into());
        let Access::Needs(permission) = route.access else {
            operation.security = Some(Vec::new());
            continue;
        };
        let none: [&str; 0] = [];
        operation.security = Some(vec![SecurityRequirement::new(TOKEN, none), SecurityRequirement::new(SESSION, none)]);
        operation.extensions.get_or_insert_default().insert("x-palisade-permission".into(), json!(permission.as_str()));
        for code in [Code::Unauthenticated, Code::Forbidden] {
            let responses = &mut operation.responses.responses;
            responses.entry(code.status().as_str().into()).or_insert(problem_response(code.title()).into());
        }
    }
    let mut document = serde_json::to_value(&api).unwrap_or_default();
    let operations = document
        .get_mut("paths")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|paths| paths.values_mut().filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()));
    for operation in operations {
        parameters(operation);
        problems(operation);
    }
    serde_json::to_string_pretty(&document).unwrap_or_default().into()
}

/// A parameter that is left out is not sent as null: takes `null` out of the types of parameters.
fn parameters(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten();
    for schema in parameters.filter_map(|parameter| parameter.get_mut("schema")) {
        not_null(schema);
    }
}

/// Whatever fails is a problem document, whoever declared the operation: `outer` sees to it.
fn problems(operation: &mut Value) {
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (_, response) in responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5'])) {
        let text = response.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        *response = json!(problem_response(&text));
    }
    responses.entry("default").or_insert_with(|| json!(problem_response("Any other problem.")));
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
