//! The objects of the cluster in memory, kept in step by watches.
//!
//! A watch is started for a kind when somebody follows it ([`Caches::subscribe`]) or a policy first looks into it, and
//! ends some time after the last use. Namespaces are always followed. What cannot be kept in step is said: a look-up into a
//! kind whose watch fails is an error, never an empty answer. Objects are held once, without `metadata.managedFields` and
//! the annotation of `kubectl apply`, which repeat what the object says; events and readers share them.

mod follow;
mod interning;
mod lookups;
mod store;
mod subscription;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use palisade_model::{GroupVersionKind, Value};
use palisade_policy::{LookupError, Lookups as _, Offline};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Connection, Discovery, Kind, KubeError, KubernetesConfig};

pub use store::Freshness;
use store::Store;
pub use subscription::{Change, Event, Subscription};

/// How long a kind that nobody asks for any more is kept.
const IDLE: Duration = Duration::from_mins(30);

/// How long a watch may fail before look-ups into its kind do.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// Watch caches of a cluster. Clones share everything.
#[derive(Clone, Debug)]
pub struct Caches {
    shared: Arc<Shared>,
}

/// Applies the projection of a GlobalContextEntry, a JMESPath expression, to its data.
pub type Projector = Arc<dyn Fn(&str, &Value) -> Result<Value, String> + Send + Sync>;

/// Sends a request of Rego's `http.send` where the configuration permits its host, and answers as the builtin documents.
pub type Sender = Arc<dyn Fn(&Value) -> Result<Value, LookupError> + Send + Sync>;

/// What policies may look up and a cluster cannot answer; whoever starts the caches does.
#[derive(Clone)]
pub struct Outside {
    /// Projections of GlobalContextEntry objects.
    pub project: Projector,
    /// Requests to other hosts.
    pub send: Sender,
}

impl Default for Outside {
    /// Nothing is answered, and the answer says so.
    fn default() -> Self {
        Self {
            project: Arc::new(|_, _| Err("projections are not computed here".into())),
            send: Arc::new(|request| Offline.send(request)),
        }
    }
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").finish_non_exhaustive()
    }
}

struct Shared {
    connection: Connection,
    runtime: Handle,
    shutdown: CancellationToken,
    limit: usize,
    discovery: watch::Sender<Arc<Discovery>>,
    stores: RwLock<HashMap<GroupVersionKind, Arc<Store>>>,
    inventory: Mutex<lookups::Inventory>,
    context: Mutex<HashMap<String, (Instant, Value)>>,
    outside: Outside,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Caches {
    /// Reads which kinds there are, and follows namespaces from now on until `shutdown`. Fails where the API server does
    /// not answer; try again then.
    pub async fn start(
        connection: &Connection,
        config: &KubernetesConfig,
        outside: Outside,
        shutdown: &CancellationToken,
    ) -> Result<Self, KubeError> {
        let discovery = Discovery::read(connection).await?;
        let shared = Arc::new(Shared {
            connection: connection.clone(),
            runtime: Handle::current(),
            shutdown: shutdown.clone(),
            limit: config.max_cached_objects,
            discovery: watch::Sender::new(Arc::new(discovery)),
            stores: RwLock::default(),
            inventory: Mutex::default(),
            context: Mutex::default(),
            outside,
        });
        let caches = Self { shared };
        if let Some(namespaces) = caches.discovery().named("", "Namespace") {
            caches.shared.open(namespaces).pin();
        }
        follow::kinds(&caches);
        tokio::spawn(retire(Arc::downgrade(&caches.shared), shutdown.clone()));
        Ok(caches)
    }

    /// The connection that the caches watch over.
    pub fn connection(&self) -> &Connection {
        &self.shared.connection
    }

    /// Which kinds there are now.
    pub fn discovery(&self) -> Arc<Discovery> {
        self.shared.discovery.borrow().clone()
    }

    /// Which kinds there are, with every change of it.
    pub fn discoveries(&self) -> watch::Receiver<Arc<Discovery>> {
        self.shared.discovery.subscribe()
    }

    /// A subscription to nothing so far; see [`Subscription::follow`].
    pub fn subscribe(&self) -> Subscription {
        Subscription::new(self.clone())
    }

    /// All objects of `kind` in `namespace` (of all namespaces where that is empty), in order of namespace and name, as far
    /// as they are known.
    pub fn objects_of(&self, kind: &Arc<Kind>, namespace: &str) -> Vec<Value> {
        self.shared.open(kind).list(namespace)
    }

    /// How far the cache of a kind can be trusted; `None` where nobody asked for the kind yet.
    pub fn freshness(&self, gvk: &GroupVersionKind) -> Option<Freshness> {
        self.shared.stores.read().unwrap_or_else(PoisonError::into_inner).get(gvk).map(|store| store.freshness())
    }

    /// Of every kind that is followed: how many objects, how fresh.
    pub fn states(&self) -> Vec<(GroupVersionKind, Freshness)> {
        let stores = self.shared.stores.read().unwrap_or_else(PoisonError::into_inner);
        let mut states: Vec<_> = stores.iter().map(|(gvk, store)| (gvk.clone(), store.freshness())).collect();
        states.sort_by(|a, b| a.0.cmp(&b.0));
        states
    }

    /// Waits until the first list of `kind` is complete.
    ///
    /// # Errors
    /// Where it is not after `limit`, with what the watch says.
    pub async fn wait_synced(&self, kind: &Arc<Kind>, limit: Duration) -> Result<(), KubeError> {
        let store = self.shared.open(kind);
        let waiting = async {
            while !store.is_synced() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(limit, waiting).await.map_err(|_| KubeError::Unreachable {
            server: self.connection().server().into(),
            operation: format!("the list of {}", kind.plural),
            reason: store.problem().unwrap_or_else(|| format!("it is not complete after {} seconds", limit.as_secs())),
        })
    }

    /// Which kinds make up the inventory that Gatekeeper templates see (`data.inventory`).
    pub fn set_inventory(&self, kinds: Vec<GroupVersionKind>) {
        self.shared.inventory.lock().unwrap_or_else(PoisonError::into_inner).set(kinds);
    }
}

impl Shared {
    /// The store of `kind`, with its watch started where it was not.
    fn open(self: &Arc<Self>, kind: &Arc<Kind>) -> Arc<Store> {
        let known = self.stores.read().unwrap_or_else(PoisonError::into_inner).get(&kind.gvk).cloned();
        let store = known.unwrap_or_else(|| {
            let mut stores = self.stores.write().unwrap_or_else(PoisonError::into_inner);
            let store = stores.entry(kind.gvk.clone()).or_insert_with(|| {
                let store = Arc::new(Store::new(kind.clone(), self.limit));
                let stop = store.stop_with(&self.shutdown);
                self.runtime.spawn(follow::objects(self.connection.clone(), store.clone(), stop));
                store
            });
            store.clone()
        });
        store.touch();
        store
    }
}

/// Ends watches that nobody used for a while.
async fn retire(shared: Weak<Shared>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(Duration::from_mins(1)) => {}
        }
        let Some(shared) = shared.upgrade() else { return };
        let mut stores = shared.stores.write().unwrap_or_else(PoisonError::into_inner);
        stores.retain(|_, store| {
            let keep = store.is_used_within(IDLE);
            if !keep {
                store.stop();
            }
            keep
        });
    }
}
