//! A compiled expression, and the machine that evaluates it; it knows nothing of where nodes come from.

mod arithmetic;
mod functions;
mod loops;
mod machine;
pub(crate) mod node;
mod optionals;
mod term;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use palisade_model::Str;

use crate::{Budget, EvalError, Scope, Type, Val};
use node::Node;

pub(crate) use machine::{constant_error, fold_constant};

/// A compiled expression, ready to be evaluated any number of times from any number of threads.
#[derive(Clone)]
pub struct Program(Arc<Parts>);

/// What a compiled expression consists of.
pub(crate) struct Parts {
    pub(crate) source: Str,
    pub(crate) root: Node,
    /// The names behind the slots.
    pub(crate) variables: Vec<Str>,
    /// How many registers loops and bindings need.
    pub(crate) registers: usize,
    /// See [`crate::EnvBuilder::strict`].
    pub(crate) strict: bool,
    /// Whether anything is called whose result depends on more than its arguments.
    pub(crate) contextual: bool,
    pub(crate) result: Type,
    /// Whether several expressions have this program.
    pub(crate) shared: AtomicBool,
}

impl Program {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The value of the expression.
    pub fn evaluate(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Val, EvalError> {
        machine::evaluate(&self.0, scope, budget)
    }

    /// Whether its value depends on more than its variables: on the time, a look-up, chance.
    pub(crate) fn is_contextual(&self) -> bool {
        self.0.contextual
    }

    /// Notes that several expressions have this program.
    pub(crate) fn share(&self) {
        self.0.shared.store(true, Ordering::Relaxed);
    }

    /// Whether several expressions have this program.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.shared.load(Ordering::Relaxed)
    }

    /// Whether both are one program, not merely alike.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The text that it is, where it is one and nothing else.
    pub(crate) fn constant_text(&self) -> Option<&Str> {
        let Node::Constant(Val::String(text)) = &self.0.root else { return None };
        Some(text)
    }

    /// The names of the variables it uses, each once.
    pub fn references(&self) -> &[Str] {
        &self.0.variables
    }

    /// The expression as written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The type that the checker deduced; [`Type::Dyn`] where it is known only when evaluated.
    pub fn result_type(&self) -> &Type {
        &self.0.result
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.0.source).finish()
    }
}
