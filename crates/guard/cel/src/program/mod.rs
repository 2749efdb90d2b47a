//! A compiled expression.

use std::fmt;

use palisade_model::Str;

use crate::{Budget, CompileError, Env, EvalError, Scope, Type, Val};

/// A compiled expression, ready to be evaluated any number of times from any number of threads.
#[derive(Clone)]
pub struct Program {
    source: Str,
    references: Vec<Str>,
    result: Type,
}

impl Program {
    pub(crate) fn compile(_env: &Env, _source: &str, _check: bool) -> Result<Self, Vec<CompileError>> {
        Err(vec![CompileError::new(0..0, "not yet")])
    }

    /// The value of the expression.
    pub fn evaluate(&self, _scope: &dyn Scope, _budget: &mut Budget) -> Result<Val, EvalError> {
        Err(EvalError::invalid("not yet"))
    }

    /// The names of the variables it uses, each once.
    pub fn references(&self) -> &[Str] {
        &self.references
    }

    /// The expression as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The type that the checker deduced; [`Type::Dyn`] where it is known only when evaluated.
    pub fn result_type(&self) -> &Type {
        &self.result
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.source).finish()
    }
}
