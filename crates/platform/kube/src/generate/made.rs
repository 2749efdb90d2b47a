//! What rules have made, by object and by trigger. It is built from the origins that the objects carry, so that it need not
//! be kept anywhere. Deliberately absent: making and removing.

use std::collections::{HashMap, HashSet};

use palisade_model::Str;

use super::origin::{Identity, Origin};
use super::writing::Accepted;
use crate::controller::ObjectKey;

/// An object that a rule made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) origin: Origin,
    /// How the API server took it.
    pub(super) accepted: Option<Accepted>,
}

/// What was made, by object and by trigger.
#[derive(Debug, Default)]
pub(super) struct Index {
    made: HashMap<ObjectKey, Made>,
    by_trigger: HashMap<Str, HashSet<ObjectKey>>,
}

impl Index {
    pub(super) fn insert(&mut self, key: ObjectKey, origin: Origin, accepted: Option<Accepted>) {
        let known = self.remove(&key).filter(|known| known.origin == origin);
        let accepted = accepted.or_else(|| known.and_then(|known| known.accepted));
        self.by_trigger.entry(origin.trigger_uid.clone()).or_default().insert(key.clone());
        self.made.insert(key, Made { origin, accepted });
    }

    pub(super) fn remove(&mut self, key: &ObjectKey) -> Option<Made> {
        let made = self.made.remove(key)?;
        if let Some(keys) = self.by_trigger.get_mut(&made.origin.trigger_uid) {
            keys.remove(key);
            if keys.is_empty() {
                self.by_trigger.remove(&made.origin.trigger_uid);
            }
        }
        Some(made)
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Made> {
        self.made.get(key)
    }

    pub(super) fn keys(&self) -> Vec<ObjectKey> {
        self.made.keys().cloned().collect()
    }

    /// What was made for the trigger with this identifier.
    pub(super) fn for_trigger(&self, uid: &str) -> Vec<(ObjectKey, Made)> {
        let keys = self.by_trigger.get(uid).into_iter().flatten();
        keys.filter_map(|key| Some((key.clone(), self.made.get(key)?.clone()))).collect()
    }

    /// What a policy made.
    pub(super) fn of_policy(&self, policy: &Identity) -> Vec<ObjectKey> {
        self.made.iter().filter(|(_, made)| made.origin.policy == *policy).map(|(key, _)| key.clone()).collect()
    }
}
