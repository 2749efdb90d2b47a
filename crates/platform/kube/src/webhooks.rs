//! The webhook configurations: what the API server asks us about, no wider than the policies match.
//!
//! Policies that refuse and policies that ignore when nobody answers have a webhook each, so that a server that is down
//! blocks only what a policy says is to be blocked; a request that both match is asked about twice, each time to one half
//! of the policies. Our own namespace, the excluded ones, our own requests and the machinery of the cluster
//! ([`exempt`]) are never asked about. The configurations are repaired when somebody changes or deletes them. Deliberately
//! absent: answering, which is the server's.

pub mod exempt;
mod plan;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use palisade_model::{Str, Value};
use palisade_runtime::Backoff;
use palisade_verdict::Ruleset;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use plan::Plan;
pub use rules::Rule;

use crate::{Caches, Connection, KubeError, KubernetesConfig};

/// The name of both configurations.
pub const NAME: &str = "palisade";

const VALIDATING: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/palisade";
const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/palisade";

/// How often the configurations are compared where nothing tells of a change.
const RESYNC: Duration = Duration::from_mins(5);

/// The pauses after failures.
const RETRY: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(30));

/// What is registered at the moment.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    /// The digest of the ruleset that it follows; empty before the first time.
    pub ruleset: Str,
    /// What it is.
    pub plan: Plan,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

/// Keeps the webhook configurations in step with the policies. One replica at a time does.
#[derive(Debug)]
pub struct Registration {
    caches: Caches,
    config: KubernetesConfig,
    rulesets: watch::Receiver<Arc<Ruleset>>,
    bundles: watch::Receiver<Str>,
    ready: watch::Receiver<bool>,
    state: watch::Sender<Registered>,
}

impl Registration {
    /// A registration of `rulesets`, trusting `bundles`. Nothing is registered before `ready` is true for the first time:
    /// the API server must not be sent to somebody who cannot answer.
    pub fn new(
        caches: &Caches,
        config: &KubernetesConfig,
        rulesets: watch::Receiver<Arc<Ruleset>>,
        bundles: watch::Receiver<Str>,
        ready: watch::Receiver<bool>,
    ) -> Self {
        let state = watch::Sender::default();
        Self { caches: caches.clone(), config: config.clone(), rulesets, bundles, ready, state }
    }

    /// What is registered, with every change.
    pub fn state(&self) -> watch::Receiver<Registered> {
        self.state.subscribe()
    }

    /// Keeps the configurations in step until `shutdown`. They stay then; see [`remove`].
    pub async fn keep(mut self, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.follow() => {}
        }
    }

    async fn follow(&mut self) {
        if self.ready.wait_for(|ready| *ready).await.is_err() {
            return;
        }
        let mut watched = self.caches.subscribe();
        let discovery = self.caches.discovery();
        let kinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
        let group = "admissionregistration.k8s.io";
        watched.follow(&kinds.iter().filter_map(|kind| discovery.named(group, kind).cloned()).collect::<Vec<_>>());
        let mut discoveries = self.caches.discoveries();
        let mut retry = RETRY;
        loop {
            let wait = match self.bring_about().await {
                Ok(()) => {
                    retry.succeeded();
                    RESYNC
                }
                Err(error) => {
                    tracing::warn!(%error, "the webhook configurations are not as they should be");
                    self.state.send_modify(|state| state.problem = Some(error.to_string()));
                    retry.failed()
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                Ok(()) = self.rulesets.changed() => {}
                Ok(()) = self.bundles.changed() => {}
                Ok(()) = discoveries.changed() => {}
                () = touched(&watched) => {}
            }
        }
    }

    /// Compares, and writes what differs.
    async fn bring_about(&mut self) -> Result<(), KubeError> {
        let ruleset = self.rulesets.borrow_and_update().clone();
        let bundle = self.bundles.borrow_and_update().clone();
        let plan = Plan::of(ruleset.policies(), &self.caches.discovery());
        let said = self.state.borrow().plan.unreachable.clone();
        for unreachable in plan.unreachable.iter().filter(|one| !said.contains(one)) {
            tracing::warn!("{unreachable}");
        }
        let connection = self.caches.connection();
        bring_to(connection, VALIDATING, plan.validating(&self.config, &bundle)).await?;
        bring_to(connection, MUTATING, plan.mutating(&self.config, &bundle)).await?;
        let registered = Registered { ruleset: ruleset.digest.clone(), plan, problem: None };
        self.state.send_replace(registered);
        Ok(())
    }
}

/// Waits until one of our configurations changes.
async fn touched(watched: &crate::Subscription) {
    while &*watched.next().await.name != NAME {}
}

/// Removes both configurations: the cluster is no longer guarded, and no longer waits for us.
pub async fn remove(connection: &Connection) -> Result<(), KubeError> {
    bring_to(connection, VALIDATING, None).await?;
    bring_to(connection, MUTATING, None).await
}

/// Makes what is at `path` so, where it is not: the fields of ours, or nothing at all.
async fn bring_to(connection: &Connection, path: &str, wanted: Option<Value>) -> Result<(), KubeError> {
    let found = match connection.get(path).await {
        Err(error) if error.is_not_found() => None,
        other => Some(other?),
    };
    match (found, wanted) {
        (None, None) => Ok(()),
        (Some(found), None) => {
            let uid = found.dig(["metadata", "uid"]).and_then(Value::as_str);
            match connection.delete(path, uid).await {
                Err(error) if error.is_not_found() => Ok(()),
                other => other.map(|_| ()),
            }
        }
        (Some(found), Some(wanted)) if holds(&found, &wanted) => Ok(()),
        (_, Some(wanted)) => connection.apply(path, &wanted, true).await.map(|_| ()),
    }
}

/// Whether `found` has everything of `wanted`; the API server adds defaults.
fn holds(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| found.get(key).is_some_and(|found| holds(found, wanted)))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted.iter()).all(|(found, wanted)| holds(found, wanted))
        }
        _ => found == wanted,
    }
}

#[cfg(test)]
mod tests;
