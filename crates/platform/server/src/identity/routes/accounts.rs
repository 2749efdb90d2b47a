//! `/api/v1/accounts`: people, their roles and sessions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use palisade_store::{Account, AccountFilter, Principal, RoleBinding};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::Body;
use crate::api::page::{List, Listing};
use crate::api::problem::ProblemDocument;
use crate::identity::caller::Binding;
use crate::identity::refusal::Refusal;
use crate::identity::role::Role;
use crate::identity::{Authorized, Caller, Identity};

/// Longest name of a team, in characters.
const MAX_TEAM: usize = 253;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountView {
    /// Its identifier.
    id: String,
    /// Who vouches for it: an identity provider's issuer, or `palisade`.
    issuer: String,
    /// The issuer's name for the person.
    subject: String,
    /// The name to show.
    name: String,
    /// Mail address, where the issuer told one.
    email: Option<String>,
    /// Groups, as of the last login.
    groups: Vec<String>,
    /// Whether it may neither log in nor use its tokens.
    disabled: bool,
    /// When it first logged in.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last logged in.
    #[schema(value_type = String, format = DateTime)]
    last_login_at: Timestamp,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            issuer: account.issuer,
            subject: account.subject,
            name: account.display_name,
            email: account.email,
            groups: account.groups,
            disabled: account.disabled,
            created_at: account.created_at,
            last_login_at: account.last_login_at,
        }
    }
}

/// An account with what it may do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountDetail {
    /// The account.
    account: AccountView,
    /// Its roles, those of its groups included.
    roles: Vec<Binding>,
}

/// A page of them.
type AccountList = List<AccountView>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountQuery {
    issuer: Option<String>,
    disabled: Option<bool>,
}

/// Accounts.
#[utoipa::path(get, path = "/api/v1/accounts", operation_id = "listAccounts", tag = "identity",
    params(
        ("issuer" = Option<String>, Query, description = "Of this issuer."),
        ("disabled" = Option<bool>, Query, description = "Disabled or not."),
        ("limit" = Option<u32>, Query, description = "At most so many items.", minimum = 1, maximum = 500),
        ("after" = Option<String>, Query, description = "Where to go on: `next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of accounts.", body = AccountList),
        (status = 400, description = "A parameter is malformed.", body = ProblemDocument),
        (status = 404, description = "There is no such page.", body = ProblemDocument),
    ))]
pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    _: Authorized,
    listing: Listing<AccountQuery>,
) -> Result<AccountList, Refusal> {
    let filter = AccountFilter { issuer: listing.filter.issuer.clone(), disabled: listing.filter.disabled };
    Ok(listing.answer(identity.store.list_accounts(&filter, &listing.page).await?))
}

/// One account with its roles.
#[utoipa::path(get, path = "/api/v1/accounts/{account}", operation_id = "getAccount", tag = "identity",
    params(("account" = String, Path, description = "The account's identifier.")),
    responses(
        (status = 200, description = "The account.", body = AccountDetail),
        (status = 404, description = "There is no such account.", body = ProblemDocument),
    ))]
pub(super) async fn show(
    State(identity): State<Arc<Identity>>,
    _: Authorized,
    Path(id): Path<String>,
) -> Result<Json<AccountDetail>, Refusal> {
    let account = identity.store.account(&id).await?.ok_or(Refusal::NotFound)?;
    let roles = identity.bindings_of(&account).await?;
    Ok(Json(AccountDetail { account: account.into(), roles }))
}

/// What to change about an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountChange {
    /// Whether it may neither log in nor use its tokens; disabling revokes sessions and tokens.
    disabled: bool,
}

/// Disables or enables an account, not one's own.
#[utoipa::path(patch, path = "/api/v1/accounts/{account}", operation_id = "changeAccount", tag = "identity",
    params(("account" = String, Path, description = "The account's identifier.")),
    request_body = AccountChange,
    responses(
        (status = 200, description = "Changed.", body = AccountView),
        (status = 400, description = "The body is malformed.", body = ProblemDocument),
        (status = 404, description = "There is no such account.", body = ProblemDocument),
        (status = 415, description = "The body is not JSON.", body = ProblemDocument),
    ))]
