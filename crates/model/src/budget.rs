//! What an evaluation may still use: steps and bytes.
//!
//! Engines hand work on, to formatters, templates and checkers of queries; all draw from the budget of the evaluation, so
//! that no policy does inside of a function what it may not do outside. Deliberately absent: time, which is the
//! caller's to watch.

use std::fmt;

/// What an evaluation may still use.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Steps.
    pub steps: u64,
    /// Bytes of values built, roughly; what is built and dropped again counts too.
    pub bytes: u64,
}

/// What is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// The steps.
    Steps,
    /// The bytes.
    Bytes,
}

impl Budget {
    /// Draws steps, one per element or so many bytes gone through.
    pub fn step(&mut self, steps: usize) -> Result<(), Spent> {
        self.steps = self.steps.checked_sub(steps as u64).ok_or(Spent::Steps)?;
        Ok(())
    }

    /// Draws bytes before they are taken, and steps for the time it takes to fill them.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Spent> {
        self.bytes = self.bytes.checked_sub(bytes as u64).ok_or(Spent::Bytes)?;
        self.step(bytes / 64)
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Steps => "steps",
            Self::Bytes => "bytes",
        };
        write!(f, "the evaluation has used up its {what}: raise the limit or give the policy less to do")
    }
}

impl std::error::Error for Spent {}
