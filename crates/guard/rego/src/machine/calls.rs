//! Rules, functions and builtins.

use palisade_model::Str;
use palisade_rego_builtins::{BuiltinError, Context};
use palisade_rego_value::Value;

use super::collect::{Gathered, Sink};
use super::error::{ErrorCode, EvalError};
use super::evaluation::{Evaluation, Outcome, check_depth};
use super::replace::{Slot, Substitute};
use crate::plan::{Block, Callee, Definition, Emit, Operand, Reads, Rule, RuleId, RuleKind};

/// Answers of functions that took fewer steps are not worth keeping.
const WORTH_KEEPING: u64 = 24;

impl<'a> Evaluation<'a> {
    /// The value of a rule without parameters, evaluated at most once.
    pub(super) fn rule(&mut self, id: RuleId) -> Outcome<Option<Value>> {
        let Some(rule) = self.program.rules.get(id as usize) else { return Ok(None) };
        if self.environment.hides(&rule.path) {
            return Ok(self.environment.base(&rule.path).cloned());
        }
        match self.slot(id, rule.reads) {
            None => return Ok(None),
            Some(Slot::Known(value)) => return Ok(value.clone()),
            Some(Slot::Running) => {
                let message = format!("`{}` needs its own value", name(rule));
                return Err(EvalError::new(ErrorCode::Recursion, message));
            }
            Some(slot) => *slot = Slot::Running,
        }
        let start = self.stack.len();
        let outcome = self.definitions(id, rule, start);
        self.stack.truncate(start);
        let known = match &outcome {
            Ok(value) => Slot::Known(value.clone()),
            Err(_) => Slot::Fresh,
        };
        if let Some(slot) = self.slot(id, rule.reads) {
            *slot = known;
        }
        outcome
    }

    /// All definitions of a rule in frames that begin at `start`, where the arguments of a function are.
    fn definitions(&mut self, id: RuleId, rule: &'a Rule, start: usize) -> Outcome<Option<Value>> {
        self.enter()?;
        let outer = std::mem::replace(&mut self.base, start);
        let mut sink = Sink::of_rule(rule);
        for definition in &rule.definitions {
            if self.adds_nothing(definition, &sink) {
                continue;
            }
            self.definition(id, definition, &mut sink).map_err(|error| named(error, rule))?;
        }
        let mut value = sink.finish().map_err(|error| self.locate(named(error, rule), Some(&rule.place)))?;
        if let (None, Some(default)) = (&value, &rule.default) {
            let mut sink = Sink::new(Gathered::Value(None));
            self.definition(id, default, &mut sink).map_err(|error| named(error, rule))?;
            value = sink.finish()?;
        }
        self.base = outer;
        self.leave();
        if let Some(value) = &value {
            check_depth(value).map_err(|error| self.locate(named(error, rule), Some(&rule.place)))?;
        }
        Ok(value)
    }

    /// Whether a definition can only give the value that there is already.
    fn adds_nothing(&self, definition: &Definition, sink: &Sink) -> bool {
        let Gathered::Value(Some(value)) = &sink.gathered else { return false };
        let gives_it = |branch: &Block| match &branch.emit {
            Emit::Value(Operand::Constant(constant)) => self.constants.get(*constant as usize) == Some(value),
            _ => false,
        };
        self.observer.is_none() && definition.branches.iter().all(gives_it)
    }

    /// The first branch of a definition that has a solution.
    pub(super) fn definition(&mut self, id: RuleId, definition: &'a Definition, sink: &mut Sink) -> Outcome<()> {
        self.observe(|observer| observer.entered(id, definition.place));
        self.stack.resize(self.base + definition.registers as usize, Value::Null);
        sink.found = false;
        for branch in &definition.branches {
            self.run(branch, 0, sink).map_err(|error| self.locate(error, Some(&definition.place)))?;
            if sink.found {
                self.observe(|observer| observer.exited(id, definition.place));
                return Ok(());
            }
        }
        self.observe(|observer| observer.failed(id, definition.place));
        Ok(())
    }

    /// A call whose arguments are operands.
    #[inline]
    pub(super) fn call(&mut self, callee: Callee, arguments: &[Operand]) -> Outcome<Option<Value>> {
        if let Some(value) = self.computed(callee, arguments) {
            return Ok(Some(value));
        }
        self.call_by_stack(callee, arguments)
    }

    /// What an operator gives where it is as simple as it can be.
    #[inline]
    fn computed(&self, callee: Callee, arguments: &[Operand]) -> Option<Value> {
        let Callee::Builtin(builtin) = callee else { return None };
        let operator = (*self.operators.get(builtin as usize)?)?;
        let [left, right] = arguments else { return None };
        if !self.environment.functions.is_empty() {
            return None;
        }
        operator.apply(self.operand(*left)?, self.operand(*right)?)
    }

