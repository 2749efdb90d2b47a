//! Text to tokens.

use std::ops::Range;

use palisade_model::Str;

use super::literal;
use crate::{CompileError, Val};

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name; reserved words are names too, refused by the parser where they cannot stand.
    Ident(Str),
    /// A name in backticks, which stands only as a field.
    Quoted(Str),
    /// A literal other than an integer.
    Literal(Val),
    /// Digits of a signed integer; its range depends on the sign before it.
    Int(u64),
    /// An operator or bracket.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

impl Token {
    /// For `found ...` in messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Ident(name) => format!("`{name}`"),
            Self::Quoted(name) => format!("`` `{name}` ``"),
            Self::Literal(Val::String(_)) => "a string".to_owned(),
            Self::Literal(Val::Bytes(_)) => "bytes".to_owned(),
            Self::Literal(_) | Self::Int(_) => "a number".to_owned(),
            Self::Symbol(symbol) => format!("`{symbol}`"),
            Self::End => "the end of the expression".to_owned(),
        }
    }
}

/// Longest first, so that the first match is the right one.
const SYMBOLS: [&str; 25] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")", "[", "]",
    "{", "}", "=",
];

/// All tokens with their places; the last is [`Token::End`].
pub(super) fn tokenize(source: &str) -> Result<Vec<(Token, Range<usize>)>, CompileError> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank();
        let start = lexer.at;
        let token = lexer.next()?;
        let end = token == Token::End;
        tokens.push((token, start..lexer.at));
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']).len();
            self.at += blank;
            if !self.rest().starts_with("//") {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn next(&mut self) -> Result<Token, CompileError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        if let Some(token) = self.text_literal()? {
            return Ok(token);
        }
        if first.is_ascii_digit() || (first == '.' && rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit())) {
            return self.number();
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(Token::Ident(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').into()));
        }
        if first == '`' {
            return self.quoted();
        }
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            self.at += symbol.len();
            return Ok(Token::Symbol(symbol));
        }
        Err(CompileError::new(self.at..self.at + first.len_utf8(), format!("unexpected character `{first}`")))
    }

    fn quoted(&mut self) -> Result<Token, CompileError> {
        let start = self.at;
        self.at += 1;
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || "_.-/ ".contains(c));
        if !self.rest().starts_with('`') || name.is_empty() {
            let span = start..self.at;
            return Err(CompileError::new(
                span,
                "a quoted field needs letters, digits, `_`, `.`, `-`, `/` or spaces and a closing backtick",
            ));
        }
        self.at += 1;
        Ok(Token::Quoted(name.into()))
    }

    fn number(&mut self) -> Result<Token, CompileError> {
        let start = self.at;
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            let digits = self.take_while(|c| c.is_ascii_hexdigit());
            return self.integer(start, digits, 16);
        }
        let digits = self.take_while(|c| c.is_ascii_digit());
        let mut double = false;
        if self.rest().strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            double = true;
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        if let Some(rest) = self.rest().strip_prefix(['e', 'E']) {
            let sign = usize::from(rest.starts_with(['+', '-']));
            if rest.get(sign..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
                double = true;
                self.at += 1 + sign;
                self.take_while(|c| c.is_ascii_digit());
            }
        }
        if !double {
            return self.integer(start, digits, 10);
        }
        let text = self.source.get(start..self.at).unwrap_or_default();
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Token::Literal(Val::Double(value))),
            _ => Err(CompileError::new(start..self.at, format!("`{text}` does not fit a double"))),
        }
    }

    fn integer(&mut self, start: usize, digits: &str, radix: u32) -> Result<Token, CompileError> {
        let number = u64::from_str_radix(digits, radix);
        let unsigned = self.rest().starts_with(['u', 'U']);
        self.at += usize::from(unsigned);
        let Ok(number) = number else {
            let text = self.source.get(start..self.at).unwrap_or_default();
            return Err(CompileError::new(start..self.at, format!("`{text}` does not fit 64 bits")));
        };
        Ok(if unsigned { Token::Literal(Val::UInt(number)) } else { Token::Int(number) })
    }

    /// A string or bytes literal, if one starts here.
    fn text_literal(&mut self) -> Result<Option<Token>, CompileError> {
        let rest = self.rest();
        let quote = rest.bytes().take(3).position(|byte| byte == b'\'' || byte == b'"');
        let Some(prefix) = quote.and_then(|length| rest.get(..length)) else { return Ok(None) };
        let (raw, bytes) = match prefix {
            "" => (false, false),
            "r" | "R" => (true, false),
            "b" | "B" => (false, true),
            "br" | "bR" | "Br" | "BR" | "rb" | "rB" | "Rb" | "RB" => (true, true),
            _ => return Ok(None),
        };
        let start = self.at;
        self.at += prefix.len();
        let body = self.quoted_body(start, raw)?;
        let value = match (raw, bytes) {
            (true, false) => Val::from(body.1),
            (true, true) => Val::bytes(body.1.as_bytes()),
            (false, false) => Val::from(literal::unescape(body.1, body.0)?),
            (false, true) => Val::bytes(literal::unescape_bytes(body.1, body.0)?),
        };
        Ok(Some(Token::Literal(value)))
    }

    /// What stands between the quotes, and where it begins.
    fn quoted_body(&mut self, start: usize, raw: bool) -> Result<(usize, &'a str), CompileError> {
        let rest = self.rest();
        let triple = ["'''", "\"\"\""].into_iter().find(|quotes| rest.starts_with(quotes));
        let quotes = triple.unwrap_or(if rest.starts_with('\'') { "'" } else { "\"" });
        self.at += quotes.len();
        let begin = self.at;
        loop {
            let rest = self.rest();
            if rest.starts_with(quotes) {
                let body = self.source.get(begin..self.at).unwrap_or_default();
                self.at += quotes.len();
                return Ok((begin, body));
            }
            match rest.chars().next() {
                Some('\\') if !raw => self.at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
                Some('\n' | '\r') if triple.is_none() => break,
                Some(c) => self.at += c.len_utf8(),
                None => break,
            }
        }
        Err(CompileError::new(start..self.at, format!("the string has no closing `{quotes}`")))
    }
}
