//! `/api/v1/tokens`: API tokens of one's own; administrators see and revoke everybody's.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use palisade_api::{Body, Done, List, Listing, Made, Part, UUID, is_uuid, shape};
use palisade_store::{Token, TokenFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::caller::{ALL_TEAMS, Binding};
use crate::permission::{MANAGE_ACCOUNTS, OWN_TOKENS, Role};
use crate::refusal::Refusal;
use crate::{Authorized, Endpoint, Identity, authorize};

pub(super) fn endpoints() -> Vec<Endpoint<Arc<Identity>>> {
    vec![
        Endpoint::get(OWN_TOKENS, "/tokens", list).named("listTokens", "API tokens of the caller, the newest first."),
        Endpoint::post(OWN_TOKENS, "/tokens", create)
            .named("createToken", "Makes an API token. Needs a session: a token makes no tokens."),
        Endpoint::delete(OWN_TOKENS, "/tokens/{token}", revoke).named("revokeToken", "Revokes a token at once."),
    ]
}

shape!(
    /// Identifier of a token.
    TokenId, "token", 36, UUID, is_uuid
);

/// An API token, without the token itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenView {
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
struct TokenRequest {
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
struct NewToken {
    /// The token; it is not shown again.
    secret: String,
    /// What is known of it from now on.
    token: TokenView,
}

/// Whose tokens are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct TokenQuery {
    /// Of this account instead; administrators only.
    account: Option<String>,
}

async fn list(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    listing: Listing<TokenQuery>,
) -> Result<List<TokenView>, Refusal> {
    let caller = authorized.caller();
    let account = listing.filter.account.clone().unwrap_or_else(|| caller.id().to_owned());
    if account != caller.id() {
        authorize(caller, MANAGE_ACCOUNTS)?;
    }
    let filter = TokenFilter { account_id: Some(account), ..TokenFilter::default() };
    Ok(listing.answer(identity.store.list_tokens(&filter, &listing.page).await?))
}

async fn create(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Body(request): Body<TokenRequest>,
) -> Result<Made<NewToken>, Refusal> {
    let binding = Binding { team: request.team, role: request.role };
    let made = identity.create_token(authorized.caller(), &request.name, &binding, request.expires_at).await?;
    Ok(Made(NewToken { secret: made.0.expose().to_owned(), token: made.1.into() }))
}

async fn revoke(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Part(id, _): Part<TokenId>,
) -> Result<Done, Refusal> {
    let caller = authorized.caller();
    let token = identity.store.token(&id).await?.ok_or(Refusal::NotFound)?;
    let own = token.account_id.as_deref() == Some(caller.id());
    if !own && authorize(caller, MANAGE_ACCOUNTS).is_err() {
        return Err(Refusal::NotFound);
    }
    if identity.store.revoke_token(&id, identity.clock.now()).await? {
        identity.note(caller, "token.revoke", &id, token.team, json!({})).await?;
    }
    Ok(Done)
}
