//! What a policy asks for beyond answering: objects kept in step, existing objects changed, schedules.
//!
//! Controllers read it here, because they know no policy language. Deliberately absent: doing any of it.

use palisade_model::Str;

use crate::schedule::Schedule;

/// What a policy asks its controllers to do.
#[derive(Clone, Debug, Default)]
pub struct Upkeep {
    /// When existing objects are judged for removal; `None` for policies that remove nothing.
    pub schedule: Option<Schedule>,
    /// How dependents of a removed object are treated: `Foreground`, `Background` or `Orphan`.
    pub propagation: Option<Str>,
    /// What single rules ask for, by name; rules that are not listed ask for nothing.
    pub rules: Vec<(Str, RuleUpkeep)>,
}

/// What a rule that generates objects, or changes existing ones, asks its controller to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of a rule")]
pub struct RuleUpkeep {
    /// Objects that exist when the policy comes or changes are triggers too.
    pub existing: bool,
    /// What was made follows its source, and goes with its trigger.
    pub synchronize: bool,
    /// What was made outlives the policy.
    pub orphan: bool,
    /// What was made is a copy of other objects, which decide about it instead of the policy.
    pub clones: bool,
    /// Fields are taken over from whoever wrote them, also of objects that somebody else made.
    pub takes_over: bool,
    /// The rule changes objects that exist already.
    pub targets: bool,
    /// Removing an object is a trigger too.
    pub removals: bool,
}

impl Upkeep {
    /// What a rule asks for.
    pub fn rule(&self, name: &str) -> Option<&RuleUpkeep> {
        self.rules.iter().find(|(rule, _)| **rule == *name).map(|(_, upkeep)| upkeep)
    }
}
