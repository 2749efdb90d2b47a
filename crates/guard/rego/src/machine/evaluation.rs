//! One evaluation: its documents, registers and what it has found out so far.

use palisade_model::{Budget, Spent, Str};
use palisade_policy::Stop;
use palisade_policy::environment::STOPPED;
use palisade_rego_builtins::{Host, Memory};
use palisade_rego_value::{MAX_DEPTH, Value};

use super::arguments::Answers;
use super::collect::{Gathered, Sink};
use super::error::{ErrorCode, EvalError};
use super::operators::Operator;
use super::replace::{Environment, Scope, Slot};
use super::{Inputs, Observer};
use crate::plan::{Operand, Place, Program, Register};

/// What evaluating gives; errors are rare and boxed.
pub(super) type Outcome<T> = Result<T, Box<EvalError>>;

/// Whether more solutions are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// They are.
    More,
    /// The first was enough.
    Enough,
}

/// The state of an evaluation.
pub(super) struct Evaluation<'a> {
    pub(super) program: &'a Program,
    pub(super) constants: &'a [Value],
    pub(super) operators: &'a [Option<Operator>],
    /// Frames of the definitions that run, one after the other.
    pub(super) stack: &'a mut Vec<Value>,
    /// Where the innermost frame begins.
    pub(super) base: usize,
    pub(super) environment: Environment<'a>,
    /// What rules gave outside of all replacements.
    pub(super) rules: Vec<Slot>,
    /// What functions gave outside of all replacements.
    pub(super) answers: Answers,
    /// Replacements in force.
    pub(super) scopes: Vec<Scope<'a>>,
    pub(super) budget: Budget,
    /// What the budget was at the beginning.
    pub(super) allowance: Budget,
    pub(super) memory: &'a mut Memory,
    pub(super) host: &'a dyn Host,
    pub(super) now: jiff::Timestamp,
    pub(super) seed: u64,
    pub(super) strict: bool,
    pub(super) observer: Option<&'a mut dyn Observer>,
    stop: Option<&'a dyn Stop>,
    depth: u32,
    max_depth: u32,
}

static NULL: Value = Value::Null;

/// After how many steps the one who waits is asked whether to go on.
const BETWEEN_QUESTIONS: u64 = 4_096;

impl<'a> Evaluation<'a> {
    pub(super) fn new(
        program: &'a Program,
        stack: &'a mut Vec<Value>,
        memory: &'a mut Memory,
        inputs: Inputs<'a>,
    ) -> Self {
        let allowance = Budget { steps: inputs.limits.steps, bytes: inputs.limits.bytes };
        Self {
            program,
            constants: &[],
            operators: &[],
            stack,
            base: 0,
            environment: Environment::new(inputs.input, inputs.data),
            rules: vec![Slot::Fresh; program.rules.len()],
            answers: Answers::default(),
            scopes: Vec::new(),
            budget: allowance,
            allowance,
            memory,
            host: inputs.host,
            now: inputs.now,
            seed: inputs.seed,
            strict: inputs.strict_builtin_errors,
            observer: inputs.observer,
            stop: inputs.stop,
            depth: 0,
            max_depth: inputs.limits.depth,
        }
    }

    pub(super) fn budget(&self) -> Budget {
        self.budget
    }

    /// The document at a path below `data`.
    pub(super) fn document(&mut self, path: &[Str]) -> Outcome<Option<Value>> {
        self.begin();
        let path: Vec<Value> = path.iter().cloned().map(Value::String).collect();
        self.tree(0, &path)
    }

    /// The solutions of a compiled query.
    pub(super) fn query(&mut self, index: usize) -> Outcome<Vec<Value>> {
        self.begin();
        let Some(query) = self.program.queries.get(index) else {
            return Err(EvalError::new(ErrorCode::Missing, format!("there is no query number {index}")));
        };
        let mut sink = Sink::new(Gathered::Array(Vec::new()));
        self.stack.resize(query.registers as usize, Value::Null);
        for branch in &query.branches {
            self.run(branch, 0, &mut sink)?;
        }
        self.stack.clear();
        match sink.gathered {
            Gathered::Array(solutions) => Ok(solutions),
            _ => Ok(Vec::new()),
        }
    }

