//! Terms: operators, references, calls, literals.

use palisade_model::{Span, Str};
use palisade_rego_value::{Number, Value};

use super::super::ast::{ExpressionKind, TemplatePart, Term, TermKind, Version};
use super::super::token::Kind;
use super::super::{codes, literal};
use super::{Parsed, Parser};

/// How strongly an operator binds, and its function.
pub(super) fn operator(kind: Kind) -> Option<(u8, &'static str)> {
    Some(match kind {
        Kind::Equal => (1, "equal"),
        Kind::NotEqual => (1, "neq"),
        Kind::Less => (1, "lt"),
        Kind::LessOrEqual => (1, "lte"),
        Kind::Greater => (1, "gt"),
        Kind::GreaterOrEqual => (1, "gte"),
        Kind::Or => (2, "or"),
        Kind::And => (3, "and"),
        Kind::Plus => (4, "plus"),
        Kind::Minus => (4, "minus"),
        Kind::Times => (5, "mul"),
        Kind::Divide => (5, "div"),
        Kind::Remainder => (5, "rem"),
        _ => return None,
    })
}

impl Parser<'_> {
    /// A term with operators; `k, v in xs` only outside of lists.
    pub(super) fn expression(&mut self, pairs: bool) -> Parsed<Term> {
        let first = self.term()?;
        self.expression_from(first, pairs)
    }

    /// The same where the first operand is read.
    pub(super) fn expression_from(&mut self, first: Term, pairs: bool) -> Parsed<Term> {
        let mut left = self.infix_from(first, 1)?;
        loop {
            let mut height = self.height;
            let mut operands = vec![left];
            if pairs && let Some(value) = self.second_of_pair() {
                operands.push(value);
                height = height.max(self.height);
            }
            if self.keyword_is_name() || !self.accept(Kind::In) {
                self.height = height;
                let Some(only) = operands.pop() else { return Err(self.unexpected("a term")) };
                return Ok(only);
            }
            operands.push(self.infix(1)?);
            let name = if operands.len() == 3 { "internal.member_3" } else { "internal.member_2" };
            height = height.max(self.height);
            left = self.operation(name, operands, height)?;
        }
    }

    /// `, v` where `in` follows it.
    fn second_of_pair(&mut self) -> Option<Term> {
        let (at, wildcards, height) = (self.at, self.wildcards, self.height);
        if self.keywords.r#in && self.accept(Kind::Comma) {
            if let Ok(value) = self.infix(1)
                && self.at(Kind::In)
                && !self.keyword_is_name()
            {
                return Some(value);
            }
            (self.at, self.wildcards, self.height) = (at, wildcards, height);
        }
        None
    }

    fn infix(&mut self, lowest: u8) -> Parsed<Term> {
        let first = self.term()?;
        self.infix_from(first, lowest)
    }

    fn infix_from(&mut self, first: Term, lowest: u8) -> Parsed<Term> {
        let mut left = first;
        while let Some((level, name)) = operator(self.peek()).filter(|(level, _)| *level >= lowest) {
            let height = self.height;
            self.at += 1;
            let right = self.infix(level + 1)?;
            left = self.operation(name, vec![left, right], height.max(self.height))?;
        }
        Ok(left)
    }

    fn operation(&mut self, name: &'static str, operands: Vec<Term>, height: u16) -> Parsed<Term> {
        let start = operands.first().map_or(0, |term| term.span.start);
        let span = self.span_from(start);
        self.grow(height, span)?;
        let function = Term { kind: TermKind::Variable(self.name(name)), span };
        Ok(Term { kind: TermKind::Call(Box::new(function), operands), span })
    }

    /// One operand, with the calls and parts of a reference that follow it.
    pub(super) fn term(&mut self) -> Parsed<Term> {
        let head = self.nested(Self::operand)?;
        self.reference_from(head)
    }

    fn operand(&mut self) -> Parsed<Term> {
        let token = self.token(0);
        let (kind, span) = (self.peek(), token.span);
        self.height = 1;
        if self.name_at == Some(self.at) {
            self.at += 1;
            return Ok(self.variable(span));
        }
        let scalar = match kind {
            // The sets' functions keep their names.
            Kind::LogicalAnd | Kind::LogicalOr if self.token(1).kind == Kind::ParenOpen && !self.token(1).spaced => {
                self.at += 1;
                return Ok(self.variable(span));
            }
            Kind::Name | Kind::Contains => {
                self.at += 1;
                return Ok(self.variable(span));
            }
            Kind::Null => Value::Null,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Text | Kind::RawText => Value::String(self.text(kind, span)),
            Kind::Number | Kind::Dot => return self.number(span.start),
            Kind::Minus => return self.negative(span.start),
            Kind::Template => return self.template(),
            Kind::BracketOpen => return self.array(),
            Kind::BraceOpen => return self.object_or_set(),
            Kind::ParenOpen => return self.parenthesized(),
            _ => return Err(self.unexpected("")),
        };
        self.at += 1;
        Ok(Term { kind: TermKind::Scalar(scalar), span })
    }

    /// The text that a string literal stands for.
    pub(super) fn text(&mut self, kind: Kind, span: Span) -> Str {
        let inside = self.slice(Span { start: span.start + 1, end: span.end.saturating_sub(1) });
        if kind == Kind::Text && inside.contains('\\') { literal::unescape(inside).into() } else { self.name(inside) }
    }

    /// A number from its sign or point on; as in OPA, `.5` is `0.5` in a policy.
    fn number(&mut self, start: u32) -> Parsed<Term> {
        let sign = if self.start() > start { "-" } else { "" };
        let point = if self.accept(Kind::Dot) { "0." } else { "" };
        let digits = self.slice(self.token(0).span);
        self.expect(Kind::Number, "number")?;
        let span = self.span_from(start);
        let number = match (sign, point) {
            ("", "") => Number::parse(digits),
            _ => Number::parse(&format!("{sign}{point}{digits}")),
        };
        let Some(number) = number else {
            let help = "a number has one decimal point, and an exponent of a million at most";
            return Err(self.error(codes::NUMBER, span, "the number cannot be read", help));
        };
        Ok(Term { kind: TermKind::Number(number), span })
    }

    /// `-1` is a number and `-x` is `0 - x`.
    fn negative(&mut self, start: u32) -> Parsed<Term> {
        self.at += 1;
        if !matches!(self.peek(), Kind::Name | Kind::Contains) {
            return self.number(start);
        }
        let zero = Term { kind: TermKind::Number(Number::Int(0)), span: Span { start, end: start + 1 } };
        let operand = self.term()?;
        self.operation("minus", vec![zero, operand], self.height)
    }

    fn parenthesized(&mut self) -> Parsed<Term> {
        let start = self.start();
        self.at += 1;
        let inner = self.expression(true)?;
        self.expect(Kind::ParenClose, "`)`: non-terminated expression")?;
        Ok(Term { span: self.span_from(start), ..inner })
    }

    /// The parts of a reference and the arguments of a call that follow a term without a space.
    fn reference_from(&mut self, head: Term) -> Parsed<Term> {
        let mut term = head;
        let mut called = false;
        while !self.token(0).spaced
            && (matches!(self.peek(), Kind::Dot | Kind::BracketOpen) || self.at(Kind::ParenOpen) && !called)
        {
            self.check_head(&term)?;
            let mut height = self.height;
            let parts = self.parts(&mut height)?;
            let start = term.span.start;
            if !parts.is_empty() {
                let span = self.span_from(start);
                self.grow(height, span)?;
                height = self.height;
                term = Term { kind: TermKind::Reference(Box::new(term), parts), span };
            }
            called = self.touches(Kind::ParenOpen);
            if called {
                term = self.call(term, height)?;
            }
        }
        Ok(term)
    }

    fn check_head(&self, head: &Term) -> Parsed<()> {
        let found = match &head.kind {
            TermKind::Scalar(value) => value.type_name(),
            TermKind::Number(_) => "number",
            TermKind::Template(_) => "template string",
            TermKind::Reference(..) => "ref",
            _ => return Ok(()),
        };
        let message = format!("illegal ref (head cannot be {found})");
        Err(self.error(codes::SYNTAX, head.span, message, "give it a name with `:=`, and refer to that"))
    }

    /// `.a["b"][c]`, as far as it goes on without a space.
    pub(super) fn parts(&mut self, height: &mut u16) -> Parsed<Vec<Term>> {
        let mut parts = Vec::new();
        loop {
            if self.touches(Kind::Dot) {
                self.at += 1;
                parts.push(self.field()?);
            } else if self.touches(Kind::BracketOpen) {
                self.at += 1;
                parts.push(self.nested(|parser| parser.expression(true))?);
                *height = (*height).max(self.height);
                self.expect(Kind::BracketClose, "`]`")?;
            } else {
                return Ok(parts);
            }
        }
    }

    /// The name after a dot; any word will do.
    fn field(&mut self) -> Parsed<Term> {
        let token = self.token(0);
        if token.spaced && token.kind != Kind::End {
            let span = Span { start: token.span.start.saturating_sub(1), end: token.span.start };
            let help = "write the name directly after the dot";
            return Err(self.error(codes::SYNTAX, span, "unexpected whitespace token: expected identifier", help));
        }
        if token.kind != Kind::Name && !token.kind.is_keyword() {
            return Err(self.unexpected("identifier"));
        }
        self.at += 1;
        let name = self.name(self.slice(token.span));
        Ok(Term { kind: TermKind::Scalar(Value::String(name)), span: token.span })
    }

    fn call(&mut self, function: Term, height: u16) -> Parsed<Term> {
        self.at += 1;
        let (arguments, inside) = self.nested(|parser| parser.list(Kind::ParenClose, Vec::new()))?;
        let span = self.span_from(function.span.start);
        self.grow(height.max(inside), span)?;
        if arguments.is_empty() && matches!(&function.kind, TermKind::Variable(name) if **name == *"set") {
            return Ok(Term { kind: TermKind::Set(Vec::new()), span });
        }
        Ok(Term { kind: TermKind::Call(Box::new(function), arguments), span })
    }

    /// Terms with commas between them, up to and with the closing bracket; a last comma may follow.
    pub(super) fn list(&mut self, end: Kind, first: Vec<Term>) -> Parsed<(Vec<Term>, u16)> {
        let mut height = if first.is_empty() { 0 } else { self.height };
        let mut terms = first;
        if !terms.is_empty() && !self.accept(Kind::Comma) && !self.at(end) {
            return Err(self.missing(end));
        }
        while !self.accept(end) {
            terms.push(self.expression(false)?);
            height = height.max(self.height);
            if !self.accept(Kind::Comma) && !self.at(end) {
                return Err(self.missing(end));
            }
        }
        Ok((terms, height))
    }

    fn missing(&self, end: Kind) -> super::Fail {
        let (expected, help) = match end {
            Kind::ParenClose => {
                ("\",\" or \")\"", "compare with `==`; `:=` and `=` have no place within an expression")
            }
            Kind::BracketClose => ("\",\" or \"]\"", ""),
            _ => ("\",\" or \"}\"", ""),
        };
        let help = if matches!(self.peek(), Kind::Assign | Kind::Unify) { help } else { "" };
        self.unexpected_help(expected, help)
    }

    /// `$"a {x} b"`
    fn template(&mut self) -> Parsed<Term> {
        let start = self.start();
        let opening = self.token(0).span;
        if self.version == Version::V0 {
            let message = "template strings are not supported before v1";
            return Err(self.error(codes::TEMPLATE, opening, message, "add `import rego.v1`, or use `sprintf`"));
        }
        let raw = self.slice(opening).ends_with('`');
        self.at += 1;
        let (mut parts, mut height) = (Vec::new(), 0);
        loop {
            let token = self.token(0);
            match token.kind {
                Kind::TemplateText => {
                    let text = self.slice(token.span);
                    let text = if raw { literal::unescape_raw(text) } else { literal::unescape(text) };
                    parts.push(TemplatePart::Text(text.into()));
                    self.at += 1;
                }
                Kind::TemplateOpen => {
                    self.at += 1;
                    parts.push(self.template_expression()?);
                    height = height.max(self.height);
                }
                Kind::TemplateEnd => {
                    self.at += 1;
                    let span = self.span_from(start);
                    self.grow(height, span)?;
                    return Ok(Term { kind: TermKind::Template(parts), span });
                }
                _ => return Err(self.unexpected("the end of the template")),
            }
        }
    }

    fn template_expression(&mut self) -> Parsed<TemplatePart> {
        let expression = self.literal()?;
        let wrong = match &expression.kind {
            _ if expression.negated => "negation (`not`)",
            ExpressionKind::Term(_) => {
                let help = "put one expression between the braces, and write `\\{` for a brace";
                if !self.accept(Kind::TemplateClose) {
                    return Err(self.unexpected_help("} to end template string expression", help));
                }
                return Ok(TemplatePart::Expression(expression));
            }
            ExpressionKind::Assign(..) => "assignment (`:=`)",
            ExpressionKind::Unify(..) => "unification (`=`)",
            ExpressionKind::Some(_) | ExpressionKind::SomeIn { .. } => "`some`",
            ExpressionKind::Every { .. } => "`every`",
            ExpressionKind::Not(_) => "negation (`not`)",
            ExpressionKind::And(..) => "`and`",
            ExpressionKind::Or(..) => "`or`",
        };
        let message = format!("unexpected {wrong} in template-string expression");
        Err(self.error(
            codes::TEMPLATE,
            expression.span,
            message,
            "compute the value in a condition before the template",
        ))
    }
}
