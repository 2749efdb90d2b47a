//! A module as data, in the form that `rego.parse_module` gives.
//!
//! The form is OPA's: terms are objects with `type` and `value`, operators are calls of their functions, a rule without
//! conditions has one that is marked as generated, elements of sets and objects are in order.

use std::cmp::Ordering;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade_model::{Diagnostic, Source, Span, Str};
use palisade_rego_value::Value;

use super::ast::{
    Body, Else, Expression, ExpressionKind, Head, HeadKind, Import, Module, Operand, Rule, TemplatePart, Term,
    TermKind, Version,
};

/// What `rego.parse_module` gives for a file; the error is in OPA's words.
pub fn parse_module(name: &str, text: &str) -> Result<Value, String> {
    match super::parse(Source::new(name, text), Version::V1) {
        (Some(module), diagnostics) if diagnostics.is_empty() => Ok(Printer { module: &module }.module()),
        (_, diagnostics) => Err(opa_errors(&diagnostics)),
    }
}

/// Parse errors as OPA lists them.
pub fn opa_errors(diagnostics: &[Diagnostic]) -> String {
    let one = |diagnostic: &Diagnostic| {
        let place = diagnostic.labels.first().map_or_else(String::new, |label| {
            format!("{}:{}: ", label.location.source.name(), label.location.start().line)
        });
        format!("{place}rego_parse_error: {}", diagnostic.message)
    };
    let errors: Vec<String> = diagnostics.iter().map(one).collect();
    match errors.as_slice() {
        [only] => format!("1 error occurred: {only}"),
        _ => format!("{} errors occurred:\n{}", errors.len(), errors.join("\n")),
    }
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((Value::string(name), value?)));
    Value::object(present.collect())
}

fn typed(kind: &str, value: Value) -> Value {
    object([("type", Some(Value::string(kind))), ("value", Some(value))])
}

fn variable(name: &str) -> Value {
    typed("var", Value::string(name))
}

fn string(text: &Str) -> Value {
    typed("string", Value::String(text.clone()))
}

fn flag(set: bool) -> Option<Value> {
    set.then_some(Value::Bool(true))
}

struct Printer<'a> {
    module: &'a Module,
}

