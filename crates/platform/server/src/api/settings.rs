//! Settings: a key and a JSON document each, changed while the server runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, header};
use palisade_store::{Setting, StoreError};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::Required;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

use super::Api;
use super::answer::Done;
use super::audit::note;
use super::endpoint::{Description, Endpoint, Input, Output};
use super::extract::{Body, Part, shape};
use super::page::List;
use super::problem::{Code, Problem};
use super::words::Time;
use crate::identity::{Authorized, Permission};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(Permission::ManageSettings, "/settings", list).named("listSettings", "All settings."),
        Endpoint::get(Permission::ManageSettings, "/settings/{setting}", get)
            .named("getSetting", "One setting; `ETag` names its version."),
        Endpoint::put(Permission::ManageSettings, "/settings/{setting}", put)
            .named("putSetting", "Writes a setting, with `If-Match` only over the version that was read."),
        Endpoint::delete(Permission::ManageSettings, "/settings/{setting}", delete)
            .named("deleteSetting", "Removes a setting."),
    ]
}

shape!(
    /// Key of a setting.
    Key, "setting", 64, "^[a-z][a-z0-9.-]{0,63}$", |text| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase()) && text.bytes().all(inner)
    }
);

/// A setting.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Setting)]
struct SettingView {
    /// Key.
    key: String,
    /// Value.
    value: Value,
    /// Counts the changes, from 1.
    version: i64,
    /// When it changed last.
    updated_at: Time,
    /// Who changed it last.
    updated_by: String,
}

impl From<Setting> for SettingView {
    fn from(setting: Setting) -> Self {
        let Setting { key, value, version, updated_at, updated_by } = setting;
        Self { key, value, version, updated_at: updated_at.into(), updated_by }
    }
}

/// A setting with its version as entity tag.
struct Versioned(SettingView);

impl Output for Versioned {
    fn describe(description: &mut Description) {
        description.answers_with::<SettingView>(200, "The setting.");
    }
}

impl IntoResponse for Versioned {
    fn into_response(self) -> Response {
        let tag = HeaderValue::from_str(&format!("\"{}\"", self.0.version));
        let mut response = Json(self.0).into_response();
        if let Ok(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

/// The version that a client means to replace; none replaces any.
struct IfMatch(Option<i64>);

impl Input for IfMatch {
    fn describe(description: &mut Description) {
        let schema = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .min_length(Some(3))
            .max_length(Some(20))
            .pattern(Some("^\"[0-9]{1,18}\"$"));
        let parameter = ParameterBuilder::new()
            .name("If-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("The `ETag` of the version to replace, `\"0\"` where there must be none yet."))
            .schema(Some(schema));
        description.parameters.push(parameter.build());
        description.problems.push(Code::PreconditionFailed);
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let quoted = value.to_str().ok().and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
        let digits = quoted.filter(|text| text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit()));
        let version = digits.and_then(|text| text.parse().ok());
        let wrong = || Problem::invalid("`If-Match` is the `ETag` of a setting, such as \"3\"");
        version.map(|version| Self(Some(version))).ok_or_else(wrong)
    }
}

async fn list(State(api): State<Arc<Api>>, _: Authorized) -> Result<List<SettingView>, Problem> {
    Ok(List::whole(api.context.store.settings().await?.into_iter().map(SettingView::from).collect()))
}

async fn get(State(api): State<Arc<Api>>, _: Authorized, Part(key, _): Part<Key>) -> Result<Versioned, Problem> {
    let found = api.context.store.setting(&key).await?;
    found.map(|setting| Versioned(setting.into())).ok_or_else(|| Problem::not_found("setting"))
}

async fn put(
    State(api): State<Arc<Api>>,
    authorized: Authorized,
    Part(key, _): Part<Key>,
    IfMatch(expected): IfMatch,
    Body(value): Body<Value>,
) -> Result<Versioned, Problem> {
    let (by, now) = (authorized.caller().id(), api.context.clock.now());
    let written =
        api.context.store.put_setting(&key, &value, expected, by, now).await.map_err(|error| match error {
            StoreError::Conflict(_) if expected.is_some() => {
                Problem::new(Code::PreconditionFailed, "the setting has changed; read it anew and decide again")
            }
            other => other.into(),
        })?;
    note(&api, &authorized, "setting.write", &key, None).await?;
    Ok(Versioned(written.into()))
}

async fn delete(State(api): State<Arc<Api>>, authorized: Authorized, Part(key, _): Part<Key>) -> Result<Done, Problem> {
    if !api.context.store.delete_setting(&key).await? {
        return Err(Problem::not_found("setting"));
    }
    note(&api, &authorized, "setting.delete", &key, None).await?;
    Ok(Done)
}
