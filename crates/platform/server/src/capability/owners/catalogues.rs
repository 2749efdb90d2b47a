//! Catalogues: who owns what, as Backstage's documents say it, a source at a time. `owners` reads them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use palisade_api::{Code, Done, List, Listing, Nothing, Part, Problem, Yaml, shape};
use palisade_identity::{Authorized, Endpoint, Permission, Reach, Role};
use palisade_model::Diagnostic;
use palisade_store::CatalogueSize;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Context;
use crate::capability::administration::audit::note;
use crate::owners::{Imported, forget, import};

/// Diagnostics that an answer holds at most; the rest is counted.
const TOLD: usize = 100;

/// Change owners: teams, services, imported catalogues.
pub(crate) const MANAGE_OWNERS: Permission = Permission::new(
    "manage-owners",
    "change owners: teams, services, imported catalogues",
    Reach::Platform,
    &[Role::Operator, Role::Admin],
);

pub(crate) fn endpoints() -> Vec<Endpoint<Arc<Context>>> {
    vec![
        Endpoint::get(MANAGE_OWNERS, "/catalogues", list)
            .named("listCatalogues", "The sources that say who owns what, by name."),
        Endpoint::put(MANAGE_OWNERS, "/catalogues/{source}", put)
            .named("putCatalogue", "Replaces what a source says of owners by Backstage's catalogue documents.")
            .problems(&[Code::Conflict]),
        Endpoint::delete(MANAGE_OWNERS, "/catalogues/{source}", delete)
            .named("deleteCatalogue", "Forgets what a source says of owners. A file comes back when it changes."),
    ]
}

shape!(
    /// Name of a source that the API keeps; those of files begin with `file:`.
    SourceName, "catalogue name (1 to 63 letters, digits, `-`, `_` and `.`)", 63, "^[A-Za-z0-9._-]{1,63}$", |text| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (1..=63).contains(&text.len()) && text.bytes().all(plain)
    }
);
shape!(
    /// Any source.
    Source, "catalogue", 4096, "^[^\\u0000-\\u001f\\u007f]+$", |text| {
        !text.is_empty() && !text.contains(|c: char| c.is_ascii_control())
    }
);

/// A source and how much it says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Catalogue)]
struct CatalogueView {
    /// Its name; those of files begin with `file:`.
    source: String,
    /// Teams.
    teams: u64,
    /// Services.
    services: u64,
    /// Documents, those included that are neither.
    documents: u64,
}

impl From<CatalogueSize> for CatalogueView {
    fn from(CatalogueSize { source, teams, services, entities }: CatalogueSize) -> Self {
        Self { source, teams, services, documents: entities }
    }
}

/// What an import brought.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CatalogueImport)]
struct ImportView {
    /// The source.
    source: String,
    /// Teams that it names now.
    teams: usize,
    /// Services that it names now.
    services: usize,
    /// What was left out, and what could be better; the first hundred.
    diagnostics: Vec<DiagnosticView>,
    /// How many diagnostics there are in all.
    diagnostics_total: usize,
}

/// What is wrong with a document, or could be better.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Diagnostic)]
struct DiagnosticView {
    /// A stable code, which `palisade explain` knows.
    code: &'static str,
    /// `error` for what was left out, `warning` for what counts nevertheless.
    level: String,
    /// What is wrong.
    message: String,
    /// Where: the source, line and column; empty where it is nowhere in particular.
    place: String,
    /// What to do next.
    help: Vec<String>,
}

impl From<Diagnostic> for DiagnosticView {
    fn from(diagnostic: Diagnostic) -> Self {
        let place = diagnostic.labels.first().map(|label| label.location.to_string());
        let Diagnostic { code, level, message, help, .. } = diagnostic;
        Self { code, level: level.to_string(), message, place: place.unwrap_or_default(), help }
    }
}

async fn list(
    State(context): State<Arc<Context>>,
    _: Authorized,
    listing: Listing<Nothing>,
) -> Result<List<CatalogueView>, Problem> {
    Ok(listing.answer(context.store.list_catalogues(&listing.page).await?))
}

async fn put(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(source, _): Part<SourceName>,
    Yaml(text): Yaml,
) -> Result<Json<ImportView>, Problem> {
    let imported = import(&context.store, &context.owners, &source, &text, context.clock.now()).await?;
    let Imported { replaced, teams, services, diagnostics } = imported;
    if !replaced {
        let first = diagnostics.first().map(ToString::to_string).unwrap_or_default();
        return Err(Problem::new(Code::Unprocessable, format!("the body is no YAML; nothing was replaced: {first}")));
    }
    note(&context, &authorized, "catalogue.put", &source, None).await?;
    let diagnostics_total = diagnostics.len();
    let diagnostics = diagnostics.into_iter().take(TOLD).map(DiagnosticView::from).collect();
    Ok(Json(ImportView { source, teams, services, diagnostics, diagnostics_total }))
}

async fn delete(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(source, _): Part<Source>,
) -> Result<Done, Problem> {
    context.store.catalogue(&source).await?.ok_or_else(|| Problem::not_found("catalogue"))?;
    note(&context, &authorized, "catalogue.delete", &source, None).await?;
    forget(&context.store, &context.owners, &source, context.clock.now()).await?;
    Ok(Done)
}
