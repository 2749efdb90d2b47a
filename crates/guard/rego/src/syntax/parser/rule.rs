//! Rules: heads, bodies, `else`, `default`.

use palisade_model::{Diagnostic, Span};
use palisade_rego_value::Value;

use super::super::ast::{Body, Else, ExpressionKind, Head, HeadKind, Rule, TemplatePart, Term, TermKind};
use super::super::codes;
use super::super::token::Kind;
use super::term::operator;
use super::{Parsed, Parser};

/// How the body of a rule is introduced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Introduction {
    /// `if`
    If,
    /// The brace alone, as before v1.
    Brace,
    /// There is no body.
    Absent,
}

impl Parser<'_> {
    /// A rule with all its bodies; each body after the first is a rule of its own.
    pub(super) fn rule(&mut self, rules: &mut Vec<Rule>, loose: &mut Vec<Diagnostic>) -> Parsed<()> {
        let start = self.start();
        let default = self.at(Kind::Default) && !self.keyword_is_name();
        self.at += usize::from(default);
        let mut head = self.head()?;
        if default {
            self.check_default(&head)?;
            let span = self.span_from(start);
            if matches!(head.kind, HeadKind::Value(None) | HeadKind::Function(_, None))
                && let HeadKind::Value(value) | HeadKind::Function(_, value) = &mut head.kind
            {
                *value = Some(Term { kind: TermKind::Scalar(Value::Bool(true)), span: head.span });
            }
            rules.push(Rule { head, default, body: Body::new(), otherwise: Vec::new(), span });
            return self.end_of_default();
        }
        let bare = matches!(head.kind, HeadKind::Value(None) | HeadKind::Function(_, None));
        let (introduction, body) = self.rule_body(bare)?;
        self.settle(&mut head, introduction, loose)?;
        if introduction != Introduction::Absent {
            head.kind = without_parentheses(head.kind);
        }
        let otherwise = if introduction == Introduction::Absent { Vec::new() } else { self.branches(&head, loose)? };
        let chained = introduction != Introduction::Absent && otherwise.is_empty();
        let span = self.span_from(start);
        rules.push(Rule { head: head.clone(), default, body, otherwise, span });
        while introduction != Introduction::Absent && self.at(Kind::BraceOpen) {
            if !chained {
                return Err(self.unexpected_help("else keyword", "a body after `else` needs `else` too"));
            }
            let start = self.start();
            self.at += 1;
            let body = self.body(Kind::BraceClose)?;
            self.at += 1;
            let span = self.span_from(start);
            rules.push(Rule { head: head.clone(), default, body, otherwise: Vec::new(), span });
        }
        if self.at(Kind::Else) && !self.keyword_is_name() {
            return Err(self.unexpected_help("a rule", "`else` follows the first body of a rule that has conditions"));
        }
        Ok(())
    }

    fn end_of_default(&self) -> Parsed<()> {
        match self.peek() {
            Kind::If | Kind::BraceOpen if !self.keyword_is_name() => {
                let message = "illegal default rule (must not have conditions)";
                let help = "delete the conditions; the default holds where no other definition does";
                Err(self.error(codes::DEFAULT, self.token(0).span, message, help))
            }
            _ => Ok(()),
        }
    }

    fn head(&mut self) -> Parsed<Head> {
        let token = self.token(0);
        let kind = self.peek();
        if kind.is_keyword() && !self.keyword_is_name() {
            let word = self.slice(token.span);
            let next = self.kind_of(self.token(1));
            if !matches!(next, Kind::Assign | Kind::Unify | Kind::If | Kind::BraceOpen | Kind::Contains) {
                return Err(self.unexpected(""));
            }
            let message = format!("{word} keyword cannot be used for rule name");
            return Err(self.error(codes::RULE, token.span, message, "choose another name"));
        }
        if kind != Kind::Name && !kind.is_keyword() {
            return Err(self.unexpected_help("a rule or an import", "rules begin with their name: `allow if { .. }`"));
        }
        self.at += 1;
        let mut reference = vec![self.variable(token.span)];
        let mut height = 0;
        reference.append(&mut self.parts(&mut height)?);
        let arguments = if self.touches(Kind::ParenOpen) { Some(self.parameters()?) } else { None };
        if self.slice(token.span) == "set" && arguments.as_ref().is_some_and(Vec::is_empty) {
            let message = "set cannot be used for rule name";
            return Err(self.error(codes::RULE, token.span, message, "`set()` is the empty set; choose another name"));
        }
        let (kind, assign) = self.definition(arguments)?;
        let kind = if matches!(kind, HeadKind::Function(_, Some(_))) { without_parentheses(kind) } else { kind };
        Ok(Head { reference, kind, assign, span: self.span_from(token.span.start) })
    }

    fn parameters(&mut self) -> Parsed<Vec<Term>> {
        self.at += 1;
        let (parameters, _) = self.list(Kind::ParenClose, Vec::new())?;
        if matches!(self.peek(), Kind::Dot | Kind::BracketOpen | Kind::ParenOpen) && !self.token(0).spaced {
            let help = "the parameters are the last part of a function's head";
            return Err(self.error(codes::RULE, self.token(0).span, "invalid rule head", help));
        }
        Ok(parameters)
    }

    /// What follows the name: `contains x`, `:= v`, `= v` or nothing.
    fn definition(&mut self, parameters: Option<Vec<Term>>) -> Parsed<(HeadKind, bool)> {
        let kind = self.peek();
        if kind == Kind::Contains {
            if parameters.is_some() {
                let help = "functions have values: write `:= value`";
                return Err(self.unexpected_help(
                    "a value: the contains keyword can only be used with multi-value rule definitions",
                    help,
                ));
            }
            self.at += 1;
            return Ok((HeadKind::Contains(self.expression(true)?), false));
        }
        let value = if matches!(kind, Kind::Assign | Kind::Unify) {
            self.at += 1;
            Some(self.expression(true)?)
        } else {
            None
        };
        let assign = kind == Kind::Assign;
        Ok(match parameters {
            Some(parameters) => (HeadKind::Function(parameters, value), assign),
            None => (HeadKind::Value(value), assign),
        })
    }

    /// The body of a rule; directly after the head's name `if` is the keyword whatever follows it.
    fn rule_body(&mut self, bare: bool) -> Parsed<(Introduction, Body)> {
        if self.at(Kind::If) && (bare || !self.keyword_is_name()) {
            self.at += 1;
            return Ok((Introduction::If, self.if_body()?));
        }
        if self.at(Kind::BraceOpen) {
            return Ok((Introduction::Brace, self.braced_body()?));
        }
        Ok((Introduction::Absent, Body::new()))
    }

    fn braced_body(&mut self) -> Parsed<Body> {
        self.at += 1;
        let body = self.body(Kind::BraceClose)?;
        self.at += 1;
        Ok(body)
    }

    /// Conditions in braces, or one condition, which may begin with a brace itself.
    fn if_body(&mut self) -> Parsed<Body> {
        if self.at(Kind::BraceOpen) && !self.brace_begins_logic() && !self.brace_begins_term() {
            return self.braced_body();
        }
        Ok(vec![self.literal()?])
    }

    /// Whether the brace after `if` belongs to a term: `{x | ..}`, `{a: b}`, `{a} == b`. One term in braces with
    /// nothing after it is a body.
    fn brace_begins_term(&mut self) -> bool {
        let (at, wildcards) = (self.at, self.wildcards);
        let begins = match self.term() {
            Ok(Term { kind: TermKind::Set(_), .. }) => self.goes_on(),
            Ok(_) => true,
            Err(_) => false,
        };
        (self.at, self.wildcards) = (at, wildcards);
        begins
    }

    /// Whether a condition goes on after a term.
    fn goes_on(&self) -> bool {
        let kind = self.peek();
        operator(kind).is_some()
            || matches!(kind, Kind::Assign | Kind::Unify)
            || kind == Kind::In && !self.keyword_is_name()
    }

    /// What the head defines, now that it is known how its body begins.
    fn settle(&mut self, head: &mut Head, introduction: Introduction, loose: &mut Vec<Diagnostic>) -> Parsed<()> {
        if introduction == Introduction::Brace {
            let what = if matches!(head.kind, HeadKind::Function(..)) { "function" } else { "rule" };
            let message = format!("`if` keyword is required before {what} body");
            loose.push(self.diagnostic(codes::KEYWORD, head.span, message, "write `if` before the `{`"));
        }
        if introduction == Introduction::If || !matches!(head.kind, HeadKind::Value(None)) {
            return Ok(());
        }
        match head.reference.len() {
            1 if introduction == Introduction::Absent => {
                let help = "give it a value, `name := value`, or conditions, `name if { .. }`";
                Err(self.error(codes::RULE, head.span, "var cannot be used for rule name", help))
            }
            2 => {
                let message = "`contains` keyword is required for partial set rules";
                let help = self.contains_help(head);
                loose.push(self.diagnostic(codes::KEYWORD, head.span, message, help));
                if let Some(element) = head.reference.pop() {
                    head.kind = HeadKind::Contains(element);
                }
                Ok(())
            }
            length => {
                if length > 2 && introduction == Introduction::Absent {
                    let message = "rule must have value assignment and/or body declaration";
                    let help = "give it a value, `:= true`, or conditions, `if { .. }`";
                    loose.push(self.diagnostic(codes::KEYWORD, head.span, message, help));
                }
                Ok(())
            }
        }
    }

    fn contains_help(&self, head: &Head) -> String {
        let text = |term: Option<&Term>| term.map_or("", |term| self.slice(term.span));
        let (name, element) = (text(head.reference.first()), text(head.reference.get(1)));
        format!("write `{name} contains {element}` for a set, or `{name}[{element}] if` for an object")
    }

    /// The `else` branches after a body.
    fn branches(&mut self, head: &Head, loose: &mut Vec<Diagnostic>) -> Parsed<Vec<Else>> {
        let mut branches = Vec::new();
        while self.at(Kind::Else) && !self.keyword_is_name() {
            let start = self.start();
            self.check_else(head)?;
            self.at += 1;
            let operator = self.peek();
            let value = if matches!(operator, Kind::Assign | Kind::Unify) {
                self.at += 1;
                Some(self.expression(true)?)
            } else {
                None
            };
            let (introduction, body) = self.rule_body(value.is_none())?;
            let span = self.span_from(start);
            match introduction {
                Introduction::Brace => {
                    let message = "`if` keyword is required before rule body";
                    loose.push(self.diagnostic(codes::KEYWORD, span, message, "write `if` before the `{`"));
                }
                Introduction::Absent if value.is_none() => {
                    return Err(self.unexpected("else value term or rule body"));
                }
                _ => {}
            }
            branches.push(Else { value, assign: operator == Kind::Assign, body, span });
            if introduction == Introduction::Absent {
                break;
            }
        }
        Ok(branches)
    }

    fn check_else(&self, head: &Head) -> Parsed<()> {
        let varies = |part: &Term| !is_ground(part);
        let message = match &head.kind {
            HeadKind::Contains(_) => "else keyword cannot be used on multi-value rules",
            HeadKind::Value(_) if head.reference.iter().skip(1).any(varies) => {
                "else keyword cannot be used on rules with variables in head"
            }
            _ => return Ok(()),
        };
        let help = "compute the value in a function or rule of its own, which may have `else`";
        Err(self.error(codes::RULE, self.token(0).span, message, help))
    }

    fn check_default(&self, head: &Head) -> Parsed<()> {
        let wrong = |span: Span, message: String| {
            Err(self.error(codes::DEFAULT, span, message, "see `palisade explain PAL-R0011`"))
        };
        let value = match &head.kind {
            HeadKind::Contains(_) => return wrong(head.span, "illegal default rule (must have a value)".to_owned()),
            HeadKind::Value(None) if head.reference.len() > 1 => {
                return wrong(head.span, "illegal default rule (must have a value)".to_owned());
            }
            HeadKind::Value(value) => value,
            HeadKind::Function(parameters, value) => {
                let mut seen = Vec::new();
                for parameter in parameters {
                    let TermKind::Variable(name) = &parameter.kind else {
                        let kind = kind_name(parameter);
                        let message = format!("illegal default rule (arguments cannot contain {kind})");
                        return wrong(parameter.span, message);
                    };
                    if seen.contains(&name) {
                        let message = format!("illegal default rule (arguments cannot be repeated {name})");
                        return wrong(parameter.span, message);
                    }
                    seen.push(name);
                }
                value
            }
        };
        match value.as_ref().and_then(variable_part) {
            Some(part) => {
                let message = format!("illegal default rule (value cannot contain {})", kind_name(part));
                wrong(part.span, message)
            }
            None => Ok(()),
        }
    }
}

