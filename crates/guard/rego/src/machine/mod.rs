//! Runs a plan over `input` and `data`.
//!
//! A [`Machine`] holds what evaluations of one program reuse; a [`Session`] is one evaluation, in which rules are
//! evaluated at most once. The machine is pure: time, randomness and the outside come through [`Inputs`]. Deliberately
//! absent: partial evaluation, and threads (each worker makes its own machine).
#![expect(clippy::unnecessary_box_returns, reason = "errors travel boxed, so that results stay small")]

mod arguments;
mod calls;
mod collect;
pub mod coverage;
mod documents;
mod error;
mod evaluation;
mod focus;
#[cfg(test)]
mod hostile_tests;
mod observer;
#[cfg(test)]
mod observer_tests;
mod operators;
mod replace;
mod solutions;
mod steps;
#[cfg(test)]
mod tests;
pub mod trace;
mod walk;

use std::sync::Arc;

use jiff::Timestamp;
use palisade_model::{Budget, Str};
use palisade_policy::Stop;
use palisade_rego_builtins::{Host, Memory, Offline};
use palisade_rego_value::Value;

use crate::plan::{Program, RuleId};

pub use error::{ErrorCode, EvalError};
use evaluation::Evaluation;
pub use focus::focus;
pub use observer::Observer;
use operators::Operator;
pub use solutions::Solution;

/// What an evaluation may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Steps.
    pub steps: u64,
    /// Bytes of values built, roughly; what is built and dropped again counts too.
    pub bytes: u64,
    /// How deeply loops and rules may be nested; each level takes about a kilobyte of the thread's stack.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 50_000_000, bytes: 1 << 30, depth: 500 }
    }
}

/// What an evaluation is about.
#[allow(missing_debug_implementations, reason = "it borrows the host and the observer")]
pub struct Inputs<'a> {
    /// The document `input`; absent means undefined.
    pub input: Option<Value>,
    /// The base documents below `data`.
    pub data: Value,
    /// The moment of the evaluation.
    pub now: Timestamp,
    /// Seed of everything random.
    pub seed: u64,
    /// What is outside.
    pub host: &'a dyn Host,
    /// What it may use.
    pub limits: Limits,
    /// Whether a builtin that fails ends the evaluation; otherwise its call is undefined.
    pub strict_builtin_errors: bool,
    /// Who watches.
    pub observer: Option<&'a mut dyn Observer>,
    /// Who says that nobody waits for the answer any more.
    pub stop: Option<&'a dyn Stop>,
}

impl Inputs<'_> {
    /// An evaluation without documents at the epoch: the base for literals with `..`.
    pub fn empty() -> Self {
        Self {
            input: None,
            data: Value::object(Vec::new()),
            now: Timestamp::UNIX_EPOCH,
            seed: 0,
            host: &Offline,
            limits: Limits::default(),
            strict_builtin_errors: false,
            observer: None,
            stop: None,
        }
    }
}

/// A program with what its evaluations reuse. Constants are copied, so that machines share no reference counters.
#[derive(Debug)]
pub struct Machine {
    program: Arc<Program>,
    constants: Vec<Value>,
    /// For each builtin, what it computes where that is done here.
    operators: Vec<Option<Operator>>,
    stack: Vec<Value>,
    memory: Memory,
}

impl Machine {
    /// A machine for a program; one per thread.
    pub fn new(program: Arc<Program>) -> Self {
        let constants = program.constants.iter().map(Value::detached).collect();
        let operators = program.builtins.iter().map(|builtin| Operator::named(builtin.name)).collect();
        Self { program, constants, operators, stack: Vec::new(), memory: Memory::default() }
    }

    /// What it runs.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Begins an evaluation.
    pub fn session<'a, 'i: 'a>(&'a mut self, inputs: Inputs<'i>) -> Session<'a> {
        let observer = inputs.observer.map(|observer| -> &'a mut dyn Observer { observer });
        let inputs = Inputs::<'a> { observer, ..inputs };
        self.stack.clear();
        self.memory.forget_answers();
        let mut evaluation = Evaluation::new(&self.program, &mut self.stack, &mut self.memory, inputs);
        (evaluation.constants, evaluation.operators) = (&self.constants, &self.operators);
        Session { evaluation }
    }
}

/// One evaluation: several questions over the same documents, which share what rules gave.
#[allow(missing_debug_implementations, reason = "it borrows the host and the observer")]
pub struct Session<'a> {
    evaluation: Evaluation<'a>,
}

impl Session<'_> {
    /// The document at a path below `data`; `None` where it is undefined.
    pub fn evaluate(&mut self, path: &[Str]) -> Result<Option<Value>, EvalError> {
        self.evaluation.document(path).map_err(|error| *error)
    }

    /// The solutions of a compiled query, each an object of bindings, in the order in which they are found.
    pub fn query(&mut self, index: usize) -> Result<Vec<Value>, EvalError> {
        self.evaluation.query(index).map_err(|error| *error)
    }

    /// What a function at a path below `data` gives; `None` where it is undefined.
    pub fn call(&mut self, path: &[Str], arguments: &[Value]) -> Result<Option<Value>, EvalError> {
        self.evaluation.call_path(path, arguments).map_err(|error| *error)
    }

    /// The solutions of one definition of a rule without parameters, apart from its other definitions. Each call may use
    /// all of the limits, so that a runaway definition takes nothing from others.
    pub fn solutions(&mut self, rule: RuleId, definition: usize) -> Result<Vec<Solution>, EvalError> {
        self.evaluation.solutions(rule, definition).map_err(|error| *error)
    }

    /// What is left of the limits.
    pub fn budget(&self) -> Budget {
        self.evaluation.budget()
    }
}
