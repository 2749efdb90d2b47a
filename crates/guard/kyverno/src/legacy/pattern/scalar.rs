//! Leaves of a pattern: what a single value must be.

use palisade_gotext::go_float;
use palisade_model::{Str, Value};

use super::term::Term;

/// A compiled leaf.
#[derive(Clone, Debug)]
pub(crate) enum Scalar {
    /// Any zero value: `null`, `0`, `false` or an empty text.
    Zero,
    /// This boolean.
    Bool(bool),
    /// This whole number, or a text that reads as it.
    Int(i64),
    /// This number, or a text that reads as it.
    Float(f64),
    /// Any of the alternatives, each of which is a list of terms that must all match.
    Text {
        /// The pattern as written; a value equal to it always matches.
        source: Str,
        /// `|` separates alternatives and `&` terms.
        alternatives: Vec<Vec<Term>>,
    },
}

impl Scalar {
    /// Compiles a leaf; `None` for arrays and objects.
    pub(crate) fn compile(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Zero,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Float(value) => Self::Float(*value),
            Value::String(source) => Self::text(source),
            Value::Array(_) | Value::Object(_) => return None,
        })
    }

    /// Compiles a string pattern.
    pub(crate) fn text(source: &Str) -> Self {
        let terms =
            |alternative: &str| alternative.split('&').map(|term| Term::compile(term.trim_matches(' '))).collect();
        let alternatives = source.split('|').map(|alternative| terms(alternative.trim_matches(' '))).collect();
        Self::Text { source: source.clone(), alternatives }
    }

    /// Whether this is the pattern `*`, which only asks for presence.
    pub(super) fn is_star(&self) -> bool {
        matches!(self, Self::Text { source, .. } if &**source == "*")
    }

    /// What matching a value costs: wildcards compare up to each of their letters with each of the text's.
    pub(super) fn cost(&self, value: &Value) -> usize {
        match (self, value) {
            (Self::Text { source, .. }, Value::String(text)) => 1 + source.len() * text.len() / 64,
            _ => 1,
        }
    }

    /// Whether a single value matches.
    pub(crate) fn matches(&self, value: &Value) -> bool {
        match self {
            Self::Zero => match value {
                Value::Null => true,
                Value::Bool(value) => !value,
                Value::Int(number) => *number == 0,
                Value::Float(number) => *number == 0.0,
                Value::String(text) => text.is_empty(),
                Value::Array(_) | Value::Object(_) => false,
            },
            Self::Bool(expected) => value.as_bool() == Some(*expected),
            Self::Int(expected) => match value {
                Value::String(text) => text.parse() == Ok(*expected),
                number => number.as_i64() == Some(*expected),
            },
            Self::Float(expected) => match value {
                Value::String(text) => go_float::parse_float(text) == Some(*expected),
                Value::Float(number) => number == expected,
                Value::Int(number) => Value::Float(*expected).as_i64() == Some(*number),
                _ => false,
            },
            Self::Text { source, alternatives } => {
                value.as_str() == Some(&**source)
                    || alternatives.iter().any(|terms| terms.iter().all(|term| term.matches(value)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_model::json;

    fn matches(pattern: &Value, value: &Value) -> bool {
        Scalar::compile(pattern).is_some_and(|scalar| scalar.matches(value))
    }

    fn text_matches(pattern: &str, value: &Value) -> bool {
        matches(&pattern.into(), value)
    }

    #[test]
    fn typed_leaves_coerce_as_kyverno_does() {
        assert!(matches(&json!(5), &json!("5")) && matches(&json!(5), &Value::Float(5.0)));
        assert!(
            !matches(&json!(5), &json!(5.5)) && !matches(&json!(5), &json!("5.0")) && !matches(&json!(5), &json!(true))
        );
        assert!(matches(&json!(2.5), &json!("2.50")) && !matches(&json!(2.5), &json!(2)));
        assert!(matches(&Value::Float(2.0), &json!(2)));
        assert!(matches(&json!(true), &json!(true)) && !matches(&json!(true), &json!("true")));
        for zero in [json!(null), json!(0), json!(0.0), json!(""), json!(false)] {
            assert!(matches(&json!(null), &zero));
        }
        for other in [json!(1), json!("a"), json!(true), json!([]), json!({})] {
            assert!(!matches(&json!(null), &other));
        }
    }

    #[test]
    fn operators_compare_durations_quantities_and_texts() {
        for (pattern, value, expected) in [
            (">=1Gi", json!("2048Mi"), true),
            ("<1Gi", json!("1024Mi"), false),
            ("<= 10", json!(10), true),
            (">10", json!(10.5), true),
            (">10", json!("abc"), false),
            ("!latest", json!("stable"), true),
            ("!*:latest", json!("nginx:latest"), false),
            ("1h", json!("60m"), true),
            (">59m", json!("1h"), true),
            ("!5", json!(null), true),
            ("!x", json!(null), false),
            ("0", json!(null), true),
            ("true", json!(true), true),
            ("?*", json!(""), false),
            ("*", json!(null), false),
            ("?*", json!(12), true),
            (">", json!(">"), true),
            ("8E+0?", Value::Float(80.0), true),
            ("8*", json!(80), true),
            ("?", json!(8), false),
            ("0s", json!(0), false),
        ] {
            assert_eq!(text_matches(pattern, &value), expected, "{pattern} ~ {value}");
        }
    }

    #[test]
    fn ranges_alternatives_and_conjunctions_combine() {
        for (pattern, value, expected) in [
            ("10-20", json!(20), true),
            ("10-20", json!(21), false),
            ("10!-20", json!(9), true),
            ("10!-20", json!(15), false),
            ("-5--1", json!(-3), true),
            ("1Mi-1Gi", json!("64Mi"), true),
            ("1h-2h", json!("90m"), true),
            ("a-b", json!("a-b"), true),
            ("1.-2", json!("1.5"), false),
            ("nginx | redis", json!("redis"), true),
            (">1 & <5", json!(3), true),
            (">1 & <5 | 9", json!(9), true),
            (">1 & <5 | 9", json!(7), false),
            ("!a & !b", json!("c"), true),
            ("a | b", json!("a | b"), true),
        ] {
            assert_eq!(text_matches(pattern, &value), expected, "{pattern} ~ {value}");
        }
    }
}
