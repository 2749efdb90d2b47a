//! Why an evaluation ends without an answer.

use std::fmt;
use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Source};

use crate::plan::{Place, Program};

/// What kind of failure it is, by the code that OPA gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Values that contradict one another.
    Conflict,
    /// A builtin was given operands of the wrong type (strict builtin errors only).
    Type,
    /// A builtin failed (strict builtin errors only).
    Builtin,
    /// A limit was reached.
    Cancel,
    /// A rule that needs its own value.
    Recursion,
    /// What was asked for is not there.
    Missing,
}

impl ErrorCode {
    /// The code as OPA writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "eval_conflict_error",
            Self::Type => "eval_type_error",
            Self::Builtin => "eval_builtin_error",
            Self::Cancel => "eval_cancel_error",
            Self::Recursion => "eval_recursion_error",
            Self::Missing => "eval_missing_error",
        }
    }
}

/// Why an evaluation ended without an answer, and where.
#[derive(Clone, Debug)]
pub struct EvalError {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// What went wrong, as OPA words it.
    pub message: String,
    /// The innermost rule that was being evaluated, as `data.a.b`.
    pub rule: Option<String>,
    /// The innermost expression that was being evaluated.
    pub place: Option<(Arc<Source>, Place)>,
}

impl EvalError {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { code, message: message.into(), rule: None, place: None })
    }

    /// Names the innermost place only.
    pub(super) fn at(mut self: Box<Self>, program: &Program, place: Option<&Place>) -> Box<Self> {
        if self.place.is_none()
            && let Some(place) = place
            && let Some(source) = program.sources.get(place.source as usize)
        {
            self.place = Some((source.clone(), *place));
        }
        self
    }

    /// As a finding about the policy's text.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let message = match &self.rule {
            Some(rule) => format!("{} while evaluating `{rule}`", self.message),
            None => self.message.clone(),
        };
        let diagnostic = Diagnostic::error(self.code.as_str(), message);
        match &self.place {
            Some((source, place)) => diagnostic.at(Location { source: source.clone(), span: place.span }, ""),
            None => diagnostic,
        }
    }
}

/// As OPA prints it: `file:line: code: message`.
impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((source, place)) = &self.place {
            write!(f, "{}:{}: ", source.name(), source.position(place.span.start as usize).line)?;
        }
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for EvalError {}