pub(super) async fn change(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Path(id): Path<String>,
    Body(change): Body<AccountChange>,
) -> Result<Json<AccountView>, Refusal> {
    let caller = authorized.caller();
    not_own(caller, &id)?;
    let account = identity.store.set_account_disabled(&id, change.disabled, identity.clock.now()).await?;
    let action = if change.disabled { "account.disable" } else { "account.enable" };
    identity.note(caller, action, &id, None, json!({})).await?;
    Ok(Json(account.into()))
}

/// Gives an account a role, not one's own account.
#[utoipa::path(put, path = "/api/v1/accounts/{account}/roles/{team}/{role}", operation_id = "grantRole",
    tag = "identity",
    params(
        ("account" = String, Path, description = "The account's identifier."),
        ("team" = String, Path, description = "The team; `*` is all of them."),
        ("role" = String, Path, pattern = "^(viewer|developer|operator|approver|admin)$", description = "viewer, developer, operator, approver or admin."),
    ),
    responses(
        (status = 204, description = "Given."),
        (status = 400, description = "There is no such role.", body = ProblemDocument),
        (status = 404, description = "There is no such account.", body = ProblemDocument),
    ))]
pub(super) async fn grant(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Path(path): Path<(String, String, String)>,
) -> Result<Response, Refusal> {
    let caller = authorized.caller();
    let (binding, stored) = given(caller, path)?;
    identity.store.grant_role(&stored, caller.id(), identity.clock.now()).await?;
    note(&identity, caller, "role.grant", &binding, &stored).await
}

/// Takes a role from an account that was given to it itself; the roles of groups are in the configuration.
#[utoipa::path(delete, path = "/api/v1/accounts/{account}/roles/{team}/{role}", operation_id = "takeRole",
    tag = "identity",
    params(
        ("account" = String, Path, description = "The account's identifier."),
        ("team" = String, Path, description = "The team; `*` is all of them."),
        ("role" = String, Path, pattern = "^(viewer|developer|operator|approver|admin)$", description = "viewer, developer, operator, approver or admin."),
    ),
    responses(
        (status = 204, description = "Taken."),
        (status = 400, description = "There is no such role.", body = ProblemDocument),
        (status = 404, description = "The account was not given this role.", body = ProblemDocument),
    ))]
pub(super) async fn take(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Path(path): Path<(String, String, String)>,
) -> Result<Response, Refusal> {
    let caller = authorized.caller();
    let (binding, stored) = given(caller, path)?;
    if !identity.store.revoke_role(&stored).await? {
        return Err(Refusal::NotFound);
    }
    note(&identity, caller, "role.take", &binding, &stored).await
}

/// Ends all sessions of an account.
#[utoipa::path(delete, path = "/api/v1/accounts/{account}/sessions", operation_id = "endSessionsOfAccount",
    tag = "identity",
    params(("account" = String, Path, description = "The account's identifier.")),
    responses(
        (status = 204, description = "Ended."),
        (status = 404, description = "There is no such account.", body = ProblemDocument),
    ))]
pub(super) async fn end_sessions(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    identity.store.account(&id).await?.ok_or(Refusal::NotFound)?;
    identity.end_sessions_of(authorized.caller(), &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Keeps an administrator from locking himself out, and from giving himself what another should.
fn not_own(caller: &Caller, account: &str) -> Result<(), Refusal> {
    if caller.id() == account {
        return Err(Refusal::NotYours("nobody changes their own account; another administrator has to do it"));
    }
    Ok(())
}

/// The role that a path names, as the API and as the store write it.
fn given(caller: &Caller, path: (String, String, String)) -> Result<(Binding, RoleBinding), Refusal> {
    let (account, team, role) = path;
    not_own(caller, &account)?;
    let role: Role = role.parse().map_err(Refusal::Invalid)?;
    if team.is_empty() || team.chars().count() > MAX_TEAM || team.chars().any(char::is_control) {
        return Err(Refusal::Invalid(format!("a team's name has 1 to {MAX_TEAM} printable characters")));
    }
    let binding = Binding { team, role };
    let stored = RoleBinding { principal: Principal::Account(account), role, team: binding.stored_team() };
    Ok((binding, stored))
}

async fn note(
    identity: &Identity,
    caller: &Caller,
    action: &str,
    binding: &Binding,
    stored: &RoleBinding,
) -> Result<Response, Refusal> {
    let (Principal::Account(account) | Principal::Group(account)) = &stored.principal;
    let details = json!({"role": binding.role.as_str(), "team": binding.team});
    identity.note(caller, action, account, stored.team.clone(), details).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
