//! Tokens to a syntax tree, by recursive descent.
//!
//! This file holds the cursor and the limits; [`module`](self::statement) and its siblings read packages and imports,
//! rules, conditions, terms. A mistake ends the statement in which it is; reading goes on at the next one.

mod composite;
mod logic;
mod query;
mod rule;
mod statement;
mod term;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Source, Span, Str};

use super::ast::{Body, Module, Term, TermKind, Version};
use super::token::{Kind, Token};
use super::{MAX_HEIGHT, MAX_SOURCE, codes, lexer};

/// How deeply brackets may be nested; each level takes a few frames of the stack.
const MAX_NESTING: u16 = 100;

/// Parses a file.
pub(super) fn module(source: &Arc<Source>, version: Version) -> (Option<Module>, Vec<Diagnostic>) {
    with_parser(source, version, statement::module)
}

/// Parses a query: conditions, as in the body of a v1 rule.
pub(super) fn query(source: &Arc<Source>) -> (Body, Vec<Diagnostic>) {
    with_parser(source, Version::V1, |parser| match parser.body(Kind::End) {
        Ok(body) => body,
        Err(fail) => {
            parser.report(fail);
            Body::new()
        }
    })
}

fn with_parser<T: Default>(
    source: &Arc<Source>,
    version: Version,
    read: impl FnOnce(&mut Parser<'_>) -> T,
) -> (T, Vec<Diagnostic>) {
    if source.text().len() > MAX_SOURCE {
        let location = Location { source: Arc::clone(source), span: Span::default() };
        let message = format!("the text is larger than {} MiB", MAX_SOURCE >> 20);
        let help = "keep data in data files and out of policies, or split the file";
        return (T::default(), vec![Diagnostic::error(codes::LIMIT, message).at(location, "").help(help)]);
    }
    let lexed = lexer::tokenize(source);
    let mut parser = Parser {
        source,
        tokens: lexed.tokens,
        comments: lexed.comments,
        at: 0,
        version,
        keywords: Keywords::of(version),
        name_at: None,
        wildcards: 0,
        depth: 0,
        height: 0,
        unions: HashSet::new(),
        names: HashMap::new(),
        diagnostics: lexed.diagnostics,
    };
    let read = read(&mut parser);
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.location.span.start));
    (read, diagnostics)
}

/// Which of the later keywords are known.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each keyword is imported by itself")]
struct Keywords {
    contains: bool,
    every: bool,
    r#if: bool,
    r#in: bool,
    and: bool,
    or: bool,
    /// Whether `not` is about all that its operand needs.
    not: bool,
}

