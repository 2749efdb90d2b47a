//! Who watches an evaluation: prints, coverage and traces.
//!
//! Expressions are told of in programs compiled with instrumentation only; without an observer nothing is told.

use crate::plan::{Place, RuleId};

/// Told what happens, in the order in which it happens.
pub trait Observer {
    /// A definition of a rule is about to be evaluated.
    fn entered(&mut self, _rule: RuleId, _definition: Place) {}
    /// A definition has a solution.
    fn exited(&mut self, _rule: RuleId, _definition: Place) {}
    /// A definition has no solution.
    fn failed(&mut self, _rule: RuleId, _definition: Place) {}
    /// The expression of this number is about to be evaluated.
    fn expression_entered(&mut self, _number: u32) {}
    /// The expression of this number does not hold.
    fn expression_failed(&mut self, _number: u32) {}
    /// `print` was called.
    fn print(&mut self, _place: Place, _text: &str) {}
}
