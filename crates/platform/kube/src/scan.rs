//! The background scan: what the policies say of the objects that exist, kept in step with both.
//!
//! An object is judged when something changed that its verdict rests on: the object without what changes all the time, its
//! namespace's labels, the policies that may have a say about it, or objects that these look up. What was judged before a
//! restart is not judged again where nothing changed. Changes go first; rescans after a change of policies are paced, so
//! that neither the API server nor the processor is flooded. Deliberately absent: what becomes of the results, which is the
//! [`ScanSink`]'s business, and of [`crate::reports`].

mod judging;
mod state;
mod work;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use palisade_model::GroupVersionKind;
use palisade_policy::Reads;
use palisade_runtime::{Clock, Urgency};
use palisade_verdict::Ruleset;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::controller::{self, ObjectKey, at, uid_of};
use crate::{Caches, Change, Event, Kind, Subscription};

pub use state::{Judged, ScanSink, ScanState};
use work::Work;

/// How the scan goes about its work.
#[derive(Clone, Debug)]
pub struct ScanConfig {
    /// How many objects are judged at a time.
    pub workers: usize,
    /// The most objects of a rescan that are looked at in a second.
    pub rescans_per_second: u32,
    /// How long changes of objects that policies look up are gathered before everything that may depend on them is looked
    /// at again.
    pub settle: Duration,
    /// After which time everything is judged anew, because verdicts may depend on the time and waivers run out.
    pub refresh: Duration,
}

impl Default for ScanConfig {
    fn default() -> Self {
        Self { workers: 2, rescans_per_second: 500, settle: Duration::from_secs(10), refresh: Duration::from_hours(6) }
    }
}

/// What a scan works with.
pub struct Scanner {
    /// The cluster.
    pub caches: Caches,
    /// The policies.
    pub rulesets: watch::Receiver<Arc<Ruleset>>,
    /// What was judged before.
    pub state: Arc<dyn ScanState>,
    /// Who hears the results.
    pub sink: Arc<dyn ScanSink>,
    /// Who writes them into the cluster.
    pub reporter: Option<Arc<crate::reports::Reporter>>,
    /// Asks for everything to be judged and told again, because what the sink makes of it is another now.
    pub again: Arc<Notify>,
    /// What time it is.
    pub clock: Clock,
    /// How it goes about its work.
    pub config: ScanConfig,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Scanner {
    /// Scans until `stop`, on the leader only.
    pub async fn run(self, stop: CancellationToken) {
        if let Some(reporter) = &self.reporter {
            reporter.open().await;
        }
        let work = Arc::new(Work::new(self, stop.clone()));
        let mut workers = JoinSet::new();
        for _ in 0..work.scanner.config.workers.max(1) {
            workers.spawn(Work::run(work.clone()));
        }
        if let Some(reporter) = work.scanner.reporter.clone() {
            workers.spawn(async move { reporter.run().await });
        }
        let following = Following::new(work).run();
        tokio::select! {
            () = stop.cancelled() => {}
            () = following => {}
        }
    }
}

/// Hears what changes, and says what is to be looked at.
struct Following {
    work: Arc<Work>,
    rulesets: watch::Receiver<Arc<Ruleset>>,
    subscription: Subscription,
    /// What of the objects that policies look up counts as a change.
    sources: HashMap<ObjectKey, u64>,
    reads: Vec<Reads>,
    settled: Option<Instant>,
    refresh: Instant,
    /// Whether what was known before was compared with what exists.
    swept: bool,
}

impl Following {
    fn new(work: Arc<Work>) -> Self {
        Self {
            rulesets: work.scanner.rulesets.clone(),
            subscription: work.scanner.caches.subscribe(),
            sources: HashMap::new(),
            reads: Vec::new(),
            settled: None,
            refresh: Instant::now() + work.scanner.config.refresh,
            swept: false,
            work,
        }
    }

    async fn run(mut self) {
        let mut discoveries = self.work.scanner.caches.discoveries();
        self.follow();
        loop {
            let settled = self.settled;
            tokio::select! {
                changed = self.rulesets.changed() => {
                    if changed.is_err() {
                        // Whoever made the rulesets is gone; what was found stays true of the last one.
                        return std::future::pending().await;
                    }
                    self.follow();
                    self.rescan("");
                }
                changed = discoveries.changed() => {
                    if changed.is_ok() {
                        self.follow();
                    }
                }
                change = self.subscription.next() => self.heard(&change),
                () = at(settled) => {
                    self.settled = None;
                    self.work.surroundings.fetch_add(1, Ordering::Relaxed);
                    self.rescan("");
                }
                () = tokio::time::sleep_until(self.refresh) => self.begin_round(),
                () = self.work.scanner.again.notified() => self.begin_round(),
                () = self.work.reports_wanted() => self.begin_round(),
                () = tokio::time::sleep(Duration::from_millis(200)), if !self.swept => self.sweep().await,
            }
        }
    }

