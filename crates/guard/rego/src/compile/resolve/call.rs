//! Calls: what they name, and what the compiler answers itself.

use palisade_model::{Span, Str};
use palisade_rego_builtins::DEPRECATED;
use palisade_rego_value::Value;

use super::super::codes::{COMPILE, DEPRECATED as NO_LONGER, TYPE};
use super::super::names;
use super::super::resolved::{Body, Expression, Function, Head, Kind, Term, TermKind};
use super::{Resolver, constant, term};
use crate::syntax::ast;

/// What an operator names.
pub(super) enum Operator {
    Print,
    /// `rego.metadata.rule` and `rego.metadata.chain`, by number.
    Metadata(usize),
    Function(Function, String),
    /// Nothing; it has been reported.
    Unknown,
}

impl Resolver<'_> {
    /// A call within a term: its result is a variable.
    pub(super) fn nested_call(
        &mut self,
        operator: &ast::Term,
        arguments: &[ast::Term],
        span: Span,
        out: &mut Body,
    ) -> Term {
        match self.operator(operator, span) {
            Operator::Print => {
                self.error(TYPE, span, "print has no value", "put `print` on a line of its own");
                constant(Value::Null, span)
            }
            Operator::Metadata(which) => self.annotation(which, span),
            Operator::Unknown => {
                self.terms(arguments, out);
                anything(span)
            }
            Operator::Function(function, name) => {
                self.check_arity(function, &name, arguments.len(), false, span);
                let mut operands = self.terms(arguments, out);
                let result = Term::var(self.new_variable(None), span);
                operands.push(result.clone());
                out.push(Expression::new(Kind::Call(function, operands), span));
                result
            }
        }
    }

    /// A call as a condition.
    pub(super) fn call_condition(
        &mut self,
        operator: &ast::Term,
        arguments: &[ast::Term],
        span: Span,
        out: &mut Body,
    ) -> Kind {
        match self.operator(operator, span) {
            Operator::Print => Kind::Print(arguments.iter().map(|argument| self.optional(argument, &[])).collect()),
            Operator::Metadata(which) => Kind::Term(self.annotation(which, span)),
            Operator::Unknown => {
                let given = self.terms(arguments, out).into_iter();
                out.extend(given.map(|term| Expression::new(Kind::Unify(term, anything(span)), span)));
                Kind::Term(anything(span))
            }
            Operator::Function(function, name) => {
                self.check_arity(function, &name, arguments.len(), true, span);
                Kind::Call(function, self.terms(arguments, out))
            }
        }
    }

    fn annotation(&self, which: usize, span: Span) -> Term {
        constant(self.annotations.get(which).cloned().unwrap_or(Value::Null), span)
    }

    /// What the operator of a call names; reports it if that is nothing.
    pub(super) fn operator(&mut self, operator: &ast::Term, span: Span) -> Operator {
        if let Some(name) = first_name(operator)
            && self.is_declared(name)
        {
            let message = format!("called function {name} shadowed");
            self.error(COMPILE, span, message, format!("rename the variable `{name}`"));
            return Operator::Unknown;
        }
        let Some(path) = self.module.names.operator(self.module.tree, operator) else {
            self.error(TYPE, span, "only functions can be called", "call a function by its name");
            return Operator::Unknown;
        };
        let name = path.join(".");
        match name.as_str() {
            "print" => return Operator::Print,
            "rego.metadata.rule" => return Operator::Metadata(0),
            "rego.metadata.chain" => return Operator::Metadata(1),
            _ => {}
        }
        let Some(function) = names::function(self.module.tree, &path) else {
            self.unknown_function(&path, operator.span);
            return Operator::Unknown;
        };
        if self.module.modern && matches!(function, Function::Builtin(_)) && DEPRECATED.contains(&name.as_str()) {
            let message = format!("deprecated built-in function calls in expression: {name}");
            self.error(NO_LONGER, span, message, "the reference names what replaces it");
        }
        Operator::Function(function, name)
    }

    fn unknown_function(&mut self, path: &[Str], span: Span) {
        let help = match names::suggestion(self.module.tree, path) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "functions of other packages need their import or full path, such as `data.lib.f(x)`".to_owned(),
        };
        self.error(TYPE, span, format!("undefined function {}", path.join(".")), help);
    }

    fn check_arity(&mut self, function: Function, name: &str, given: usize, result: bool, span: Span) {
        let arity = function.arity();
        if given == arity || (result && given == arity + 1) {
            return;
        }
        let message =
            format!("function {name} has arity {arity}, got {given} argument{}", if given == 1 { "" } else { "s" });
        self.error(TYPE, span, message, format!("give `{name}` {arity} argument{}", if arity == 1 { "" } else { "s" }));
    }

    /// An interpolated string: a call of the function that joins texts and what expressions give.
    pub(super) fn template(&mut self, parts: &[ast::TemplatePart], span: Span, out: &mut Body) -> Term {
        let items = parts
            .iter()
            .map(|part| match part {
                ast::TemplatePart::Text(text) => constant(Value::String(text.clone()), span),
                ast::TemplatePart::Expression(expression) => self.template_part(expression),
            })
            .collect();
        let Some(function) = names::builtin("internal.template_string") else {
            self.error(TYPE, span, "undefined function internal.template_string", "");
            return constant(Value::Null, span);
        };
        let result = Term::var(self.new_variable(None), span);
        let items = Term::new(term::array(items), span);
        let call = Kind::Call(Function::Builtin(function), vec![items, result.clone()]);
        out.push(Expression::new(call, span));
        result
    }

    fn template_part(&mut self, expression: &ast::Expression) -> Term {
        let span = expression.span;
        let ast::ExpressionKind::Term(term) = &expression.kind else {
            self.error(COMPILE, span, "template expressions must have a value", "name a term in the braces");
            return constant(Value::Null, span);
        };
        self.optional(term, &expression.with)
    }
}

/// Stands for the value of what has been reported, so that nothing else is reported because of it.
fn anything(span: Span) -> Term {
    Term::new(TermKind::Reference(Head::Input, Vec::new()), span)
}

/// The name that an operator starts with.
fn first_name(operator: &ast::Term) -> Option<&Str> {
    match &operator.kind {
        ast::TermKind::Variable(name) => Some(name),
        ast::TermKind::Reference(head, _) => first_name(head),
        _ => None,
    }
}
