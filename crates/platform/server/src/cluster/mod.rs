//! The side of the server that faces a Kubernetes cluster: look-ups, policies, webhooks, controllers.
//!
//! | file | what |
//! |---|---|
//! | `surroundings` | what policies may look into, and who has which roles |
//! | `records` | what the controllers remember and tell, on the store |
//!
//! Everything here waits for the API server instead of failing: a cluster that is down, or comes later, is no reason not to
//! serve the API. Without a cluster nothing of it runs, and policies that look something up answer with an error.

mod records;
mod surroundings;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use palisade_kube::policies::{ClusterPolicies, Condition};
use palisade_kube::{
    Caches, Certificates, Connection, KubernetesConfig, Outside, Registration, certificates, permissions, webhooks,
};
use palisade_kube::{cleanup, generate, reports, scan};
use palisade_model::{GroupVersionKind, Resource, Str, Value};
use palisade_policies::{DocumentState, Place, State};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::admission::Surroundings;
use crate::context::Context;
use crate::error::ServerError;
use crate::metrics::Seconds;
use records::Records;
use surroundings::ClusterView;

/// How long after a failure something is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// How long the certificate may take to be there at the start.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often the watches are asked how fresh they are.
const LOOK: Duration = Duration::from_secs(5);
/// The condition that health tells of.
const CONDITION: &str = "cluster";

/// What the rest of the server needs to know of the cluster.
pub(crate) struct ClusterSide {
    connection: Option<Connection>,
    caches: Arc<OnceLock<Caches>>,
    outside: Outside,
}

/// Opens the connection that the configuration asks for; nothing is sent yet.
pub(crate) async fn connect(config: &KubernetesConfig, outside: Outside) -> Result<ClusterSide, ServerError> {
    Ok(ClusterSide { connection: Connection::open(config).await?, caches: Arc::default(), outside })
}

impl ClusterSide {
    /// Whether there is a cluster.
    pub(crate) const fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// What policies may look into.
    pub(crate) fn surroundings(&self) -> Arc<dyn Surroundings> {
        Arc::new(ClusterView::new(self.connection.as_ref().map(|_| self.caches.clone()), self.outside.clone()))
    }

