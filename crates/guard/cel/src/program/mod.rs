//! A compiled expression, and the machine that evaluates it.

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

use palisade_model::Str;

use crate::compile::{Compiled, compile};
use crate::syntax::parse;
use crate::{Budget, CompileError, Env, EvalError, Scope, Type, Val};

pub(crate) use machine::{constant_error, fold_constant};

/// A compiled expression, ready to be evaluated any number of times from any number of threads.
#[derive(Clone)]
pub struct Program(Arc<Parts>);

struct Parts {
    source: Str,
    compiled: Compiled,
}

impl Program {
    pub(crate) fn compile(env: &Env, source: &str, check: bool) -> Result<Self, Vec<CompileError>> {
        let expr = parse(source, env.registry()).map_err(|error| vec![error])?;
        let compiled = compile(env, &expr, check)?;
        Ok(Self(Arc::new(Parts { source: source.into(), compiled })))
    }

    /// The value of the expression.
    pub fn evaluate(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Val, EvalError> {
        machine::evaluate(&self.0.compiled, scope, budget)
    }

    /// The names of the variables it uses, each once.
    pub fn references(&self) -> &[Str] {
        &self.0.compiled.variables
    }

    /// The expression as written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The type that the checker deduced; [`Type::Dyn`] where it is known only when evaluated.
    pub fn result_type(&self) -> &Type {
        &self.0.compiled.result
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.0.source).finish()
    }
}
