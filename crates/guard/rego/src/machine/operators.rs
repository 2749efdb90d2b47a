//! Builtins that policies call in their inner loops, computed here where the operands are as simple as they can be.
//!
//! Everything else is left to the builtin itself, so that there is one place that knows all of its cases.

use palisade_rego_value::{Number, Value};

/// What is computed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Plus,
    Minus,
    Times,
    Remainder,
    Member,
    StartsWith,
    EndsWith,
    Contains,
}

impl Operator {
    /// The operator of a builtin.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "plus" => Self::Plus,
            "minus" => Self::Minus,
            "mul" => Self::Times,
            "rem" => Self::Remainder,
            "internal.member_2" => Self::Member,
            "startswith" => Self::StartsWith,
            "endswith" => Self::EndsWith,
            "contains" => Self::Contains,
            _ => return None,
        })
    }

    /// The result on small whole numbers, sets and short texts; `None` where the builtin is to be asked.
    #[inline]
    pub(super) fn apply(self, left: &Value, right: &Value) -> Option<Value> {
        match (left, right) {
            (Value::Number(Number::Int(a)), Value::Number(Number::Int(b))) => self.of_integers(*a, *b).map(Value::from),
            (item, Value::Set(set)) if self == Self::Member => Some(Value::Bool(set.contains(item))),
            (Value::String(a), Value::String(b)) if a.len() <= SHORT => self.of_texts(a, b).map(Value::Bool),
            _ => None,
        }
    }

    #[inline]
    fn of_integers(self, a: i64, b: i64) -> Option<i64> {
        match self {
            Self::Plus => a.checked_add(b),
            Self::Minus => a.checked_sub(b),
            Self::Times => a.checked_mul(b),
            Self::Remainder => a.checked_rem(b),
            _ => None,
        }
    }

    #[inline]
    fn of_texts(self, a: &str, b: &str) -> Option<bool> {
        match self {
            Self::StartsWith => Some(a.starts_with(b)),
            Self::EndsWith => Some(a.ends_with(b)),
            Self::Contains => Some(a.contains(b)),
            _ => None,
        }
    }
}

/// Texts that are gone through in about a step.
const SHORT: usize = 256;
