//! Tokens to a syntax tree, by precedence climbing; macros are expanded as soon as their call is read.

use std::ops::Range;

use palisade_model::Str;

use super::lexer::{Token, tokenize};
use super::{Element, Entry, Expander, Expansion, Expr, ExprKind, MAX_HEIGHT, MAX_NESTING, MAX_SOURCE, MacroCall};
use crate::env::Registry;
use crate::{CompileError, Style, Val};

/// Words that cannot be names of variables and functions.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

const BINARY: [(&str, u8, &str); 14] = [
    ("||", 1, "_||_"),
    ("&&", 2, "_&&_"),
    ("==", 3, "_==_"),
    ("!=", 3, "_!=_"),
    ("<=", 3, "_<=_"),
    (">=", 3, "_>=_"),
    ("<", 3, "_<_"),
    (">", 3, "_>_"),
    ("in", 3, "@in"),
    ("+", 4, "_+_"),
    ("-", 4, "_-_"),
    ("*", 5, "_*_"),
    ("/", 5, "_/_"),
    ("%", 5, "_%_"),
];

/// Parses one expression, expanding the macros of `registry`.
pub(crate) fn parse(source: &str, registry: &Registry) -> Result<Expr, CompileError> {
    if source.len() > MAX_SOURCE {
        let message = format!("the expression is longer than {MAX_SOURCE} bytes");
        return Err(CompileError::new(0..0, message).help("split it into variables"));
    }
    let mut parser = Parser { tokens: tokenize(source)?, at: 0, registry, expander: Expander::default(), depth: 0 };
    let expr = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expr),
        _ => Err(parser.unexpected("an operator or the end of the expression")),
    }
}

struct Parser<'a> {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    registry: &'a Registry,
    expander: Expander,
    depth: u16,
}

