//! What changes in the cluster and in the policies, and what is to be looked at therefore.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use palisade_model::Value;
use palisade_policy::Reads;
use palisade_runtime::Urgency;
use palisade_verdict::Ruleset;
use tokio::sync::watch;
use tokio::time::Instant;

use super::asking::Happened;
use super::memory::generating;
use super::origin::{Identity, Origin};
use super::work::{CONTROLLER, Item, Work, lock};
use crate::controller::{ObjectKey, at, concerned, uid_of};
use crate::{Change, Event, Kind, Subscription};

/// How often it is seen whether all was done.
const TICK: Duration = Duration::from_millis(500);

/// How much later the moment up to which all was done has to be to be worth keeping.
const WORTH_KEEPING: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);

pub(super) struct Following {
    work: Arc<Work>,
    rulesets: watch::Receiver<Arc<Ruleset>>,
    subscription: Subscription,
    triggers: Vec<Arc<Kind>>,
    /// What the policies look at.
    reads: Reads,
    /// Possible triggers as they were when they changed last.
    seen: HashMap<ObjectKey, Value>,
    /// Since when policies that were in force are missing.
    missing: HashMap<Identity, Instant>,
    settled: Option<Instant>,
    resync: Instant,
    /// Whether everything that exists is known: what comes then is new.
    complete: bool,
}

impl Following {
    pub(super) fn new(work: Arc<Work>) -> Self {
        Self {
            rulesets: work.generator.rulesets.clone(),
            subscription: work.generator.caches.subscribe(),
            triggers: Vec::new(),
            reads: Reads::nothing(),
            seen: HashMap::new(),
            missing: HashMap::new(),
            settled: None,
            resync: Instant::now() + work.generator.config.resync,
            complete: false,
            work,
        }
    }

    pub(super) async fn run(mut self) {
        let mut discoveries = self.work.generator.caches.discoveries();
        let work = self.work.clone();
        self.follow();
        let mut tick = tokio::time::interval(TICK);
        loop {
            let settled = self.settled;
            tokio::select! {
                changed = self.rulesets.changed() => {
                    if changed.is_err() {
                        return std::future::pending().await;
                    }
                    self.follow();
                    self.look_at_everything();
                }
                changed = discoveries.changed() => {
                    if changed.is_ok() {
                        self.follow();
                    }
                }
                () = work.new_kind.notified() => self.follow(),
                change = self.subscription.next() => self.heard(change),
                () = at(settled) => {
                    self.settled = None;
                    self.look_at_everything();
                }
                () = tokio::time::sleep_until(self.resync) => {
                    self.resync = Instant::now() + self.work.generator.config.resync;
                    self.look_at_everything();
                }
                _ = tick.tick() => self.take_stock().await,
            }
        }
    }

    /// Follows the kinds that may trigger rules, those of sources, and those of which something was made.
    fn follow(&mut self) {
        let ruleset = self.rulesets.borrow_and_update().clone();
        self.work.memory().note(&ruleset, self.work.generator.clock.now());
        let discovery = self.work.generator.caches.discovery();
        self.triggers = concerned(&discovery, generating(&ruleset).map(|(_, policy)| policy));
        self.reads = Reads::nothing();
        generating(&ruleset).for_each(|(_, policy)| self.reads.absorb(&policy.info().reads));
        let made = self.work.memory().made_kinds.clone();
        let is_made = |kind: &Kind| {
            let name = format!("{}/{}/{}", kind.gvk.group, kind.gvk.version, kind.gvk.kind);
            made.iter().any(|made| **made == *name)
        };
        let mut all = self.triggers.clone();
        for kind in discovery.kinds().iter().filter(|kind| kind.is_watchable()) {
            let wanted = is_made(kind) || (kind.preferred && self.reads.names(&kind.gvk.kind));
            if wanted && !all.iter().any(|known| known.gvk == kind.gvk) {
                all.push(kind.clone());
            }
        }
        let known = self.subscription.kinds();
        let new = all.iter().any(|kind| !known.iter().any(|known| known.gvk == kind.gvk));
        self.subscription.follow(&all);
        self.seen.retain(|key, _| all.iter().any(|kind| kind.gvk == key.gvk));
        // What exists of a new kind arrives like something new.
        self.complete &= !new;
    }

    fn is_trigger(&self, kind: &Kind) -> bool {
        self.triggers.iter().any(|trigger| trigger.gvk == kind.gvk)
    }

    fn look_at_everything(&self) {
        for kind in &self.triggers {
            for object in self.work.generator.caches.objects_of(kind, "") {
                self.work.queue.add(Item::Trigger(ObjectKey::named_by(kind, &object)), Urgency::Rescan);
            }
        }
        for key in self.work.index().keys() {
            self.work.queue.add(Item::Made(key), Urgency::Rescan);
        }
    }

