//! Removal of objects when the time comes: policies with a schedule, and the label that gives an object a lifetime.
//!
//! A policy is asked about every object that it may be about each time its schedule comes round; runs that were missed are
//! made up for by one. An object is removed only as it was judged: another one of its name, or a newer state of it, is
//! judged first. What could not be evaluated stays. Deliberately absent: a schedule finer than a minute.

mod label;
mod removal;
mod ttl;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use palisade_model::{Map, PolicyRef, Str, Value, Verdict};
use palisade_policy::{AdmissionRequest, Effect, Environment, Operation, Phase, Policy, Request, Variables};
use palisade_runtime::Clock;
use palisade_verdict::Ruleset;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::controller::{
    ActionKind, ActionSink, ControllerState, Failure, ObjectKey, Patience, Teller, concerned, uid_of,
};
use crate::{Caches, Kind};
pub(crate) use removal::Removal;

/// How the cleanup goes about its work.
#[derive(Clone, Debug)]
pub struct CleanupConfig {
    /// How often schedules are looked at.
    pub tick: Duration,
    /// How often objects with a lifetime of their own are looked for.
    pub label_interval: Duration,
    /// How long a removal may have to wait for the next one, so that the API server is not flooded.
    pub pace: Duration,
}

impl Default for CleanupConfig {
    fn default() -> Self {
        Self { tick: Duration::from_secs(10), label_interval: Duration::from_mins(1), pace: Duration::from_millis(20) }
    }
}

/// What the cleanup works with.
pub struct Cleaner {
    /// The cluster.
    pub caches: Caches,
    /// The policies.
    pub rulesets: watch::Receiver<Arc<Ruleset>>,
    /// When policies ran last.
    pub state: Arc<dyn ControllerState>,
    /// Who hears what was removed.
    pub sink: Arc<dyn ActionSink>,
    /// What time it is.
    pub clock: Clock,
    /// How it goes about its work.
    pub config: CleanupConfig,
}

impl std::fmt::Debug for Cleaner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cleaner").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The name under which the state is kept.
const CONTROLLER: &str = "cleanup";

/// How often an object that changes all the time is judged anew in one run.
const ATTEMPTS: usize = 3;

impl Cleaner {
    /// Removes what is to be removed until `stop`, on the leader only.
    pub async fn run(self, stop: CancellationToken) {
        let teller = Teller::new(&self.caches, self.sink.clone(), self.clock.clone());
        let work = Work { cleaner: self, teller, stop: stop.clone() };
        let both = futures_util::future::join(work.follow_schedules(), work.follow_labels());
        tokio::select! {
            () = stop.cancelled() => {}
            _ = both => {}
        }
    }
}

struct Work {
    cleaner: Cleaner,
    teller: Teller,
    stop: CancellationToken,
}

/// When policies ran last, by their identity.
type Runs = Map;

impl Work {
    async fn follow_schedules(&self) {
        let mut runs = self.load().await;
        loop {
            let before = runs.clone();
            let ruleset = self.cleaner.rulesets.borrow().clone();
            for (index, policy) in due(&ruleset, &mut runs, self.cleaner.clock.now()) {
                self.run_policy(&ruleset, index, &*policy).await;
            }
            if runs != before {
                let state = Value::object(runs.clone());
                if let Err(error) = self.cleaner.state.save(CONTROLLER, &state).await {
                    tracing::warn!(%error, "when cleanup policies ran could not be kept; after a restart they may run again");
                }
            }
            tokio::time::sleep(self.cleaner.config.tick).await;
        }
    }

    /// What earlier runs left. Without it nothing is removed: a policy that just ran would run again.
    async fn load(&self) -> Runs {
        loop {
            match self.cleaner.state.load(CONTROLLER).await {
                Ok(state) => return state.as_ref().and_then(Value::as_object).cloned().unwrap_or_default(),
                Err(error) => tracing::warn!(%error, "when cleanup policies ran cannot be read; it is tried again"),
            }
            tokio::time::sleep(self.cleaner.config.tick).await;
        }
    }

    async fn run_policy(&self, ruleset: &Arc<Ruleset>, index: usize, policy: &dyn Policy) {
        let kinds = concerned(&self.cleaner.caches.discovery(), std::iter::once(policy));
        for kind in kinds.iter().filter(|kind| kind.can("delete")) {
            if let Err(error) = self.cleaner.caches.wait_synced(kind, Duration::from_secs(30)).await {
                tracing::warn!(%error, policy = %policy.reference(), "a cleanup policy cannot look at all its objects");
                continue;
            }
            let namespace = policy.reference().namespace.clone().unwrap_or_default();
            for object in self.cleaner.caches.objects_of(kind, &namespace) {
                self.consider(ruleset, index, kind, object).await;
            }
        }
    }