    #[inline(never)]
    fn call_by_stack(&mut self, callee: Callee, arguments: &[Operand]) -> Outcome<Option<Value>> {
        let start = self.stack.len();
        for argument in arguments {
            let Some(value) = self.operand(*argument).cloned() else {
                self.stack.truncate(start);
                return Ok(None);
            };
            self.stack.push(value);
        }
        let outcome = self.dispatch(callee, start);
        self.stack.truncate(start);
        outcome
    }

    /// A call whose arguments are on the stack from `start`.
    fn dispatch(&mut self, callee: Callee, start: usize) -> Outcome<Option<Value>> {
        if !self.environment.functions.is_empty()
            && let Some(substitute) = self.environment.substitute(callee)
        {
            return match substitute.clone() {
                Substitute::Value(value) => Ok(Some(value)),
                Substitute::Function(by) => self.call_original(by, start),
            };
        }
        match callee {
            Callee::Builtin(builtin) => self.builtin(builtin, start),
            Callee::Rule(rule) => self.function(rule, start),
        }
    }

    /// Calls what stands in for a function: within it, no function is replaced.
    fn call_original(&mut self, callee: Callee, start: usize) -> Outcome<Option<Value>> {
        let mut environment = self.environment.clone();
        environment.functions.clear();
        self.begin_scope(environment, Reads { functions: true, ..Reads::default() });
        let outcome = self.dispatch(callee, start)?;
        self.end_scope();
        Ok(outcome)
    }

    fn function(&mut self, id: RuleId, start: usize) -> Outcome<Option<Value>> {
        let Some(rule) = self.program.rules.get(id as usize) else { return Ok(None) };
        let arguments = self.stack.get(start..).unwrap_or_default();
        let count = arguments.len();
        if !matches!(rule.kind, RuleKind::Function { arity } if arity as usize == count) {
            return Ok(None);
        }
        if let Some(answer) = self.answers(rule.reads).get(id, arguments) {
            return Ok(answer.clone());
        }
        let before = self.budget.steps;
        let value = self.definitions(id, rule, start)?;
        if before - self.budget.steps >= WORTH_KEEPING {
            let at = self.scope_of(rule.reads).and_then(|at| self.scopes.get_mut(at));
            let answers = at.map_or(&mut self.answers, |scope| &mut scope.answers);
            answers.keep(id, self.stack.get(start..start + count).unwrap_or_default(), value.as_ref());
        }
        Ok(value)
    }

    fn builtin(&mut self, index: u32, start: usize) -> Outcome<Option<Value>> {
        let Some(builtin) = self.program.builtins.get(index as usize) else { return Ok(None) };
        let arguments = self.stack.get(start..).unwrap_or_default();
        let mut context =
            Context { now: self.now, seed: self.seed, host: self.host, budget: &mut self.budget, memory: self.memory };
        let (code, message) = match (builtin.run)(&mut context, arguments) {
            Ok(Some(value)) => {
                check_depth(&value)?;
                return Ok(Some(value));
            }
            Ok(None) => return Ok(None),
            Err(BuiltinError::Halt(message)) => return Err(EvalError::new(ErrorCode::Cancel, message)),
            Err(_) if !self.strict => return Ok(None),
            Err(BuiltinError::Type(message)) => (ErrorCode::Type, message),
            Err(BuiltinError::Failed(message)) => (ErrorCode::Builtin, message),
        };
        Err(EvalError::new(code, format!("{}: {message}", builtin.name)))
    }

    /// A call of a function by its path below `data`.
    pub(super) fn call_path(&mut self, path: &[Str], arguments: &[Value]) -> Outcome<Option<Value>> {
        self.begin();
        let function = path
            .iter()
            .try_fold(self.program.nodes.first(), |node, name| {
                Some(node.and_then(|node| self.program.nodes.get(*node.children.get(name)? as usize)))
            })
            .flatten()
            .and_then(|node| node.rule);
        let Some(function) = function else {
            return Err(EvalError::new(ErrorCode::Missing, format!("there is no function `data.{}`", path.join("."))));
        };
        self.stack.extend_from_slice(arguments);
        self.function(function, 0)
    }
}

fn name(rule: &Rule) -> String {
    format!("data.{}", rule.path.join("."))
}

/// Names the innermost rule only.
pub(super) fn named(mut error: Box<EvalError>, rule: &Rule) -> Box<EvalError> {
    error.rule.get_or_insert_with(|| name(rule));
    error
}
