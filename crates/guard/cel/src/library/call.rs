//! What a running function may reach: the budget, the surroundings, compiled patterns.

use std::borrow::Cow;

use palisade_policy::Environment;

use super::re2::Pattern;
use crate::{Budget, EvalError};

/// What compiling a pattern while evaluating costs: it takes up to a millisecond.
const COMPILATION: u64 = 10_000;

/// The surroundings of one call of a function.
#[derive(Debug)]
pub struct Call<'a> {
    budget: &'a mut Budget,
    environment: Option<&'a Environment<'a>>,
    pattern: Option<&'a Pattern>,
}

impl<'a> Call<'a> {
    pub(crate) const fn new(
        budget: &'a mut Budget,
        environment: Option<&'a Environment<'a>>,
        pattern: Option<&'a Pattern>,
    ) -> Self {
        Self { budget, environment, pattern }
    }

    /// Spends cost units; call it before doing work or taking memory in proportion.
    pub fn spend(&mut self, units: u64) -> Result<(), EvalError> {
        self.budget.spend(units)
    }

    /// Spends the cost of walking or building `size` characters, bytes or elements.
    pub fn spend_size(&mut self, size: usize) -> Result<(), EvalError> {
        self.budget.spend_size(size)
    }

    /// Units spent so far.
    pub fn spent(&self) -> u64 {
        self.budget.spent()
    }

    /// What may be looked up; an error where the expression is evaluated without surroundings.
    pub fn environment(&self) -> Result<&'a Environment<'a>, EvalError> {
        self.environment.ok_or_else(|| EvalError::invalid("this function is not available here"))
    }

    /// The compiled form of a pattern: the precompiled one where the argument named by
    /// [`Function::pattern`](crate::Function::pattern) is constant.
    pub fn pattern(&mut self, source: &str) -> Result<Cow<'a, Pattern>, EvalError> {
        match self.pattern {
            Some(pattern) if pattern.source() == source => Ok(Cow::Borrowed(pattern)),
            _ => {
                self.budget.spend(COMPILATION + source.len() as u64 * 10)?;
                Pattern::new(source).map(Cow::Owned)
            }
        }
    }
}
