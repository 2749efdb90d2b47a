//! Definitions: parameters, conditions and what they give.

use std::collections::BTreeSet;

use palisade_model::{Span, Str};
use palisade_rego_value::Value;

use super::super::resolved::{Body, Expression, Kind, Term, Var, Variable};
use super::scope::How;
use super::{Module, Resolver, constant};
use crate::syntax::ast::{self, HeadKind};

/// A branch with names resolved.
#[derive(Debug)]
pub(in super::super) struct Branch {
    pub(in super::super) variables: Vec<Variable>,
    /// Variables that hold the arguments.
    pub(in super::super) parameters: Vec<Var>,
    pub(in super::super) body: Body,
    pub(in super::super) gives: Gives,
    pub(in super::super) span: Span,
}

/// What a solution of a branch gives.
#[derive(Debug)]
pub(in super::super) enum Gives {
    Value(Term),
    Element(Term),
    /// At a path within an object.
    Member(Vec<Term>, Term),
    /// An element of a set at a path within an object.
    Nested(Vec<Term>, Term),
    /// Variables of a query, by name.
    Bindings(Vec<(Str, Var)>),
}

impl Gives {
    /// The terms that must have a value at the end of the body.
    pub(in super::super) fn terms(&self) -> Vec<&Term> {
        match self {
            Self::Value(term) | Self::Element(term) => vec![term],
            Self::Member(path, term) | Self::Nested(path, term) => path.iter().chain([term]).collect(),
            Self::Bindings(_) => Vec::new(),
        }
    }
}

/// A definition with names resolved.
#[derive(Debug)]
pub(in super::super) struct Resolved {
    pub(in super::super) branches: Vec<Branch>,
    pub(in super::super) source: usize,
    pub(in super::super) span: Span,
}

/// A definition as written, and how much of its reference is the path of its rule.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Written<'a> {
    pub(in super::super) rule: &'a ast::Rule,
    /// The number of parts of the head's reference that the rule's path covers.
    pub(in super::super) covered: usize,
    /// What `rego.metadata.rule()` and `rego.metadata.chain()` give in it.
    pub(in super::super) annotations: &'a [Value; 2],
}

impl Module<'_> {
    /// Resolves a definition with its `else` branches.
    pub(in super::super) fn definition(self, written: Written<'_>, report: &mut super::Report) -> Resolved {
        let rule = written.rule;
        let mut used = BTreeSet::new();
        let count = rule.otherwise.len();
        let value = match &rule.head.kind {
            HeadKind::Value(value) | HeadKind::Function(_, value) => value.as_ref(),
            HeadKind::Contains(_) => None,
        };
        let first = AstBranch { body: &rule.body, value, span: rule.head.span };
        let others = rule.otherwise.iter().map(|other| AstBranch {
            body: &other.body,
            value: other.value.as_ref(),
            span: other.span,
        });
        let branches = std::iter::once(first)
            .chain(others)
            .enumerate()
            .map(|(at, branch)| {
                let mut resolver = Resolver::new(self, report);
                resolver.annotations.clone_from(written.annotations);
                resolver.branch(written, &branch, &mut used, at == count)
            })
            .collect();
        Resolved { branches, source: self.source, span: rule.span }
    }

    /// Resolves a query.
    pub(in super::super) fn query(self, body: &ast::Body, span: Span, report: &mut super::Report) -> Resolved {
        let mut resolver = Resolver::new(self, report);
        resolver.push_scope(body);
        let body = resolver.body(body);
        let gives = Gives::Bindings(resolver.shown());
        resolver.pop_scope();
        let branch = Branch { variables: resolver.variables, parameters: Vec::new(), body, gives, span };
        Resolved { branches: vec![branch], source: self.source, span }
    }
}

/// A branch as written: its body, its value (absent: `true`), its place.
struct AstBranch<'a> {
    body: &'a ast::Body,
    value: Option<&'a ast::Term>,
    span: Span,
}

impl Resolver<'_> {
    fn branch(mut self, written: Written<'_>, branch: &AstBranch<'_>, used: &mut BTreeSet<Str>, last: bool) -> Branch {
        let head = &written.rule.head;
        self.push_scope(&Vec::new());
        let mut body = Vec::new();
        let parameters = match &head.kind {
            HeadKind::Function(parameters, _) => {
                parameters.iter().map(|parameter| self.parameter(parameter, &mut body)).collect()
            }
            _ => Vec::new(),
        };
        self.look_ahead(branch.body);
        let conditions = self.body(branch.body);
        body.extend(conditions);
        let gives = self.gives(written, branch, &mut body);
        self.mark_parameters(used, !last);
        self.pop_scope();
        Branch { variables: self.variables, parameters, body, gives, span: branch.span }
    }

    /// The variable that holds an argument; patterns are taken apart by a first condition.
    fn parameter(&mut self, parameter: &ast::Term, body: &mut Body) -> Var {
        let span = parameter.span;
        if let ast::TermKind::Variable(name) = &parameter.kind {
            if name.starts_with('$') {
                return self.new_variable(None);
            }
            return self.declare(name, span, How::Parameter);
        }
        super::scope::pattern_names(parameter, &mut |name, span| {
            if !name.starts_with('$') {
                self.declare(name, span, How::Parameter);
            }
        });
        let uses = self.unused_parameters();
        let pattern = self.term(parameter, body);
        self.restore_unused(&uses);
        let var = self.new_variable(None);
        body.push(Expression::new(Kind::Unify(pattern, Term::var(var, span)), span));
        var
    }

    fn gives(&mut self, written: Written<'_>, branch: &AstBranch<'_>, body: &mut Body) -> Gives {
        let head = &written.rule.head;
        let rest = head.reference.get(written.covered..).unwrap_or_default();
        let path: Vec<Term> = rest.iter().map(|part| self.given(Some(part), head.span, body)).collect();
        match &head.kind {
            HeadKind::Contains(element) => {
                let element = self.given(Some(element), head.span, body);
                if path.is_empty() { Gives::Element(element) } else { Gives::Nested(path, element) }
            }
            HeadKind::Value(_) | HeadKind::Function(..) => {
                let value = self.given(branch.value, branch.span, body);
                if path.is_empty() { Gives::Value(value) } else { Gives::Member(path, value) }
            }
        }
    }

    /// A term of the head, evaluated at the end of the body; `true` if absent.
    fn given(&mut self, term: Option<&ast::Term>, span: Span, body: &mut Body) -> Term {
        let Some(term) = term else { return constant(Value::Bool(true), span) };
        let term = self.term(term, body);
        self.settled(term, body)
    }
}
