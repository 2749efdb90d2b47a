//! Conditions.

use std::rc::Rc;

use palisade_model::{Span, Str};
use palisade_rego_value::Value;

use super::super::codes::COMPILE;
use super::super::outputs::condition_variables;
use super::super::resolved::{Body, Expression, Function, Head, Kind, Term, TermKind, Vars};
use super::call::Operator;
use super::scope::{How, pattern_names};
use super::{Resolver, constant};
use crate::syntax::ast;

impl Resolver<'_> {
    /// Resolves conditions in the innermost scope.
    pub(super) fn body(&mut self, body: &ast::Body) -> Body {
        let mut out = Vec::new();
        for expression in body {
            self.condition(expression, &mut out);
        }
        out
    }

    fn condition(&mut self, expression: &ast::Expression, out: &mut Body) {
        let with = self.with(&expression.with, out);
        let first = out.len();
        if let Some(kind) = self.kind(expression, out) {
            out.push(Expression {
                negated: expression.negated,
                kind,
                with: None,
                span: expression.span,
                written: true,
            });
        }
        if let Some(with) = with.map(Rc::new) {
            for condition in out.iter_mut().skip(first) {
                condition.with = Some(with.clone());
            }
        }
    }

    /// What an expression asks; what it needs goes to `out`. Declarations ask nothing.
    fn kind(&mut self, expression: &ast::Expression, out: &mut Body) -> Option<Kind> {
        let span = expression.span;
        Some(match &expression.kind {
            ast::ExpressionKind::Term(ast::Term { kind: ast::TermKind::Call(operator, arguments), span }) => {
                self.call_condition(operator, arguments, *span, out)
            }
            ast::ExpressionKind::Term(term) => Kind::Term(self.term(term, out)),
            ast::ExpressionKind::Assign(left, right) => {
                if expression.negated {
                    let message = "cannot assign vars inside negated expression";
                    self.error(COMPILE, span, message, "compare with `==`, or assign on the line before");
                }
                self.assign(left, right, out)
            }
            ast::ExpressionKind::Unify(left, right) => {
                if !expression.negated && is_pattern(left) {
                    let left = self.term(left, out);
                    return Some(self.result(left, right, out));
                }
                if !expression.negated && is_pattern(right) {
                    let right = self.term(right, out);
                    return Some(self.result(right, left, out));
                }
                Kind::Unify(self.term(left, out), self.term(right, out))
            }
            ast::ExpressionKind::Some(names) => {
                for (name, span) in names {
                    self.declare(name, *span, How::Declared);
                }
                return None;
            }
            ast::ExpressionKind::SomeIn { key, value, collection } => {
                self.some_in(key.as_ref(), value, collection, span, out)
            }
            ast::ExpressionKind::Every { key, value, collection, body } => {
                self.every(key.as_ref(), value, collection, body, out)
            }
            ast::ExpressionKind::Not(operand) => self.fails(operand, "negated expression"),
            ast::ExpressionKind::And(left, right) => {
                let left = self.fails(left, "implicit and operand");
                out.push(Expression::new(none_of([left], span), span));
                none_of([self.fails(right, "implicit and operand")], span)
            }
            ast::ExpressionKind::Or(left, right) => {
                let sides = [left, right].map(|side| self.fails(side, "implicit or operand"));
                none_of(sides, span)
            }
        })
    }

    /// That an operand has no solution. One without braces gives no values to variables that have names.
    fn fails(&mut self, operand: &ast::Operand, place: &str) -> Kind {
        if let ([ast::Expression { kind: ast::ExpressionKind::Assign(..), span, .. }], false) =
            (operand.body.as_slice(), operand.explicit)
        {
            let message = format!("cannot assign vars inside {place}");
            self.error(COMPILE, *span, message, "put the operand in braces, or assign on the line before");
            return Kind::Not { body: Vec::new(), needed: Vars::new() };
        }
        self.push_scope(&operand.body);
        let body = self.body(&operand.body);
        self.pop_scope();
        let mut needed = Vars::new();
        if !operand.explicit {
            needed.extend(body.iter().flat_map(condition_variables));
            needed.retain(|var| self.variables.get(*var as usize).is_some_and(|variable| variable.name.is_some()));
        }
        Kind::Not { body, needed }
    }

    /// `pattern = term`, where the result of a call goes to the pattern at once.
    fn result(&mut self, pattern: Term, term: &ast::Term, out: &mut Body) -> Kind {
        if let ast::TermKind::Call(operator, arguments) = &term.kind {
            let before = self.report.found.len();
            if let Operator::Function(function, _) = self.operator(operator, term.span)
                && arguments.len() == function.arity()
            {
                return self.call_into(function, arguments, pattern, out);
            }
            self.report.found.truncate(before);
        }
        Kind::Unify(pattern, self.term(term, out))
    }

    fn call_into(&mut self, function: Function, arguments: &[ast::Term], result: Term, out: &mut Body) -> Kind {
        let mut operands = self.terms(arguments, out);
        operands.push(result);
        Kind::Call(function, operands)
    }

    fn assign(&mut self, left: &ast::Term, right: &ast::Term, out: &mut Body) -> Kind {
        // The right side sees what the names meant before.
        let right_kind = match &right.kind {
            ast::TermKind::Call(operator, arguments) => {
                let before = self.report.found.len();
                match self.operator(operator, right.span) {
                    Operator::Function(function, _) if arguments.len() == function.arity() => {
                        Err((function, self.terms(arguments, out)))
                    }
                    _ => {
                        self.report.found.truncate(before);
                        Ok(self.term(right, out))
                    }
                }
            }
            _ => Ok(self.term(right, out)),
        };
        let left = self.assigned(left, out);
        match right_kind {
            Ok(right) => Kind::Unify(left, right),
            Err((function, mut operands)) => {
                operands.push(left);
                Kind::Call(function, operands)
            }
        }
    }

    /// The left side of `:=`: names are declared, all else must be arrays of such and objects with such values.
    fn assigned(&mut self, pattern: &ast::Term, out: &mut Body) -> Term {
        let span = pattern.span;
        let kind = match &pattern.kind {
            ast::TermKind::Variable(name) if name.starts_with('$') => return self.term(pattern, out),
            ast::TermKind::Variable(name) => return Term::var(self.declare(name, span, How::Assigned), span),
            ast::TermKind::Array(items) => {
                super::term::array(items.iter().map(|item| self.assigned(item, out)).collect())
            }
            ast::TermKind::Object(members) => TermKind::Object(
                members.iter().map(|(key, value)| (self.term(key, out), self.assigned(value, out))).collect(),
            ),
            other => {
                let message = format!("cannot assign to {}", kind_name(other));
                self.error(COMPILE, span, message, "put a variable on the left of `:=`, or compare with `==`");
                return constant(Value::Null, span);
            }
        };
        Term::new(kind, span)
    }

    fn some_in(
        &mut self,
        key: Option<&ast::Term>,
        value: &ast::Term,
        collection: &ast::Term,
        span: Span,
        out: &mut Body,
    ) -> Kind {
        let collection = self.term(collection, out);
        for term in key.into_iter().chain([value]) {
            pattern_names(term, &mut |name, span| {
                if !name.starts_with('$') {
                    self.declare(name, span, How::Declared);
                    self.mark_used(name);
                }
            });
        }
        let key = match key {
            Some(key) => self.term(key, out),
            None => Term::var(self.new_variable(Some("$".into())), span),
        };
        let value = self.term(value, out);
        let (head, mut parts) = match collection.kind {
            TermKind::Var(var) => (Head::Var(var), Vec::new()),
            TermKind::Reference(head, parts) => (head, parts),
            kind => match self.bind(Term::new(kind, collection.span), out).kind {
                TermKind::Var(var) => (Head::Var(var), Vec::new()),
                _ => (Head::Input, Vec::new()),
            },
        };
        parts.push(key);
        Kind::Unify(value, Term::new(TermKind::Reference(head, parts), span))
    }

    fn every(
        &mut self,
        key: Option<&(Str, Span)>,
        value: &(Str, Span),
        collection: &ast::Term,
        conditions: &ast::Body,
        out: &mut Body,
    ) -> Kind {
        let collection = self.term(collection, out);
        let collection = self.settled(collection, out);
        self.push_scope(conditions);
        let key = key.map(|(name, span)| self.every_name(name, *span));
        let value = self.every_name(&value.0, value.1);
        let body = self.body(conditions);
        self.pop_scope();
        Kind::Every { key, value, collection, body }
    }

    fn every_name(&mut self, name: &Str, span: Span) -> u32 {
        if name.starts_with('$') || &**name == "_" {
            return self.new_variable(None);
        }
        self.declare(name, span, How::Declared)
    }
}

