//! Everything an evaluation may depend on beside policy and request, as arguments: time, look-ups, given variables.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use palisade_model::{Map, Str, Value};

use crate::Lookups;

/// What surrounds an evaluation. The same environment, policy and request give the same outcomes.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    /// The moment of the decision.
    pub now: Timestamp,
    /// What may be looked up.
    pub lookups: &'a dyn Lookups,
    /// Variables given by a values file, which stand in for look-ups.
    pub variables: &'a Variables,
    /// Seed of `random`, so that a replay draws the same strings.
    pub seed: u64,
    /// The most CEL cost units that one expression may use.
    pub cel_cost_limit: u64,
    /// The most steps (JMESPath nodes, pattern nodes, loop rounds) that one rule may take.
    pub step_limit: u64,
    /// Whether values may be placeholders that another tool fills in before an API server sees them, as in files.
    pub filled_in_later: bool,
    /// Who hears what policies print and how they decide.
    pub listener: Option<&'a dyn Listener>,
    /// Who says that nobody waits for the answer any more.
    pub stop: Option<&'a dyn Stop>,
}

/// Ends evaluations early: a rule that hears of it between two of its steps answers with an error. Asked every few
/// thousand steps, from every thread that judges; a flag, or a clock and a deadline.
pub trait Stop: Sync {
    /// Whether to end.
    fn is_requested(&self) -> bool;
}

impl Stop for AtomicBool {
    fn is_requested(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}

/// The message of what was ended by a [`Stop`].
pub const STOPPED: &str = "the evaluation was stopped: the time for the request is over";

/// Hears what policies say beside their verdicts. Called from every thread that judges.
pub trait Listener: Sync {
    /// A policy printed a line (`print` of Rego).
    fn print(&self, line: &str);

    /// Whether every step of a decision is wanted; slow.
    fn wants_trace(&self) -> bool {
        false
    }

    /// How a policy decided about a request, in lines.
    fn trace(&self, text: &str) {
        let _ = text;
    }
}

/// Kubernetes' own limit for one expression is 10 million units; rules made of many expressions stay under it too.
pub const DEFAULT_CEL_COST_LIMIT: u64 = 10_000_000;
/// Enough for any rule seen in public libraries a thousand times over, and a few hundred milliseconds at the worst.
pub const DEFAULT_STEP_LIMIT: u64 = 10_000_000;

impl<'a> Environment<'a> {
    /// An environment with default limits.
    pub fn new(now: Timestamp, lookups: &'a dyn Lookups, variables: &'a Variables) -> Self {
        Self {
            now,
            lookups,
            variables,
            seed: 0,
            cel_cost_limit: DEFAULT_CEL_COST_LIMIT,
            step_limit: DEFAULT_STEP_LIMIT,
            filled_in_later: false,
            listener: None,
            stop: None,
        }
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_some_and(Stop::is_requested)
    }
}

impl std::fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("now", &self.now).field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// Variables from a Kyverno `Values` file. Keys are variable names as policies write them (`request.operation`,
/// `dictionary.data.env`); a rule's value wins over its resource's, which wins over a global one.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// `globalValues`.
    pub globals: Map,
    /// `policies[].resources[].values`, by policy and resource name.
    pub resources: HashMap<(Str, Str), Map>,
    /// `policies[].rules[].values`, by policy and rule name.
    pub rules: HashMap<(Str, Str), Map>,
    /// `policies[].rules[].foreachValues`, by policy and rule name: one array per key, an element per round.
    pub foreach: HashMap<(Str, Str), Map>,
    /// `namespaceSelector[]`: labels by namespace.
    pub namespace_labels: HashMap<Str, Map>,
    /// `subresources[]`: parent and subresource kinds, as written.
    pub subresources: Vec<Value>,
}