    /// Leaves behind what an evaluation that failed may have left.
    pub(super) fn begin(&mut self) {
        self.stack.clear();
        self.base = 0;
        self.depth = 0;
        if let Some(outermost) = self.scopes.drain(..).next() {
            self.environment = outermost.outer;
        }
    }

    /// Goes a level deeper.
    pub(super) fn enter(&mut self) -> Outcome<()> {
        if self.depth >= self.max_depth {
            let message =
                format!("the evaluation is nested more than {} levels deep: split the rule up", self.max_depth);
            return Err(EvalError::new(ErrorCode::Cancel, message));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Takes a step.
    #[inline]
    pub(super) fn tick(&mut self) -> Outcome<()> {
        match self.budget.steps.checked_sub(1) {
            Some(steps) => {
                self.budget.steps = steps;
                if steps.is_multiple_of(BETWEEN_QUESTIONS) && self.stop.is_some_and(Stop::is_requested) {
                    return Err(EvalError::new(ErrorCode::Cancel, STOPPED));
                }
                Ok(())
            }
            None => Err(spent(Spent::Steps)),
        }
    }

    /// Takes memory for so many values.
    pub(super) fn charge(&mut self, values: usize) -> Outcome<()> {
        let bytes = (values as u64).saturating_mul(size_of::<Value>() as u64);
        self.budget.bytes = self.budget.bytes.checked_sub(bytes).ok_or_else(|| spent(Spent::Bytes))?;
        Ok(())
    }

    /// The value of an operand; `None` where `input` is undefined.
    #[inline]
    pub(super) fn operand(&self, operand: Operand) -> Option<&Value> {
        match operand {
            Operand::Register(register) => Some(self.stack.get(self.base + register as usize).unwrap_or(&NULL)),
            Operand::Constant(constant) => self.constants.get(constant as usize),
            Operand::Input => self.environment.input.as_ref(),
            Operand::Data => Some(&self.environment.data),
        }
    }

    /// The values of operands; `None` where one is undefined.
    pub(super) fn operands(&self, operands: &[Operand]) -> Option<Vec<Value>> {
        operands.iter().map(|operand| self.operand(*operand).cloned()).collect()
    }

    /// What is found along bound keys.
    #[inline]
    pub(super) fn follow(&self, source: Operand, path: &[Operand]) -> Option<&Value> {
        let mut at = self.operand(source)?;
        for key in path {
            let key = self.operand(*key)?;
            at = if source == Operand::Data { base_entry(at, key)? } else { at.get(key)? };
        }
        Some(at)
    }

    #[inline]
    pub(super) fn set(&mut self, register: Register, value: Value) {
        if let Some(slot) = self.stack.get_mut(self.base + register as usize) {
            *slot = value;
        }
    }

    /// Keeps a collection that was built, unless it is nested too deeply.
    pub(super) fn keep(&mut self, register: Register, value: Value) -> Outcome<()> {
        check_depth(&value)?;
        self.set(register, value);
        Ok(())
    }

    pub(super) fn observe(&mut self, tell: impl FnOnce(&mut dyn Observer)) {
        if let Some(observer) = &mut self.observer {
            tell(&mut **observer);
        }
    }

    pub(super) fn locate(&self, error: Box<EvalError>, place: Option<&Place>) -> Box<EvalError> {
        error.at(self.program, place)
    }
}

/// What a base document has at a key: paths of the store are texts, so a number finds the name that reads like it.
pub(super) fn base_entry<'a>(document: &'a Value, key: &Value) -> Option<&'a Value> {
    document.get(key).or_else(|| match key {
        Value::Number(number) => document.get_str(&number.to_string()),
        _ => None,
    })
}

/// Refuses values that would overflow the stack of what recurses over them.
pub(super) fn check_depth(value: &Value) -> Outcome<()> {
    if value.depth() > MAX_DEPTH {
        let message = format!("a value is nested more than {MAX_DEPTH} levels deep");
        return Err(EvalError::new(ErrorCode::Cancel, message));
    }
    Ok(())
}

fn spent(what: Spent) -> Box<EvalError> {
    EvalError::new(ErrorCode::Cancel, what.to_string())
}
