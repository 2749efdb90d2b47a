//! What the tests share: one cluster for those that leave it usable, connections, waiting.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use palisade_kube::{Caches, Connection, KubernetesConfig, Outside};
use palisade_testkit::Cluster;
use tokio_util::sync::CancellationToken;

/// Generous, because tests share the machine with compilers.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// A cluster for all tests that leave it usable; it ends with the process.
pub(crate) fn shared() -> Option<Arc<Cluster>> {
    static SHARED: OnceLock<Option<Arc<Cluster>>> = OnceLock::new();
    SHARED.get_or_init(own).clone()
}

/// A cluster for one test.
pub(crate) fn own() -> Option<Arc<Cluster>> {
    Cluster::start().ok().map(Arc::new)
}

pub(crate) fn config(kubeconfig: &Path) -> KubernetesConfig {
    KubernetesConfig { kubeconfig: Some(kubeconfig.to_owned()), ..KubernetesConfig::default() }
}

pub(crate) async fn connect(config: &KubernetesConfig) -> Connection {
    Connection::open(config).await.unwrap().unwrap()
}

/// Caches of the cluster as its administrator, until the guard goes.
pub(crate) async fn caches(cluster: &Cluster) -> (Caches, tokio_util::sync::DropGuard) {
    caches_with(cluster, Outside::default()).await
}

/// The same, with answers from outside the cluster.
pub(crate) async fn caches_with(cluster: &Cluster, outside: Outside) -> (Caches, tokio_util::sync::DropGuard) {
    let config = config(cluster.kubeconfig());
    let shutdown = CancellationToken::new();
    let caches = Caches::start(&connect(&config).await, &config, outside, &shutdown).await.unwrap();
    (caches, shutdown.drop_guard())
}

/// On a thread that may block, as policies are evaluated.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Waits until `probe` gives a value.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    let deadline = Instant::now() + LIMIT;
    async move {
        loop {
            if let Some(value) = probe().await {
                return value;
            }
            assert!(Instant::now() < deadline, "{what}: not within {} seconds", LIMIT.as_secs());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
