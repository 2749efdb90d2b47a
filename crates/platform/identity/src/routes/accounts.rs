//! `/api/v1/accounts`: people, their roles and sessions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use palisade_api::{Body, Code, Done, List, Listing, Part, UUID, is_uuid, shape};
use palisade_store::{Account, AccountFilter, Principal, RoleBinding};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::caller::Binding;
use crate::permission::{MANAGE_ACCOUNTS, Role};
use crate::refusal::Refusal;
use crate::{Authorized, Caller, Endpoint, Identity};

/// Longest name of a team, in characters.
const MAX_TEAM: usize = 253;

pub(super) fn endpoints() -> Vec<Endpoint<Arc<Identity>>> {
    let role = "/accounts/{account}/roles/{team}/{role}";
    vec![
        Endpoint::get(MANAGE_ACCOUNTS, "/accounts", list).named("listAccounts", "Accounts."),
        Endpoint::get(MANAGE_ACCOUNTS, "/accounts/{account}", show).named("getAccount", "One account with its roles."),
        Endpoint::patch(MANAGE_ACCOUNTS, "/accounts/{account}", change)
            .named("changeAccount", "Disables or enables an account, not one's own."),
        Endpoint::put(MANAGE_ACCOUNTS, role, grant)
            .named("grantRole", "Gives an account a role, not one's own account.")
            .problems(&[Code::Invalid]),
        Endpoint::delete(MANAGE_ACCOUNTS, role, take)
            .named("takeRole", "Takes a role that was given to an account itself; those of groups are configured.")
            .problems(&[Code::Invalid]),
        Endpoint::delete(MANAGE_ACCOUNTS, "/accounts/{account}/sessions", end_sessions)
            .named("endSessionsOfAccount", "Ends all sessions of an account."),
    ]
}

shape!(
    /// Identifier of an account.
    AccountId, "account", 36, UUID, is_uuid
);
shape!(
    /// Name of a team; `*` is all of them. Texts that are none are told from teams that are not there.
    TeamName, "team; `*` is all of them", 4096, "^[^\\u0000-\\u001f\\u007f]+$", |_| true
);
shape!(
    /// A role. Other texts are told from roles that were not given.
    RoleName, "role", 4096, "^(viewer|developer|operator|approver|admin)$", |_| true
);

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
struct AccountView {
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
struct AccountDetail {
    /// The account.
    account: AccountView,
    /// Its roles, those of its groups included.
    roles: Vec<Binding>,
}

/// Which accounts are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct AccountQuery {
    /// Of this issuer.
    issuer: Option<String>,
    /// Disabled or not.
    disabled: Option<bool>,
}

async fn list(
    State(identity): State<Arc<Identity>>,
    _: Authorized,
    listing: Listing<AccountQuery>,
) -> Result<List<AccountView>, Refusal> {
    let filter = AccountFilter { issuer: listing.filter.issuer.clone(), disabled: listing.filter.disabled };
    Ok(listing.answer(identity.store.list_accounts(&filter, &listing.page).await?))
}

async fn show(
    State(identity): State<Arc<Identity>>,
    _: Authorized,
    Part(id, _): Part<AccountId>,
) -> Result<Json<AccountDetail>, Refusal> {
    let account = identity.store.account(&id).await?.ok_or(Refusal::NotFound)?;
    let roles = identity.bindings_of(&account).await?;
    Ok(Json(AccountDetail { account: account.into(), roles }))
}

/// What to change about an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountChange {
    /// Whether it may neither log in nor use its tokens; disabling revokes sessions and tokens.
    disabled: bool,
}

async fn change(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Part(id, _): Part<AccountId>,
    Body(change): Body<AccountChange>,
) -> Result<Json<AccountView>, Refusal> {
    let caller = authorized.caller();
    not_own(caller, &id)?;
    let account = identity.store.set_account_disabled(&id, change.disabled, identity.clock.now()).await?;
    let action = if change.disabled { "account.disable" } else { "account.enable" };
    identity.note(caller, action, &id, None, json!({})).await?;
    Ok(Json(account.into()))
}

async fn grant(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Part(account, _): Part<AccountId>,
    Part(team, _): Part<TeamName, 1>,
    Part(role, _): Part<RoleName, 2>,
) -> Result<Done, Refusal> {
    let caller = authorized.caller();
    let (binding, stored) = given(caller, account, team, &role)?;
    identity.store.grant_role(&stored, caller.id(), identity.clock.now()).await?;
    note(&identity, caller, "role.grant", &binding, &stored).await
}

async fn take(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Part(account, _): Part<AccountId>,
    Part(team, _): Part<TeamName, 1>,
    Part(role, _): Part<RoleName, 2>,
) -> Result<Done, Refusal> {
    let caller = authorized.caller();
    let (binding, stored) = given(caller, account, team, &role)?;
    if !identity.store.revoke_role(&stored).await? {
        return Err(Refusal::NotFound);
    }
    note(&identity, caller, "role.take", &binding, &stored).await
}

async fn end_sessions(
    State(identity): State<Arc<Identity>>,
    authorized: Authorized,
    Part(id, _): Part<AccountId>,
) -> Result<Done, Refusal> {
    identity.store.account(&id).await?.ok_or(Refusal::NotFound)?;
    identity.end_sessions_of(authorized.caller(), &id).await?;
    Ok(Done)
}

/// Keeps an administrator from locking himself out, and from giving himself what another should.
fn not_own(caller: &Caller, account: &str) -> Result<(), Refusal> {
    if caller.id() == account {
        return Err(Refusal::NotYours("nobody changes their own account; another administrator has to do it"));
    }
    Ok(())
}

/// The role that a path names, as the API and as the store write it.
fn given(caller: &Caller, account: String, team: String, role: &str) -> Result<(Binding, RoleBinding), Refusal> {
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
) -> Result<Done, Refusal> {
    let (Principal::Account(account) | Principal::Group(account)) = &stored.principal;
    let details = json!({"role": binding.role.as_str(), "team": binding.team});
    identity.note(caller, action, account, stored.team.clone(), details).await?;
    Ok(Done)
}
