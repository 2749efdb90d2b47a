//! One comparison inside a string pattern: an optional operator and what it compares with.
//!
//! `>=10`, `!nginx:*`, `1Gi-4Gi`, `10!-20` or a bare wildcard. A term is tried as a Go duration, then as a Kubernetes
//! quantity, then as a wildcard: the first form that both sides have decides.

use palisade_gotext::go_duration::GoDuration;
use palisade_gotext::go_float;
use palisade_model::quantity::Quantity;
use palisade_model::{Relation, Value, wildcard};

/// A compiled term.
#[derive(Clone, Debug)]
pub(super) enum Term {
    /// Compares with one operand.
    Compare(Comparison),
    /// Both must hold: `low-high`.
    Within(Comparison, Comparison),
    /// One must hold: `low!-high`.
    Outside(Comparison, Comparison),
}

/// A relation to an operand in all the forms that the operand has.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    relation: Relation,
    text: Box<str>,
    duration: Option<GoDuration>,
    quantity: Option<Quantity>,
}

impl Term {
    /// Reads a term; every text is one.
    pub(super) fn compile(text: &str) -> Self {
        let prefixes = [
            (">=", Relation::GreaterOrEqual),
            ("<=", Relation::LessOrEqual),
            (">", Relation::Greater),
            ("<", Relation::Less),
            ("!", Relation::NotEqual),
        ];
        // A lone operator character is an ordinary text.
        let operator = (text.len() > 1)
            .then(|| prefixes.into_iter().find_map(|(prefix, relation)| Some((relation, text.strip_prefix(prefix)?))));
        if let Some(Some((relation, operand))) = operator {
            return Self::Compare(Comparison::new(relation, operand));
        }
        if let Some((low, high)) = split_range(text, "!-") {
            return Self::Outside(Comparison::new(Relation::Less, low), Comparison::new(Relation::Greater, high));
        }
        if let Some((low, high)) = split_range(text, "-") {
            let low = Comparison::new(Relation::GreaterOrEqual, low);
            return Self::Within(low, Comparison::new(Relation::LessOrEqual, high));
        }
        Self::Compare(Comparison::new(Relation::Equal, text))
    }

    /// Whether a value satisfies the term.
    pub(super) fn matches(&self, value: &Value) -> bool {
        match self {
            Self::Compare(comparison) => comparison.matches(value),
            Self::Within(low, high) => low.matches(value) && high.matches(value),
            Self::Outside(low, high) => low.matches(value) || high.matches(value),
        }
    }
}

impl Comparison {
    fn new(relation: Relation, operand: &str) -> Self {
        let operand = operand.trim();
        Self {
            relation,
            text: operand.into(),
            duration: GoDuration::parse(operand).ok(),
            quantity: Quantity::parse(operand).ok(),
        }
    }

    fn matches(&self, value: &Value) -> bool {
        self.by_size(value).unwrap_or_else(|| self.by_text(value))
    }

    /// `None` where either side is neither duration nor quantity.
    fn by_size(&self, value: &Value) -> Option<bool> {
        if self.duration.is_none() && self.quantity.is_none() {
            return None;
        }
        let printed;
        let text = match value {
            Value::Null => "0",
            Value::String(text) => &**text,
            number => {
                printed = format!("{:.6}", number.as_f64()?);
                &printed
            }
        };
        let duration = self.duration.and_then(|operand| Some(GoDuration::parse(text).ok()?.cmp(&operand)));
        let quantity = || self.quantity.as_ref().and_then(|operand| Some(Quantity::parse(text).ok()?.cmp(operand)));
        Some(self.relation.holds(duration.or_else(quantity)?))
    }

    fn by_text(&self, value: &Value) -> bool {
        let printed;
        let text = match value {
            Value::String(text) => &**text,
            Value::Bool(value) => {
                if *value {
                    "true"
                } else {
                    "false"
                }
            }
            number => {
                let Some(number) = number.as_f64() else { return false };
                printed = go_float::scientific(number);
                &printed
            }
        };
        match self.relation {
            Relation::Equal => wildcard::matches(&self.text, text),
            Relation::NotEqual => !wildcard::matches(&self.text, text),
            _ => false,
        }
    }
}

/// Whether a text reads as a range (`low-high`), the form in which conditions accept a set of numbers.
pub(crate) fn is_range(text: &str) -> bool {
    matches!(Term::compile(text), Term::Within(..))
}

/// Splits a text into the two numbers around a separator, each with an optional sign, fraction and unit.
fn split_range<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let low = text.get(..endpoint_length(text)?)?;
    let high = text.get(low.len()..)?.strip_prefix(separator)?;
    (endpoint_length(high)? == high.len()).then_some((low, high))
}

/// How many bytes at the start of a text form a range endpoint.
fn endpoint_length(text: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with(['-', '+', '|']));
    let whole = digits(text.get(sign..)?);
    if whole == 0 {
        return None;
    }
    let mut length = sign + whole;
    if let Some(fraction) = text.get(length..).and_then(|rest| rest.strip_prefix('.')) {
        let places = digits(fraction);
        length += if places == 0 { 0 } else { places + 1 };
    }
    Some(length + text.get(length..)?.bytes().take_while(u8::is_ascii_alphabetic).count())
}
