//! When policies are loaded: at the start, when files, cluster or exceptions change, when somebody asks.
//!
//! One task owns the loader. It publishes each ruleset as a whole over a watch channel: who takes one keeps it for the
//! whole of a request. Deliberately absent: what makes a document sound, which is the loader's to say.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use palisade_model::{Level, Resource, Str, Waiver};
use palisade_policies::{DocumentState, Edition, Given};
use palisade_runtime::{Clock, blocking};
use palisade_store::{Exception, Store};
use palisade_verdict::Ruleset;
use palisade_verdict::selection::Selector;
use palisade_verdict::waiver::Entry;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ServerError;
use crate::wiring::PolicyLoader;

/// How often files are looked at, at most. Large folders are looked at less often, so that looking takes little.
const LOOK: Duration = Duration::from_millis(100);
/// Of the time, the part that may go into looking: a fiftieth.
const SHARE: u32 = 50;
/// How often the store is asked for exceptions, which other replicas may have granted.
const ASK: Duration = Duration::from_secs(5);

/// The policies in force and how they came to be.
#[derive(Clone, Debug, Default)]
pub struct PolicyStatus {
    /// Whether there was a load with everything that there is to load, the policies of the cluster included.
    pub complete: bool,
    /// When the ruleset in force was built; none before the first one.
    pub loaded_at: Option<Timestamp>,
    /// How often policies were loaded since the start.
    pub loads: u64,
    /// How often something was wrong then, so that an older version of it stayed in force.
    pub failures: u64,
    /// Every document that is in force or should be.
    pub documents: Arc<[DocumentState]>,
    /// What was wrong beside and in documents, in words.
    pub problems: Arc<[String]>,
}

/// The live policies. Clones share them.
#[derive(Clone, Debug)]
pub struct Policies {
    rulesets: watch::Receiver<Arc<Ruleset>>,
    status: watch::Receiver<Arc<PolicyStatus>>,
    asked: Arc<Asked>,
}

#[derive(Debug)]
struct Asked {
    reload: Notify,
    /// The policy objects of the cluster; none where they are still to come.
    cluster: Mutex<Option<Vec<Resource>>>,
}

impl Policies {
    /// The ruleset in force; empty before the first load.
    pub fn rulesets(&self) -> watch::Receiver<Arc<Ruleset>> {
        self.rulesets.clone()
    }

    /// How loading went.
    pub fn status(&self) -> watch::Receiver<Arc<PolicyStatus>> {
        self.status.clone()
    }

    /// Loads everything anew, soon; exceptions that were granted or revoked included. Returns at once.
    pub fn reload(&self) {
        self.asked.reload.notify_one();
    }

    /// Replaces the policy objects of the cluster. Returns at once.
    pub fn set_cluster(&self, documents: Vec<Resource>) {
        *self.asked.cluster.lock().unwrap_or_else(PoisonError::into_inner) = Some(documents);
        self.reload();
    }

    /// The policies that `loader` loads, and the task that keeps them current until `stop`. With `cluster`, they are
    /// complete when those of the cluster have been handed in.
    pub(crate) fn start(
        cluster: bool,
        loader: Box<dyn PolicyLoader>,
        store: Store,
        clock: Clock,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = Result<(), ServerError>> + Send) {
        let empty = Ruleset::of(Vec::new());
        let (rulesets, ruleset) = watch::channel(Arc::new(empty));
        let (statuses, status) = watch::channel(Arc::default());
        let none_to_come = (!cluster).then(Vec::new);
        let asked = Arc::new(Asked { reload: Notify::new(), cluster: Mutex::new(none_to_come) });
        let keeper = Keeper { rulesets, statuses, asked: asked.clone(), store, clock, exceptions: Vec::new() };
        (Self { rulesets: ruleset, status, asked }, keeper.run(loader, stop))
    }
}

/// The task that loads.
struct Keeper {
    rulesets: watch::Sender<Arc<Ruleset>>,
    statuses: watch::Sender<Arc<PolicyStatus>>,
    asked: Arc<Asked>,
    store: Store,
    clock: Clock,
    exceptions: Vec<Exception>,
}

