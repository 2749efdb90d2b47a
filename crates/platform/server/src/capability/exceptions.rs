//! Exceptions: asked for by one person, decided about by another, in force as waivers of the ruleset.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use palisade_api::idempotency::{Claimed, answer};
use palisade_api::wire::Time;
use palisade_api::{Body, Code, Created, List, Listing, PREFIX, Part, Problem, UUID, is_uuid, shape, view};
use palisade_identity::permission::READ;
use palisade_identity::{Authorized, Endpoint, Permission, Reach, Role, four_eyes};
use palisade_store::{
    Exception, ExceptionFilter, ExceptionSelector, ExceptionState, NewException, Page, Receipt, ResourceFilter, Ruling,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Capability, Ground, Plug};
use crate::Context;
use crate::capability::administration::audit::entry;
use crate::capability::scope;
use crate::capability::wire::ExceptionStateWord;

/// Pages of the inventory that are read to see whose a namespace is; larger ones need an approver of all teams.
const PAGES: usize = 20;
/// Patterns of one sort in an exception at most.
const MAX_PATTERNS: usize = 100;

/// Ask for exceptions, and withdraw the request.
const REQUEST_EXCEPTIONS: Permission = Permission::new(
    "request-exceptions",
    "ask for exceptions, and withdraw the request",
    Reach::Team,
    &[Role::Developer, Role::Operator, Role::Admin],
);

/// Approve or reject exceptions that others asked for.
const APPROVE_EXCEPTIONS: Permission = Permission::new(
    "approve-exceptions",
    "approve or reject exceptions that others asked for",
    Reach::Team,
    &[Role::Approver, Role::Admin],
);

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    permissions: &[REQUEST_EXCEPTIONS, APPROVE_EXCEPTIONS],
    tables: &["exceptions"],
    ..Capability::new("exceptions", "waivers that one person asks for and another grants", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    plug.routes(&Arc::new(ground.context.clone()), endpoints());
}

fn endpoints() -> Vec<Endpoint<Arc<Context>>> {
    let decided = |path, id, summary| (path, id, summary);
    let (approval, rejection, revocation) = (
        decided(
            "/exceptions/{exception}/approve",
            "approveException",
            "Grants an exception that somebody else asked for.",
        ),
        decided(
            "/exceptions/{exception}/reject",
            "rejectException",
            "Refuses an exception that somebody else asked for.",
        ),
        decided("/exceptions/{exception}/revoke", "revokeException", "Takes an exception back that was granted."),
    );
    vec![
        Endpoint::get(READ, "/exceptions", list).named("listExceptions", "Exceptions, the newest first."),
        Endpoint::get(READ, "/exceptions/{exception}", get).named("getException", "One exception."),
        Endpoint::post(REQUEST_EXCEPTIONS, "/exceptions", request).named("requestException", "Asks for an exception."),
        Endpoint::post(APPROVE_EXCEPTIONS, approval.0, approve).named(approval.1, approval.2),
        Endpoint::post(APPROVE_EXCEPTIONS, rejection.0, reject).named(rejection.1, rejection.2),
        Endpoint::post(APPROVE_EXCEPTIONS, revocation.0, revoke).named(revocation.1, revocation.2),
        Endpoint::post(REQUEST_EXCEPTIONS, "/exceptions/{exception}/withdraw", withdraw)
            .named("withdrawException", "Withdraws a request of one's own."),
    ]
}

shape!(
    /// Identifier of an exception.
    ExceptionId, "exception", 36, UUID, is_uuid
);

/// Which exceptions are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ExceptionQuery {
    /// Where they stand.
    #[param(inline)]
    state: Option<ExceptionStateWord>,
    /// The team that asked.
    team: Option<String>,
    /// Who asked, by the identifier of the account.
    requested_by: Option<String>,
    /// Ends after.
    #[param(inline)]
    expires_after: Option<Time>,
    /// Ends before.
    #[param(inline)]
    expires_before: Option<Time>,
}

/// What an exception covers. An empty list covers everything of its sort; entries may hold the wildcards `*` and `?`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ExceptionSelector)]
struct Selector {
    /// Policies, as `namespace/name` or `name`.
    #[schema(max_items = 100)]
    policies: Vec<String>,
    /// Rules.
    #[schema(max_items = 100)]
    rules: Vec<String>,
    /// Kinds.
    #[schema(max_items = 100)]
    kinds: Vec<String>,
    /// Namespaces.
    #[schema(max_items = 100)]
    namespaces: Vec<String>,
    /// Names.
    #[schema(max_items = 100)]
    names: Vec<String>,
}

impl From<ExceptionSelector> for Selector {
    fn from(selector: ExceptionSelector) -> Self {
        let ExceptionSelector { policies, rules, kinds, namespaces, names } = selector;
        Self { policies, rules, kinds, namespaces, names }
    }
}

