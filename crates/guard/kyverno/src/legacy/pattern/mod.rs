//! Kyverno's overlay patterns: a tree shaped like the resource, whose leaves are conditions and whose keys may carry
//! anchors.
//!
//! A [`Pattern`] is compiled once from the policy (or after variables were substituted) and judged against many
//! resources. All numbers of a resource count as doubles, which is how Kyverno's commands see them; its admission
//! controller keeps integers apart, and differs for wildcards on numbers. Deliberately absent: variables, `anyPattern` and the message of the rule,
//! which belong to the rule engine.

mod anchor;
mod compile;
mod failure;
mod scalar;
mod term;
mod walk;

use std::sync::Arc;

use palisade_model::{Path, Str, Value};
use palisade_policy::steps::Steps;

pub use anchor::{Anchor, AnchorKind};
pub(crate) use term::is_range;

/// A compiled pattern; cloning is cheap.
#[derive(Clone, Debug)]
pub struct Pattern {
    root: Arc<compile::Node>,
    tracked: usize,
}

/// How a resource and a pattern disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// A condition or global anchor does not hold, so the rule does not apply.
    Skip,
    /// The resource violates the pattern at a path.
    Fail,
    /// Kyverno cannot say where the resource violates the pattern, or it could not be judged: an error for the rule.
    Error,
}

/// Why a resource does not satisfy a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// What follows for the rule.
    pub mismatch: Mismatch,
    /// The offending field; the root for anything but [`Mismatch::Fail`].
    pub path: Path,
    /// The reason, in Kyverno's words.
    pub message: String,
}

impl PatternError {
    /// The path as Kyverno prints it in messages: `/spec/containers/0/image/`.
    pub fn pointer(&self) -> String {
        failure::pointer(&self.path)
    }
}

impl Pattern {
    /// Compiles a pattern whose variables have been substituted.
    pub fn compile(source: &Value) -> Self {
        let mut compiler = compile::Compiler::default();
        let root = Arc::new(compiler.compile(source));
        Self { root, tracked: compiler.tracked() }
    }

    /// Judges a resource; `steps` is the rule's budget and counts down.
    pub fn validate(&self, resource: &Value, steps: &Steps<'_>) -> Result<(), PatternError> {
        let mut walk = walk::Walk::new(steps, self.tracked);
        walk.judge(&self.root, resource, &failure::Trail::ROOT).map_err(|failure| walk.conclude(failure))
    }
}

/// Whether a text satisfies a string pattern, as conditions and functions use it outside of rules.
pub fn text_matches(pattern: &Str, value: &Value) -> bool {
    scalar::Scalar::text(pattern).matches(value)
}

#[cfg(test)]
mod tests;
