//! `with`: documents and functions that stand in for others, and what is remembered meanwhile.
//!
//! What a rule gave is remembered with the innermost replacement that it can depend on, so that rules which cannot are
//! evaluated once, and nothing leaks out of a `with`.

use std::collections::HashMap;

use palisade_model::Str;
use palisade_rego_value::{Object, Value};

use super::arguments::Answers;
use super::collect::Sink;
use super::evaluation::{Evaluation, Flow, Outcome};
use crate::plan::{Block, Callee, Reads, Replacement, RuleId};

/// What rules and expressions see.
#[derive(Clone)]
pub(super) struct Environment<'a> {
    pub(super) input: Option<Value>,
    /// Base documents, replacements included.
    pub(super) data: Value,
    /// Paths below `data` at which rules are hidden by replacements.
    pub(super) hidden: Vec<&'a [Str]>,
    /// Functions that are replaced; the last entry of one counts.
    pub(super) functions: Vec<(Callee, Substitute)>,
}

/// What stands in for a function.
#[derive(Clone)]
pub(super) enum Substitute {
    Function(Callee),
    Value(Value),
}

/// A replacement in force, with what is remembered of what depends on it.
pub(super) struct Scope<'a> {
    /// What is seen outside.
    pub(super) outer: Environment<'a>,
    changes: Reads,
    pub(super) rules: HashMap<RuleId, Slot>,
    pub(super) answers: Answers,
}

/// What is known of a rule.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    Fresh,
    Running,
    Known(Option<Value>),
}

impl Environment<'_> {
    pub(super) fn new(input: Option<Value>, data: Value) -> Self {
        Self { input, data, hidden: Vec::new(), functions: Vec::new() }
    }

    /// Whether rules at a path are hidden.
    #[inline]
    pub(super) fn hides(&self, path: &[Str]) -> bool {
        self.hidden.iter().any(|hidden| path.starts_with(hidden))
    }

    /// The base document at a path.
    pub(super) fn base(&self, path: &[Str]) -> Option<&Value> {
        path.iter().try_fold(&self.data, |at, name| at.get_str(name))
    }

    #[inline]
    pub(super) fn substitute(&self, callee: Callee) -> Option<&Substitute> {
        self.functions.iter().rev().find(|(replaced, _)| *replaced == callee).map(|(_, substitute)| substitute)
    }
}

impl Scope<'_> {
    /// Whether it makes a difference to something with these dependencies.
    #[inline]
    fn concerns(&self, reads: Reads) -> bool {
        (self.changes.input && reads.input)
            || (self.changes.data && reads.data)
            || (self.changes.functions && reads.functions)
    }
}

impl<'a> Evaluation<'a> {
    /// The number of the innermost replacement that makes a difference to something with these dependencies.
    #[inline]
    pub(super) fn scope_of(&self, reads: Reads) -> Option<usize> {
        self.scopes.iter().rposition(|scope| scope.concerns(reads))
    }

    /// What is known of a rule.
    #[inline]
    pub(super) fn slot(&mut self, id: RuleId, reads: Reads) -> Option<&mut Slot> {
        match self.scope_of(reads) {
            None => self.rules.get_mut(id as usize),
            Some(at) => self.scopes.get_mut(at).map(|scope| scope.rules.entry(id).or_insert(Slot::Fresh)),
        }
    }

    /// What is known of functions.
    #[inline]
    pub(super) fn answers(&self, reads: Reads) -> &Answers {
        self.scope_of(reads).and_then(|at| self.scopes.get(at)).map_or(&self.answers, |scope| &scope.answers)
    }

    /// Runs the rest of a block under replacements.
    #[inline(never)]
    pub(super) fn with(
        &mut self,
        block: &'a Block,
        pc: usize,
        replacements: &'a [Replacement],
        sink: &mut Sink,
    ) -> Outcome<Flow> {
        let Some((environment, changes)) = self.replaced(replacements) else { return Ok(Flow::More) };
        self.enter()?;
        self.begin_scope(environment, changes);
        let flow = self.run(block, pc, sink)?;
        self.end_scope();
        self.leave();
        Ok(flow)
    }

    /// Runs the rest of a block without the innermost replacements.
    #[inline(never)]
    pub(super) fn without(&mut self, block: &'a Block, pc: usize, sink: &mut Sink) -> Outcome<Flow> {
        let Some(mut scope) = self.scopes.pop() else { return self.run(block, pc, sink) };
        self.enter()?;
        std::mem::swap(&mut self.environment, &mut scope.outer);
        let flow = self.run(block, pc, sink)?;
        std::mem::swap(&mut self.environment, &mut scope.outer);
        self.scopes.push(scope);
        self.leave();
        Ok(flow)
    }

    pub(super) fn begin_scope(&mut self, environment: Environment<'a>, changes: Reads) {
        let outer = std::mem::replace(&mut self.environment, environment);
        self.scopes.push(Scope { outer, changes, rules: HashMap::new(), answers: Answers::default() });
    }

    pub(super) fn end_scope(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.environment = scope.outer;
        }
    }

    /// What is seen under replacements; `None` where one of their values is undefined.
    fn replaced(&self, replacements: &'a [Replacement]) -> Option<(Environment<'a>, Reads)> {
        let mut environment = self.environment.clone();
        let mut changes = Reads::default();
        for replacement in replacements {
            match replacement {
                Replacement::Input(path, operand) => {
                    let value = self.operand(*operand)?.clone();
                    environment.input = Some(placed(environment.input.as_ref(), path, value));
                    changes.input = true;
                }
                Replacement::Data(path, operand) => {
                    let value = self.operand(*operand)?.clone();
                    environment.data = placed(Some(&environment.data), path, value);
                    environment.hidden.push(path);
                    changes.data = true;
                }
                Replacement::Function(replaced, by) => {
                    environment.functions.push((*replaced, Substitute::Function(*by)));
                    changes.functions = true;
                }
                Replacement::Constant(replaced, operand) => {
                    let value = self.operand(*operand)?.clone();
                    environment.functions.push((*replaced, Substitute::Value(value)));
                    changes.functions = true;
                }
            }
        }
        Some((environment, changes))
    }
}

/// A document with a value at a path; what is on the way and not an object becomes one.
fn placed(document: Option<&Value>, path: &[Str], value: Value) -> Value {
    let mut parents = Vec::with_capacity(path.len());
    let mut at = document;
    for name in path {
        let object = at.and_then(Value::as_object);
        parents.push((object, name));
        at = object.and_then(|object| object.get_str(name));
    }
    parents.into_iter().rev().fold(value, |value, (object, name)| {
        let mut object = object.cloned().unwrap_or_else(Object::new);
        object.insert(Value::String(name.clone()), value);
        Value::from(object)
    })
}