type Parsed<T = Expr> = Result<T, CompileError>;

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn span(&self) -> Range<usize> {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get(self.at.min(last)).map_or(0..0, |(_, span)| span.clone())
    }

    /// Where the token before this one ends.
    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |(_, span)| span.end)
    }

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn at_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(found) if *found == symbol)
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = self.at_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.accept(symbol) { Ok(()) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    fn unexpected(&self, expected: &str) -> CompileError {
        CompileError::new(self.span(), format!("expected {expected}, found {}", self.peek().describe()))
    }

    /// An expression of the tree, unless the tree has grown too high.
    fn node(kind: ExprKind, span: Range<usize>) -> Parsed {
        Self::limited(Expr::new(kind, span))
    }

    fn limited(expr: Expr) -> Parsed {
        if expr.height <= MAX_HEIGHT { Ok(expr) } else { Err(too_deep(expr.span, MAX_HEIGHT)) }
    }

    fn expression(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(too_deep(self.span(), MAX_NESTING));
        }
        let condition = self.binary(1)?;
        let expr = if self.accept("?") {
            let then = self.binary(1)?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            let span = condition.span.start..otherwise.span.end;
            Self::node(ExprKind::Conditional(Box::new([condition, then, otherwise])), span)?
        } else {
            condition
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn operator(&self) -> Option<(u8, &'static str)> {
        let found = match self.peek() {
            Token::Symbol(symbol) => symbol,
            Token::Ident(name) if **name == *"in" => "in",
            _ => return None,
        };
        BINARY.iter().find(|(symbol, ..)| *symbol == found).map(|(_, precedence, name)| (*precedence, *name))
    }

    fn binary(&mut self, lowest: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Some((precedence, name)) = self.operator().filter(|(precedence, _)| *precedence >= lowest) {
            self.at += 1;
            let right = self.binary(precedence + 1)?;
            let span = left.span.start..right.span.end;
            left = Self::limited(match name {
                "_||_" | "_&&_" => logical(name == "_||_", left, right, span),
                _ => Expr::call(None, name, vec![left, right], span),
            })?;
        }
        Ok(left)
    }

    /// Chains of `!` or `-`; an even number of them cancels out, as in cel-go.
    fn unary(&mut self) -> Parsed {
        let start = self.span().start;
        let Some((symbol, name)) = [("!", "!_"), ("-", "-_")].into_iter().find(|(symbol, _)| self.at_symbol(symbol))
        else {
            return self.member();
        };
        let mut count = 0_usize;
        while self.accept(symbol) {
            count += 1;
        }
        let negative = symbol == "-" && count % 2 == 1;
        if let (true, Token::Int(digits)) = (negative, self.peek()) {
            let literal = Val::Int(0_i64.checked_sub_unsigned(*digits).ok_or_else(|| out_of_range(self.span()))?);
            self.at += 1;
            let literal = Expr::new(ExprKind::Literal(literal), start..self.end());
            return self.postfix(literal);
        }
        if let (true, Token::Literal(Val::Double(value))) = (negative, self.peek()) {
            let literal = Val::Double(-value);
            self.at += 1;
            let literal = Expr::new(ExprKind::Literal(literal), start..self.end());
            return self.postfix(literal);
        }
        let operand = self.member()?;
        if count.is_multiple_of(2) {
            return Ok(operand);
        }
        let span = start..operand.span.end;
        Self::limited(Expr::call(None, name, vec![operand], span))
    }

    fn member(&mut self) -> Parsed {
        let primary = self.primary()?;
        self.postfix(primary)
    }

    fn postfix(&mut self, mut expr: Expr) -> Parsed {
        loop {
            expr = if self.accept(".") {
                self.selection(expr)?
            } else if self.accept("[") {
                let optional = self.accept("?");
                let index = Box::new(self.expression()?);
                self.expect("]")?;
                let span = expr.span.start..self.end();
                Self::node(ExprKind::Index { operand: Box::new(expr), index, optional }, span)?
            } else if self.at_symbol("{")
                && let Some(name) = expr.qualified_name()
            {
                self.structure(name.into(), expr.span.start)?
            } else {
                return Ok(expr);
            };
        }
    }

    /// What follows a dot: a field, an optional field, or a member call.
    fn selection(&mut self, operand: Expr) -> Parsed {
        let optional = self.accept("?");
        let start = operand.span.start;
        let field = self.field_name()?;
        if !optional && !matches!(field, Token::Quoted(_)) && self.accept("(") {
            let Token::Ident(function) = field else { return Err(self.unexpected("a name")) };
            let args = self.arguments()?;
            let span = start..self.end();
            return self.macro_or_call(MacroCall { target: Some(operand), function, args, span });
        }
        let (Token::Ident(field) | Token::Quoted(field)) = field else { return Err(self.unexpected("a name")) };
        let operand = Box::new(operand);
        Self::node(ExprKind::Select { operand, field, optional }, start..self.end())
    }

    fn field_name(&mut self) -> Parsed<Token> {
        match self.peek() {
            Token::Ident(name) if !matches!(&**name, "in" | "true" | "false" | "null") => Ok(self.advance()),
            Token::Quoted(_) => Ok(self.advance()),
            _ => Err(self.unexpected("the name of a field")),
        }
    }

    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        let mut args = Vec::new();
        if self.accept(")") {
            return Ok(args);
        }
        loop {
            args.push(self.expression()?);
            if self.accept(")") {
                return Ok(args);
            }
            if !self.accept(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }

    fn macro_or_call(&mut self, call: MacroCall) -> Parsed {
        let style = if call.target.is_some() { Style::Member } else { Style::Global };
        let mut call = call;
        for candidate in self.registry.macros_of(style, &call.function) {
            if candidate.arity.is_some_and(|arity| arity != call.args.len()) {
                continue;
            }
            match (candidate.expand)(&mut self.expander, call)? {
                Expansion::Expr(expr) => return Self::limited(expr),
                Expansion::Unchanged(unchanged) => call = unchanged,
            }
        }
        Self::limited(Expr::call(call.target, call.function, call.args, call.span))
    }

    fn primary(&mut self) -> Parsed {
        let start = self.span().start;
        match self.peek().clone() {
            Token::Literal(value) => {
                self.at += 1;
                Ok(Expr::new(ExprKind::Literal(value), start..self.end()))
            }
            Token::Int(digits) => {
                let value = i64::try_from(digits).map_err(|_| out_of_range(self.span()))?;
                self.at += 1;
                Ok(Expr::new(ExprKind::Literal(Val::Int(value)), start..self.end()))
            }
            Token::Ident(name) => self.name(start, name, false),
            Token::Symbol(".") => {
                self.at += 1;
                match self.peek().clone() {
                    Token::Ident(name) => self.name(start, name, true),
                    _ => Err(self.unexpected("a name")),
                }
            }
            Token::Symbol("(") => {
                self.at += 1;
                let expr = self.expression()?;
                self.expect(")")?;
                Ok(Expr { span: start..self.end(), ..expr })
            }
            Token::Symbol("[") => self.list(start),
            Token::Symbol("{") => self.map(start),
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// A literal word, a variable, or a call of a function.
    fn name(&mut self, start: usize, name: Str, rooted: bool) -> Parsed {
        let span = self.span();
        let literal = match &*name {
            "true" => Some(Val::Bool(true)),
            "false" => Some(Val::Bool(false)),
            "null" => Some(Val::Null),
            "in" => return Err(self.unexpected("an expression")),
            word if RESERVED.contains(&word) => {
                return Err(CompileError::new(span, format!("`{word}` is a reserved word"))
                    .help("choose another name; as a field, write it after a dot"));
            }
            _ => None,
        };
        self.at += 1;
        if let Some(value) = literal {
            return Ok(Expr::new(ExprKind::Literal(value), span));
        }
        let name = if rooted { format!(".{name}").into() } else { name };
        if self.accept("(") {
            let args = self.arguments()?;
            let span = start..self.end();
            return self.macro_or_call(MacroCall { target: None, function: name, args, span });
        }
        Ok(Expr::ident(name, start..self.end()))
    }

    fn list(&mut self, start: usize) -> Parsed {
        self.expect("[")?;
        let mut elements = Vec::new();
        while !self.accept("]") {
            let optional = self.accept("?");
            elements.push(Element { optional, value: self.expression()? });
            if !self.accept(",") {
                if !self.accept("]") {
                    return Err(self.unexpected("`,` or `]`"));
                }
                break;
            }
        }
        Self::node(ExprKind::List(elements), start..self.end())
    }

    fn map(&mut self, start: usize) -> Parsed {
        self.expect("{")?;
        let mut entries = Vec::new();
        while !self.accept("}") {
            let optional = self.accept("?");
            let key = self.expression()?;
            self.expect(":")?;
            entries.push(Entry { optional, key, value: self.expression()? });
            if !self.accept(",") {
                if !self.accept("}") {
                    return Err(self.unexpected("`,` or `}`"));
                }
                break;
            }
        }
        Self::node(ExprKind::Map(entries), start..self.end())
    }

    fn structure(&mut self, name: Str, start: usize) -> Parsed {
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.accept("}") {
            let optional = self.accept("?");
            let (Token::Ident(field) | Token::Quoted(field)) = self.field_name()? else {
                return Err(self.unexpected("the name of a field"));
            };
            self.expect(":")?;
            fields.push((field, Element { optional, value: self.expression()? }));
            if !self.accept(",") {
                if !self.accept("}") {
                    return Err(self.unexpected("`,` or `}`"));
                }
                break;
            }
        }
        Self::node(ExprKind::Struct { name, fields }, start..self.end())
    }
}

/// Chains of one operator stay flat, so that they may be long.
fn logical(or: bool, left: Expr, right: Expr, span: Range<usize>) -> Expr {
    let (operand_height, left_span) = (left.height.max(right.height + 1), left.span);
    let (mut operands, height) = match (or, left.kind) {
        (true, ExprKind::Or(operands)) | (false, ExprKind::And(operands)) => (operands, operand_height),
        (_, kind) => (vec![Expr { kind, span: left_span, height: left.height }], operand_height.max(left.height + 1)),
    };
    operands.push(right);
    Expr { kind: if or { ExprKind::Or(operands) } else { ExprKind::And(operands) }, span, height }
}

fn too_deep(span: Range<usize>, limit: u16) -> CompileError {
    CompileError::new(span, format!("the expression is nested more than {limit} levels deep"))
        .help("split it into variables")
}

fn out_of_range(span: Range<usize>) -> CompileError {
    CompileError::new(span, "the number does not fit a signed 64-bit integer")
        .help("append `u` for an unsigned integer, or `.0` for a double")
}
