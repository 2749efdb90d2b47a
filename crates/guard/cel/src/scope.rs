//! Where an evaluation finds the values of its variables.

use std::collections::HashMap;

use palisade_model::Str;
use palisade_policy::Environment;

use crate::{Budget, EvalError, Val};

/// The variables of one evaluation. A variable is asked for at most once per evaluation, and only when it is reached.
///
/// Names may be dotted: an [`Env`](crate::Env) that declares `variables.x` makes the expression `variables.x` ask for
/// exactly that name, which is how values that are computed on demand are expressed.
pub trait Scope {
    /// The value of `name`; `None` where there is none. Computing it spends from the caller's `budget`.
    fn variable(&self, name: &str, budget: &mut Budget) -> Option<Result<Val, EvalError>>;

    /// What library functions may look up.
    fn environment(&self) -> Option<&Environment<'_>> {
        None
    }
}

/// A scope of ready values with no surroundings.
#[derive(Clone, Debug, Default)]
pub struct Bindings(HashMap<Str, Val>);

impl Bindings {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a variable.
    #[must_use]
    pub fn with(mut self, name: impl Into<Str>, value: impl Into<Val>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }
}

impl Scope for Bindings {
    fn variable(&self, name: &str, _budget: &mut Budget) -> Option<Result<Val, EvalError>> {
        self.0.get(name).cloned().map(Ok)
    }
}
