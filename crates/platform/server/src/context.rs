//! What every route and task of the server shares.

use std::sync::Arc;

use palisade_runtime::jobs::Jobs;
use palisade_runtime::{Clock, Health, Leader};
use palisade_store::Store;
use palisade_verdict::Ruleset;
use tokio::sync::watch;

use crate::Config;
use crate::metrics::Metrics;
use crate::owners::Owners;
use crate::policies::Policies;

/// What every route and task of the server shares. Clones share everything.
#[derive(Clone)]
pub struct Context {
    /// The configuration, as it was validated.
    pub config: Arc<Config>,
    /// The state.
    pub store: Store,
    /// The ruleset in force.
    pub rulesets: watch::Receiver<Arc<Ruleset>>,
    /// How it came to be, and how to have it loaded anew.
    pub policies: Policies,
    /// Who answers for what.
    pub owners: Owners,
    /// By what this process is told from other replicas.
    pub holder: Arc<str>,
    /// Runs what only one replica may run.
    pub leader: Leader,
    /// Work that outlives the process.
    pub jobs: Jobs,
    /// What time it is.
    pub clock: Clock,
    /// What `/readyz` and `/livez` answer.
    pub health: Arc<Health>,
    /// What `/metrics` answers.
    pub metrics: Arc<Metrics>,
}

impl Context {
    /// The ruleset in force now.
    pub fn ruleset(&self) -> Arc<Ruleset> {
        self.rulesets.borrow().clone()
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("config", &self.config).finish_non_exhaustive()
    }
}
