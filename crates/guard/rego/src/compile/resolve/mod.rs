//! Names to variables, rules and paths; calls to conditions of their own.
//!
//! A [`Resolver`] works through one branch of one definition. Variables declared by `:=`, `some`, `every` and parameters
//! belong to the body they are declared in and hide what is outside; all others belong to the whole branch, which is how
//! closures share them with what surrounds them. Deliberately absent: the order of conditions (`safety`).

mod call;
mod condition;
mod definition;
mod scope;
mod term;
mod with;

use std::collections::HashMap;

use palisade_model::{Span, Str};
use palisade_rego_value::Value;

use super::codes::Code;

use super::names::Names;
use super::report::Report;
use super::resolved::{Body, Expression, Kind, Term, TermKind, Var, Variable};
use super::tree::Tree;

pub(super) use definition::{Branch, Gives, Resolved, Written};
use scope::Scope;

/// What all definitions of a module share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Module<'a> {
    pub(super) tree: &'a Tree,
    pub(super) names: &'a Names,

    /// The number of its source.
    pub(super) source: usize,
    /// Whether unused names are reported.
    pub(super) strict: bool,
    /// Whether deprecated functions are.
    pub(super) modern: bool,
}

/// Resolves one branch.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    module: Module<'a>,
    report: &'a mut Report,
    variables: Vec<Variable>,
    scopes: Vec<Scope>,
    /// Variables that nothing declares, by name.
    loose: HashMap<Str, Var>,
    /// What `rego.metadata.rule()` and `rego.metadata.chain()` give here.
    annotations: [Value; 2],
}

impl<'a> Resolver<'a> {
    pub(super) fn new(module: Module<'a>, report: &'a mut Report) -> Self {
        Self {
            module,
            report,
            variables: Vec::new(),
            scopes: Vec::new(),
            loose: HashMap::new(),
            annotations: [Value::object(Vec::new()), Value::array(Vec::new())],
        }
    }

    fn error(&mut self, code: Code, span: Span, message: impl AsRef<str>, help: impl Into<String>) {
        self.report.error(code, (self.module.source, span), message, help);
    }

    fn new_variable(&mut self, name: Option<Str>) -> Var {
        self.variables.push(Variable { name });
        (self.variables.len() - 1) as Var
    }

    /// A new variable for a term, and the condition that gives it its value.
    fn bind(&mut self, term: Term, out: &mut Body) -> Term {
        let span = term.span;
        let variable = Term::var(self.new_variable(None), span);
        out.push(Expression::new(Kind::Unify(variable.clone(), term), span));
        variable
    }

    /// The term, or a variable for it where it has to be evaluated.
    fn settled(&mut self, term: Term, out: &mut Body) -> Term {
        if term.requires_evaluation() { self.bind(term, out) } else { term }
    }
}

/// A constant.
fn constant(value: Value, span: Span) -> Term {
    Term::new(TermKind::Constant(value), span)
}
