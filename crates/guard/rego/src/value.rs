//! Rego's values: JSON with sets, any value as a key, and numbers that do not lose digits.
//!
//! Arrays, objects and sets are reference counted, so that a clone is constant time. Objects and sets are kept sorted in
//! Rego's order (null, booleans, numbers, strings, arrays, objects, sets), which is the order in which they are walked.

use std::sync::Arc;

use palisade_model::Str;

/// A Rego value.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(Str),
    /// An ordered sequence.
    Array(Arc<Vec<Value>>),
    /// Keys and values in order of the keys.
    Object(Arc<Object>),
    /// Distinct elements in order.
    Set(Arc<Set>),
}

/// A number. Whole numbers keep all their digits; others are decimal texts read as OPA reads them.
#[derive(Clone, Debug)]
pub enum Number {
    /// A whole number of 64 bits.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
}

/// An object: pairs in order of their keys.
#[derive(Clone, Debug, Default)]
pub struct Object(Vec<(Value, Value)>);

/// A set: elements in order.
#[derive(Clone, Debug, Default)]
pub struct Set(Vec<Value>);
