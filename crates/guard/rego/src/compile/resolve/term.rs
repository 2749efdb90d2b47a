//! Terms.

use std::rc::Rc;

use palisade_model::{Span, Str};
use palisade_rego_value::Value;

use super::super::codes::TYPE;
use super::super::resolved::{Body, Comprehension, Head, Term, TermKind};
use super::super::tree::show;
use super::scope::Meaning;
use super::{Resolver, constant};
use crate::plan::{Collect, RuleKind};
use crate::syntax::ast;

impl Resolver<'_> {
    /// Resolves a term; conditions that it needs go to `out`.
    pub(super) fn term(&mut self, term: &ast::Term, out: &mut Body) -> Term {
        use ast::TermKind as Ast;
        let span = term.span;
        let kind = match &term.kind {
            Ast::Scalar(value) => TermKind::Constant(value.clone()),
            Ast::Number(number) => TermKind::Constant(Value::Number(number.clone())),
            Ast::Variable(name) => {
                let variable = self.variable(name, span);
                if let TermKind::Reference(Head::Data, path) = &variable.kind {
                    self.check_called(path, span);
                }
                return variable;
            }
            Ast::Reference(head, parts) => return self.reference(head, parts, span, out),
            Ast::Call(operator, arguments) => return self.nested_call(operator, arguments, span, out),
            Ast::Array(items) => array(self.terms(items, out)),
            Ast::Set(items) => set(self.terms(items, out)),
            Ast::Object(members) => {
                let members = members.iter().map(|(key, value)| (self.term(key, out), self.term(value, out))).collect();
                object(members)
            }
            Ast::ArrayComprehension(value, body) => self.comprehension(Collect::Array, None, value, body),
            Ast::SetComprehension(value, body) => self.comprehension(Collect::Set, None, value, body),
            Ast::ObjectComprehension(key, value, body) => self.comprehension(Collect::Object, Some(key), value, body),
            Ast::Template(parts) => return self.template(parts, span, out),
        };
        Term::new(kind, span)
    }

    pub(super) fn terms(&mut self, terms: &[ast::Term], out: &mut Body) -> Vec<Term> {
        terms.iter().map(|term| self.term(term, out)).collect()
    }

    fn variable(&mut self, name: &Str, span: Span) -> Term {
        match self.meaning(name, span) {
            Meaning::Variable(var) => Term::var(var, span),
            Meaning::Path(path) => below_root(&path, Vec::new(), span),
        }
    }

    /// Reports a function that is not called.
    fn check_called(&mut self, path: &[Term], span: Span) {
        let names: Vec<Str> = path.iter().map_while(|part| part.as_name().cloned()).collect();
        let is_function = |length: &usize| {
            let rule = names.get(..*length).and_then(|path| self.module.tree.rule_at(path));
            let group = rule.and_then(|rule| self.module.tree.group(rule));
            group.is_some_and(|group| matches!(group.kind, RuleKind::Function { .. }))
        };
        if let Some(length) = (1..=names.len()).find(is_function) {
            let name = show(names.get(..length).unwrap_or_default());
            let message = format!("function {name} used as reference, not called");
            self.error(TYPE, span, message, "call it with its arguments in parentheses");
        }
    }

    fn reference(&mut self, head: &ast::Term, parts: &[ast::Term], span: Span, out: &mut Body) -> Term {
        let resolved = match &head.kind {
            ast::TermKind::Variable(name) => self.variable(name, head.span),
            _ => self.term(head, out),
        };
        let parts = self.terms(parts, out);
        match resolved.kind {
            TermKind::Var(var) => Term::new(TermKind::Reference(Head::Var(var), parts), span),
            TermKind::Reference(head, mut path) => {
                path.extend(parts);
                if head == Head::Data {
                    self.check_called(&path, span);
                }
                Term::new(TermKind::Reference(head, path), span)
            }
            kind => {
                let bound = self.bind(Term::new(kind, resolved.span), out);
                let TermKind::Var(var) = bound.kind else { return bound };
                Term::new(TermKind::Reference(Head::Var(var), parts), span)
            }
        }
    }

    fn comprehension(
        &mut self,
        collect: Collect,
        key: Option<&ast::Term>,
        value: &ast::Term,
        conditions: &ast::Body,
    ) -> TermKind {
        self.push_scope(conditions);
        let mut body = self.body(conditions);
        let key = key.map(|key| {
            let key = self.term(key, &mut body);
            self.settled(key, &mut body)
        });
        let value = self.term(value, &mut body);
        let value = self.settled(value, &mut body);
        self.pop_scope();
        TermKind::Comprehension(Box::new(Comprehension { collect, key, value, body }))
    }

    /// The set of the values that an expression has: none where it is undefined.
    pub(super) fn optional(&mut self, term: &ast::Term, with: &[ast::With]) -> Term {
        self.push_scope(&Vec::new());
        let mut body = Vec::new();
        let with = self.with(with, &mut body).map(Rc::new);
        let first = body.len();
        let value = self.term(term, &mut body);
        let value = if with.is_some() { self.bind(value, &mut body) } else { self.settled(value, &mut body) };
        for condition in body.iter_mut().skip(first) {
            condition.with.clone_from(&with);
        }
        self.pop_scope();
        let comprehension = Comprehension { collect: Collect::Set, key: None, value, body };
        Term::new(TermKind::Comprehension(Box::new(comprehension)), term.span)
    }
}

/// A path as a reference.
pub(super) fn below_root(path: &[Str], parts: Vec<Term>, span: Span) -> Term {
    let head = if path.first().is_some_and(|root| &**root == "input") { Head::Input } else { Head::Data };
    let names = path.iter().skip(1).map(|name| constant(Value::String(name.clone()), span));
    Term::new(TermKind::Reference(head, names.chain(parts).collect()), span)
}

/// The values, if all terms are constant.
fn constants<'a>(terms: impl Iterator<Item = &'a Term>) -> Option<Vec<Value>> {
    terms
        .map(|term| match &term.kind {
            TermKind::Constant(value) => Some(value.clone()),
            _ => None,
        })
        .collect()
}

pub(super) fn array(items: Vec<Term>) -> TermKind {
    match constants(items.iter()) {
        Some(values) => TermKind::Constant(Value::array(values)),
        None => TermKind::Array(items),
    }
}

fn set(items: Vec<Term>) -> TermKind {
    match constants(items.iter()) {
        Some(values) => TermKind::Constant(Value::set(values)),
        None => TermKind::Set(items),
    }
}

/// A constant object, unless a key is repeated (which is an error of the evaluation if the values differ).
fn object(members: Vec<(Term, Term)>) -> TermKind {
    let keys = constants(members.iter().map(|(key, _)| key));
    let values = constants(members.iter().map(|(_, value)| value));
    if let (Some(keys), Some(values)) = (keys, values) {
        let length = keys.len();
        let object = Value::object(keys.into_iter().zip(values).collect());
        if object.as_object().is_some_and(|object| object.len() == length) {
            return TermKind::Constant(object);
        }
    }
    TermKind::Object(members)
}
