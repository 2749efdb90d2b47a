//! Objects that policies bring about: generated ones are created and kept in step, existing ones changed.
//!
//! What is to be done follows from the state of the cluster, so that nothing is lost while nobody watches: each object that
//! triggers a rule is looked at when it changes, when what was made for it changes or goes, when a source or the policies
//! change. An object that a rule did not make is never overwritten, unless the policy says so. Deliberately absent: a
//! record of each trigger; what was made carries its origin in annotations, and a moment up to which all was done tells
//! new triggers from old ones after a restart.

mod asking;
mod difference;
mod following;
mod made;
mod memory;
mod origin;
mod patching;
mod work;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use palisade_runtime::Clock;
use palisade_verdict::Ruleset;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Caches;
use crate::controller::{ActionSink, ControllerState};
use following::Following;
use work::Work;

/// How the generator goes about its work.
#[derive(Clone, Debug)]
pub struct GenerateConfig {
    /// How many objects are worked on at a time.
    pub workers: usize,
    /// The most objects that are looked at in a second after policies or sources changed.
    pub rescans_per_second: u32,
    /// How long changes of sources are gathered.
    pub settle: Duration,
    /// How long a policy has to be gone before what it made is removed: one that is replaced, or cannot be read for a
    /// moment, loses nothing.
    pub grace: Duration,
    /// How often everything that was made is looked at again, in case a change was missed.
    pub resync: Duration,
}

impl Default for GenerateConfig {
    fn default() -> Self {
        Self {
            workers: 2,
            rescans_per_second: 200,
            settle: Duration::from_secs(2),
            grace: Duration::from_secs(30),
            resync: Duration::from_hours(1),
        }
    }
}

/// What the generator works with.
pub struct Generator {
    /// The cluster.
    pub caches: Caches,
    /// The policies. The first one has to be complete: what policies that are missing made is removed in the end.
    pub rulesets: watch::Receiver<Arc<Ruleset>>,
    /// What was in force before.
    pub state: Arc<dyn ControllerState>,
    /// Who hears what was done.
    pub sink: Arc<dyn ActionSink>,
    /// What time it is.
    pub clock: Clock,
    /// How it goes about its work.
    pub config: GenerateConfig,
}

impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generator").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Generator {
    /// Brings about what policies ask for until `stop`, on the leader only.
    pub async fn run(self, stop: CancellationToken) {
        let working = async {
            let work = Arc::new(Work::start(self, stop.clone()).await);
            let mut workers = tokio::task::JoinSet::new();
            for _ in 0..work.generator.config.workers.max(1) {
                workers.spawn(Work::run(work.clone()));
            }
            Following::new(work).run().await;
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = working => {}
        }
    }
}
