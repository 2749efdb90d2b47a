//! Kyverno's JMESPath: the language of `{{ variables }}`, preconditions, conditions and context entries.
//!
//! Kyverno evaluates a fork of JMESPath in which a missing key is an error instead of `null`, numbers are doubles and
//! fifty functions are added. A [`Query`] is parsed once and searched many times over a [`Scope`], which loads a
//! rule's context only as far as the query asks for it. Deliberately absent: finding `{{ }}` in text, which is the
//! rule engine's work, and reaching out, which is the scope's.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests read fixtures and corpora"))]

mod ast;
mod evaluate;
mod functions;
mod lexer;
mod parser;
mod scope;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use palisade_model::Value;
use palisade_policy::steps::Steps;

use evaluate::{Current, Evaluator};
pub use scope::Scope;

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct Query {
    source: Box<str>,
    root: ast::Node,
}

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at offset {offset}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// The byte of the text at which it was noticed.
    pub offset: usize,
}

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A key does not exist; variable defaults and conditions treat this case specially.
    #[error("unknown key `{path}` in path")]
    NotFound {
        /// The key that is missing.
        path: String,
    },
    /// A function was given what it cannot work with, or does not exist.
    #[error("{0}")]
    Invalid(String),
    /// The scope could not load what was asked for.
    #[error("{0}")]
    Lookup(String),
    /// The step budget is used up.
    #[error("the expression takes too many steps; simplify it")]
    StepLimit,
}

/// What a search may depend on beside query and scope.
#[derive(Clone, Copy, Debug)]
pub struct Runtime<'a> {
    /// The moment of the decision, for `time_now` and its like.
    pub now: Timestamp,
    /// Seed of `random`.
    pub seed: u64,
    /// Steps that are left; shared by all searches of a rule.
    pub steps: &'a Steps<'a>,
}

/// How many steps an expression may take that belongs to no rule.
const STEPS: u64 = 1_000_000;

/// What an expression makes of `data` alone, as projections of global context entries do.
///
/// # Errors
/// Where the text is no expression, or has no answer.
pub fn project(expression: &str, data: &Value, now: Timestamp) -> Result<Value, String> {
    let query = Query::parse(expression).map_err(|error| error.to_string())?;
    let steps = Steps::new(STEPS, None);
    query.search(data, &Runtime { now, seed: 0, steps: &steps }).map_err(|error| error.to_string())
}

impl Query {
    /// Parses an expression.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self { root: parser::parse(text)?, source: text.into() })
    }

    /// The text it was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The top-level names that the expression starts from, without repetition, in order of appearance.
    pub fn root_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.root.collect_roots(&mut names);
        names
    }

    /// What the expression reads, by the names that lead to it from wherever that part of the expression begins: the root,
    /// or what stands before a filter or a projection. The root as a whole is `@`.
    pub fn paths(&self) -> Vec<Vec<&str>> {
        let mut paths = Vec::new();
        self.root.collect_paths(true, &mut paths);
        paths
    }

    /// What is wrong with a call that can never have an answer: a function that does not exist, or takes another number of
    /// arguments.
    pub fn wrong_call(&self) -> Option<String> {
        self.root.find_call(&|call| match call.function {
            None => Some(functions::unknown(&call.name)),
            Some(function) => function.misfit(call.arguments.len()),
        })
    }

    /// Evaluates the expression.
    pub fn search(&self, scope: &dyn Scope, runtime: &Runtime<'_>) -> Result<Value, QueryError> {
        let evaluator = Evaluator { runtime };
        let found = evaluator.evaluate(&self.root, Current::Root(scope))?;
        if self.root.builds() {
            // Shared parts make a small value huge to whoever walks it next.
            evaluator.charge_tree(&found)?;
        }
        Ok(found.into_owned())
    }
}
