//! Conditions: bodies, `not`, `some`, `every`, `with`.

use palisade_model::{Span, Str};

use super::super::ast::{Body, Expression, ExpressionKind, Term, TermKind, With};
use super::super::codes;
use super::super::token::Kind;
use super::{Parsed, Parser};

impl Parser<'_> {
    /// Conditions up to the token that ends them, which is left; at least one.
    pub(super) fn body(&mut self, end: Kind) -> Parsed<Body> {
        if self.at(end) {
            let help = "write a condition, such as `true`";
            return Err(self.error(codes::SYNTAX, self.token(0).span, "found empty body", help));
        }
        self.nested(|parser| parser.conditions(end))
    }

    fn conditions(&mut self, end: Kind) -> Parsed<Body> {
        let (mut body, mut height) = (Body::new(), 0);
        loop {
            body.push(self.literal()?);
            height = height.max(self.height);
            if self.accept(Kind::Semicolon) {
                continue;
            }
            if self.at(end) {
                self.height = height;
                return Ok(body);
            }
            if !self.token(0).newline || self.at(Kind::End) {
                return Err(self.unexpected_after_condition(end));
            }
        }
    }

    fn unexpected_after_condition(&self, end: Kind) -> super::Fail {
        let closing = match end {
            Kind::BraceClose => "}",
            Kind::BracketClose => "]",
            _ => "eof",
        };
        let touching = matches!(self.peek(), Kind::ParenOpen | Kind::BracketOpen) && self.token(0).spaced;
        let help = match self.peek() {
            _ if touching => "a call's `(` and a reference's `[` follow the name without a space",
            Kind::Assign | Kind::Unify => "a condition holds one `:=` or `=`; compare with `==`",
            _ => "",
        };
        self.unexpected_help(&format!("\\n or ; or {closing}"), help)
    }

    /// One condition, without `and` and `or`.
    pub(super) fn simple(&mut self) -> Parsed<Expression> {
        let start = self.start();
        if self.keyword_is_name() {
            self.name_at = Some(self.at);
        } else {
            match self.peek() {
                Kind::Some => return self.some(),
                Kind::Every => return self.every(),
                Kind::Not => {
                    self.at += 1;
                    return self.negated(start);
                }
                _ => {}
            }
        }
        self.plain(start, false)
    }

    fn negated(&mut self, start: u32) -> Parsed<Expression> {
        let help = match self.peek() {
            Kind::Some => "illegal negation of `some`: move the conditions into a rule, and negate that",
            Kind::Every => "illegal negation of `every`: move the conditions into a rule, and negate that",
            Kind::Not => "one `not` is enough; move what is negated twice into a rule",
            _ if self.keywords.not => return self.negated_operand(start),
            _ => return self.plain(start, true),
        };
        Err(self.unexpected_help("", help))
    }

    pub(super) fn plain(&mut self, start: u32, negated: bool) -> Parsed<Expression> {
        let left = self.expression(true)?;
        let mut height = self.height;
        let operator = self.peek();
        let kind = if matches!(operator, Kind::Assign | Kind::Unify) {
            self.at += 1;
            let right = self.expression(true)?;
            height = height.max(self.height);
            match operator {
                Kind::Assign => ExpressionKind::Assign(left, right),
                _ => ExpressionKind::Unify(left, right),
            }
        } else {
            ExpressionKind::Term(left)
        };
        self.height = height;
        self.finish(start, negated, kind)
    }

    pub(super) fn finish(&mut self, start: u32, negated: bool, kind: ExpressionKind) -> Parsed<Expression> {
        let with = self.replacements()?;
        let span = self.span_from(start);
        self.grow(self.height, span)?;
        Ok(Expression { negated, kind, with, span })
    }

    /// The replacements after a condition.
    pub(super) fn replacements(&mut self) -> Parsed<Vec<With>> {
        let (mut with, mut height) = (Vec::new(), self.height);
        while self.at(Kind::With) && !self.keyword_is_name() {
            let start = self.start();
            self.at += 1;
            if !matches!(self.peek(), Kind::Name | Kind::Contains) {
                return Err(self.unexpected_help("ident", "replace a path below `input` or `data`, or a function"));
            }
            let target = self.term()?;
            height = height.max(self.height);
            if !matches!(target.kind, TermKind::Variable(_) | TermKind::Reference(..)) {
                return Err(self.unexpected_help("with target path", "name the function without arguments"));
            }
            self.expect(Kind::As, "as keyword")?;
            let value = self.expression(true)?;
            height = height.max(self.height);
            with.push(With { target, value, span: self.span_from(start) });
        }
        self.height = height;
        Ok(with)
    }

    /// `some x in xs`, or else `some x, y`.
    fn some(&mut self) -> Parsed<Expression> {
        let start = self.start();
        self.at += 1;
        let (at, wildcards) = (self.at, self.wildcards);
        let attempt = self.expression(true);
        let reached = self.at;
        let failure = match attempt {
            Ok(Term { kind: TermKind::Call(function, operands), .. }) => match membership(&function, operands) {
                Some(kind) => return self.finish(start, false, kind),
                None => Some(self.unexpected("`x in xs` or `x, y in xs` expression")),
            },
            Ok(_) => None,
            Err(fail) => Some(fail),
        };
        (self.at, self.wildcards, self.height) = (at, wildcards, 1);
        match self.declared() {
            Ok(names) => {
                let kind = ExpressionKind::Some(names);
                Ok(Expression { negated: false, kind, with: Vec::new(), span: self.span_from(start) })
            }
            Err(_) if reached > self.at && failure.is_some() => {
                self.at = reached;
                Err(failure.unwrap_or(super::Fail(None)))
            }
            Err(fail) => Err(fail),
        }
    }

    fn declared(&mut self) -> Parsed<Vec<(Str, Span)>> {
        let mut names = Vec::new();
        loop {
            names.push(self.declared_name()?);
            if !self.accept(Kind::Comma) {
                break;
            }
        }
        let ended = matches!(self.peek(), Kind::Semicolon | Kind::BraceClose | Kind::BracketClose | Kind::End);
        if !ended && !self.token(0).newline {
            return Err(self.unexpected("\\n or ; or }"));
        }
        Ok(names)
    }

    fn declared_name(&mut self) -> Parsed<(Str, Span)> {
        let span = self.token(0).span;
        if !matches!(self.peek(), Kind::Name | Kind::Contains) {
            return Err(self.unexpected("var"));
        }
        self.at += 1;
        match self.variable(span).kind {
            TermKind::Variable(name) => Ok((name, span)),
            _ => Err(self.unexpected("var")),
        }
    }

    fn every(&mut self) -> Parsed<Expression> {
        let start = self.start();
        self.at += 1;
        let first = self.declared_name()?;
        let (key, value) = if self.accept(Kind::Comma) { (Some(first), self.declared_name()?) } else { (None, first) };
        self.expect(Kind::In, "`x in xs { ... }` expression")?;
        let collection = self.expression(true)?;
        let height = self.height;
        let help = "`every x in xs { .. }` holds where the conditions hold for all elements";
        if !self.accept(Kind::BraceOpen) {
            return Err(self.unexpected_help("missing body", help));
        }
        let body = self.body(Kind::BraceClose)?;
        self.at += 1;
        self.height = height.max(self.height);
        self.finish(start, false, ExpressionKind::Every { key, value, collection, body })
    }
}

/// `x in xs` and `k, v in xs` taken apart.
fn membership(function: &Term, operands: Vec<Term>) -> Option<ExpressionKind> {
    let TermKind::Variable(name) = &function.kind else { return None };
    let mut operands = operands.into_iter();
    let key = match &**name {
        "internal.member_2" => None,
        "internal.member_3" => Some(operands.next()?),
        _ => return None,
    };
    Some(ExpressionKind::SomeIn { key, value: operands.next()?, collection: operands.next()? })
}
