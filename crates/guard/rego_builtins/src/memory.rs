//! What builtins remember during one evaluation, so that work and answers are not repeated.
//!
//! All of it is bounded: where it is full, patterns are forgotten and answers are no longer kept.

use std::collections::HashMap;
use std::sync::Arc;

use palisade_model::Str;
use palisade_rego_value::Value;
use regex::Regex;

use super::BuiltinError;

/// The most patterns kept.
const MAX_PATTERNS: usize = 200;
/// The most answers kept.
const MAX_ANSWERS: usize = 10_000;

/// Compiled patterns and answers from outside. Cleared with the evaluation.
#[derive(Debug, Default)]
pub struct Memory {
    /// Shared, because a copy of a pattern begins with an empty cache of its own.
    patterns: HashMap<(Language, Str), Arc<Regex>>,
    answers: HashMap<(&'static str, Value), Value>,
}

/// How the text of a pattern is to be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    /// A regular expression.
    Regex,
    /// A text with regular expressions between these delimiters.
    Template(char, char),
    /// A glob with these delimiters.
    Glob(Vec<char>),
}

impl Memory {
    /// The compiled form of a pattern, compiled at its first use.
    pub(crate) fn pattern(
        &mut self,
        language: Language,
        text: &Str,
        compile: impl FnOnce() -> Result<Regex, BuiltinError>,
    ) -> Result<Arc<Regex>, BuiltinError> {
        let key = (language, text.clone());
        if let Some(pattern) = self.patterns.get(&key) {
            return Ok(Arc::clone(pattern));
        }
        let pattern = Arc::new(compile()?);
        if self.patterns.len() >= MAX_PATTERNS {
            self.patterns.clear();
        }
        self.patterns.insert(key, Arc::clone(&pattern));
        Ok(pattern)
    }

    /// Forgets the answers, which are of one evaluation; patterns hold for all.
    pub fn forget_answers(&mut self) {
        self.answers.clear();
    }

    /// The answer that a builtin gave to this request before.
    pub(crate) fn answer(&self, builtin: &'static str, request: &Value) -> Option<&Value> {
        self.answers.get(&(builtin, request.clone()))
    }

    /// Keeps an answer from outside, so that the same request is answered alike for the rest of the evaluation.
    pub(crate) fn remember(&mut self, builtin: &'static str, request: Value, answer: Value) {
        if self.answers.len() < MAX_ANSWERS {
            self.answers.insert((builtin, request), answer);
        }
    }
}
