//! Arrays, objects, sets and comprehensions.
//!
//! `{a | b}` is a comprehension and `{a | b, c}` a set with a union in it. After `a |` conditions are tried first; a
//! comma after the first of them tells that it was a union. Such brackets are remembered, so that nested ones are not
//! tried again and again.

use super::super::ast::{Body, Term, TermKind};
use super::super::token::Kind;
use super::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn array(&mut self) -> Parsed<Term> {
        let (start, bracket) = (self.start(), self.at);
        self.at += 1;
        let first = if self.at(Kind::BracketClose) {
            Vec::new()
        } else {
            if self.accept(Kind::Comma) {
                self.unions.insert(bracket);
            }
            let head = self.term()?;
            let height = self.height;
            if let Some(body) = self.comprehension(bracket, Kind::BracketClose)? {
                let span = self.span_from(start);
                self.grow(height.max(self.height), span)?;
                return Ok(Term { kind: TermKind::ArrayComprehension(Box::new(head), body), span });
            }
            vec![self.expression_from(head, false)?]
        };
        let (items, height) = self.list(Kind::BracketClose, first)?;
        let span = self.span_from(start);
        self.grow(height, span)?;
        Ok(Term { kind: TermKind::Array(items), span })
    }

    pub(super) fn object_or_set(&mut self) -> Parsed<Term> {
        let (start, bracket) = (self.start(), self.at);
        self.at += 1;
        if self.accept(Kind::BraceClose) {
            return Ok(Term { kind: TermKind::Object(Vec::new()), span: self.span_from(start) });
        }
        if self.accept(Kind::Comma) {
            self.unions.insert(bracket);
        }
        let head = self.term()?;
        let height = self.height;
        if let Some(body) = self.comprehension(bracket, Kind::BraceClose)? {
            let span = self.span_from(start);
            self.grow(height.max(self.height), span)?;
            return Ok(Term { kind: TermKind::SetComprehension(Box::new(head), body), span });
        }
        let first = self.expression_from(head, false)?;
        if self.accept(Kind::Colon) {
            return self.object(start, bracket, first);
        }
        if !matches!(self.peek(), Kind::Comma | Kind::BraceClose) {
            return Err(self.unexpected("\",\", \":\" or \"}\": non-terminated set"));
        }
        let (items, height) = self.list(Kind::BraceClose, vec![first])?;
        let span = self.span_from(start);
        self.grow(height, span)?;
        Ok(Term { kind: TermKind::Set(items), span })
    }

    /// An object from its first value on.
    fn object(&mut self, start: u32, bracket: usize, key: Term) -> Parsed<Term> {
        let mut height = self.height;
        let value = self.term()?;
        height = height.max(self.height);
        if let Some(body) = self.comprehension(bracket, Kind::BraceClose)? {
            let span = self.span_from(start);
            self.grow(height.max(self.height), span)?;
            return Ok(Term { kind: TermKind::ObjectComprehension(Box::new(key), Box::new(value), body), span });
        }
        let value = self.expression_from(value, false)?;
        height = height.max(self.height);
        let mut members = vec![(key, value)];
        loop {
            let comma = self.accept(Kind::Comma);
            if self.accept(Kind::BraceClose) {
                break;
            }
            if !comma {
                return Err(self.unexpected("\",\" or \"}\": non-terminated object"));
            }
            let key = self.expression(false)?;
            height = height.max(self.height);
            self.expect(Kind::Colon, "\":\"")?;
            let value = self.expression(false)?;
            height = height.max(self.height);
            members.push((key, value));
        }
        let span = self.span_from(start);
        self.grow(height, span)?;
        Ok(Term { kind: TermKind::Object(members), span })
    }

    /// `| conditions` and the closing bracket, unless what follows is a union.
    fn comprehension(&mut self, bracket: usize, end: Kind) -> Parsed<Option<Body>> {
        if !self.at(Kind::Or) || self.unions.contains(&bracket) {
            return Ok(None);
        }
        let (at, wildcards, height) = (self.at, self.wildcards, self.height);
        self.at += 1;
        match self.body(end) {
            Ok(body) => {
                self.at += 1;
                Ok(Some(body))
            }
            Err(fail) if !self.at(Kind::Comma) => Err(fail),
            Err(_) => {
                self.unions.insert(bracket);
                (self.at, self.wildcards, self.height) = (at, wildcards, height);
                Ok(None)
            }
        }
    }
}
