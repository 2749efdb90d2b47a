//! What the generator remembers across restarts: which policies were in force since when, what their rules asked for, and
//! up to which moment all triggers were looked at.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade_model::{Map, Str, Value};
use palisade_policy::{Phase, Policy, RuleUpkeep};
use palisade_verdict::Ruleset;

use super::origin::Identity;

/// Creation times have whole seconds, and watches lag behind.
const SLACK_SECONDS: i64 = 5;

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// What was created before was looked at.
    pub(super) until: Timestamp,
    pub(super) policies: BTreeMap<Identity, Remembered>,
    /// Kinds of which objects were made, as `group/version/Kind`.
    pub(super) made_kinds: Vec<Str>,
}

/// A policy that generates, or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    /// When it was first in force.
    pub(super) since: Timestamp,
    /// The version that was applied to all that exists.
    pub(super) digest: Str,
    /// What its rules ask for, those that it has no more included.
    pub(super) rules: BTreeMap<Str, RuleUpkeep>,
}

/// Whether the policy generates objects or changes existing ones.
pub(super) fn generates(policy: &dyn Policy) -> bool {
    let info = policy.info();
    info.has_phase(Phase::Generate) || info.upkeep.rules.iter().any(|(_, upkeep)| upkeep.targets)
}

/// The policies of a ruleset that the generator is about, with their places.
pub(super) fn generating(ruleset: &Ruleset) -> impl Iterator<Item = (usize, &dyn Policy)> + Clone {
    let policies = ruleset.policies().iter().map(|policy| &**policy).enumerate();
    policies.filter(|(_, policy)| generates(*policy))
}

impl Memory {
    /// Of a generator that never ran.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { until: now, policies: BTreeMap::new(), made_kinds: Vec::new() }
    }

    /// Takes note of the policies that are in force now.
    pub(super) fn note(&mut self, ruleset: &Ruleset, now: Timestamp) {
        for (_, policy) in generating(ruleset) {
            let remembered = self.policies.entry(Identity::of(policy.reference())).or_insert_with(|| Remembered {
                since: now,
                digest: "".into(),
                rules: BTreeMap::new(),
            });
            for (rule, upkeep) in &policy.info().upkeep.rules {
                remembered.rules.insert(rule.clone(), upkeep.clone());
            }
        }
    }

    /// Everything was done for these policies, at a moment when nothing was left to do.
    pub(super) fn complete(&mut self, ruleset: &Ruleset, gone: &[Identity], began: Timestamp) {
        for (_, policy) in generating(ruleset) {
            if let Some(remembered) = self.policies.get_mut(&Identity::of(policy.reference())) {
                remembered.digest = policy.reference().digest.clone();
                let rules = &policy.info().upkeep.rules;
                remembered.rules.retain(|name, _| rules.iter().any(|(rule, _)| rule == name));
            }
        }
        self.policies.retain(|identity, _| !gone.contains(identity));
        let slack = jiff::SignedDuration::from_secs(SLACK_SECONDS);
        self.until = self.until.max(began.checked_sub(slack).unwrap_or(began));
    }

    pub(super) fn to_value(&self) -> Value {
        let policies: Map = self
            .policies
            .iter()
            .map(|(identity, remembered)| {
                let rules: Map =
                    remembered.rules.iter().map(|(name, upkeep)| (name.clone(), written(upkeep))).collect();
                let mut members = Map::new();
                members.insert("since", remembered.since.to_string());
                members.insert("digest", remembered.digest.clone());
                members.insert("rules", rules);
                (identity.0.clone(), Value::object(members))
            })
            .collect();
        let mut members = Map::new();
        members.insert("until", self.until.to_string());
        members.insert("policies", policies);
        members.insert("made", self.made_kinds.iter().cloned().map(Value::from).collect::<Vec<_>>());
        Value::object(members)
    }

    /// Reads what was written; `None` where it is something else.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let moment = |value: Option<&Value>| value?.as_str()?.parse::<Timestamp>().ok();
        let mut policies = BTreeMap::new();
        for (identity, policy) in value.get("policies")?.as_object()?.iter() {
            let rules = policy.get("rules")?.as_object()?.iter();
            policies.insert(
                Identity(identity.clone()),
                Remembered {
                    since: moment(policy.get("since"))?,
                    digest: policy.get("digest")?.as_shared_str()?.clone(),
                    rules: rules.map(|(name, upkeep)| (name.clone(), read(upkeep))).collect(),
                },
            );
        }
        let made = value.get("made").and_then(Value::as_array).unwrap_or_default();
        Some(Self {
            until: moment(value.get("until"))?,
            policies,
            made_kinds: made.iter().filter_map(|kind| kind.as_shared_str().cloned()).collect(),
        })
    }
}

/// The settings that still matter once the rule is gone, by their names in Kyverno's policies.
fn written(upkeep: &RuleUpkeep) -> Value {
    let flags = [("synchronize", upkeep.synchronize), ("orphan", upkeep.orphan), ("clones", upkeep.clones)];
    Value::array(flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| Value::from(name)).collect::<Vec<_>>())
}

fn read(value: &Value) -> RuleUpkeep {
    let has = |name: &str| value.as_array().unwrap_or_default().iter().any(|flag| flag.as_str() == Some(name));
    RuleUpkeep {
        synchronize: has("synchronize"),
        orphan: has("orphan"),
        clones: has("clones"),
        ..RuleUpkeep::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut memory = Memory::new(now);
        let upkeep = RuleUpkeep { synchronize: true, clones: true, ..RuleUpkeep::default() };
        let rules = BTreeMap::from([("r".into(), upkeep)]);
        memory
            .policies
            .insert(Identity("ClusterPolicy//p".into()), Remembered { since: now, digest: "d".into(), rules });
        memory.made_kinds.push("/v1/Secret".into());
        assert_eq!(Memory::read(&memory.to_value()), Some(memory));
        assert_eq!(Memory::read(&Value::Null), None);
    }
}
