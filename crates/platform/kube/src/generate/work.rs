//! The workers of the generator: one trigger, or one object that was made, at a time.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use palisade_model::{GroupVersionKind, PolicyRef, Str, Value, Verdict};
use palisade_policy::{Effect, LookupError, Lookups, RuleUpkeep};
use palisade_runtime::{Backoff, Queue, Urgency};
use palisade_verdict::Ruleset;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Generator;
use super::asking::{Happened, RuleAnswer, Surroundings};
use super::made::Index;
use super::memory::{Memory, generating};
use super::origin::{Identity, Origin, depth_of, key_of, source_of, subject_of};
use super::patching;
use super::writing::{Wanted, WriteError, Written};
use crate::KubeError;
use crate::cleanup::Removal;
use crate::controller::{ActionKind, Failure, ObjectKey, Patience, Teller, uid_of};

/// The name under which the memory is kept.
pub(super) const CONTROLLER: &str = "generate";

/// The most generated objects in a row, each of which led to the next.
const MOST_DEPTH: u32 = 5;

/// The most times that an object is written within [`WINDOW`] before it is left alone for as long.
const MOST_WRITES: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);

/// The first and the longest pause before something is tried again.
const RETRY: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(5));

/// What is worked on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Item {
    /// An object that may trigger rules.
    Trigger(ObjectKey),
    /// An object that a rule made.
    Made(ObjectKey),
}