    /// The certificate for admission: shared by replicas through the cluster, or kept in the data folder.
    pub(crate) async fn certificates(&self, context: &Context) -> Result<Certificates, ServerError> {
        let config = &context.config.kubernetes;
        let give_up = tokio::time::Instant::now() + PATIENCE;
        loop {
            let (keeping, names) = match &self.connection {
                Some(connection) if config.webhook_url.is_none() => {
                    let (namespace, name) = (config.namespace.clone(), permissions::CERTIFICATE_SECRET.to_owned());
                    let keeping = certificates::Keeping::Secret { connection: connection.clone(), namespace, name };
                    (keeping, certificates::names(config))
                }
                other => {
                    let local = || vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
                    let names = other.as_ref().map_or_else(local, |_| certificates::names(config));
                    (certificates::Keeping::Folder(context.config.server.data_folder().join("certificates")), names)
                }
            };
            match Certificates::open(keeping, names, context.clock.now()).await {
                Ok(certificates) => return Ok(certificates),
                Err(error) if tokio::time::Instant::now() >= give_up || self.connection.is_none() => {
                    return Err(error.into());
                }
                Err(error) => {
                    tracing::warn!(%error, "waiting for the certificate");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// What talks to the cluster until the server stops, where there is one. `bundles` are the authorities that the API
    /// server has to trust.
    pub(crate) fn work(
        &self,
        context: &Context,
        bundles: watch::Receiver<Str>,
    ) -> Option<impl FnOnce(CancellationToken) -> BoxFuture<'static, Result<(), ServerError>> + Send + 'static> {
        let (connection, known, outside) = (self.connection.clone()?, self.caches.clone(), self.outside.clone());
        context.health.fails(CONDITION, "the API server has not answered yet");
        let staleness = Family::default();
        let help = "Seconds since the watch last heard from the cluster";
        context.metrics.register("watch_staleness_seconds", help, staleness.clone());
        let context = context.clone();
        Some(move |stop: CancellationToken| {
            async move {
                if let Some(caches) = follow(&context, &connection, &outside, &stop).await {
                    let _ = known.set(caches.clone());
                    Box::pin(Running { context, caches, bundles, staleness, stop }.run()).await;
                }
                Ok(())
            }
            .boxed()
        })
    }
}

/// The watch caches, as soon as the API server answers; none where the server stops before.
async fn follow(
    context: &Context,
    connection: &Connection,
    outside: &Outside,
    stop: &CancellationToken,
) -> Option<Caches> {
    loop {
        match Caches::start(connection, &context.config.kubernetes, outside.clone(), stop).await {
            Ok(caches) => return Some(caches),
            Err(error) => context.health.fails(CONDITION, error.to_string()),
        }
        stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await?;
    }
}

/// Label of a watch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Watch {
    /// Resource, such as `pods`.
    resource: String,
}

/// A cluster that has answered.
#[derive(Clone)]
struct Running {
    context: Context,
    caches: Caches,
    bundles: watch::Receiver<Str>,
    staleness: Family<Watch, Seconds>,
    stop: CancellationToken,
}

impl Running {
    /// Runs until the server stops. The controllers start when the policies of the cluster are in force: what a policy
    /// made must not be removed because the policy has not been read yet.
    async fn run(self) {
        let policies = ClusterPolicies::start(&self.caches, &self.context.config.kubernetes, &self.stop);
        tokio::join!(self.hand_over(&policies), self.watch(), async {
            if self.complete().await.is_some() {
                self.context.health.holds(CONDITION);
                tokio::join!(
                    self.lead("status", |own, stop| own.report(policies.clone(), stop)),
                    self.lead("webhooks", Self::webhooks),
                    self.lead("scan", Self::scan),
                    self.lead("generate", Self::generate),
                    self.lead("cleanup", Self::cleanup),
                );
            }
        });
    }

    async fn lead<F: Future<Output = Result<(), String>>>(
        &self,
        name: &'static str,
        task: impl Fn(Self, CancellationToken) -> F,
    ) {
        self.context.leader.lead(name, self.stop.clone(), |stop| task(self.clone(), stop)).await;
    }

    /// Waits for the first ruleset with the policies of the cluster.
    async fn complete(&self) -> Option<()> {
        let mut status = self.context.policies.status();
        let complete = async { status.wait_for(|status| status.complete).await.map(drop) };
        self.stop.run_until_cancelled(complete).await?.ok()
    }

    /// Hands the policy objects of the cluster to the loader.
    async fn hand_over(&self, policies: &ClusterPolicies) {
        let mut documents = policies.documents();
        loop {
            let now = documents.borrow_and_update().clone();
            if let Some(now) = now {
                match now.unread.first() {
                    None => self.context.health.holds("cluster policies"),
                    Some((kind, why)) => {
                        let reason = format!("{} cannot be read: {why}", kind.kind);
                        self.context.health.degraded("cluster policies", reason);
                    }
                }
                self.caches.set_inventory(inventory(&now.documents));
                self.context.policies.set_cluster(now.documents.clone());
            }
            if !matches!(self.stop.run_until_cancelled(documents.changed()).await, Some(Ok(()))) {
                return;
            }
        }
    }

    /// Tells how fresh the watches are.
    async fn watch(&self) {
        while self.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            for (kind, freshness) in self.caches.states() {
                let labels = Watch { resource: format!("{}/{}", kind.group, kind.kind) };
                self.staleness.get_or_create_owned(&labels).set(freshness.age.as_secs_f64());
            }
        }
    }

    /// Says on the policy objects how loading them went.
    async fn report(self, policies: ClusterPolicies, stop: CancellationToken) -> Result<(), String> {
        let mut status = self.context.policies.status();
        loop {
            let now = status.borrow_and_update().clone();
            let time = now.loaded_at.unwrap_or_else(|| self.context.clock.now());
            let ours = now.documents.iter().filter(|document| document.place == Place::Cluster);
            let conditions: Vec<_> = ours.map(|document| condition(document, time)).collect();
            let failed = policies.report(&conditions).await.err();
            if let Some(error) = &failed {
                tracing::warn!(%error, "the status of a policy could not be written");
            }
            let next = async {
                if failed.is_none() {
                    return status.changed().await.map_err(|error| error.to_string());
                }
                tokio::time::sleep(AGAIN).await;
                Ok(())
            };
            match stop.run_until_cancelled(next).await {
                None => return Ok(()),
                Some(result) => result?,
            }
        }
    }

    /// Registers the webhooks, once the server is ready.
    async fn webhooks(self, stop: CancellationToken) -> Result<(), String> {
        let config = &self.context.config.kubernetes;
        if !config.register_webhooks {
            stop.cancelled().await;
            return Ok(());
        }
        let (rulesets, ready) = (self.context.rulesets.clone(), self.context.health.readiness());
        Registration::new(&self.caches, config, rulesets, self.bundles.clone(), ready).keep(stop.clone()).await;
        if config.remove_webhooks && self.stop.is_cancelled() {
            webhooks::remove(self.caches.connection()).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn scan(self, stop: CancellationToken) -> Result<(), String> {
        let records = Records::new(&self.context);
        let clock = self.context.clock.clone();
        let choice = self.context.config.kubernetes.reports;
        let reporter = reports::Reporter::new(&self.caches, choice, clock.clone());
        let scanner = scan::Scanner {
            caches: self.caches,
            rulesets: self.context.rulesets.clone(),
            state: records.clone(),
            sink: records,
            reporter,
            again: self.context.owners.changed(),
            clock,
            config: scan::ScanConfig::default(),
        };
        scanner.run(stop).await;
        Ok(())
    }

    async fn generate(self, stop: CancellationToken) -> Result<(), String> {
        let (records, clock) = (Records::new(&self.context), self.context.clock.clone());
        let generator = generate::Generator {
            caches: self.caches,
            rulesets: self.context.rulesets.clone(),
            state: records.clone(),
            sink: records,
            clock,
            config: generate::GenerateConfig::default(),
        };
        generator.run(stop).await;
        Ok(())
    }

    async fn cleanup(self, stop: CancellationToken) -> Result<(), String> {
        let (records, clock) = (Records::new(&self.context), self.context.clock.clone());
        let cleaner = cleanup::Cleaner {
            caches: self.caches,
            rulesets: self.context.rulesets.clone(),
            state: records.clone(),
            sink: records,
            clock,
            config: cleanup::CleanupConfig::default(),
        };
        cleaner.run(stop).await;
        Ok(())
    }
}

/// How loading a document went, as its status tells.
fn condition(DocumentState { document, state, .. }: &DocumentState, time: Timestamp) -> Condition {
    let (reason, problem) = match state {
        State::Ready => ("Loaded", None),
        State::Kept { problem } => ("Kept", Some(problem)),
        State::Refused { problem } => ("Refused", Some(problem)),
    };
    Condition {
        document: document.clone(),
        ready: problem.is_none(),
        reason: reason.into(),
        message: problem.cloned().unwrap_or_default(),
        time,
    }
}

/// The kinds that Gatekeeper's configuration keeps at hand for templates (`spec.sync.syncOnly` of its Config objects).
fn inventory(documents: &[Resource]) -> Vec<GroupVersionKind> {
    let configs = documents.iter().filter(|document| {
        document.kind() == "Config" && document.gvk().is_some_and(|gvk| &*gvk.group == "config.gatekeeper.sh")
    });
    let entries = configs.filter_map(|config| config.object.dig(["spec", "sync", "syncOnly"])?.as_array()).flatten();
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
    entries
        .map(|entry| GroupVersionKind {
            group: text(entry, "group"),
            version: text(entry, "version"),
            kind: text(entry, "kind"),
        })
        .collect()
}