    /// Follows the kinds that the policies are about, and those that they look up.
    fn follow(&mut self) {
        let ruleset = self.rulesets.borrow_and_update().clone();
        let discovery = self.work.scanner.caches.discovery();
        let policies = judging::background(&ruleset);
        let scanned = controller::concerned(&discovery, policies.clone());
        self.reads = policies.map(|policy| policy.info().reads.clone()).collect();
        let mut all = scanned.clone();
        for kind in controller::looked_up(&discovery, self.reads.iter()) {
            if !all.iter().any(|known| known.gvk == kind.gvk) {
                all.push(kind);
            }
        }
        self.subscription.follow(&all);
        self.sources.retain(|key, _| all.iter().any(|kind| kind.gvk == key.gvk));
        let scanned: HashSet<GroupVersionKind> = scanned.iter().map(|kind| kind.gvk.clone()).collect();
        let mut before = self.work.scanned.write().unwrap_or_else(PoisonError::into_inner);
        self.swept &= *before == scanned;
        *before = scanned;
    }

    fn is_scanned(&self, gvk: &GroupVersionKind) -> bool {
        self.work.is_scanned(gvk)
    }

    fn scanned_kinds(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.subscription.kinds().iter().filter(|kind| self.is_scanned(&kind.gvk))
    }

    /// Looks at everything in a namespace again, or everywhere.
    fn rescan(&self, namespace: &str) {
        for kind in self.scanned_kinds().filter(|kind| namespace.is_empty() || kind.namespaced) {
            for object in self.work.scanner.caches.objects_of(kind, namespace) {
                self.work.queue.add(ObjectKey::named_by(kind, &object), Urgency::Rescan);
            }
        }
    }

    /// Judges everything anew, whether it changed or not.
    fn begin_round(&mut self) {
        self.refresh = Instant::now() + self.work.scanner.config.refresh;
        self.work.round.fetch_add(1, Ordering::Relaxed);
        self.rescan("");
    }

    fn heard(&mut self, change: &Change) {
        let gvk = &change.kind.gvk;
        let key = ObjectKey { gvk: gvk.clone(), namespace: change.namespace.clone(), name: change.name.clone() };
        let looked_up = self.reads.iter().any(|reads| reads.looks_up(&gvk.kind));
        let is_namespace = gvk.group.is_empty() && *gvk.kind == *"Namespace";
        if (looked_up || is_namespace) && self.is_new(&key, &change.event) && self.swept {
            if looked_up {
                self.settled.get_or_insert_with(|| Instant::now() + self.work.scanner.config.settle);
            }
            if is_namespace && self.reads.iter().any(|reads| reads.namespace) {
                self.rescan(&change.name);
            }
        }
        if self.is_scanned(gvk) {
            self.work.queue.add(key, if self.swept { Urgency::Now } else { Urgency::Rescan });
        }
    }

    /// Whether an object that policies look up changed in a way that they may notice.
    fn is_new(&mut self, key: &ObjectKey, event: &Event) -> bool {
        let Event::Applied(object) = event else { return self.sources.remove(key).is_some() };
        let mut all = Reads::nothing();
        self.reads.iter().filter(|reads| reads.looks_around() || reads.namespace).for_each(|reads| all.absorb(reads));
        let relevant = all.relevant(object);
        let mut hasher = DefaultHasher::new();
        relevant.to_canonical_json().hash(&mut hasher);
        let digest = hasher.finish();
        self.sources.insert(key.clone(), digest) != Some(digest)
    }

    /// Compares what was judged before with what exists, once everything that exists is known.
    async fn sweep(&mut self) {
        if !self.subscription.is_synced() {
            return;
        }
        for key in self.work.unscanned() {
            self.work.queue.add(key, Urgency::Rescan);
        }
        let mut after = None;
        loop {
            match self.work.scanner.state.known(after.as_ref()).await {
                Ok(known) => {
                    for subject in &known {
                        self.work.queue.add(ObjectKey::of(subject), Urgency::Rescan);
                    }
                    after = known.last().cloned();
                    if after.is_none() {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the scan cannot tell which objects are gone; it tries again");
                    return;
                }
            }
        }
        if let Some(reporter) = &self.work.scanner.reporter {
            let kinds = self.scanned_kinds();
            let objects = kinds.flat_map(|kind| self.work.scanner.caches.objects_of(kind, ""));
            reporter.keep_only(&objects.map(|object| uid_of(&object)).collect());
        }
        self.swept = true;
    }
}