impl Keeper {
    async fn run(mut self, mut loader: Box<dyn PolicyLoader>, stop: CancellationToken) -> Result<(), ServerError> {
        let (mut seen, mut day, mut ask_at) = (None, None, Instant::now());
        let mut asked = true;
        loop {
            if asked || Instant::now() >= ask_at {
                asked |= self.ask_store().await;
                ask_at = Instant::now() + ASK;
            }
            // Waivers in files end with their last day.
            let today = self.clock.now().to_zoned(TimeZone::UTC).date();
            let (given, complete) = self.given();
            let (now, force) = (self.clock.now(), asked || day != Some(today));
            let (returned, signature, edition, pause) = blocking("loading policies", move || {
                let start = std::time::Instant::now();
                let signature = loader.signature();
                let pause = LOOK.max(start.elapsed() * SHARE);
                let changed = signature.is_some() && signature != seen;
                let edition = (force || changed).then(|| loader.load(&given, now));
                (loader, signature.or(seen), edition, pause)
            })
            .await?;
            (loader, seen, day) = (returned, signature, Some(today));
            if let Some(edition) = edition {
                self.publish(edition, complete);
            }
            asked = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.asked.reload.notified() => true,
                () = tokio::time::sleep(pause) => false,
            };
        }
    }

    /// Whether the exceptions in force are others than before. A store that does not answer changes nothing.
    async fn ask_store(&mut self) -> bool {
        match self.store.exceptions_in_force(self.clock.now()).await {
            Ok(exceptions) if exceptions != self.exceptions => {
                self.exceptions = exceptions;
                true
            }
            Ok(_) => false,
            Err(error) => {
                tracing::warn!(%error, "exceptions stay as they were");
                // Those that are known to have ended are taken out all the same.
                let now = self.clock.now();
                let before = self.exceptions.len();
                self.exceptions.retain(|exception| exception.expires_at > now);
                before != self.exceptions.len()
            }
        }
    }

    /// What is handed in beside the files, and whether that is all.
    fn given(&self) -> (Given, bool) {
        let cluster = self.asked.cluster.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (complete, waivers) = (cluster.is_some(), self.exceptions.iter().map(waiver).collect());
        (Given { cluster: cluster.unwrap_or_default(), waivers }, complete)
    }

    fn publish(&self, edition: Edition, complete: bool) {
        let (mut status, was) = ((**self.statuses.borrow()).clone(), self.rulesets.borrow().digest.clone());
        let errors: Vec<_> = edition.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).collect();
        let known: BTreeSet<_> = status.problems.iter().cloned().collect();
        for error in errors.iter().map(ToString::to_string).filter(|error| !known.contains(error)) {
            tracing::warn!(problem = error, "a policy cannot be used as it is; what was in force before stays");
        }
        status.complete |= complete;
        status.loaded_at = Some(self.clock.now());
        status.loads = status.loads.saturating_add(1);
        status.failures = status.failures.saturating_add(u64::from(!errors.is_empty()));
        status.documents = edition.documents.into();
        status.problems = errors.iter().map(ToString::to_string).collect();
        if was != edition.ruleset.digest || status.loads == 1 {
            let policies = edition.ruleset.references().len();
            tracing::info!(policies, digest = %edition.ruleset.digest, "a new ruleset is in force");
        }
        self.rulesets.send_replace(edition.ruleset);
        self.statuses.send_replace(Arc::new(status));
    }
}

/// An approved exception as rulesets know it.
fn waiver(exception: &Exception) -> Entry {
    let shared = |texts: &[String]| texts.iter().map(|text| Str::from(text.as_str())).collect::<Vec<_>>();
    let selected = &exception.selector;
    let any = ["*".to_owned()];
    let policies = match (&*selected.policies, &*selected.rules) {
        (policies, []) => shared(policies),
        (policies, rules) => {
            let policies = if policies.is_empty() { &any } else { policies };
            policies.iter().flat_map(|policy| rules.iter().map(move |rule| format!("{policy}/{rule}").into())).collect()
        }
    };
    let selector = Selector {
        policies,
        kinds: shared(&selected.kinds),
        namespaces: shared(&selected.namespaces),
        names: shared(&selected.names),
        ..Selector::default()
    };
    let last_day = exception.expires_at.to_zoned(TimeZone::UTC).date();
    let waiver = Waiver {
        reason: exception.reason.as_str().into(),
        owner: exception.owner.as_str().into(),
        expires: last_day.to_string().into(),
        location: None,
        in_source: false,
    };
    Entry { selector, waiver: Arc::new(waiver), last_day }
}

#[cfg(test)]
mod tests {
    use palisade_model::PolicyRef;
    use palisade_store::{ExceptionSelector, ExceptionState};
    use palisade_verdict::selection::names_rule;

    use super::*;

    #[test]
    fn exceptions_cover_rules_of_policies() {
        let exception = |policies: &[&str], rules: &[&str]| Exception {
            id: "1".into(),
            selector: ExceptionSelector {
                policies: policies.iter().map(ToString::to_string).collect(),
                rules: rules.iter().map(ToString::to_string).collect(),
                ..ExceptionSelector::default()
            },
            reason: "r".into(),
            owner: "o".into(),
            team: "t".into(),
            expires_at: "2027-01-31T12:00:00Z".parse().unwrap(),
            state: ExceptionState::Approved,
            requested_by: "a".into(),
            requested_at: Timestamp::UNIX_EPOCH,
            decided_by: None,
            decided_at: None,
            note: None,
        };
        let policy =
            PolicyRef { kind: "ClusterPolicy".into(), namespace: None, name: "images".into(), digest: "".into() };
        let covers = |exception: Exception, rule: &str| {
            waiver(&exception).selector.policies.iter().any(|pattern| names_rule(pattern, &policy, rule))
        };
        assert!(covers(exception(&["images"], &[]), "tag"));
        assert!(covers(exception(&[], &["tag"]), "autogen-tag"));
        assert!(covers(exception(&["images"], &["tag"]), "tag"));
        assert!(!covers(exception(&["images"], &["tag"]), "registry"));
        assert!(!covers(exception(&["others"], &["tag"]), "tag"));
        assert_eq!(&*waiver(&exception(&[], &["tag"])).waiver.expires, "2027-01-31");
    }
}