/// That none of these holds.
fn none_of<const N: usize>(kinds: [Kind; N], span: Span) -> Kind {
    Kind::Not { body: kinds.map(|kind| Expression::new(kind, span)).into(), needed: Vars::new() }
}

/// Whether a term only takes values apart: a variable, or arrays and objects of such and constants.
fn is_pattern(term: &ast::Term) -> bool {
    match &term.kind {
        ast::TermKind::Variable(name) => !matches!(&**name, "input" | "data"),
        ast::TermKind::Array(items) => items.iter().all(is_part),
        ast::TermKind::Object(members) => members.iter().all(|(_, value)| is_part(value)),
        _ => false,
    }
}

fn is_part(term: &ast::Term) -> bool {
    matches!(term.kind, ast::TermKind::Scalar(_) | ast::TermKind::Number(_)) || is_pattern(term)
}

fn kind_name(kind: &ast::TermKind) -> &'static str {
    match kind {
        ast::TermKind::Scalar(value) => value.type_name(),
        ast::TermKind::Number(_) => "number",
        ast::TermKind::Variable(_) => "var",
        ast::TermKind::Reference(..) => "ref",
        ast::TermKind::Call(..) => "call",
        ast::TermKind::Array(_) => "array",
        ast::TermKind::Set(_) => "set",
        ast::TermKind::Object(_) => "object",
        ast::TermKind::ArrayComprehension(..) => "arraycomprehension",
        ast::TermKind::SetComprehension(..) => "setcomprehension",
        ast::TermKind::ObjectComprehension(..) => "objectcomprehension",
        ast::TermKind::Template(_) => "templatestring",
    }
}
