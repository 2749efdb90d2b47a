//! Numbers: whole ones of 64 bits, and decimal texts for all others.
//!
//! OPA keeps numbers as they are written and computes with integers of any size and binary floats of 64 bits of
//! mantissa; so does this. Numbers are compared exactly by their decimal digits.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use num_bigint::BigInt;
use palisade_model::Str;

use super::decimal::Decimal;

/// A number. Whole numbers keep all their digits; others are decimal texts read as OPA reads them.
#[derive(Clone, Debug)]
pub enum Number {
    /// A whole number of 64 bits, written without fraction and exponent.
    Int(i64),
    /// Any other number as JSON text; made by [`Number::parse`] and conversions only.
    Text(Str),
}

impl Number {
    /// Reads a number as JSON writes it, keeping all its digits; `None` for any other text, and for exponents
    /// beyond a hundred thousand.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.len() < 20 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && text != "-0" {
            if digits.len() > 1 && digits.starts_with('0') {
                return None;
            }
            if let Ok(value) = text.parse() {
                return Some(Self::Int(value));
            }
        }
        Decimal::parse(text).map(|_| Self::Text(text.into()))
    }

    /// A whole number of 64 bits by value: `1.0` and `1e3` are, `1.5` and `1e30` are not.
    #[inline]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Text(text) => Decimal::parse(text)?.as_i64(),
        }
    }

    /// The double nearest to it.
    pub fn as_f64(&self) -> f64 {
        match self {
            Self::Int(value) => *value as f64,
            Self::Text(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// Whether it has no fraction by value.
    pub fn is_integer(&self) -> bool {
        match self {
            Self::Int(_) => true,
            Self::Text(text) => Decimal::parse(text).is_some_and(|decimal| decimal.is_integer()),
        }
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        match self {
            Self::Int(value) => *value < 0,
            Self::Text(text) => Decimal::parse(text).is_some_and(|decimal| decimal.is_negative()),
        }
    }

    /// Whether it is zero in any form.
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Int(value) => *value == 0,
            Self::Text(text) => Decimal::parse(text).is_some_and(|decimal| decimal.is_zero()),
        }
    }

    /// As an integer of any size; `None` with a fraction, or with more than ten thousand digits.
    pub fn to_bigint(&self) -> Option<BigInt> {
        match self {
            Self::Int(value) => Some(BigInt::from(*value)),
            Self::Text(text) => Decimal::parse(text)?.to_bigint(),
        }
    }

    /// A copy that shares no reference counter.
    #[must_use]
    pub fn detached(&self) -> Self {
        match self {
            Self::Int(value) => Self::Int(*value),
            Self::Text(text) => Self::Text(Str::from(&**text)),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or_else(|_| Self::Text(value.to_string().into()), Self::Int)
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl From<BigInt> for Number {
    fn from(value: BigInt) -> Self {
        i64::try_from(&value).map_or_else(|_| Self::Text(value.to_string().into()), Self::Int)
    }
}

impl From<f64> for Number {
    /// In its shortest decimal form, as Go's `encoding/json` prints doubles; what is not finite is 0.
    fn from(value: f64) -> Self {
        if value.fract() == 0.0 && value.abs() < 1e15 && (value != 0.0 || value.is_sign_positive()) {
            return Self::Int(value as i64);
        }
        if !value.is_finite() {
            return Self::Int(0);
        }
        let text = palisade_gotext::go_json::number(value);
        Self::parse(&text).unwrap_or(Self::Int(0))
    }
}

impl PartialEq for Number {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            _ => self.cmp(other) == Ordering::Equal,
        }
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) if a == b => Ordering::Equal,
            _ => Decimal::parse(&self.to_string()).cmp(&Decimal::parse(&other.to_string())),
        }
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.as_i64() {
            Some(value) => value.hash(state),
            None => self.as_f64().to_bits().hash(state),
        }
    }
}
