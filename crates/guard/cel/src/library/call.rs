//! What a running function may reach: the budget, the surroundings, compiled patterns.

use std::borrow::Cow;

use palisade_policy::Environment;
use regex::{Regex, RegexBuilder};

use crate::{Budget, EvalError};

/// The largest compiled regular expression, in bytes.
const REGEX_SIZE_LIMIT: usize = 1 << 20;

/// The surroundings of one call of a function.
#[derive(Debug)]
pub struct Call<'a> {
    budget: &'a mut Budget,
    environment: Option<&'a Environment<'a>>,
    pattern: Option<&'a Regex>,
}

impl<'a> Call<'a> {
    pub(crate) const fn new(
        budget: &'a mut Budget,
        environment: Option<&'a Environment<'a>>,
        pattern: Option<&'a Regex>,
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

    /// What may be looked up; an error where the expression is evaluated without surroundings.
    pub fn environment(&self) -> Result<&'a Environment<'a>, EvalError> {
        self.environment.ok_or_else(|| EvalError::invalid("this function is not available here"))
    }

    /// The compiled form of a pattern: the precompiled one where the argument named by
    /// [`Function::pattern`](crate::Function::pattern) is constant.
    pub fn regex(&self, pattern: &str) -> Result<Cow<'a, Regex>, EvalError> {
        match self.pattern {
            Some(regex) if regex.as_str() == pattern => Ok(Cow::Borrowed(regex)),
            _ => compile_regex(pattern).map(Cow::Owned),
        }
    }
}

/// Compiles a regular expression of RE2's syntax within limits.
pub(crate) fn compile_regex(pattern: &str) -> Result<Regex, EvalError> {
    RegexBuilder::new(pattern)
        .size_limit(REGEX_SIZE_LIMIT)
        .dfa_size_limit(REGEX_SIZE_LIMIT)
        .build()
        .map_err(|error| EvalError::invalid(format_args!("invalid regular expression `{pattern}`: {error}")))
}