    /// Judges an object and removes it where the policy says so; judges it again where it changed meanwhile.
    async fn consider(&self, ruleset: &Arc<Ruleset>, index: usize, kind: &Arc<Kind>, mut object: Value) {
        for _ in 0..ATTEMPTS {
            let Ok(verdict) = self.ask(ruleset, index, &object).await else { return };
            let Some(verdict) = verdict else { return };
            let key = ObjectKey::named_by(kind, &object);
            let subject = key.subject(uid_of(&object));
            let about = (Some(&verdict.policy), &verdict.rule);
            if let Some(problem) = verdict.problem {
                return self.teller.tell(ActionKind::Failed, about, &subject, None, problem).await;
            }
            let removal = Removal { kind, object: &object, propagation: verdict.propagation.as_deref() };
            match removal.carry_out(self.cleaner.caches.connection()).await {
                Ok(()) => {
                    self.teller.tell(ActionKind::Removed, about, &subject, None, "removed on schedule").await;
                    return tokio::time::sleep(self.cleaner.config.pace).await;
                }
                Err(error) if error.is_not_found() => return,
                Err(error) if error.is_conflict() => {
                    let path = kind.path(&key.namespace, &key.name);
                    let Ok(newer) = self.cleaner.caches.connection().get(&path).await else { return };
                    object = newer;
                }
                Err(error) => {
                    return self.teller.tell(ActionKind::Failed, about, &subject, None, error.to_string()).await;
                }
            }
        }
    }

    async fn ask(&self, ruleset: &Arc<Ruleset>, index: usize, object: &Value) -> Result<Option<Removable>, Failure> {
        let (ruleset, object) = (ruleset.clone(), object.clone());
        let (caches, now, patience) =
            (self.cleaner.caches.clone(), self.cleaner.clock.now(), Patience::until(&self.stop));
        let asking = move || {
            let variables = Variables::default();
            let environment = Environment { stop: Some(&patience), ..Environment::new(now, &caches, &variables) };
            judge(&ruleset, index, &object, &environment)
        };
        Ok(tokio::task::spawn_blocking(asking).await?)
    }
}

/// An object that a policy wants removed, or that it could not be asked about.
#[derive(Debug)]
struct Removable {
    policy: Arc<PolicyRef>,
    rule: Str,
    propagation: Option<Str>,
    /// Why it stays after all.
    problem: Option<String>,
}

/// What the policy with this index says of an object; `None` where it stays.
fn judge(ruleset: &Ruleset, index: usize, object: &Value, environment: &Environment<'_>) -> Option<Removable> {
    if object.dig(["metadata", "deletionTimestamp"]).is_some() {
        return None;
    }
    let resource = palisade_model::Resource::in_memory(object.clone());
    let request = Request::admission(AdmissionRequest::of(&resource, Operation::Create));
    let policy = ruleset.policies().get(index)?;
    let mut removable = None;
    for answer in ruleset.answers(Phase::Delete, &request, environment) {
        if answer.policy != index {
            continue;
        }
        let outcome = answer.outcome;
        let property =
            |key: &str| outcome.properties.iter().find(|(name, _)| **name == *key).map(|(_, text)| text.clone());
        let propagation = property("deletionPropagationPolicy").or_else(|| policy.info().upkeep.propagation.clone());
        let problem = match (outcome.verdict, &outcome.effect) {
            (Verdict::Error, _) => Some(outcome.message),
            (Verdict::Pass, Effect::Deleted) => None,
            _ => return None,
        };
        let found = Removable { policy: answer.reference, rule: outcome.rule, propagation, problem };
        let failed = found.problem.is_some();
        removable = Some(found);
        if failed {
            break;
        }
    }
    removable
}

/// The policies whose time has come, with their places in the ruleset. Remembers that they run now, and when policies were
/// seen first; what is remembered of others is dropped.
fn due(ruleset: &Ruleset, runs: &mut Runs, now: Timestamp) -> Vec<(usize, Arc<dyn Policy>)> {
    let mut found = Vec::new();
    let mut kept = Runs::new();
    for (index, policy) in ruleset.policies().iter().enumerate() {
        let Some(schedule) = &policy.info().upkeep.schedule else { continue };
        let reference = policy.reference();
        let key: Str = format!("{}/{reference}", reference.kind).into();
        let last = runs.get(&key).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
        // A clock that was turned back does not keep a policy waiting until it has caught up.
        let last = last.map(|last| last.min(now));
        let is_due = last.and_then(|last| schedule.next_after(last)).is_some_and(|next| next <= now);
        if is_due {
            found.push((index, policy.clone()));
        }
        let remembered = if is_due { now } else { last.unwrap_or(now) };
        kept.insert(key, remembered.to_string());
    }
    *runs = kept;
    found
}
