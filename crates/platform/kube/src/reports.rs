//! Results of the scan as report objects in the cluster, one for each object that rules have a say about.
//!
//! A report belongs to its object, so that Kubernetes removes both together; what that misses is removed here. Reports are
//! written when their content changed, some time after the change so that several make one request. Where the cluster
//! lacks the kinds of reports, that is said once, and results are in the store alone until the kinds come. Deliberately
//! absent: reading reports as a source of truth, and following what others do to them before the next full round.

mod document;
mod flavour;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use palisade_model::decision::Subject;
use palisade_model::{PolicyRef, Severity, Str, Value, Verdict};
use palisade_runtime::{Backoff, Clock, Queue};
use tokio::sync::Notify;

use crate::connection::Reports;
use crate::{Caches, KubeError};

use document::Report;
use flavour::Flavour;

/// How long a changed report waits for further changes.
const GATHER: Duration = Duration::from_millis(500);

/// How soon a report is tried again that could not be written.
const RETRY: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(10));

/// How many reports are written at a time.
const WRITERS: usize = 4;

/// One rule's answer about one object.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleResult {
    /// The policy.
    pub policy: Arc<PolicyRef>,
    /// Its rule.
    pub rule: Str,
    /// The answer; `skip` for a violation that somebody answers for.
    pub verdict: Verdict,
    /// How much a violation matters.
    pub severity: Severity,
    /// The policy's family; empty where it names none.
    pub category: String,
    /// The policy's words.
    pub message: String,
    /// Further facts.
    pub properties: Vec<(Str, Str)>,
}

/// Writes reports.
pub struct Reporter {
    caches: Caches,
    choice: Reports,
    clock: Clock,
    queue: Queue<Str>,
    shelf: Mutex<Shelf>,
    complained: AtomicBool,
    wanted: Notify,
}

/// What is written and what is to be, by the identifier of the object.
#[derive(Default)]
struct Shelf {
    flavour: Option<Flavour>,
    written: HashMap<Str, Written>,
    pending: HashMap<Str, Pending>,
}

/// A report in the cluster.
struct Written {
    namespace: Str,
    /// The digest of its content; empty where the object has no report because no rule has a say about it.
    digest: Str,
}

enum Pending {
    Write(Box<Report>),
    Remove,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("choice", &self.choice).finish_non_exhaustive()
    }
}

impl Reporter {
    /// A reporter; `None` where the configuration asks for none.
    pub fn new(caches: &Caches, choice: Reports, clock: Clock) -> Option<Arc<Self>> {
        (choice != Reports::None).then(|| {
            Arc::new(Self {
                caches: caches.clone(),
                choice,
                clock,
                queue: Queue::new(1_000),
                shelf: Mutex::default(),
                complained: AtomicBool::new(false),
                wanted: Notify::new(),
            })
        })
    }

    /// Whether the cluster takes reports now.
    pub(crate) fn is_wanted(&self) -> bool {
        self.shelf().flavour.is_some()
    }

    /// Returns when the cluster takes reports and did not before.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Whether there should be a report of the object, or word that it has none, and is neither.
    pub(crate) fn lacks(&self, uid: &str) -> bool {
        let shelf = self.shelf();
        shelf.flavour.is_some() && !shelf.written.contains_key(uid) && !shelf.pending.contains_key(uid)
    }

    /// What the rules say of an object now.
    pub(crate) fn judged(&self, object: &Value, subject: &Subject, results: Vec<RuleResult>) {
        let mut shelf = self.shelf();
        if shelf.flavour.is_none() {
            return;
        }
        let uid = subject.uid.clone();
        if results.is_empty() {
            let exists = shelf.written.get(&uid).is_some_and(|written| !written.digest.is_empty());
            if exists || shelf.pending.contains_key(&uid) {
                shelf.pending.insert(uid.clone(), Pending::Remove);
            } else {
                let nothing = Written { namespace: subject.namespace.clone(), digest: "".into() };
                shelf.written.insert(uid, nothing);
                return;
            }
        } else {
            let report = Report::of(object, subject, results, self.clock.now());
            let same = shelf.written.get(&uid).is_some_and(|written| written.digest == report.digest);
            if same && !shelf.pending.contains_key(&uid) {
                return;
            }
            shelf.pending.insert(uid.clone(), Pending::Write(Box::new(report)));
        }
        drop(shelf);
        self.queue.add_later(uid, GATHER);
    }

    /// The object is gone.
    pub(crate) fn gone(&self, uid: &Str) {
        let mut shelf = self.shelf();
        if shelf.written.contains_key(uid) || shelf.pending.contains_key(uid) {
            shelf.pending.insert(uid.clone(), Pending::Remove);
            drop(shelf);
            self.queue.add_later(uid.clone(), GATHER);
        }
    }