impl Printer<'_> {
    fn module(&self) -> Value {
        let module = self.module;
        let listed = |items: Vec<Value>| (!items.is_empty()).then(|| Value::array(items));
        let path = std::iter::once(variable("data")).chain(module.package.iter().map(string));
        object([
            ("package", Some(object([("path", Some(Value::array(path.collect())))]))),
            ("imports", listed(module.imports.iter().map(import).collect())),
            ("rules", listed(module.rules.iter().map(|rule| self.rule(rule)).collect())),
            ("comments", listed(module.comments.iter().map(|span| self.comment(*span)).collect())),
        ])
    }

    fn comment(&self, span: Span) -> Value {
        let source: &Arc<Source> = &self.module.source;
        let text = source.slice(span).strip_prefix('#').unwrap_or_default().trim_end_matches('\r');
        let place = source.position(span.start as usize);
        let location = object([
            ("file", Some(Value::string(source.name()))),
            ("row", Some(Value::from(place.line))),
            ("col", Some(Value::from(place.column))),
        ]);
        object([("Text", Some(Value::string(STANDARD.encode(text)))), ("Location", Some(location))])
    }

    fn rule(&self, rule: &Rule) -> Value {
        let head = self.head(rule);
        object([
            ("default", flag(rule.default)),
            ("head", Some(head)),
            ("body", Some(self.body(&rule.body))),
            ("else", self.otherwise(rule, &rule.otherwise)),
        ])
    }

    /// The branches, each within the one before.
    fn otherwise(&self, rule: &Rule, branches: &[Else]) -> Option<Value> {
        branches.iter().rev().fold(None, |inner, branch| {
            let assign = if branch.value.is_some() { branch.assign } else { rule.head.assign };
            let head = Head { assign, kind: with_value(&rule.head.kind, branch.value.as_ref()), ..rule.head.clone() };
            let head = self.head_of(&head, true);
            Some(object([("head", Some(head)), ("body", Some(self.body(&branch.body))), ("else", inner)]))
        })
    }

    fn head(&self, rule: &Rule) -> Value {
        let text = self.module.source.text();
        let after = text.get(rule.head.span.end as usize..).unwrap_or_default();
        let introduced = after.trim_start().strip_prefix("if").is_some_and(|after| !after.starts_with(['.', '[']));
        self.head_of(&rule.head, introduced)
    }

    /// OPA names a head in the ways of its first versions where it can: a name, and a key for the second part.
    fn head_of(&self, head: &Head, introduced: bool) -> Value {
        let (arguments, mut key, value) = match &head.kind {
            HeadKind::Value(value) => (None, None, Some(value)),
            HeadKind::Contains(element) => (None, Some(self.term(element)), None),
            HeadKind::Function(parameters, value) => (Some(self.terms(parameters)), None, Some(value)),
        };
        let named = match head.reference.len() {
            1 => true,
            2 => value.is_some_and(Option::is_some) && (introduced || arguments.is_none()),
            _ => false,
        };
        if let ([_, second], HeadKind::Value(_)) = (head.reference.as_slice(), &head.kind) {
            let ground = matches!(second.kind, TermKind::Scalar(_) | TermKind::Number(_));
            key = (!introduced || !ground).then(|| self.term(second));
        }
        let name = head.reference.first().filter(|_| named).and_then(|term| match &term.kind {
            TermKind::Variable(name) => Some(Value::String(name.clone())),
            _ => None,
        });
        let truth = || typed("boolean", Value::Bool(true));
        object([
            ("name", name),
            ("args", arguments.filter(|arguments| !arguments.is_empty()).map(Value::array)),
            ("key", key),
            ("value", value.map(|value| value.as_ref().map_or_else(truth, |value| self.term(value)))),
            ("assign", flag(head.assign)),
            ("ref", Some(Value::array(self.reference(&head.reference)))),
        ])
    }

    /// The parts of a reference; the first is a name even where it is `input` or `data`.
    fn reference(&self, parts: &[Term]) -> Vec<Value> {
        let part = |(position, part): (usize, &Term)| match &part.kind {
            TermKind::Variable(name) if position == 0 => variable(name),
            _ => self.term(part),
        };
        parts.iter().enumerate().map(part).collect()
    }

    fn body(&self, body: &Body) -> Value {
        if body.is_empty() {
            let terms = typed("boolean", Value::Bool(true));
            let members = [("generated", flag(true)), ("index", Some(Value::from(0))), ("terms", Some(terms))];
            return Value::array(vec![object(members)]);
        }
        Value::array(body.iter().enumerate().map(|(index, expression)| self.expression(index, expression)).collect())
    }

    fn expression(&self, index: usize, expression: &Expression) -> Value {
        let with = expression
            .with
            .iter()
            .map(|with| object([("target", Some(self.term(&with.target))), ("value", Some(self.term(&with.value)))]));
        object([
            ("negated", flag(expression.negated)),
            ("index", Some(Value::from(index))),
            ("terms", Some(self.expression_terms(&expression.kind))),
            ("with", (!expression.with.is_empty()).then(|| Value::array(with.collect()))),
        ])
    }

    fn expression_terms(&self, kind: &ExpressionKind) -> Value {
        let infix = |name, left, right| Value::array(vec![function(name), self.term(left), self.term(right)]);
        let named = |name: &Str| variable(name);
        match kind {
            ExpressionKind::Term(Term { kind: TermKind::Call(callee, arguments), .. }) => {
                Value::array(self.call(callee, arguments))
            }
            ExpressionKind::Term(term) => self.term(term),
            ExpressionKind::Assign(left, right) => infix("assign", left, right),
            ExpressionKind::Unify(left, right) => infix("eq", left, right),
            ExpressionKind::Some(names) => {
                let symbols = names.iter().map(|(name, _)| named(name)).collect();
                object([("symbols", Some(Value::array(symbols)))])
            }
            ExpressionKind::SomeIn { key, value, collection } => {
                let name = if key.is_some() { "internal.member_3" } else { "internal.member_2" };
                let operands = key.iter().chain([value, collection]).map(|term| self.term(term));
                let call = typed("call", Value::array(std::iter::once(function(name)).chain(operands).collect()));
                object([("symbols", Some(Value::array(vec![call])))])
            }
            ExpressionKind::Every { key, value, collection, body } => object([
                ("key", Some(key.as_ref().map_or(Value::Null, |(name, _)| named(name)))),
                ("value", Some(named(&value.0))),
                ("domain", Some(self.term(collection))),
                ("body", Some(self.body(body))),
            ]),
            ExpressionKind::Not(operand) => object([
                ("type", Some(Value::string("not"))),
                ("body", Some(self.body(&operand.body))),
                ("explicit_body", Some(Value::Bool(operand.explicit))),
            ]),
            ExpressionKind::And(left, right) => self.logical("and", left, right),
            ExpressionKind::Or(left, right) => self.logical("or", left, right),
        }
    }

    fn logical(&self, word: &str, left: &Operand, right: &Operand) -> Value {
        object([
            ("type", Some(Value::string(word))),
            ("lhs", Some(self.body(&left.body))),
            ("rhs", Some(self.body(&right.body))),
            ("explicit_lhs", flag(left.explicit)),
            ("explicit_rhs", flag(right.explicit)),
        ])
    }

    fn terms(&self, terms: &[Term]) -> Vec<Value> {
        terms.iter().map(|term| self.term(term)).collect()
    }

    fn call(&self, callee: &Term, arguments: &[Term]) -> Vec<Value> {
        let callee = match &callee.kind {
            TermKind::Variable(name) => function(name),
            _ => self.term(callee),
        };
        std::iter::once(callee).chain(self.terms(arguments)).collect()
    }

    fn term(&self, term: &Term) -> Value {
        match &term.kind {
            TermKind::Scalar(Value::Null) => typed("null", Value::object(Vec::new())),
            TermKind::Scalar(value) => typed(value.type_name(), value.clone()),
            TermKind::Number(number) => typed("number", Value::Number(number.clone())),
            TermKind::Variable(name) if matches!(&**name, "input" | "data") => function(name),
            TermKind::Variable(name) => variable(name),
            TermKind::Reference(head, parts) => {
                let head = self.reference(std::slice::from_ref(&**head));
                typed("ref", Value::array(head.into_iter().chain(self.terms(parts)).collect()))
            }
            TermKind::Call(callee, arguments) => typed("call", Value::array(self.call(callee, arguments))),
            TermKind::Array(items) => typed("array", Value::array(self.terms(items))),
            TermKind::Set(items) => {
                let mut items: Vec<&Term> = items.iter().collect();
                items.sort_by(|left, right| compare(left, right));
                items.dedup_by(|left, right| compare(left, right).is_eq());
                typed("set", Value::array(items.into_iter().map(|item| self.term(item)).collect()))
            }
            TermKind::Object(members) => {
                let mut members: Vec<&(Term, Term)> = members.iter().collect();
                members.sort_by(|(left, _), (right, _)| compare(left, right));
                let pair = |(key, value): &(Term, Term)| Value::array(vec![self.term(key), self.term(value)]);
                typed("object", Value::array(members.into_iter().map(pair).collect()))
            }
            TermKind::ArrayComprehension(head, body) => self.comprehension("array", None, head, body),
            TermKind::SetComprehension(head, body) => self.comprehension("set", None, head, body),
            TermKind::ObjectComprehension(key, value, body) => self.comprehension("object", Some(key), value, body),
            TermKind::Template(parts) => self.template(term.span, parts),
        }
    }

    fn comprehension(&self, kind: &str, key: Option<&Term>, value: &Term, body: &Body) -> Value {
        let name = if key.is_some() { "value" } else { "term" };
        let key = key.map(|key| self.term(key));
        let members = [("key", key), (name, Some(self.term(value))), ("body", Some(self.body(body)))];
        typed(&format!("{kind}comprehension"), object(members))
    }

    fn template(&self, span: Span, parts: &[TemplatePart]) -> Value {
        let part = |part: &TemplatePart| match part {
            TemplatePart::Text(text) => string(text),
            TemplatePart::Expression(expression) => match &expression.kind {
                ExpressionKind::Term(term) if constant(term).is_some() && expression.with.is_empty() => self.term(term),
                _ => self.expression(0, expression),
            },
        };
        let raw = self.module.source.slice(span).ends_with('`');
        let parts = Value::array(parts.iter().map(part).collect());
        typed("templatestring", object([("parts", Some(parts)), ("multi_line", Some(Value::Bool(raw)))]))
    }
}

