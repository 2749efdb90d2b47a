//! Conditions of legacy rules: `key`, `operator` and `value`, alone or in `any` and `all` blocks.
//!
//! Used by preconditions, deny conditions, cleanup policies, exceptions and image attestations alike. Deliberately
//! absent: finding variables in keys and values; the caller substitutes them when a condition is reached, so that a
//! condition that is never reached cannot fail.

use std::cell::Cell;

use palisade_model::{Str, Value};

/// How key and value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `Equals` and `Equal`.
    Equals,
    /// `NotEquals` and `NotEqual`.
    NotEquals,
    /// `In`, deprecated.
    In,
    /// `NotIn`, deprecated.
    NotIn,
    /// Any key is among the values.
    AnyIn,
    /// All keys are among the values.
    AllIn,
    /// Any key is not among the values.
    AnyNotIn,
    /// No key is among the values.
    AllNotIn,
    /// Numbers, quantities, durations and versions by size.
    Compare(Ordering),
    /// Durations by length, deprecated.
    Duration(Ordering),
}

/// A relation of size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordering {
    /// `GreaterThan`.
    Greater,
    /// `GreaterThanOrEquals`.
    GreaterOrEqual,
    /// `LessThan`.
    Less,
    /// `LessThanOrEquals`.
    LessOrEqual,
}

impl Operator {
    /// Reads an operator's name, in any letter case.
    pub fn parse(_name: &str) -> Option<Self> {
        None
    }
}

/// Compares two values; `steps` is the rule's budget and counts down.
pub fn evaluate(_key: &Value, _operator: Operator, _value: &Value, _steps: &Cell<u64>) -> Result<bool, String> {
    Ok(false)
}

/// One comparison, as written.
#[derive(Clone, Debug)]
pub struct Condition {
    /// What is compared, variables included.
    pub key: Value,
    /// The operator's name.
    pub operator: Str,
    /// What it is compared with, variables included.
    pub value: Value,
    /// What to say of it.
    pub message: Option<Str>,
}

/// A block of conditions: any of the first and all of the second.
#[derive(Clone, Debug, Default)]
pub struct AnyAll {
    /// At least one must hold, where given.
    pub any: Option<Vec<Condition>>,
    /// All must hold.
    pub all: Vec<Condition>,
}

/// Conditions in any of the forms that policies use.
#[derive(Clone, Debug)]
pub enum Conditions {
    /// The old form: a bare list, all of which must hold.
    List(Vec<Condition>),
    /// One `any`/`all` block.
    Block(AnyAll),
    /// Several blocks, all of which must hold.
    Blocks(Vec<AnyAll>),
}

/// What conditions came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether they hold.
    pub met: bool,
    /// The messages of the conditions that decided, joined; empty where none has one.
    pub message: String,
}

impl Conditions {
    /// Reads conditions; `null` is an empty block, which holds.
    pub fn parse(_source: &Value) -> Result<Self, String> {
        Ok(Self::Block(AnyAll::default()))
    }

    /// Evaluates the conditions in Kyverno's order, substituting each key and value when it is reached.
    pub fn evaluate(
        &self,
        _substitute: &mut dyn FnMut(&Value) -> Result<Value, String>,
        _steps: &Cell<u64>,
    ) -> Result<Outcome, String> {
        Ok(Outcome { met: true, message: String::new() })
    }
}
