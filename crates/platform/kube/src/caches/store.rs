//! The objects of one kind, and how far they can be trusted.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use palisade_model::{Map, Str, Value};
use tokio_util::sync::CancellationToken;

use super::STALE_AFTER;
use super::interning::Names;
use super::subscription::{Event, Key, Queue};
use crate::Kind;

/// How far the cache of a kind can be trusted.
#[derive(Clone, Debug)]
pub struct Freshness {
    /// Whether the first list is complete.
    pub synced: bool,
    /// How many objects are known.
    pub objects: usize,
    /// How long ago the API server was last heard of about this kind; it sends bookmarks about once a minute.
    pub age: Duration,
    /// Why the watch fails at the moment.
    pub problem: Option<String>,
}

/// The objects of one kind.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) kind: Arc<Kind>,
    limit: usize,
    api_version: Value,
    kind_name: Value,
    names: Names,
    state: Mutex<State>,
    synced: Condvar,
    stop: Mutex<CancellationToken>,
}

#[derive(Debug)]
struct State {
    objects: BTreeMap<Key, Value>,
    synced: bool,
    generation: u64,
    heard: Instant,
    used: Instant,
    pinned: bool,
    failing: Option<(Instant, String)>,
    followers: Vec<Weak<Queue>>,
}

impl Store {
    pub(super) fn new(kind: Arc<Kind>, limit: usize) -> Self {
        let now = Instant::now();
        let state = State {
            objects: BTreeMap::new(),
            synced: false,
            generation: 0,
            heard: now,
            used: now,
            pinned: false,
            failing: None,
            followers: Vec::new(),
        };
        Self {
            limit,
            api_version: Value::string(kind.gvk.api_version()),
            kind_name: Value::String(kind.gvk.kind.clone()),
            kind,
            names: Names::default(),
            state: Mutex::new(state),
            synced: Condvar::new(),
            stop: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token that ends the watch: with `shutdown`, or when nobody uses the store any more.
    pub(super) fn stop_with(&self, shutdown: &CancellationToken) -> CancellationToken {
        let token = shutdown.child_token();
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&token);
        token
    }

    pub(super) fn stop(&self) {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }

    pub(super) fn touch(&self) {
        self.state().used = Instant::now();
    }

    pub(super) fn pin(&self) {
        self.state().pinned = true;
    }

    pub(super) fn is_used_within(&self, limit: Duration) -> bool {
        let mut state = self.state();
        state.followers.retain(|follower| follower.strong_count() > 0);
        state.pinned || !state.followers.is_empty() || state.used.elapsed() < limit
    }

    pub(super) fn freshness(&self) -> Freshness {
        let state = self.state();
        Freshness {
            synced: state.synced,
            objects: state.objects.len(),
            age: state.heard.elapsed(),
            problem: state.failing.as_ref().map(|(_, problem)| problem.clone()),
        }
    }

    pub(super) fn is_synced(&self) -> bool {
        self.state().synced
    }

    pub(super) fn problem(&self) -> Option<String> {
        self.state().failing.as_ref().map(|(_, problem)| problem.clone())
    }

    /// A number that grows with every change.
    pub(super) fn generation(&self) -> u64 {
        self.state().generation
    }

    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<Value> {
        self.state().objects.get(&(namespace.into(), name.into())).cloned()
    }

    /// Objects in order of namespace and name.
    pub(super) fn list(&self, namespace: &str) -> Vec<Value> {
        let state = self.state();
        if namespace.is_empty() || !self.kind.namespaced {
            return state.objects.values().cloned().collect();
        }
        let from = (Str::from(namespace), Str::from(""));
        let of_namespace = state.objects.range(from..).take_while(|((of, _), _)| **of == *namespace);
        of_namespace.map(|(_, object)| object.clone()).collect()
    }

    /// Waits, on a thread that may block, until the store can be asked.
    ///
    /// # Errors
    /// Where its watch has failed for longer than it may, or its first list is not complete within `limit`.
    pub(super) fn ready(&self, limit: Duration) -> Result<(), String> {
        let unsynced = |state: &mut State| !state.synced && state.failing.is_none();
        let waited = self.synced.wait_timeout_while(self.state(), limit, unsynced);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let plural = &self.kind.plural;
        match &state.failing {
            Some((_, problem)) if !state.synced => Err(format!("{plural} cannot be read: {problem}")),
            Some((since, problem)) if since.elapsed() > STALE_AFTER => {
                Err(format!("{plural} cannot be followed for {} seconds: {problem}", since.elapsed().as_secs()))
            }
            _ if state.synced => Ok(()),
            _ => Err(format!("the first list of {plural} is not complete within {} ms", limit.as_millis())),
        }
    }

    /// Adds a follower; it is told of everything that is known at once.
    pub(super) fn follow(&self, queue: &Arc<Queue>) {
        let mut state = self.state();
        for (key, object) in &state.objects {
            queue.push(&self.kind, key, Event::Applied(object.clone()));
        }
        state.followers.push(Arc::downgrade(queue));
    }

    pub(super) fn unfollow(&self, queue: &Arc<Queue>) {
        self.state().followers.retain(|follower| !std::ptr::eq(follower.as_ptr(), Arc::as_ptr(queue)));
    }

    /// The API server was heard of: the watch works.
    pub(super) fn heard(&self) {
        let mut state = self.state();
        state.heard = Instant::now();
        state.failing = None;
    }

    /// The watch fails.
    pub(super) fn fail(&self, problem: String) {
        let mut state = self.state();
        let since = state.failing.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        state.failing = Some((since, problem));
        self.synced.notify_all();
    }

    /// The first list, or a later one, is complete: what was not `seen` in it is gone.
    pub(super) fn listed(&self, seen: &HashSet<Key>) {
        let mut state = self.state();
        let gone: Vec<Key> = state.objects.keys().filter(|key| !seen.contains(*key)).cloned().collect();
        for key in gone {
            self.remove_from(&mut state, &key);
        }
        state.synced = true;
        state.heard = Instant::now();
        state.failing = None;
        self.synced.notify_all();
    }

    /// Takes an object in; returns its key.
    ///
    /// # Errors
    /// Where there are more objects than may be held.
    pub(super) fn apply(&self, object: &Value) -> Result<Key, String> {
        let key = key_of(object);
        let version = version_of(object);
        let mut state = self.state();
        state.heard = Instant::now();
        match state.objects.get(&key) {
            Some(known) if version.is_some() && version_of(known) == version => return Ok(key),
            None if state.objects.len() >= self.limit => {
                return Err(format!(
                    "there are more than {} objects; raise `kubernetes.max-cached-objects`",
                    self.limit
                ));
            }
            _ => {}
        }
        let object = self.names.shared(&self.tidy(object));
        state.objects.insert(key.clone(), object.clone());
        state.generation += 1;
        self.tell(&mut state, &key, &Event::Applied(object));
        Ok(key)
    }

    pub(super) fn remove(&self, object: &Value) {
        let mut state = self.state();
        state.heard = Instant::now();
        self.remove_from(&mut state, &key_of(object));
    }

    fn remove_from(&self, state: &mut State, key: &Key) {
        if let Some(object) = state.objects.remove(key) {
            state.generation += 1;
            self.tell(state, key, &Event::Deleted(object));
        }
    }

    fn tell(&self, state: &mut State, key: &Key, event: &Event) {
        state.followers.retain(|follower| {
            let follower = follower.upgrade();
            if let Some(queue) = &follower {
                queue.push(&self.kind, key, event.clone());
            }
            follower.is_some()
        });
    }

    /// The object as it is kept: with the kind that items of lists lack, without what only repeats it.
    fn tidy(&self, object: &Value) -> Value {
        let Some(members) = object.as_object() else { return Value::Null };
        let mut map = Map::with_capacity(members.len() + 2);
        map.insert("apiVersion", self.api_version.clone());
        map.insert("kind", self.kind_name.clone());
        for (key, member) in members.iter() {
            let member = match &**key {
                "apiVersion" | "kind" => continue,
                "metadata" => tidy_metadata(member),
                _ => member.clone(),
            };
            map.insert(key.clone(), member);
        }
        Value::object(map)
    }
}

fn tidy_metadata(metadata: &Value) -> Value {
    let mut metadata = metadata.clone();
    if let Some(members) = metadata.as_object_mut() {
        members.remove("managedFields");
        let Some(annotations) = members.get_mut("annotations").and_then(Value::as_object_mut) else { return metadata };
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        if annotations.is_empty() {
            members.remove("annotations");
        }
    }
    metadata
}

fn key_of(object: &Value) -> Key {
    let text = |key| object.dig(["metadata", key]).and_then(Value::as_shared_str).cloned().unwrap_or_else(|| "".into());
    (text("namespace"), text("name"))
}

fn version_of(object: &Value) -> Option<&str> {
    object.dig(["metadata", "resourceVersion"]).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use palisade_model::GroupVersionKind;

    use super::*;

    fn store(limit: usize) -> Store {
        let gvk = GroupVersionKind::new("v1", "Pod");
        let kind = Kind {
            gvk,
            plural: "pods".into(),
            namespaced: true,
            verbs: Vec::new(),
            sub_resources: Vec::new(),
            preferred: true,
        };
        Store::new(Arc::new(kind), limit)
    }

    fn pod(namespace: &str, name: &str, version: u32) -> Value {
        let text = format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"{namespace}","resourceVersion":"{version}",
                "managedFields":[{{}}],"annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"x","a":"b"}}}},
                "spec":{{}}}}"#
        );
        Value::from_json(&text).unwrap()
    }

    fn names(objects: &[Value]) -> Vec<&str> {
        objects.iter().map(|object| object.dig(["metadata", "name"]).unwrap().as_str().unwrap()).collect()
    }

    #[test]
    fn a_list_takes_the_place_of_what_was_known() {
        let store = store(10);
        for (namespace, name) in [("b", "one"), ("a", "two"), ("ab", "three")] {
            store.apply(&pod(namespace, name, 1)).unwrap();
        }
        assert_eq!(names(&store.list("")), ["two", "three", "one"]);
        assert_eq!(names(&store.list("a")), ["two"], "and not those of `ab`");
        let seen = HashSet::from([store.apply(&pod("a", "two", 1)).unwrap()]);
        let generation = store.generation();
        store.listed(&seen);
        assert_eq!(names(&store.list("")), ["two"]);
        assert_eq!(store.generation(), generation + 2);
    }

    #[test]
    fn objects_are_kept_without_what_repeats_them() {
        let store = store(10);
        store.apply(&pod("a", "one", 1)).unwrap();
        let found = store.get("a", "one").unwrap().to_json();
        let expected = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"one","namespace":"a","resourceVersion":"1","annotations":{"a":"b"}},"spec":{}}"#;
        assert_eq!(found, expected);
        store.apply(&pod("a", "two", 2)).unwrap();
        let first_name = |name| store.get("a", name).unwrap().as_object().unwrap().keys().next().unwrap().clone();
        assert!(Arc::ptr_eq(&first_name("one"), &first_name("two")), "a member's name is held once");
    }

    #[test]
    fn what_cannot_be_followed_is_an_error_after_a_while_and_at_once_before_the_first_list() {
        let store = store(1);
        assert!(store.ready(Duration::from_millis(1)).unwrap_err().contains("not complete"));
        store.fail("the server is gone".into());
        assert!(store.ready(Duration::from_secs(9)).unwrap_err().contains("the server is gone"), "without waiting");
        store.listed(&HashSet::new());
        store.fail("the server is gone".into());
        assert_eq!(store.ready(Duration::ZERO), Ok(()), "what was true a moment ago still serves");
        let long_ago = Instant::now().checked_sub(STALE_AFTER + Duration::from_secs(1)).unwrap();
        store.state().failing = Some((long_ago, "the server is gone".into()));
        assert!(store.ready(Duration::ZERO).unwrap_err().contains("cannot be followed"));
        store.heard();
        assert_eq!(store.ready(Duration::ZERO), Ok(()));
        store.apply(&pod("a", "one", 1)).unwrap();
        assert!(store.apply(&pod("a", "two", 1)).unwrap_err().contains("max-cached-objects"), "memory is bounded");
    }

    #[test]
    fn a_slow_follower_sees_the_newest_state_once() {
        let store = store(10);
        store.apply(&pod("a", "one", 1)).unwrap();
        let queue: Arc<Queue> = Arc::default();
        store.follow(&queue);
        store.apply(&pod("a", "one", 2)).unwrap();
        store.apply(&pod("a", "one", 3)).unwrap();
        store.apply(&pod("a", "two", 4)).unwrap();
        store.remove(&pod("a", "two", 5));
        let Event::Applied(one) = queue.pop().unwrap().event else { panic!("the first is there") };
        assert_eq!(version_of(&one), Some("3"));
        assert!(matches!(queue.pop().unwrap().event, Event::Deleted(_)));
        assert!(queue.pop().is_none());
        store.unfollow(&queue);
        store.apply(&pod("a", "one", 6)).unwrap();
        assert!(queue.pop().is_none());
    }
}