fn import(import: &Import) -> Value {
    let mut parts = import.path.iter();
    let head = parts.next().map(|root| variable(root));
    let path = typed("ref", Value::array(head.into_iter().chain(parts.map(string)).collect()));
    let alias = import.aliased.then(|| Value::String(import.name.clone()));
    object([("path", Some(path)), ("alias", alias)])
}

/// A function's name as a reference.
fn function(name: &str) -> Value {
    let mut parts = name.split('.');
    let head = parts.next().map(variable);
    typed("ref", Value::array(head.into_iter().chain(parts.map(|part| typed("string", Value::string(part)))).collect()))
}

fn with_value(kind: &HeadKind, value: Option<&Term>) -> HeadKind {
    match kind {
        HeadKind::Function(parameters, _) => HeadKind::Function(parameters.clone(), value.cloned()),
        _ => HeadKind::Value(value.cloned()),
    }
}

/// OPA's order of terms: by kind, then by what they are.
fn compare(left: &Term, right: &Term) -> Ordering {
    if let (Some(left), Some(right)) = (constant(left), constant(right)) {
        return left.cmp(&right);
    }
    let by_kind = rank(left).cmp(&rank(right));
    by_kind.then_with(|| match (&left.kind, &right.kind) {
        (TermKind::Array(left), TermKind::Array(right)) => {
            let pairs = left.iter().zip(right).map(|(left, right)| compare(left, right));
            pairs.fold(Ordering::Equal, Ordering::then).then(left.len().cmp(&right.len()))
        }
        _ => left.to_string().cmp(&right.to_string()),
    })
}

fn constant(term: &Term) -> Option<Value> {
    match &term.kind {
        TermKind::Scalar(value) => Some(value.clone()),
        TermKind::Number(number) => Some(Value::Number(number.clone())),
        _ => None,
    }
}

fn rank(term: &Term) -> u8 {
    match &term.kind {
        TermKind::Scalar(_) | TermKind::Number(_) => 0,
        TermKind::Variable(name) if !matches!(&**name, "input" | "data") => 1,
        TermKind::Variable(_) | TermKind::Reference(..) => 2,
        TermKind::Array(_) => 3,
        TermKind::Object(_) => 4,
        TermKind::Set(_) => 5,
        TermKind::ArrayComprehension(..) => 6,
        TermKind::ObjectComprehension(..) => 7,
        TermKind::SetComprehension(..) => 8,
        TermKind::Call(..) => 9,
        TermKind::Template(_) => 10,
    }
}
