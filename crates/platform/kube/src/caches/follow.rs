//! The watches: list once, then follow, and start anew where the API server has forgotten the past.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use kube::core::WatchEvent;
use palisade_model::Value;
use palisade_runtime::Backoff;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Caches;
use super::store::Store;
use crate::{Connection, Discovery, KubeError};

/// The API server sends bookmarks about once a minute; a watch that is silent for longer is opened again.
const SILENCE: Duration = Duration::from_secs(90);

/// How often the kinds are read again where nothing tells of a change.
const REREAD: Duration = Duration::from_mins(2);

/// The pauses between attempts.
const RETRY: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(20));

/// Keeps `store` in step until `stop`.
pub(super) async fn objects(connection: Connection, store: Arc<Store>, stop: CancellationToken) {
    let following = async {
        let mut version = None;
        let mut retry = RETRY;
        loop {
            match turn(&connection, &store, &mut version).await {
                Ok(()) => {
                    retry.succeeded();
                    // A server that is going down may end every watch at once.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(problem) => {
                    tracing::debug!(kind = %store.kind.gvk, %problem, "a watch failed");
                    store.fail(problem);
                    tokio::time::sleep(retry.failed()).await;
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = following => {}
    }
}

/// Lists where there is no version to go on from, then watches until the stream ends.
async fn turn(connection: &Connection, store: &Store, version: &mut Option<String>) -> Result<(), String> {
    let from = match version {
        Some(from) => from.clone(),
        None => list(connection, store).await?,
    };
    *version = Some(from.clone());
    let Err(error) = watch(connection, store, from, version).await else { return Ok(()) };
    // Any answer but "busy" leaves it open whether the version still means something to the server.
    if matches!(&error, KubeError::Refused { code, .. } if !matches!(code, 429 | 500 | 503))
        || matches!(error, KubeError::Answer { .. })
    {
        *version = None;
    }
    if error.is_gone() { Ok(()) } else { Err(error.to_string()) }
}

async fn list(connection: &Connection, store: &Store) -> Result<String, String> {
    let path = store.kind.collection("");
    let mut seen = HashSet::new();
    let mut next = None;
    loop {
        let page = connection.page(&path, next.as_deref()).await.map_err(|error| error.to_string())?;
        for object in &page.items {
            seen.insert(store.apply(object)?);
        }
        next = page.next;
        if next.is_none() {
            store.listed(&seen);
            return Ok(page.resource_version);
        }
    }
}

async fn watch(
    connection: &Connection,
    store: &Store,
    from: String,
    version: &mut Option<String>,
) -> Result<(), KubeError> {
    let path = store.kind.collection("");
    let mut events = pin!(connection.watch(&path, &from).await?);
    store.heard();
    loop {
        let Ok(event) = tokio::time::timeout(SILENCE, events.try_next()).await else { return Ok(()) };
        let operation = || format!("a watch of {}", store.kind.plural);
        let event = event.map_err(|error| KubeError::of(error, connection.server(), operation()))?;
        match event {
            None => return Ok(()),
            Some(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                store.apply(&object).map_err(|reason| KubeError::Answer { operation: operation(), reason })?;
                note(&object, version);
            }
            Some(WatchEvent::Deleted(object)) => {
                store.remove(&object);
                note(&object, version);
            }
            Some(WatchEvent::Bookmark(bookmark)) => {
                store.heard();
                *version = Some(bookmark.metadata.resource_version);
            }
            Some(WatchEvent::Error(status)) => return Err(KubeError::of_status(*status, operation())),
        }
    }
}

fn note(object: &Value, version: &mut Option<String>) {
    if let Some(newer) = object.dig(["metadata", "resourceVersion"]).and_then(Value::as_str) {
        *version = Some(newer.to_owned());
    }
}

/// Where kinds are defined.
const DEFINITIONS: [&str; 2] =
    ["/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "/apis/apiregistration.k8s.io/v1/apiservices"];

/// Reads the kinds of the cluster again whenever a definition of kinds changes, and now and then beside. The definitions
/// themselves are not kept: their schemas are larger than everything else together.
pub(super) fn kinds(caches: &Caches) {
    let caches = caches.clone();
    tokio::spawn(async move {
        let changed = Notify::new();
        let [definitions, services] = DEFINITIONS.map(|path| notify(caches.connection(), path, &changed));
        let refreshing = async {
            loop {
                let changed = tokio::time::timeout(REREAD, settled(&changed)).await.is_ok();
                refresh(&caches, changed).await;
            }
        };
        tokio::select! {
            () = caches.shared.shutdown.cancelled() => {}
            () = definitions => {}
            () = services => {}
            () = refreshing => {}
        }
    });
}

/// Tells of every change of the collection at `path`, for ever.
async fn notify(connection: &Connection, path: &str, changed: &Notify) {
    loop {
        if let Err(error) = notify_once(connection, path, changed).await {
            tracing::debug!(%error, path, "a watch failed");
            tokio::time::sleep(RETRY.after(u32::MAX)).await;
        }
        // Something may have changed in between.
        changed.notify_one();
    }
}

async fn notify_once(connection: &Connection, path: &str, changed: &Notify) -> Result<(), KubeError> {
    let version = connection.page(path, None).await?.resource_version;
    let mut events = pin!(connection.watch(path, &version).await?);
    while let Ok(event) = tokio::time::timeout(SILENCE, events.try_next()).await {
        match event.map_err(|error| KubeError::of(error, connection.server(), format!("a watch of `{path}`")))? {
            None => break,
            Some(WatchEvent::Bookmark(_)) => {}
            Some(_) => changed.notify_one(),
        }
    }
    Ok(())
}

/// Waits for a change, and until a burst of them is over.
async fn settled(changed: &Notify) {
    changed.notified().await;
    for _ in 0..10 {
        if tokio::time::timeout(Duration::from_millis(100), changed.notified()).await.is_err() {
            return;
        }
    }
}

/// After a change the API server takes a moment until it tells of it, so it is asked several times then.
async fn refresh(caches: &Caches, changed: bool) {
    let pauses: &[u64] = if changed { &[0, 300, 1000, 3000] } else { &[0] };
    for pause in pauses {
        tokio::time::sleep(Duration::from_millis(*pause)).await;
        match Discovery::read(caches.connection()).await {
            Ok(discovery) => {
                caches.shared.discovery.send_if_modified(|known| {
                    let differs = **known != discovery;
                    if differs {
                        *known = Arc::new(discovery);
                    }
                    differs
                });
            }
            Err(error) => tracing::debug!(%error, "the kinds of the cluster were not read again"),
        }
    }
}
