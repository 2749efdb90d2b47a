//! The operators by name, and the dispatch to what they mean.

use palisade_model::{Relation, Value, wildcard};
use palisade_policy::steps::Steps;

use super::membership::{self, Quantifier};
use super::{equality, size};

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
    Compare(Relation),
    /// Durations by length, deprecated.
    Duration(Relation),
}

const NAMES: [(&str, Operator); 18] = [
    ("Equals", Operator::Equals),
    ("Equal", Operator::Equals),
    ("NotEquals", Operator::NotEquals),
    ("NotEqual", Operator::NotEquals),
    ("In", Operator::In),
    ("NotIn", Operator::NotIn),
    ("AnyIn", Operator::AnyIn),
    ("AllIn", Operator::AllIn),
    ("AnyNotIn", Operator::AnyNotIn),
    ("AllNotIn", Operator::AllNotIn),
    ("GreaterThan", Operator::Compare(Relation::Greater)),
    ("GreaterThanOrEquals", Operator::Compare(Relation::GreaterOrEqual)),
    ("LessThan", Operator::Compare(Relation::Less)),
    ("LessThanOrEquals", Operator::Compare(Relation::LessOrEqual)),
    ("DurationGreaterThan", Operator::Duration(Relation::Greater)),
    ("DurationGreaterThanOrEquals", Operator::Duration(Relation::GreaterOrEqual)),
    ("DurationLessThan", Operator::Duration(Relation::Less)),
    ("DurationLessThanOrEquals", Operator::Duration(Relation::LessOrEqual)),
];

impl Operator {
    /// Reads an operator's name, in any letter case.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, operator)| *operator)
    }

    /// Whether this is an operator's name as Kyverno's policy validation demands it, letter case included.
    pub fn is_name(name: &str) -> bool {
        NAMES.iter().any(|(known, _)| *known == name)
    }
}

/// Compares two values; `steps` is the rule's budget and counts down.
pub fn evaluate(key: &Value, operator: Operator, value: &Value, steps: &Steps<'_>) -> Result<bool, String> {
    if !steps.take(cost(key, value)) {
        return Err("the condition takes too many steps; compare fewer values".to_owned());
    }
    Ok(match operator {
        Operator::Equals => equality::equal(key, value),
        // Neither operator holds for a key that has no value.
        Operator::NotEquals => !key.is_null() && !equality::equal(key, value),
        Operator::In => membership::subset(key, value)?.unwrap_or(false),
        Operator::NotIn => membership::not_subset(key, value)?.unwrap_or(false),
        Operator::AnyIn => membership::within(key, value, Quantifier::Any).unwrap_or(false),
        Operator::AllIn => membership::within(key, value, Quantifier::All).unwrap_or(false),
        Operator::AnyNotIn => membership::without(key, value, Quantifier::Any).unwrap_or(false),
        Operator::AllNotIn => membership::without(key, value, Quantifier::All).unwrap_or(false),
        Operator::Compare(relation) => size::compare(key, relation, value),
        Operator::Duration(relation) => size::compare_durations(key, relation, value),
    })
}

/// An upper bound of the comparisons: each key with each value, and a share for long texts and wildcards.
fn cost(key: &Value, value: &Value) -> u64 {
    let size = |value: &Value| -> u64 {
        let text = |item: &Value| match item {
            Value::String(text) if wildcard::contains_wildcard(text) => 1 + text.len() as u64 / 4,
            Value::String(text) => 1 + text.len() as u64 / 32,
            _ => 1,
        };
        value.as_array().map_or_else(|| text(value), |items| 1 + items.iter().map(text).sum::<u64>())
    };
    size(key).saturating_mul(size(value))
}
