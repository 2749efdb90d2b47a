//! Brings catalogue documents into the store and keeps the live index current.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use palisade_document::{Document, Limits, expand_lists, parse};
use palisade_intake::folders;
use palisade_model::{Diagnostic, Level};
use palisade_runtime::{Clock, blocking};
use palisade_store::{Catalogue, Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::{Owners, OwnersConfig, catalog};
use crate::ServerError;

/// How often files are looked at and the store is asked whether another replica has imported something.
const LOOK: Duration = Duration::from_secs(5);

/// What the sources of files begin with; the API's cannot, so that neither takes the other's place.
const FILE: &str = "file:";

/// What an import brought.
#[derive(Debug)]
pub(crate) struct Imported {
    /// Whether it took the place of what the source said before; not so where the text cannot be parsed.
    pub(crate) replaced: bool,
    /// Teams.
    pub(crate) teams: usize,
    /// Services.
    pub(crate) services: usize,
    /// What was left out, and what could be better.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Replaces what `source` says of owners by the documents in `text`. Where the text cannot be parsed nothing is
/// replaced.
pub(crate) async fn import(
    store: &Store,
    owners: &Owners,
    source: &str,
    text: &[u8],
    now: Timestamp,
) -> Result<Imported, StoreError> {
    let parsed = parse(source, text, &Limits::default());
    let mut diagnostics = parsed.diagnostics;
    if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
        return Ok(Imported { replaced: false, teams: 0, services: 0, diagnostics });
    }
    let documents: Vec<_> = parsed.documents.into_iter().flat_map(expand_lists).map(Document::into_resource).collect();
    let (catalogue, problems) = catalog::read(source, &documents);
    diagnostics.extend(problems);
    store.replace_catalogue(source, &catalogue, now).await?;
    owners.refresh(store).await?;
    Ok(Imported { replaced: true, teams: catalogue.teams.len(), services: catalogue.services.len(), diagnostics })
}

/// Forgets everything that `source` says of owners.
pub(crate) async fn forget(store: &Store, owners: &Owners, source: &str, now: Timestamp) -> Result<(), StoreError> {
    store.replace_catalogue(source, &Catalogue::default(), now).await?;
    owners.refresh(store).await
}

/// Imports the files of the configuration now and whenever they change, and follows imports of other replicas.
pub(crate) async fn keep_current(
    config: OwnersConfig,
    store: Store,
    owners: Owners,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), ServerError> {
    let (mut seen, mut last_change) = (None, None);
    loop {
        let paths = config.catalogs.clone();
        let (files, signature) = blocking("looking at catalogues", move || look(&paths)).await?;
        if seen != Some(signature) {
            seen = Some(signature);
            for file in files {
                import_file(&store, &owners, &file, clock.now()).await;
            }
        }
        match store.last_change().await {
            Ok(change) if last_change != Some(change) => {
                last_change = Some(change);
                if let Err(error) = owners.refresh(&store).await {
                    last_change = None;
                    tracing::warn!(%error, "owners stay as they were");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "owners stay as they were"),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn import_file(store: &Store, owners: &Owners, file: &Path, now: Timestamp) {
    let source = format!("{FILE}{}", file.display());
    let limit = Limits::default().max_bytes as u64;
    let text = match tokio::fs::metadata(file).await {
        Ok(metadata) if metadata.len() > limit => {
            return tracing::warn!(file = source, limit, "a catalogue is too large and stays as it was");
        }
        Ok(_) => tokio::fs::read(file).await,
        Err(error) => Err(error),
    };
    let imported = match text {
        Ok(text) => import(store, owners, &source, &text, now).await,
        Err(error) => return tracing::warn!(file = source, %error, "a catalogue cannot be read and stays as it was"),
    };
    match imported {
        Ok(imported) => {
            for diagnostic in &imported.diagnostics {
                tracing::warn!(problem = %diagnostic, "a catalogue is not as it should be");
            }
            if !imported.replaced {
                return tracing::warn!(file = source, "a catalogue cannot be parsed and stays as it was");
            }
            tracing::info!(file = source, teams = imported.teams, services = imported.services, "owners imported");
        }
        Err(error) => tracing::warn!(file = source, %error, "a catalogue could not be imported"),
    }
}

/// The catalogue files, and a number that differs whenever one was added, removed or written.
fn look(paths: &[PathBuf]) -> (Vec<PathBuf>, u64) {
    let found =
        folders::files(paths, &folders::Options { extensions: vec!["yaml".into(), "yml".into()], hidden: false });
    let mut hasher = DefaultHasher::new();
    for file in &found.files {
        file.hash(&mut hasher);
        if let Ok(metadata) = file.metadata() {
            (metadata.len(), metadata.modified().ok()).hash(&mut hasher);
        }
    }
    (found.files, hasher.finish())
}