impl Keywords {
    fn of(version: Version) -> Self {
        let known = version == Version::V1;
        Self { contains: known, every: known, r#if: known, r#in: known, and: false, or: false, not: false }
    }

    /// All that `import future.keywords` turns on.
    const ALL: Self = Self { contains: true, every: true, r#if: true, r#in: true, and: true, or: true, not: true };
}

/// A failure on its way to the statement in which it is; empty where the lexer has reported it.
struct Fail(Option<Box<Diagnostic>>);

type Parsed<T> = Result<T, Fail>;

struct Parser<'a> {
    source: &'a Arc<Source>,
    tokens: Vec<Token>,
    comments: Vec<Span>,
    at: usize,
    version: Version,
    keywords: Keywords,
    /// The token at which a keyword stands for a name, because a reference goes on from it: `not.x`.
    name_at: Option<usize>,
    wildcards: u32,
    depth: u16,
    /// The height of what was read last.
    height: u16,
    /// Brackets that have turned out to hold unions and no comprehensions.
    unions: HashSet<usize>,
    names: HashMap<&'a str, Str>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    fn token(&self, ahead: usize) -> Token {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get((self.at + ahead).min(last)).copied().unwrap_or(Token {
            kind: Kind::End,
            spaced: false,
            newline: false,
            span: Span::default(),
        })
    }

    fn kind_of(&self, token: Token) -> Kind {
        let known = match token.kind {
            Kind::If => self.keywords.r#if,
            Kind::In => self.keywords.r#in,
            Kind::Every => self.keywords.every,
            Kind::Contains => self.keywords.contains,
            Kind::LogicalAnd => self.keywords.and,
            Kind::LogicalOr => self.keywords.or,
            _ => true,
        };
        if known { token.kind } else { Kind::Name }
    }

    fn peek(&self) -> Kind {
        self.kind_of(self.token(0))
    }

    fn at(&self, kind: Kind) -> bool {
        self.peek() == kind
    }

    fn accept(&mut self, kind: Kind) -> bool {
        let found = self.at(kind);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, kind: Kind, expected: &str) -> Parsed<()> {
        if self.accept(kind) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn start(&self) -> u32 {
        self.token(0).span.start
    }

    fn span_from(&self, start: u32) -> Span {
        let end = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(start, |token| token.span.end);
        Span { start, end }
    }

    fn slice(&self, span: Span) -> &'a str {
        self.source.slice(span)
    }

    /// One shared text for each name.
    fn name(&mut self, text: &'a str) -> Str {
        Str::clone(self.names.entry(text).or_insert_with(|| text.into()))
    }

    fn variable(&mut self, span: Span) -> Term {
        let text = self.slice(span);
        let name = if text == "_" {
            self.wildcards += 1;
            format!("${}", self.wildcards - 1).into()
        } else {
            self.name(text)
        };
        Term { kind: TermKind::Variable(name), span }
    }

    /// Whether the token at the cursor goes on from the one before it without a space.
    fn touches(&self, kind: Kind) -> bool {
        let token = self.token(0);
        token.kind == kind && !token.spaced
    }

    /// Whether a keyword at the cursor is a name here, because a reference goes on from it.
    fn keyword_is_name(&self) -> bool {
        let next = self.token(1);
        self.peek().is_keyword() && !next.spaced && matches!(next.kind, Kind::Dot | Kind::BracketOpen)
    }

    fn error(&self, code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) -> Fail {
        Fail(Some(Box::new(self.diagnostic(code, span, message, help))))
    }

    fn diagnostic(
        &self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        let location = Location { source: Arc::clone(self.source), span };
        let diagnostic = Diagnostic::error(code, message).at(location, "");
        let help = help.into();
        if help.is_empty() { diagnostic } else { diagnostic.help(help) }
    }

    /// What stands at the cursor has no place there.
    fn unexpected(&self, expected: &str) -> Fail {
        self.unexpected_help(expected, "")
    }

    fn unexpected_help(&self, expected: &str, help: &str) -> Fail {
        let token = self.token(0);
        if token.kind == Kind::Illegal {
            return Fail(None);
        }
        let found = self.kind_of(token).describe(self.slice(token.span));
        let message = if expected.is_empty() {
            format!("unexpected {found}")
        } else {
            format!("unexpected {found}: expected {expected}")
        };
        let help = if help.is_empty() { self.keyword_hint(token) } else { help };
        self.error(codes::SYNTAX, token.span, message, help)
    }

    /// What to do where a word is a keyword only with an import that is not there.
    fn keyword_hint(&self, token: Token) -> &'static str {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|token| token.kind);
        match (token.kind, before) {
            (Kind::LogicalAnd, _) => "add `import future.keywords.and` to write `and` between conditions",
            (Kind::LogicalOr, _) => "add `import future.keywords.or` to write `or` between conditions",
            _ if self.version == Version::V1 => "",
            (Kind::If, _) | (_, Some(Kind::If)) => "add `import rego.v1` to write `if`",
            (Kind::In, _) | (_, Some(Kind::In)) => "add `import future.keywords.in` to write `in`",
            (_, Some(Kind::Every)) => "add `import future.keywords.every` to write `every`",
            (Kind::Contains, _) | (_, Some(Kind::Contains)) => {
                "add `import future.keywords.contains` to write `contains`"
            }
            _ => "",
        }
    }

    fn report(&mut self, fail: Fail) {
        self.diagnostics.extend(fail.0.map(|diagnostic| *diagnostic));
    }

    /// Reads something nested, unless it is nested too deeply.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_NESTING {
            return Err(self.too_deep(self.token(0).span, MAX_NESTING));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Notes the height of what was read, made of parts of at most the height given.
    fn grow(&mut self, parts: u16, span: Span) -> Parsed<()> {
        self.height = parts + 1;
        if self.height <= MAX_HEIGHT { Ok(()) } else { Err(self.too_deep(span, MAX_HEIGHT)) }
    }

    fn too_deep(&self, span: Span, limit: u16) -> Fail {
        let message = format!("the expression is nested more than {limit} levels deep");
        self.error(codes::LIMIT, span, message, "give parts of it names of their own with `:=`")
    }
}
