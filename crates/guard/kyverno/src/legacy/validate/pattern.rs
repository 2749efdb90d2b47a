//! `pattern` and `anyPattern`.

use palisade_model::{Path, Value, Verdict};

use super::{Answer, Judge, Scope};
use crate::legacy::pattern::{Mismatch, Pattern, PatternError};
use crate::legacy::variables::{is_dynamic, substitute};

/// A pattern or a list of patterns, compiled where it holds no variables.
#[derive(Debug)]
pub(crate) enum PatternTemplate {
    Fixed(Vec<Pattern>),
    /// To be compiled after its variables were replaced.
    Variable(Value),
    /// `anyPattern` is no list.
    NoList,
}

impl PatternTemplate {
    pub(super) fn single(source: &Value) -> Self {
        if is_dynamic(source) { Self::Variable(source.clone()) } else { Self::Fixed(vec![Pattern::compile(source)]) }
    }

    pub(super) fn list(source: &Value) -> Self {
        if is_dynamic(source) {
            return Self::Variable(source.clone());
        }
        source.as_array().map_or(Self::NoList, |items| Self::Fixed(items.iter().map(Pattern::compile).collect()))
    }
}

impl Judge<'_, '_> {
    pub(super) fn pattern(&self, template: &PatternTemplate, scope: &Scope) -> Option<Answer> {
        let compiled;
        let pattern = match template {
            PatternTemplate::Fixed(patterns) => patterns.first()?,
            PatternTemplate::NoList => return None,
            PatternTemplate::Variable(source) => match substitute(source, self.context) {
                Ok(source) => {
                    compiled = Pattern::compile(&source);
                    &compiled
                }
                Err(error) => return Some(Answer::error("variable substitution failed", error)),
            },
        };
        let subject = self.subject(scope)?;
        Some(match pattern.validate(&subject, self.context.steps()) {
            Ok(()) => Answer::new(Verdict::Pass, self.passed()),
            Err(error) => self.mismatched(&error, scope),
        })
    }

    fn mismatched(&self, error: &PatternError, scope: &Scope) -> Answer {
        match error.mismatch {
            Mismatch::Skip => Answer::new(Verdict::Skip, error.message.clone()),
            Mismatch::Error => Answer::error("the pattern could not be compared", error),
            Mismatch::Fail => {
                let message = self.violated(|| format!("{} is not as the pattern demands", error.pointer()));
                Answer::new(Verdict::Fail, message).at(vec![absolute(&error.path, scope)])
            }
        }
    }

    /// The policy's own words for a violation, or `otherwise` where it has none. Unlike upstream's, a message is not
    /// wrapped in the rule and the path: findings carry both.
    fn violated(&self, otherwise: impl Fn() -> String) -> String {
        match self.message() {
            None => otherwise(),
            Some(Ok(message)) => message,
            Some(Err(())) => format!("{} (the policy's message has variables without a value)", otherwise()),
        }
    }

    pub(super) fn any_pattern(&self, template: &PatternTemplate, scope: &Scope) -> Option<Answer> {
        let compiled;
        let patterns: &[Pattern] = match template {
            PatternTemplate::Fixed(patterns) => patterns,
            PatternTemplate::NoList => return Some(Self::no_list()),
            PatternTemplate::Variable(source) => match substitute(source, self.context) {
                Ok(Value::Array(items)) => {
                    compiled = items.iter().map(Pattern::compile).collect::<Vec<_>>();
                    &compiled
                }
                Ok(_) => return Some(Self::no_list()),
                Err(error) => return Some(Answer::error("variable substitution failed", error)),
            },
        };
        let subject = self.subject(scope)?;
        let (mut failed, mut skipped, mut paths) = (Vec::new(), Vec::new(), Vec::new());
        for (index, pattern) in patterns.iter().enumerate() {
            let Err(error) = pattern.validate(&subject, self.context.steps()) else {
                let message = format!("validation rule '{}' anyPattern[{index}] passed.", self.name);
                return Some(Answer::new(Verdict::Pass, message));
            };
            let rule = format!("pattern {index}");
            match error.mismatch {
                Mismatch::Skip => skipped.push(format!("{rule} skipped: {error}")),
                Mismatch::Error => failed.push(format!("{rule} failed: {error}")),
                Mismatch::Fail => {
                    failed.push(format!("{rule} fails at {}", error.pointer()));
                    paths.push(absolute(&error.path, scope));
                }
            }
        }
        Some(if !failed.is_empty() {
            Answer::new(Verdict::Fail, self.violated(|| failed.join("; "))).at(paths)
        } else if !skipped.is_empty() {
            Answer::new(Verdict::Skip, skipped.join(" "))
        } else {
            Answer::new(Verdict::Pass, &*self.validation.message)
        })
    }

    fn no_list() -> Answer {
        Answer::new(Verdict::Error, "failed to deserialize anyPattern, expected type array")
    }
}

/// A path within the loop's element as a path within the resource, where the element's place is known.
fn absolute(path: &Path, scope: &Scope) -> Path {
    match (&scope.path, &scope.element) {
        (Some(element), Some(_)) => Path(element.0.iter().chain(&path.0).cloned().collect()),
        _ => path.clone(),
    }
}
