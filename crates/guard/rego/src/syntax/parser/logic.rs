//! `and`, `or` and the wider `not`, which `future.keywords` turn on: conditions made of conditions.
//!
//! `not` binds before `and`, `and` before `or`, and `with` goes with all of it. An operand is one condition, a group in
//! parentheses, or conditions in braces, which alone may give values to variables. Whether a bracket is such a group is
//! told by what follows the one that closes it, so that nothing is read twice.

use super::super::ast::{Expression, ExpressionKind, Operand, With};
use super::super::codes;
use super::super::token::{Kind, Token};
use super::{Parsed, Parser};

impl Parser<'_> {
    /// One condition, with all that `and` and `or` add to it.
    pub(super) fn literal(&mut self) -> Parsed<Expression> {
        if !self.keywords.and && !self.keywords.or {
            return self.simple();
        }
        let start = self.start();
        let (first, with) = self.operand_of_logic(true)?;
        let (mut left, mut with) = self.both(start, first, with)?;
        while self.at_operator(Kind::LogicalOr, &left, &with)? {
            let (at, height) = (self.start(), self.height);
            let (right, behind) = self.operand_of_logic(false)?;
            let (right, behind) = self.both(at, right, behind)?;
            left = self.joined(start, height, ExpressionKind::Or(left, right))?;
            with = behind;
        }
        let (Some(mut expression), false) = (left.body.pop(), left.explicit) else { return Err(self.unexpected("")) };
        if with.is_empty() {
            with = self.replacements()?;
        }
        expression.with.append(&mut with);
        expression.span = self.span_from(start);
        Ok(expression)
    }

    /// Operands with `and` between them.
    fn both(&mut self, start: u32, mut left: Operand, mut with: Vec<With>) -> Parsed<(Operand, Vec<With>)> {
        while self.at_operator(Kind::LogicalAnd, &left, &with)? {
            let height = self.height;
            let (right, behind) = self.operand_of_logic(false)?;
            left = self.joined(start, height, ExpressionKind::And(left, right))?;
            with = behind;
        }
        Ok((left, with))
    }

    fn joined(&mut self, start: u32, height: u16, kind: ExpressionKind) -> Parsed<Operand> {
        let span = self.span_from(start);
        self.grow(height.max(self.height), span)?;
        Ok(Operand::of(Expression { negated: false, kind, with: Vec::new(), span }))
    }

    /// Takes an operator, behind an operand that may stand before one.
    fn at_operator(&mut self, operator: Kind, left: &Operand, with: &[With]) -> Parsed<bool> {
        if !self.at(operator) {
            return Ok(false);
        }
        if let Some(with) = with.first() {
            let word = if operator == Kind::LogicalOr { "or" } else { "and" };
            let message = format!("`with` modifier is not allowed on operand of `{word}`");
            let help = "put the operand in parentheses, or write `with` behind the last operand for all of them";
            return Err(self.error(codes::SYNTAX, with.span, message, help));
        }
        let alone = |kind: &ExpressionKind| {
            matches!(kind, ExpressionKind::Some(_) | ExpressionKind::SomeIn { .. } | ExpressionKind::Every { .. })
        };
        if !left.explicit && left.body.iter().any(|expression| alone(&expression.kind)) {
            return Err(self.unexpected_help("\\n or ;", "put `some` and `every` in braces: `{ some x in xs } or ..`"));
        }
        self.at += 1;
        Ok(true)
    }

    /// What stands on one side of an operator, and the replacements behind it, which are not its own.
    fn operand_of_logic(&mut self, first: bool) -> Parsed<(Operand, Vec<With>)> {
        match self.peek() {
            Kind::BraceOpen if !first || is_logical(self.kind_of(self.behind_bracket().0)) => {
                Ok((self.braced_operand()?, Vec::new()))
            }
            Kind::ParenOpen if self.begins_group(first) => Ok((self.group()?, Vec::new())),
            _ => {
                let mut expression = self.simple()?;
                let with = std::mem::take(&mut expression.with);
                Ok((Operand::of(expression), with))
            }
        }
    }

    fn braced_operand(&mut self) -> Parsed<Operand> {
        self.at += 1;
        let body = self.body(Kind::BraceClose)?;
        self.at += 1;
        Ok(Operand { body, explicit: true })
    }

    fn group(&mut self) -> Parsed<Operand> {
        self.at += 1;
        let inner = self.nested(Self::literal)?;
        self.expect(Kind::ParenClose, "`)`: non-terminated expression")?;
        Ok(Operand::of(inner))
    }

    /// What is negated, where `future.keywords.not` is imported.
    pub(super) fn negated_operand(&mut self, start: u32) -> Parsed<Expression> {
        let operand = match self.peek() {
            Kind::BraceOpen => self.braced_operand()?,
            Kind::ParenOpen if self.behind_bracket().1 => self.group()?,
            _ => {
                let mut inner = self.plain(self.start(), false)?;
                let with = std::mem::take(&mut inner.with);
                let kind = ExpressionKind::Not(Operand::of(inner));
                return Ok(Expression { negated: false, kind, with, span: self.span_from(start) });
            }
        };
        self.finish(start, false, ExpressionKind::Not(operand))
    }

    /// Whether the parenthesis at the cursor holds a condition and is not the beginning of a term.
    fn begins_group(&self, first: bool) -> bool {
        let (behind, logical) = self.behind_bracket();
        let kind = self.kind_of(behind);
        let ends = behind.newline
            || matches!(
                kind,
                Kind::Semicolon | Kind::BraceClose | Kind::BracketClose | Kind::ParenClose | Kind::End | Kind::With
            );
        logical || is_logical(kind) || !first && ends
    }

    /// Whether braces at the cursor are an operand and no body.
    pub(super) fn brace_begins_logic(&self) -> bool {
        (self.keywords.and || self.keywords.or) && is_logical(self.kind_of(self.behind_bracket().0))
    }

    /// The token behind the bracket that closes the one at the cursor, and whether an operator stands between them in
    /// parentheses only.
    fn behind_bracket(&self) -> (Token, bool) {
        let (mut open, mut others, mut logical) = (0_usize, 0_usize, false);
        for ahead in 0.. {
            let token = self.token(ahead);
            match self.kind_of(token) {
                Kind::ParenOpen => open += 1,
                Kind::ParenClose => open = open.saturating_sub(1),
                Kind::BraceOpen | Kind::BracketOpen | Kind::TemplateOpen => others += 1,
                Kind::BraceClose | Kind::BracketClose | Kind::TemplateClose => others = others.saturating_sub(1),
                Kind::End => return (token, logical),
                kind => logical |= is_logical(kind) && others == 0,
            }
            if open + others == 0 {
                return (self.token(ahead + 1), logical);
            }
        }
        (self.token(0), logical)
    }
}

fn is_logical(kind: Kind) -> bool {
    matches!(kind, Kind::LogicalAnd | Kind::LogicalOr)
}
