//! `/api/v1/__kebab__`.

use std::sync::Arc;

use axum::extract::State as Shared;
use palisade_api::wire::Time;
use palisade_api::{Body, Created, List, Listing, Nothing, PREFIX, Problem};
use palisade_identity::permission::READ;
use palisade_identity::{Authorized, Endpoint};
use palisade_store::__Name__Record;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MANAGE, State};

pub(super) fn endpoints() -> Vec<Endpoint<Arc<State>>> {
    vec![
        Endpoint::get(READ, "/__kebab__", list).named("list__Name__", "What is kept, the newest first."),
        Endpoint::post(MANAGE, "/__kebab__", add).named("add__Name__", "Adds something."),
    ]
}

/// Something that is kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = __Name__)]
struct View {
    /// Its identifier.
    id: String,
    /// What it says.
    text: String,
    /// When it was added.
    created_at: Time,
}

impl From<__Name__Record> for View {
    fn from(__Name__Record { id, text, created_at }: __Name__Record) -> Self {
        Self { id, text, created_at: created_at.into() }
    }
}

/// Something to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = __Name__Request)]
struct Request {
    /// What it says.
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
}

async fn list(
    Shared(state): Shared<Arc<State>>,
    _: Authorized,
    listing: Listing<Nothing>,
) -> Result<List<View>, Problem> {
    Ok(listing.answer(state.context.store.list___name__(&listing.page).await?))
}

async fn add(
    Shared(state): Shared<Arc<State>>,
    _: Authorized,
    Body(request): Body<Request>,
) -> Result<Created<View>, Problem> {
    if !(1..=2000).contains(&request.text.chars().count()) {
        return Err(Problem::invalid("`text` has 1 to 2000 characters"));
    }
    let added = state.context.store.add___name__(&request.text, state.context.clock.now()).await?;
    Ok(Created { location: format!("{PREFIX}/__kebab__/{}", added.id), body: added.into() })
}
