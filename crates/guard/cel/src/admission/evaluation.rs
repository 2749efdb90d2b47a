//! One evaluation of a policy: where its expressions find their variables, each computed at most once.

use std::cell::OnceCell;

use palisade_model::{Str, Value};
use palisade_policy::Environment;

use super::expression::Expression;
use super::sharing::{Memo, OF_REQUEST};
use super::subject::Subject;
use crate::{Budget, EvalError, Scope, Val};

/// `spec.variables` of a policy, compiled.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    pub(super) entries: Vec<Variable>,
}

/// One variable.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    /// `variables.NAME`, as programs ask for it.
    pub(super) reference: Str,
    /// What computes it.
    pub(super) expression: Expression,
}

/// The prefix under which expressions name variables.
pub(super) const PREFIX: &str = "variables.";

impl Variables {
    /// The variable that programs ask for as `reference`.
    pub(super) fn find(&self, reference: &str) -> Option<(usize, &Variable)> {
        self.entries.iter().enumerate().find(|(_, variable)| *variable.reference == *reference)
    }
}

/// The scope of one policy's expressions over one request.
#[derive(Debug)]
pub struct Evaluation<'a> {
    subject: &'a Subject<'a>,
    environment: &'a Environment<'a>,
    variables: &'a Variables,
    computed: Vec<OnceCell<Result<Val, EvalError>>>,
    given: Vec<(&'static str, Result<Val, EvalError>)>,
    /// A variable that is made when it is asked for.
    made: Option<Made>,
}

type Made = (&'static str, fn() -> Val);

impl<'a> Evaluation<'a> {
    /// An evaluation over `subject`.
    pub fn new(subject: &'a Subject<'a>, environment: &'a Environment<'a>, variables: &'a Variables) -> Self {
        let computed = variables.entries.iter().map(|_| OnceCell::new()).collect();
        Self { subject, environment, variables, computed, given: Vec::new(), made: None }
    }

    /// Adds a variable that the policy's kind provides: `params`, `images`, `exceptions`, `variables.anyObject`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Val>) -> Self {
        self.given.push((name, Ok(value.into())));
        self
    }

    /// Like [`Evaluation::with`] for what few expressions ask for: `make` is called when one does.
    #[must_use]
    pub const fn with_made(mut self, name: &'static str, make: fn() -> Val) -> Self {
        self.made = Some((name, make));
        self
    }

    /// The surroundings.
    pub const fn environment(&self) -> &'a Environment<'a> {
        self.environment
    }

    /// The policy's variables.
    pub(super) const fn variables(&self) -> &'a Variables {
        self.variables
    }

    /// The same request about another object.
    pub(super) fn subject_about(&self, object: &Value) -> Subject<'a> {
        self.subject.about(object)
    }

    /// The same evaluation, begun anew about another subject.
    pub(super) fn about<'b>(&'b self, subject: &'b Subject<'b>) -> Evaluation<'b> {
        let given = self.given.iter().filter(|(name, _)| *name != "object").cloned().collect();
        Evaluation { given, made: self.made, ..Evaluation::new(subject, self.environment, self.variables) }
    }

    /// The same evaluation, begun anew.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { given: self.given.clone(), made: self.made, ..Self::new(self.subject, self.environment, self.variables) }
    }

    /// Sets what `object` is, keeping the variables that were computed already.
    pub fn set_object(&mut self, object: &Value) {
        self.given.retain(|(name, _)| *name != "object");
        self.given.push(("object", Ok(Val::from(object))));
    }

    /// What policies that see the same request have computed of it.
    pub(super) fn memo(&self) -> Option<&Memo> {
        let replaced = self.given.iter().any(|(name, _)| OF_REQUEST.contains(name));
        if replaced { None } else { self.subject.memo() }
    }

    fn compute(&self, reference: &str, budget: &mut Budget) -> Option<Result<Val, EvalError>> {
        let (index, variable) = self.variables.find(reference)?;
        let cell = self.computed.get(index)?;
        if let Some(value) = cell.get() {
            return Some(value.clone());
        }
        let value = variable.expression.compute(self, budget);
        // Only what is final is kept: a spent budget is the caller's, and the next expression has its own.
        if !matches!(&value, Err(error) if error.is_fatal()) {
            return Some(cell.get_or_init(|| value).clone());
        }
        Some(value)
    }

    /// All variables that have a value, for expressions that take `variables` as a whole.
    fn all(&self, budget: &mut Budget) -> Result<Val, EvalError> {
        let mut map = crate::Entries::new();
        for variable in &self.variables.entries {
            let name = variable.reference.strip_prefix(PREFIX).unwrap_or_default();
            match self.compute(&variable.reference, budget) {
                // Of two variables with one name, the first is what `variables.NAME` finds as well.
                Some(Ok(value)) => _ = map.insert(crate::Key::String(name.into()), value),
                Some(Err(error)) if error.is_fatal() => return Err(error),
                _ => {}
            }
        }
        Ok(Val::map(map))
    }
}

impl Scope for Evaluation<'_> {
    fn variable(&self, name: &str, budget: &mut Budget) -> Option<Result<Val, EvalError>> {
        if let Some((_, value)) = self.given.iter().find(|(given, _)| *given == name) {
            return Some(value.clone());
        }
        if let Some((_, make)) = self.made.filter(|(made, _)| *made == name) {
            return Some(Ok(make()));
        }
        if name.starts_with(PREFIX) {
            return self.compute(name, budget);
        }
        match name {
            "variables" => Some(self.all(budget)),
            _ => self.subject.variable(name),
        }
    }

    fn environment(&self) -> Option<&Environment<'_>> {
        Some(self.environment)
    }
}
