//! What goes wrong: while compiling (with the place in the expression) and while evaluating (with the reason).

use std::fmt;
use std::ops::Range;

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// The offending bytes of the expression.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl CompileError {
    /// An error at `span`.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for CompileError {
    /// The message, and the help in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CompileError {}

/// Why an evaluation has no value. `||`, `&&` and the quantifiers absorb errors, except a spent budget.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A map has no such key, an object no such field.
    #[error("no such key: {0}")]
    NoSuchKey(Box<str>),
    /// A list has no such position.
    #[error("index out of bounds: {0}")]
    OutOfBounds(Box<str>),
    /// No function of this name takes arguments of these types.
    #[error("no such overload: {0}")]
    NoOverload(Box<str>),
    /// The scope has no value for a name.
    #[error("no such attribute: {0}")]
    Undeclared(Box<str>),
    /// `/` by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// `%` by zero.
    #[error("modulus by zero")]
    ModulusByZero,
    /// A number, timestamp or duration left its range.
    #[error("{0} overflow")]
    Overflow(&'static str),
    /// The cost limit is spent: nothing absorbs this.
    #[error("the expression exceeded its cost limit of {limit}: bound the lists and strings it walks")]
    CostExceeded {
        /// The limit.
        limit: u64,
    },
    /// Nobody waits for the answer any more: nothing absorbs this.
    #[error("{}", palisade_policy::environment::STOPPED)]
    Stopped,
    /// Anything else, in a library's own words.
    #[error("{0}")]
    Invalid(Box<str>),
}

impl EvalError {
    /// An error in a library's own words.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::Invalid(message.to_string().into())
    }

    /// Whether no operator may absorb it.
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::CostExceeded { .. } | Self::Stopped)
    }
}