/// What the workers share.
pub(super) struct Work {
    pub(super) generator: Generator,
    pub(super) queue: Queue<Item>,
    teller: Teller,
    memory: Mutex<Memory>,
    index: Mutex<Index>,
    happened: Mutex<HashMap<ObjectKey, Happened>>,
    writes: Mutex<HashMap<ObjectKey, (u32, Instant)>>,
    /// Policies that have been gone for long enough.
    pub(super) gone: Mutex<Vec<Identity>>,
    /// Objects of a kind were made of which none was before.
    pub(super) new_kind: Notify,
    stop: CancellationToken,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Work {
    /// Reads the memory. Without it nothing is done: old triggers cannot be told from new ones.
    pub(super) async fn start(generator: Generator, stop: CancellationToken) -> Self {
        let memory = loop {
            match generator.state.load(CONTROLLER).await {
                Ok(state) => {
                    let known = state.as_ref().and_then(Memory::read);
                    break known.unwrap_or_else(|| Memory::new(generator.clock.now()));
                }
                Err(error) => tracing::warn!(%error, "the generator's memory cannot be read; it is tried again"),
            }
            tokio::time::sleep(RETRY.after(1)).await;
        };
        Self {
            queue: Queue::new(generator.config.rescans_per_second),
            teller: Teller::new(&generator.caches, generator.sink.clone(), generator.clock.clone()),
            memory: Mutex::new(memory),
            index: Mutex::default(),
            happened: Mutex::default(),
            writes: Mutex::default(),
            gone: Mutex::default(),
            new_kind: Notify::new(),
            generator,
            stop,
        }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        lock(&self.index)
    }

    /// Something happened to a trigger. A removal after a creation that nobody looked at cancels both.
    pub(super) fn note(&self, key: &ObjectKey, happened: Happened) {
        let mut all = lock(&self.happened);
        let first = match (all.remove(key), happened) {
            (Some(first @ (Happened::Created | Happened::Found)), Happened::Updated(_)) => first,
            (Some(Happened::Updated(first)), Happened::Updated(_)) => Happened::Updated(first),
            (_, happened) => happened,
        };
        all.insert(key.clone(), first);
    }

    pub(super) fn ruleset(&self) -> Arc<Ruleset> {
        self.generator.rulesets.borrow().clone()
    }

    /// Works until it is aborted.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            let item = self.queue.next().await;
            let done = match &item {
                Item::Trigger(key) => self.trigger(key).await,
                Item::Made(key) => self.made(key).await,
            };
            match done {
                Ok(()) => self.queue.done(&item),
                Err(error) => {
                    tracing::debug!(?item, %error, "the generator tries again");
                    self.queue.failed(&item, RETRY);
                }
            }
        }
    }

    /// Does what rules want for a trigger.
    async fn trigger(self: &Arc<Self>, key: &ObjectKey) -> Result<(), Failure> {
        let happened = lock(&self.happened).remove(key);
        let done = self.answer_to(key, happened.as_ref()).await;
        if let (Err(_), Some(happened)) = (&done, happened) {
            // What came meanwhile is newer.
            lock(&self.happened).entry(key.clone()).or_insert(happened);
        }
        done
    }

    async fn answer_to(self: &Arc<Self>, key: &ObjectKey, happened: Option<&Happened>) -> Result<(), Failure> {
        let exists = self.find(key).await?;
        let ((Some(trigger), _) | (None, Some(Happened::Removed(trigger)))) = (&exists, happened) else {
            return Ok(());
        };
        let trigger = trigger.clone();
        // What is on its way out gets nothing more; that it is gone is heard of.
        if exists.as_ref().is_some_and(is_leaving) {
            return Ok(());
        }
        // It went and came again: what happened to the old one is over.
        let happened = match happened {
            Some(Happened::Removed(_)) if exists.is_some() => Some(&Happened::Created),
            other => other,
        };
        let ruleset = self.ruleset();
        let answers = self.ask(&ruleset, &trigger, happened.cloned()).await?;
        let mut failed = None;
        for answer in &answers {
            if !self.is_due(answer, &trigger, matches!(happened, Some(Happened::Found))) {
                continue;
            }
            if let Err(error) = self.act(answer, &trigger, exists.is_some()).await {
                failed = Some(error);
            }
        }
        if exists.is_some() {
            self.remove_unmatched(&ruleset, &answers, &trigger).await?;
        }
        failed.map_or(Ok(()), Err)
    }

    async fn ask(
        self: &Arc<Self>,
        ruleset: &Arc<Ruleset>,
        trigger: &Value,
        happened: Option<Happened>,
    ) -> Result<Vec<RuleAnswer>, Failure> {
        let (work, ruleset, trigger) = (self.clone(), ruleset.clone(), trigger.clone());
        let asking = move || {
            let patience = Patience::until(&work.stop);
            let now = work.generator.clock.now();
            let lookups = &work.generator.caches;
            Surroundings { ruleset: &ruleset, lookups, now, patience: &patience }.ask(&trigger, happened.as_ref())
        };
        let answers = tokio::task::spawn_blocking(asking).await?;
        if self.stop.is_cancelled() { Err("the generator stops".into()) } else { Ok(answers) }
    }

    /// Whether the rule is to act on the trigger now.
    fn is_due(&self, answer: &RuleAnswer, trigger: &Value, found: bool) -> bool {
        let upkeep = &answer.upkeep;
        let created = trigger.dig(["metadata", "creationTimestamp"]).and_then(Value::as_str);
        let created: Option<Timestamp> = created.and_then(|text| text.parse().ok());
        let memory = self.memory();
        let Some(remembered) = memory.policies.get(&answer.identity) else { return answer.to_event };
        let fresh = remembered.digest != answer.policy.digest;
        // Creation times have whole seconds.
        let is_younger = |moment: Timestamp| created.is_some_and(|created| created.as_second() >= moment.as_second());
        let in_force = is_younger(remembered.since);
        let missed = found && in_force && is_younger(memory.until);
        drop(memory);
        let made = || {
            let made = self.index().for_trigger(&uid_of(trigger));
            made.iter().any(|(_, made)| made.origin.policy == answer.identity && made.origin.rule == answer.rule)
        };
        answer.to_event
            || missed
            || (upkeep.existing && (fresh || upkeep.synchronize))
            || (upkeep.synchronize && (in_force || made()))
    }

    async fn act(self: &Arc<Self>, answer: &RuleAnswer, trigger: &Value, exists: bool) -> Result<(), Failure> {
        let subject = subject_of(trigger);
        let about = (Some(&answer.policy), &answer.rule);
        let done = match (answer.verdict, &answer.effect) {
            (Verdict::Skip, _) => Ok(()),
            (Verdict::Error | Verdict::Fail, _) => {
                self.remove_sourceless(answer, trigger).await?;
                Err(answer.message.clone().into())
            }
            (_, Effect::PatchedTargets(targets)) => self.patch(answer, trigger, targets).await,
            (_, Effect::Generated(objects)) => self.generate(answer, trigger, objects, exists).await,
            _ => self.generate(answer, trigger, &[], exists).await,
        };
        if let Err(error) = &done {
            self.teller.tell(ActionKind::Failed, about, &subject, None, error.to_string()).await;
        }
        done
    }

    async fn generate(
        self: &Arc<Self>,
        answer: &RuleAnswer,
        trigger: &Value,
        objects: &[Value],
        exists: bool,
    ) -> Result<(), Failure> {
        let key = key_of(trigger).ok_or("the trigger has no kind")?;
        let origin = Origin {
            policy: answer.identity.clone(),
            rule: answer.rule.clone(),
            trigger: key,
            trigger_uid: uid_of(trigger),
        };
        let mut wanted = HashSet::new();
        let mut failed = None;
        for object in objects {
            match self.bring_about(answer, &origin, trigger, object).await {
                Ok(key) => drop(wanted.insert(key)),
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if answer.upkeep.synchronize && exists {
            let made = self.index().for_trigger(&origin.trigger_uid);
            let stale =
                made.into_iter().filter(|(key, made)| made.origin.is_same_rule(&origin) && !wanted.contains(key));
            for (key, _) in stale {
                self.remove(&key, about(answer), "the rule does not want it any more").await?;
            }
        }
        Ok(())
    }

    /// Makes one object what a rule wants it to be.
    async fn bring_about(
        self: &Arc<Self>,
        answer: &RuleAnswer,
        origin: &Origin,
        trigger: &Value,
        object: &Value,
    ) -> Result<ObjectKey, Failure> {
        let key = key_of(object).ok_or("the rule made an object without apiVersion or kind")?;
        let discovery = self.generator.caches.discovery();
        let kind = discovery.get(&key.gvk).ok_or_else(|| KubeError::UnknownKind(key.gvk.to_string()))?.clone();
        let depth = depth_of(trigger) + 1;
        let repeats = Origin::read(trigger).is_some_and(|made| made.is_same_rule(origin));
        if repeats || depth > MOST_DEPTH || key == origin.trigger {
            let message =
                "the rule is triggered by what it makes itself, at the end of a chain of rules; the chain ends here";
            return Err(message.into());
        }
        if kind.namespaced && self.find(&namespace_of(&key)).await?.as_ref().is_some_and(is_leaving) {
            return Ok(key);
        }
        let mut object = object.clone();
        origin.write(&mut object, depth);
        let upkeep = &answer.upkeep;
        let wanted = Wanted {
            kind: &kind,
            object: &object,
            origin,
            synchronize: upkeep.synchronize,
            takes_over: upkeep.takes_over,
        };
        let existing = self.find(&key).await?;
        let accepted = self.index().get(&key).and_then(|made| made.accepted.clone());
        self.may_write(&key)?;
        let connection = self.generator.caches.connection();
        let written = wanted.bring_about(connection, existing.as_ref(), accepted.as_ref()).await;
        match written {
            Ok(Written::Nothing) => {}
            Ok(Written::Created(made)) => {
                self.wrote(&key, &wanted, &made, answer, ActionKind::Created, "generated").await;
            }
            Ok(Written::Updated(made)) => {
                let unchanged = existing.as_ref().is_some_and(|existing| version_of(existing) == version_of(&made));
                if unchanged {
                    self.index().insert(key.clone(), origin.clone(), Some(wanted.accepted(&made)));
                } else {
                    self.wrote(&key, &wanted, &made, answer, ActionKind::Updated, "brought back in step").await;
                }
            }
            // Trying again changes nothing; when the other object goes or changes, the trigger is looked at again.
            Err(WriteError::Foreign(name)) => {
                let message = WriteError::Foreign(name).to_string();
                self.teller
                    .tell(ActionKind::Failed, about(answer), &key.subject("".into()), Some(&origin.subject()), message)
                    .await;
            }
            Err(WriteError::Kube(error)) => return Err(error.into()),
        }
        Ok(key)
    }

    async fn wrote(
        &self,
        key: &ObjectKey,
        wanted: &Wanted<'_>,
        made: &Value,
        answer: &RuleAnswer,
        kind: ActionKind,
        message: &str,
    ) {
        self.count_write(key);
        self.index().insert(key.clone(), wanted.origin.clone(), Some(wanted.accepted(made)));
        let name: Str = format!("{}/{}/{}", key.gvk.group, key.gvk.version, key.gvk.kind).into();
        let new = {
            let mut memory = self.memory();
            let new = !memory.made_kinds.contains(&name);
            if new {
                memory.made_kinds.push(name);
            }
            new
        };
        if new {
            self.new_kind.notify_one();
        }
        let trigger = wanted.origin.subject();
        self.teller.tell(kind, about(answer), &key.subject(uid_of(made)), Some(&trigger), message).await;
    }

    async fn patch(self: &Arc<Self>, answer: &RuleAnswer, trigger: &Value, targets: &[Value]) -> Result<(), Failure> {
        for after in targets {
            let key = key_of(after).ok_or("the rule made an object without apiVersion or kind")?;
            let Some(before) = self.find(&key).await? else { continue };
            if version_of(&before) != version_of(after) {
                return Err("the target changed meanwhile".into());
            }
            self.may_write(&key)?;
            if patching::patch(&self.generator.caches, &before, after).await? {
                self.count_write(&key);
                let trigger = subject_of(trigger);
                self.teller
                    .tell(ActionKind::Updated, about(answer), &subject_of(&before), Some(&trigger), "changed")
                    .await;
            }
        }
        Ok(())
    }

    /// Removes what rules made for a trigger that they do not select any more.
    async fn remove_unmatched(
        self: &Arc<Self>,
        ruleset: &Ruleset,
        answers: &[RuleAnswer],
        trigger: &Value,
    ) -> Result<(), Failure> {
        let made = self.index().for_trigger(&uid_of(trigger));
        for (key, made) in made {
            let origin = &made.origin;
            let answered = answers.iter().any(|answer| answer.identity == origin.policy && answer.rule == origin.rule);
            let upkeep = rule_in_force(ruleset, origin);
            if !answered && upkeep.is_some_and(|upkeep| upkeep.synchronize && !upkeep.removals) {
                let (policy, rule) = policy_of(ruleset, origin);
                self.remove(&key, (policy.as_ref(), &rule), "the rule does not select its trigger any more").await?;
            }
        }
        Ok(())
    }

    /// Removes copies whose source is gone. What cannot be told stays.
    async fn remove_sourceless(self: &Arc<Self>, answer: &RuleAnswer, trigger: &Value) -> Result<(), Failure> {
        if !answer.upkeep.synchronize {
            return Ok(());
        }
        let made = self.index().for_trigger(&uid_of(trigger));
        for (key, made) in made {
            if made.origin.policy != answer.identity || made.origin.rule != answer.rule {
                continue;
            }
            let Some(copy) = self.find(&key).await? else { continue };
            let Some((gvk, namespace, uid)) = source_of(&copy) else { continue };
            let discovery = self.generator.caches.discovery();
            let Some(kind) = discovery.get(&gvk).cloned() else { continue };
            self.generator.caches.wait_synced(&kind, Duration::from_secs(5)).await?;
            let sources = self.generator.caches.objects_of(&kind, &namespace);
            if !sources.iter().any(|source| uid_of(source) == uid) {
                self.remove(&key, about(answer), "its source is gone").await?;
            }
        }
        Ok(())
    }

    /// Sees whether an object that a rule made is still wanted.
    async fn made(self: &Arc<Self>, key: &ObjectKey) -> Result<(), Failure> {
        let ruleset = self.ruleset();
        let Some(object) = self.find(key).await? else { return self.made_is_gone(&ruleset, key).await };
        let Some(origin) = Origin::read(&object) else { return Ok(()) };
        let (policy, rule) = policy_of(&ruleset, &origin);
        let by = (policy.as_ref(), &rule);
        if let Some(upkeep) = rule_in_force(&ruleset, &origin) {
            if !upkeep.synchronize || upkeep.removals {
                return Ok(());
            }
            let trigger = self.find(&origin.trigger).await?;
            if trigger.is_some_and(|trigger| uid_of(&trigger) == origin.trigger_uid) {
                self.queue.add(Item::Trigger(origin.trigger), Urgency::Now);
                return Ok(());
            }
            return self.remove(key, by, "its trigger is gone").await;
        }
        let upkeep =
            self.memory().policies.get(&origin.policy).and_then(|known| known.rules.get(&origin.rule).cloned());
        let is_gone = policy.is_some() || lock(&self.gone).contains(&origin.policy);
        match upkeep {
            Some(upkeep) if is_gone && upkeep.synchronize && !upkeep.orphan && !upkeep.clones => {
                self.remove(key, by, "the rule that made it is gone").await
            }
            _ => Ok(()),
        }
    }

    /// Makes an object anew that somebody removed, where its rule keeps it in step.
    async fn made_is_gone(self: &Arc<Self>, ruleset: &Ruleset, key: &ObjectKey) -> Result<(), Failure> {
        let made = self.index().get(key).cloned();
        let Some(origin) = made.map(|made| made.origin) else { return Ok(()) };
        let kept = rule_in_force(ruleset, &origin).is_some_and(|upkeep| upkeep.synchronize);
        let trigger = if kept { self.find(&origin.trigger).await? } else { None };
        if trigger.is_some_and(|trigger| uid_of(&trigger) == origin.trigger_uid) {
            // What is remembered of the object makes the rule act on an old trigger.
            self.queue.add(Item::Trigger(origin.trigger), Urgency::Now);
        } else {
            self.index().remove(key);
        }
        Ok(())
    }

    /// Removes an object that a rule made, provided that it still says so.
    async fn remove(&self, key: &ObjectKey, by: (Option<&Arc<PolicyRef>>, &Str), reason: &str) -> Result<(), Failure> {
        let Some(object) = self.find(key).await? else {
            self.index().remove(key);
            return Ok(());
        };
        let Some(origin) = Origin::read(&object) else { return Ok(()) };
        if is_leaving(&object) {
            return Ok(());
        }
        let discovery = self.generator.caches.discovery();
        let Some(kind) = discovery.get(&key.gvk) else { return Ok(()) };
        let removal = Removal { kind, object: &object, propagation: None };
        match removal.carry_out(self.generator.caches.connection()).await {
            Ok(()) => {
                let subject = key.subject(uid_of(&object));
                let message = format!("removed: {reason}");
                self.teller.tell(ActionKind::Removed, by, &subject, Some(&origin.subject()), message).await;
                Ok(())
            }
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The object as the cache has it; `None` where it is gone.
    async fn find(&self, key: &ObjectKey) -> Result<Option<Value>, Failure> {
        let (caches, query) = (self.generator.caches.clone(), key.query());
        match tokio::task::spawn_blocking(move || caches.get(&query)).await? {
            Ok(object) => Ok(Some(object)),
            Err(LookupError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether an object was not written so often lately that rules, or a rule and somebody else, must be at odds.
    fn may_write(&self, key: &ObjectKey) -> Result<(), Failure> {
        let mut writes = lock(&self.writes);
        writes.retain(|_, (_, since)| since.elapsed() < WINDOW);
        match writes.get(key) {
            Some((count, _)) if *count >= MOST_WRITES => Err(format!(
                "{} `{}/{}` was written {MOST_WRITES} times within {} seconds; somebody changes it back each time",
                key.gvk.kind,
                key.namespace,
                key.name,
                WINDOW.as_secs()
            )
            .into()),
            _ => Ok(()),
        }
    }

    fn count_write(&self, key: &ObjectKey) {
        lock(&self.writes).entry(key.clone()).or_insert_with(|| (0, Instant::now())).0 += 1;
    }
}

fn about(answer: &RuleAnswer) -> (Option<&Arc<PolicyRef>>, &Str) {
    (Some(&answer.policy), &answer.rule)
}

/// Whether an object is being removed.
fn is_leaving(object: &Value) -> bool {
    object.dig(["metadata", "deletionTimestamp"]).is_some()
}

fn namespace_of(key: &ObjectKey) -> ObjectKey {
    let gvk = GroupVersionKind::new("v1", "Namespace");
    ObjectKey { gvk, namespace: "".into(), name: key.namespace.clone() }
}

fn version_of(object: &Value) -> Option<&str> {
    object.dig(["metadata", "resourceVersion"]).and_then(Value::as_str)
}

/// What the rule that made an object asks for, where policy and rule are in force.
fn rule_in_force<'r>(ruleset: &'r Ruleset, origin: &Origin) -> Option<&'r RuleUpkeep> {
    let (_, policy) = generating(ruleset).find(|(_, policy)| Identity::of(policy.reference()) == origin.policy)?;
    policy.info().upkeep.rule(&origin.rule)
}

/// The policy and rule that made an object, for records.
fn policy_of(ruleset: &Ruleset, origin: &Origin) -> (Option<Arc<PolicyRef>>, Str) {
    let found = ruleset.references().iter().find(|reference| Identity::of(reference) == origin.policy);
    (found.cloned(), origin.rule.clone())
}
