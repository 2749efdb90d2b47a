//! What an evaluation may spend. One unit is roughly one step, as in cel-go's cost model that Kubernetes limits.

use palisade_policy::environment::DEFAULT_CEL_COST_LIMIT;

use crate::EvalError;

/// A count of cost units with a limit; pass the same one to several evaluations to share the limit among them.
#[derive(Clone, Debug)]
pub struct Budget {
    limit: u64,
    spent: u64,
    /// From how many units spent on the one who waits is asked next whether to go on.
    ask_at: u64,
}

/// After how many units the one who waits is asked.
const BETWEEN_QUESTIONS: u64 = 4_096;

impl Budget {
    /// A budget of `limit` units.
    pub const fn new(limit: u64) -> Self {
        Self { limit, spent: 0, ask_at: BETWEEN_QUESTIONS }
    }

    /// Spends `units`; fails for good once more than the limit is spent.
    pub const fn spend(&mut self, units: u64) -> Result<(), EvalError> {
        self.spent = self.spent.saturating_add(units);
        if self.spent > self.limit { Err(EvalError::CostExceeded { limit: self.limit }) } else { Ok(()) }
    }

    /// Spends the cost of walking `size` characters, bytes or elements that the step before has produced.
    pub const fn spend_size(&mut self, size: usize) -> Result<(), EvalError> {
        self.spend(size as u64 / 10 + 1)
    }

    /// Whether enough was spent since the last time to ask whether to go on.
    pub(crate) const fn is_due(&mut self) -> bool {
        let due = self.spent >= self.ask_at;
        if due {
            self.ask_at = self.spent.saturating_add(BETWEEN_QUESTIONS);
        }
        due
    }

    /// Units spent so far.
    pub const fn spent(&self) -> u64 {
        self.spent
    }

    /// The limit.
    pub const fn limit(&self) -> u64 {
        self.limit
    }
}

impl Default for Budget {
    /// Kubernetes' limit for one expression.
    fn default() -> Self {
        Self::new(DEFAULT_CEL_COST_LIMIT)
    }
}
