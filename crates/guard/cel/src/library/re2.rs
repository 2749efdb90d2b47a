//! Regular expressions in RE2's syntax, which CEL prescribes, within the limits of an evaluation.
//!
//! cel-go compiles them by Go's `regexp`, so the syntax is [`go_regex`]'s.

use palisade_gotext::go_regex;
use palisade_model::Str;
use regex::{Regex, RegexBuilder};

use crate::EvalError;

/// The largest compiled regular expression, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A compiled pattern and its text as the policy wrote it.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: Str,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern within limits.
    pub fn new(source: &str) -> Result<Self, EvalError> {
        let translated = go_regex::translate(source).map_err(EvalError::invalid)?;
        let regex = RegexBuilder::new(&translated)
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .nest_limit(100)
            .build()
            .map_err(|error| {
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                EvalError::invalid(format_args!("invalid regular expression `{source}`: {reason}"))
            })?;
        Ok(Self { source: source.into(), regex })
    }

    /// The text of the pattern as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The pattern, ready to match.
    pub const fn regex(&self) -> &Regex {
        &self.regex
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap().regex().is_match(text)
    }

    #[test]
    fn perl_classes_are_ascii() {
        assert!(matches(r"^\d+$", "123") && !matches(r"^\d+$", "१२३"));
        assert!(matches(r"^[\w-]+$", "a-b_1") && !matches(r"^\w+$", "é"));
        assert!(matches(r"\bpod\b", "a pod here"));
    }

    #[test]
    fn loose_braces_and_brackets_stand_for_themselves() {
        assert!(matches("^{{name}}$", "{{name}}"));
        assert!(matches("^a{2}$", "aa"));
        assert!(matches("^[[a&&b]+$", "[a&b"));
        assert!(matches(r"^\Qa.b\E.$", "a.bc") && !matches(r"^\Qa.b\E$", "axb"));
    }

    #[test]
    fn oversized_patterns_are_refused() {
        assert!(Pattern::new("((a{100}){100}){100}").is_err());
        assert!(Pattern::new("(").is_err());
        assert!(!matches(r"^(a+)+$", &format!("{}!", "a".repeat(10_000))));
    }
}
