//! How a run ends: four exit codes, the same in every command and format, and the reason in words.

use std::io::{self, Write as _};
use std::process::ExitCode;

use palisade_model::Diagnostic;
use palisade_policies::packs::UnknownPack;

use crate::render;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was evaluated and passed.
    Passed = 0,
    /// Findings at or above `--fail-on`, or failed tests.
    Findings = 1,
    /// Could not decide: arguments, configuration, a policy, a file. Fails closed.
    Undecided = 2,
    /// Nothing was evaluated, so nothing can be said.
    Nothing = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// How a command ended, and why.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub exit: Exit,
    /// The last line on stderr; empty where stdout already says it all.
    pub reason: String,
}

impl Outcome {
    /// A run that did what was asked and has nothing to add.
    pub fn quiet() -> Self {
        Self { exit: Exit::Passed, reason: String::new() }
    }
}

/// Why a command could not run to its end.
#[derive(Debug)]
pub enum Failure {
    /// The input is wrong; shown with source excerpts.
    Input(Vec<Diagnostic>),
    /// An operation failed; the message names the operation and its object.
    Operation {
        /// What failed, on what, and why.
        message: String,
        /// What to do next.
        help: Option<String>,
    },
}

impl Failure {
    /// An operation that failed, with advice.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Operation { message: message.into(), help: Some(help.into()) }
    }
}

impl From<UnknownPack> for Failure {
    fn from(error: UnknownPack) -> Self {
        Self::new(error.message, error.help)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Operation { message: format!("writing the result: {error}"), help: None }
    }
}

/// Prints why the run ended and returns its exit code.
pub(crate) fn announce(outcome: Result<Outcome, Failure>) -> Exit {
    let mut stderr = anstream::stderr().lock();
    let (exit, reason) = match outcome {
        Ok(outcome) => (outcome.exit, outcome.reason),
        Err(Failure::Input(diagnostics)) => {
            for diagnostic in &diagnostics {
                let _ = writeln!(stderr, "{}", render::diagnostic(diagnostic));
            }
            let errors = crate::report::count(diagnostics.len(), "problem");
            (Exit::Undecided, format!("could not decide: {errors} in the input"))
        }
        Err(Failure::Operation { message, help }) => {
            let _ = writeln!(stderr, "{}", render::plain_error(&message, help.as_deref()));
            (Exit::Undecided, format!("could not decide: {message}"))
        }
    };
    if !reason.is_empty() {
        let _ = writeln!(stderr, "{}", render::visible(&reason));
    }
    exit
}