    fn heard(&mut self, change: Change) {
        let key =
            ObjectKey { gvk: change.kind.gvk.clone(), namespace: change.namespace.clone(), name: change.name.clone() };
        let (Event::Applied(object) | Event::Deleted(object)) = &change.event;
        let origin = Origin::read(object);
        let is_copy = origin.is_some();
        let was_made = self.work.index().get(&key).is_some();
        match (&change.event, origin) {
            (Event::Applied(_), Some(origin)) => self.work.index().insert(key.clone(), origin, None),
            // It lost its origin: whether its rule wants it anew is seen from its trigger.
            (Event::Applied(_), None) => {
                if let Some(made) = self.work.index().remove(&key) {
                    self.work.queue.add(Item::Trigger(made.origin.trigger), Urgency::Now);
                }
            }
            (Event::Deleted(_), _) => {}
        }
        if is_copy || was_made {
            self.work.queue.add(Item::Made(key.clone()), if self.complete { Urgency::Now } else { Urgency::Rescan });
        }
        let changed = self.is_changed(&key, &change.event);
        // What is listed at the start is no change, but what goes while it is listed is.
        let is_news = self.complete || matches!(change.event, Event::Deleted(_));
        if changed && !is_copy && is_news && self.reads.looks_up(&change.kind.gvk.kind) {
            self.settled.get_or_insert_with(|| Instant::now() + self.work.generator.config.settle);
        }
        if changed && self.is_trigger(&change.kind) {
            self.triggered(&key, change.event);
        }
    }

    /// Whether something about an object changed that policies may look at.
    fn is_changed(&self, key: &ObjectKey, event: &Event) -> bool {
        let (Event::Applied(object), Some(before)) = (event, self.seen.get(key)) else { return true };
        uid_of(object) != uid_of(before) || self.reads.relevant(object) != self.reads.relevant(before)
    }

    fn triggered(&mut self, key: &ObjectKey, event: Event) {
        let before = match &event {
            Event::Applied(object) => self.seen.insert(key.clone(), object.clone()),
            Event::Deleted(_) => self.seen.remove(key),
        };
        match event {
            Event::Applied(object) => {
                let same = before.as_ref().is_some_and(|before| uid_of(before) == uid_of(&object));
                if let Some(before) = before.as_ref().filter(|_| !same) {
                    self.left_behind(before);
                }
                let first = if self.complete { Happened::Created } else { Happened::Found };
                self.work.note(key, before.filter(|_| same).map_or(first, Happened::Updated));
            }
            Event::Deleted(object) => {
                self.left_behind(&object);
                self.work.note(key, Happened::Removed(object));
            }
        }
        let urgency = if self.complete { Urgency::Now } else { Urgency::Rescan };
        self.work.queue.add(Item::Trigger(key.clone()), urgency);
    }

    /// Looks at what was made for a trigger that is gone.
    fn left_behind(&self, trigger: &Value) {
        for (key, _) in self.work.index().for_trigger(&uid_of(trigger)) {
            self.work.queue.add(Item::Made(key), Urgency::Now);
        }
    }

    /// Sees whether everything that exists is known, which policies are gone, and whether all was done.
    async fn take_stock(&mut self) {
        if !self.complete {
            if !self.subscription.is_synced() {
                return;
            }
            while let Some(change) = self.subscription.try_next() {
                self.heard(change);
            }
            self.complete = true;
            return;
        }
        let began = self.work.generator.clock.now();
        let ruleset = self.rulesets.borrow().clone();
        let gone = self.note_missing(&ruleset);
        if self.work.queue.backlog() > 0 || self.settled.is_some() {
            return;
        }
        let (state, worth) = {
            let mut memory = self.work.memory();
            let before = memory.clone();
            memory.complete(&ruleset, &gone, began);
            let moved = memory.until.duration_since(before.until) >= WORTH_KEEPING;
            let worth = moved || memory.policies != before.policies || memory.made_kinds != before.made_kinds;
            if !worth {
                memory.until = before.until;
            }
            (memory.to_value(), worth)
        };
        lock(&self.work.gone).retain(|identity| !gone.contains(identity));
        if worth && let Err(error) = self.work.generator.state.save(CONTROLLER, &state).await {
            tracing::warn!(%error, "the generator's memory could not be kept");
        }
    }

    /// Policies that were in force and have been missing for long enough. What they made is looked at first.
    fn note_missing(&mut self, ruleset: &Ruleset) -> Vec<Identity> {
        let present: Vec<Identity> = generating(ruleset).map(|(_, policy)| Identity::of(policy.reference())).collect();
        self.missing.retain(|identity, _| !present.contains(identity));
        lock(&self.work.gone).retain(|identity| !present.contains(identity));
        let remembered: Vec<Identity> = self.work.memory().policies.keys().cloned().collect();
        let mut looked_at = Vec::new();
        for identity in remembered.into_iter().filter(|identity| !present.contains(identity)) {
            let since = *self.missing.entry(identity.clone()).or_insert_with(Instant::now);
            if since.elapsed() < self.work.generator.config.grace {
                continue;
            }
            if lock(&self.work.gone).contains(&identity) {
                looked_at.push(identity);
                continue;
            }
            lock(&self.work.gone).push(identity.clone());
            for key in self.work.index().of_policy(&identity) {
                self.work.queue.add(Item::Made(key), Urgency::Now);
            }
        }
        looked_at
    }
}