impl Selector {
    /// What the store keeps, if it names a policy or a rule: nobody is excepted from everything.
    fn checked(self) -> Result<ExceptionSelector, Problem> {
        let Self { policies, rules, kinds, namespaces, names } = self;
        if policies.is_empty() && rules.is_empty() {
            return Err(impossible("`selector` names neither a policy nor a rule; name what to be excepted from"));
        }
        for list in [&policies, &rules, &kinds, &namespaces, &names] {
            if list.len() > MAX_PATTERNS {
                return Err(Problem::invalid(format!("a list of `selector` has more than {MAX_PATTERNS} entries")));
            }
            if list.iter().any(|entry| entry.is_empty() || entry.len() > 253 || entry.contains(char::is_control)) {
                return Err(impossible(
                    "an entry of `selector` is empty, longer than 253 bytes or holds a control character",
                ));
            }
        }
        Ok(ExceptionSelector { policies, rules, kinds, namespaces, names })
    }
}

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExceptionRequest {
    /// What it covers.
    selector: Selector,
    /// Why the violation is acceptable.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
    /// Who answers for it.
    #[schema(min_length = 1, max_length = 200)]
    owner: String,
    /// The team that asks; one in which the caller may ask.
    #[schema(min_length = 1, max_length = 200)]
    team: String,
    /// When it ends.
    expires_at: Time,
}

/// What somebody who decides has to say about it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// Why it was decided so.
    #[schema(max_length = 2000)]
    note: Option<String>,
}

view! {
    /// An exception.
    #[schema(as = Exception)]
    struct ExceptionView of Exception {
        /// Its identifier.
        id: String,
        /// What it covers.
        selector: Selector,
        /// Why.
        reason: String,
        /// Who answers for it.
        owner: String,
        /// The team that asked.
        team: String,
        /// When it ends.
        expires_at: Time,
        /// Where it stands.
        state: ExceptionStateWord,
        /// Who asked.
        requested_by: String,
        /// When.
        requested_at: Time,
        /// Who approved, rejected or revoked it last.
        decided_by: Option<String>,
        /// When.
        decided_at: Option<Time> as optional,
        /// What that person wrote.
        note: Option<String>,
    }
}

async fn list(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    listing: Listing<ExceptionQuery>,
) -> Result<List<ExceptionView>, Problem> {
    let query = &listing.filter;
    let filter = ExceptionFilter {
        state: query.state.map(|word| word.0),
        teams: scope::teams(&authorized, query.team.clone()),
        requested_by: query.requested_by.clone(),
        expires_after: query.expires_after.map(|time| time.0),
        expires_before: query.expires_before.map(|time| time.0),
    };
    Ok(listing.answer(context.store.list_exceptions(&filter, &listing.page).await?))
}

async fn get(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(id, _): Part<ExceptionId>,
) -> Result<Json<ExceptionView>, Problem> {
    Ok(Json(visible(&context, &authorized, &id).await?.into()))
}

/// The exception, if it is among those that the caller may see or decide about.
async fn visible(context: &Context, authorized: &Authorized, id: &str) -> Result<Exception, Problem> {
    let found = context.store.exception(id).await?.filter(|found| scope::sees(authorized, &found.team));
    found.ok_or_else(|| Problem::not_found("exception"))
}