    /// Only these objects exist: reports of others are removed.
    pub(crate) fn keep_only(&self, uids: &HashSet<Str>) {
        let stale: Vec<Str> = self.shelf().written.keys().filter(|uid| !uids.contains(*uid)).cloned().collect();
        for uid in &stale {
            self.gone(uid);
        }
    }

    /// Looks which kinds of reports the cluster has, and which reports there are. Called before the scan begins.
    pub(crate) async fn open(&self) {
        let flavour = Flavour::find(&self.caches.discovery(), self.choice);
        let before = self.shelf().flavour.clone();
        if flavour == before && flavour.is_some() {
            return;
        }
        let Some(flavour) = flavour else {
            self.shelf().flavour = None;
            if !self.complained.swap(true, Ordering::Relaxed) {
                tracing::warn!("{}", Flavour::absent(self.choice));
            }
            return;
        };
        match self.written(&flavour).await {
            Ok(written) => {
                let mut shelf = self.shelf();
                *shelf = Shelf { flavour: Some(flavour), written, pending: HashMap::new() };
                drop(shelf);
                self.complained.store(false, Ordering::Relaxed);
                self.wanted.notify_one();
            }
            Err(error) => {
                if !self.complained.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the reports of the cluster cannot be read; none are written until they can");
                }
            }
        }
    }

    /// The reports that an earlier run wrote.
    async fn written(&self, flavour: &Flavour) -> Result<HashMap<Str, Written>, KubeError> {
        let mut written = HashMap::new();
        for kind in [&flavour.namespaced, &flavour.cluster] {
            let mut next = None;
            loop {
                let page = self.caches.connection().page(&kind.collection(""), next.as_deref()).await?;
                for (uid, namespace, digest) in page.items.iter().filter_map(document::recognise) {
                    written.insert(uid, Written { namespace, digest });
                }
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
        }
        Ok(written)
    }

    /// Writes reports until it is aborted.
    pub(crate) async fn run(&self) {
        let writers = futures_util::future::join_all((0..WRITERS).map(|_| self.write_all()));
        tokio::select! {
            _ = writers => {}
            () = self.follow_kinds() => {}
        }
    }

    async fn follow_kinds(&self) {
        let mut discoveries = self.caches.discoveries();
        loop {
            let failed = !self.is_wanted();
            tokio::select! {
                changed = discoveries.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = tokio::time::sleep(RETRY.after(1)), if failed => {}
            }
            self.open().await;
        }
    }

    async fn write_all(&self) {
        loop {
            let uid = self.queue.next().await;
            match self.write(&uid).await {
                Ok(()) => self.queue.done(&uid),
                Err(error) => {
                    if !self.complained.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%error, "a report could not be written; it is tried again");
                    }
                    self.queue.failed(&uid, RETRY);
                }
            }
        }
    }

    /// Does what is pending for an object.
    async fn write(&self, uid: &Str) -> Result<(), KubeError> {
        let (flavour, pending, namespace) = {
            let mut shelf = self.shelf();
            let Some(flavour) = shelf.flavour.clone() else {
                shelf.pending.clear();
                return Ok(());
            };
            let namespace = shelf.written.get(uid).map(|written| written.namespace.clone());
            let Some(pending) = shelf.pending.remove(uid) else { return Ok(()) };
            (flavour, pending, namespace)
        };
        let done = match &pending {
            Pending::Write(report) => self.apply(&flavour, uid, report).await,
            Pending::Remove => self.remove(&flavour, uid, namespace.as_deref()).await,
        };
        match done {
            Err(error) if !error.is_not_found() => {
                // What came meanwhile is newer.
                self.shelf().pending.entry(uid.clone()).or_insert(pending);
                Err(error)
            }
            // The namespace went, and the object with it.
            _ => Ok(()),
        }
    }

    async fn apply(&self, flavour: &Flavour, uid: &Str, report: &Report) -> Result<(), KubeError> {
        let kind = flavour.kind_for(&report.namespace);
        let body = report.body(flavour, kind);
        let path = kind.path(&report.namespace, &document::name_of(uid));
        self.caches.connection().apply(&path, &body, true).await?;
        let written = Written { namespace: report.namespace.clone(), digest: report.digest.clone() };
        self.shelf().written.insert(uid.clone(), written);
        Ok(())
    }

    async fn remove(&self, flavour: &Flavour, uid: &Str, namespace: Option<&str>) -> Result<(), KubeError> {
        let Some(namespace) = namespace else { return Ok(()) };
        let path = flavour.kind_for(namespace).path(namespace, &document::name_of(uid));
        let removed = self.caches.connection().delete(&path, None).await;
        if removed.is_ok() || removed.as_ref().is_err_and(KubeError::is_not_found) {
            self.shelf().written.remove(uid);
        }
        removed.map(drop)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many reports wait to be written.
    pub fn backlog(&self) -> usize {
        self.queue.backlog()
    }
}
