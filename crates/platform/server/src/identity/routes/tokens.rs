//! `/api/v1/tokens`: API tokens of one's own; administrators see and revoke everybody's.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use palisade_store::{Token, TokenFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{Body, unkept};
use crate::api::page::{List, Listing};
use crate::api::problem::ProblemDocument;
use crate::identity::caller::{ALL_TEAMS, Binding};
use crate::identity::refusal::Refusal;
use crate::identity::role::{Permission, Role};
use crate::identity::{Authorized, Identity, authorize};

/// An API token, without the token itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenView {
    /// Its identifier.
    id: String,
    /// What it is for.
    name: String,
    /// The role that it has, as long as its maker has it.
    #[schema(value_type = String)]
    role: Role,
    /// In which team; `*` is all of them.
    team: String,
    /// Identifier of the account that made it.
    account_id: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            role: token.role,
            team: token.team.unwrap_or_else(|| ALL_TEAMS.to_owned()),
            account_id: token.account_id,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
        }
    }
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenRequest {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The role, which the caller holds.
    #[schema(value_type = String, example = "viewer")]
    role: Role,
    /// In which team; `*` is all of them.
    #[schema(example = "*")]
    team: String,
    /// When it ends; as late as the configuration permits where nothing is said.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(super) struct NewToken {
    /// The token; it is not shown again.
    secret: String,
    /// What is known of it from now on.
    token: TokenView,
}

/// A page of them.
type TokenList = List<TokenView>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenQuery {
    account: Option<String>,
}

/// API tokens of the caller, the newest first.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "listTokens", tag = "identity",
    params(
        ("account" = Option<String>, Query, description = "Of this account instead; administrators only."),
        ("limit" = Option<u32>, Query, description = "At most so many items.", minimum = 1, maximum = 500),
        ("after" = Option<String>, Query, description = "Where to go on: `next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of tokens.", body = TokenList),
        (status = 400, description = "A parameter is malformed.", body = ProblemDocument),
        (status = 404, description = "There is no such page.", body = ProblemDocument),
    ))]
pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    listing: Listing<TokenQuery>,
) -> Result<TokenList, Refusal> {
    let caller = authorized.caller();
    let account = listing.filter.account.clone().unwrap_or_else(|| caller.id().to_owned());
    if account != caller.id() {
        authorize(caller, Permission::ManageAccounts)?;
    }
    let filter = TokenFilter { account_id: Some(account), ..TokenFilter::default() };
    Ok(listing.answer(identity.store.list_tokens(&filter, &listing.page).await?))
}

/// Makes an API token. Needs a session: a token makes no tokens.
#[utoipa::path(post, path = "/api/v1/tokens", operation_id = "createToken", tag = "identity",
    request_body = TokenRequest,
    responses(
        (status = 201, description = "Made; the answer alone holds the token.", body = NewToken),
        (status = 400, description = "The body is malformed.", body = ProblemDocument),
        (status = 403, description = "The role is not the caller's, or there is no session.", body = ProblemDocument),
        (status = 415, description = "The body is not JSON.", body = ProblemDocument),
    ))]
pub(super) async fn create(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Body(request): Body<TokenRequest>,
) -> Result<Response, Refusal> {
    let binding = Binding { team: request.team, role: request.role };
    let made = identity.create_token(authorized.caller(), &request.name, &binding, request.expires_at).await?;
    let answer = NewToken { secret: made.0.expose().to_owned(), token: made.1.into() };
    Ok(unkept((StatusCode::CREATED, Json(answer))))
}

/// Revokes a token at once.
#[utoipa::path(delete, path = "/api/v1/tokens/{token}", operation_id = "revokeToken", tag = "identity",
    params(("token" = String, Path, description = "The token's identifier.")),
    responses(
        (status = 204, description = "Revoked."),
        (status = 404, description = "There is no such token.", body = ProblemDocument),
    ))]
pub(super) async fn revoke(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let caller = authorized.caller();
    let token = identity.store.token(&id).await?.ok_or(Refusal::NotFound)?;
    let own = token.account_id.as_deref() == Some(caller.id());
    if !own && authorize(caller, Permission::ManageAccounts).is_err() {
        return Err(Refusal::NotFound);
    }
    if identity.store.revoke_token(&id, identity.clock.now()).await? {
        identity.note(caller, "token.revoke", &id, token.team, json!({})).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