async fn request(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    claimed: Claimed,
    Body(asked): Body<ExceptionRequest>,
) -> Result<Created<ExceptionView>, Problem> {
    if !scope::sees(&authorized, &asked.team) {
        let detail = "your roles do not let you ask for exceptions in this `team`; name one of your own";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    for (name, text, most) in
        [("reason", &asked.reason, 2000), ("owner", &asked.owner, 200), ("team", &asked.team, 200)]
    {
        check_text(name, text, 1, most)?;
    }
    let now = context.clock.now();
    if asked.expires_at.0 <= now {
        return Err(impossible("`expires_at` has passed; name a day to come"));
    }
    let new = NewException {
        selector: asked.selector.checked()?,
        reason: asked.reason,
        owner: asked.owner,
        team: asked.team,
        expires_at: asked.expires_at.0,
        requested_by: authorized.caller().id().to_owned(),
    };
    let receipt = Receipt {
        audit: &entry(&authorized, "exception.request", "", None),
        claim: claimed.0.as_ref(),
        answer: &|exception| {
            let body = ExceptionView::from(exception.clone());
            answer(StatusCode::CREATED, Some(&place(&exception.id)), &body)
        },
    };
    let exception = context.store.request_exception(&new, Some(receipt), now).await?;
    Ok(Created { location: place(&exception.id), body: exception.into() })
}

fn place(id: &str) -> String {
    format!("{PREFIX}/exceptions/{id}")
}

async fn approve(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(id, _): Part<ExceptionId>,
    claimed: Claimed,
    Body(note): Body<Note>,
) -> Result<Json<ExceptionView>, Problem> {
    let exception = visible(&context, &authorized, &id).await?;
    four_eyes(authorized.caller(), &exception.requested_by)?;
    covers_own_objects(&context, &authorized, &exception.selector).await?;
    rule(&context, &authorized, &exception, Ruling::Approve, claimed, note).await
}

async fn reject(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(id, _): Part<ExceptionId>,
    claimed: Claimed,
    Body(note): Body<Note>,
) -> Result<Json<ExceptionView>, Problem> {
    let exception = visible(&context, &authorized, &id).await?;
    four_eyes(authorized.caller(), &exception.requested_by)?;
    rule(&context, &authorized, &exception, Ruling::Reject, claimed, note).await
}

/// Nobody gains by a revocation, so that whoever may approve may also take back what was approved for them.
async fn revoke(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(id, _): Part<ExceptionId>,
    claimed: Claimed,
    Body(note): Body<Note>,
) -> Result<Json<ExceptionView>, Problem> {
    let exception = visible(&context, &authorized, &id).await?;
    rule(&context, &authorized, &exception, Ruling::Revoke, claimed, note).await
}

async fn withdraw(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(id, _): Part<ExceptionId>,
    claimed: Claimed,
    Body(note): Body<Note>,
) -> Result<Json<ExceptionView>, Problem> {
    let exception = visible(&context, &authorized, &id).await?;
    if exception.requested_by != authorized.caller().id() {
        return Err(Problem::new(Code::Forbidden, "somebody else asked for this; only they can withdraw it"));
    }
    rule(&context, &authorized, &exception, Ruling::Reject, claimed, note).await
}

async fn rule(
    context: &Context,
    authorized: &Authorized,
    exception: &Exception,
    ruling: Ruling,
    claimed: Claimed,
    Note { note: said }: Note,
) -> Result<Json<ExceptionView>, Problem> {
    check_text("note", said.as_deref().unwrap_or_default(), 0, 2000)?;
    let (by, now) = (authorized.caller().id(), context.clock.now());
    let action = match ruling {
        Ruling::Approve => "exception.approve",
        Ruling::Reject => "exception.reject",
        Ruling::Revoke => "exception.revoke",
    };
    let receipt = Receipt {
        audit: &entry(authorized, action, "", None),
        claim: claimed.0.as_ref(),
        answer: &|ruled| answer(StatusCode::OK, None, &ExceptionView::from(ruled.clone())),
    };
    let (store, said) = (&context.store, said.as_deref());
    let ruled = store.rule_on_exception(&exception.id, ruling, by, said, Some(receipt), now).await?;
    if exception.state == ExceptionState::Approved || ruled.state == ExceptionState::Approved {
        context.policies.reload();
    }
    Ok(Json(ruled.into()))
}

/// Refuses that an approver of some teams excepts the objects of others: every namespace has to be named, and everything
/// known in it has to belong to the approver's teams.
async fn covers_own_objects(
    context: &Context,
    authorized: &Authorized,
    selector: &ExceptionSelector,
) -> Result<(), Problem> {
    if scope::sees_all(authorized) {
        return Ok(());
    }
    let refused = || {
        let detail = "this exception reaches beyond your teams; an approver of all teams has to decide";
        Problem::new(Code::Forbidden, detail)
    };
    let named = |namespace: &String| !namespace.contains(['*', '?']);
    if selector.namespaces.is_empty() || !selector.namespaces.iter().all(named) {
        return Err(refused());
    }
    for namespace in &selector.namespaces {
        let filter = ResourceFilter { namespace: Some(namespace.clone()), ..ResourceFilter::default() };
        let mut page = Page::first(Page::MAX_LIMIT);
        for _ in 0..PAGES {
            let listed = context.store.list_resources(&filter, &page).await?;
            if !listed.items.iter().all(|resource| scope::sees(authorized, &resource.team)) {
                return Err(refused());
            }
            page.after = listed.next;
            if page.after.is_none() {
                break;
            }
        }
        if page.after.is_some() {
            return Err(refused());
        }
    }
    Ok(())
}

fn impossible(detail: &'static str) -> Problem {
    Problem::new(Code::Unprocessable, detail)
}

/// Refuses texts that are too short, too long or hold NUL.
fn check_text(name: &str, text: &str, least: usize, most: usize) -> Result<(), Problem> {
    let length = text.chars().count();
    if !(least..=most).contains(&length) {
        return Err(Problem::invalid(format!("`{name}` has {least} to {most} characters")));
    }
    if text.contains('\0') {
        return Err(Problem::new(Code::Unprocessable, format!("`{name}` holds the character NUL; leave it out")));
    }
    Ok(())
}