/// A rule with a value or conditions whose parentheses are empty is no function: it is referred to, never called.
fn without_parentheses(kind: HeadKind) -> HeadKind {
    match kind {
        HeadKind::Function(parameters, value) if parameters.is_empty() => HeadKind::Value(value),
        other => other,
    }
}

/// Whether a part of a head is the same for all solutions.
fn is_ground(part: &Term) -> bool {
    variable_part(part).is_none()
}

/// The first part that is not constant; comprehensions and templates are taken for constants, as they have a value in
/// any case.
fn variable_part(term: &Term) -> Option<&Term> {
    match &term.kind {
        TermKind::Variable(_) | TermKind::Reference(..) | TermKind::Call(..) => Some(term),
        TermKind::Array(items) | TermKind::Set(items) => items.iter().find_map(variable_part),
        TermKind::Object(members) => {
            members.iter().find_map(|(key, value)| variable_part(key).or_else(|| variable_part(value)))
        }
        TermKind::Template(parts) => parts.iter().find_map(|part| match part {
            TemplatePart::Expression(expression) => match &expression.kind {
                ExpressionKind::Term(term) => variable_part(term),
                _ => None,
            },
            TemplatePart::Text(_) => None,
        }),
        _ => None,
    }
}

/// A kind of term in OPA's words.
fn kind_name(term: &Term) -> &'static str {
    match &term.kind {
        TermKind::Variable(name) if matches!(&**name, "data" | "input") => "ref",
        TermKind::Variable(_) => "var",
        TermKind::Reference(..) => "ref",
        TermKind::Call(..) => "call",
        TermKind::Scalar(value) => value.type_name(),
        TermKind::Number(_) => "number",
        TermKind::Array(_) => "array",
        TermKind::Set(_) => "set",
        TermKind::Object(_) => "object",
        TermKind::ArrayComprehension(..) => "arraycomprehension",
        TermKind::SetComprehension(..) => "setcomprehension",
        TermKind::ObjectComprehension(..) => "objectcomprehension",
        TermKind::Template(_) => "templatestring",
    }
}
