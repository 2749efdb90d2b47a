//! Text to tokens, as Kyverno's fork of go-jmespath cuts them.

use palisade_model::Value;

use super::ParseError;

/// A token and the byte at which it starts.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) offset: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Star,
    Dot,
    Filter,
    Flatten,
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    Or,
    Pipe,
    And,
    Not,
    Comma,
    Colon,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Current,
    Ampersand,
    Number(i64),
    Identifier(String),
    QuotedIdentifier(String),
    Literal(Value),
    End,
}

/// Cuts `text` into tokens; the last one is [`TokenKind::End`].
pub(super) fn tokenize(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut lexer = Lexer { text, position: 0 };
    let mut tokens = Vec::new();
    loop {
        let offset = lexer.position;
        match lexer.token()? {
            Some(TokenKind::End) => {
                tokens.push(Token { kind: TokenKind::End, offset });
                return Ok(tokens);
            }
            Some(kind) => tokens.push(Token { kind, offset }),
            None => {}
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += next.len_utf8();
        Some(next)
    }

    fn error(&self, message: impl Into<String>, offset: usize) -> ParseError {
        ParseError { message: message.into(), offset: offset.min(self.text.len()) }
    }

    /// The next token; `None` for white space.
    fn token(&mut self) -> Result<Option<TokenKind>, ParseError> {
        let start = self.position;
        let Some(first) = self.next() else { return Ok(Some(TokenKind::End)) };
        Ok(Some(match first {
            ' ' | '\t' | '\n' | '\r' => return Ok(None),
            '.' => TokenKind::Dot,
            '*' => TokenKind::Star,
            ',' => TokenKind::Comma,
            ':' => TokenKind::Colon,
            '{' => TokenKind::LeftBrace,
            '}' => TokenKind::RightBrace,
            ']' => TokenKind::RightBracket,
            '(' => TokenKind::LeftParen,
            ')' => TokenKind::RightParen,
            '@' => TokenKind::Current,
            '[' if self.peek() == Some(']') => {
                self.next();
                TokenKind::Flatten
            }
            '[' => self.either('?', TokenKind::Filter, TokenKind::LeftBracket),
            '|' => self.either('|', TokenKind::Or, TokenKind::Pipe),
            '&' => self.either('&', TokenKind::And, TokenKind::Ampersand),
            '<' => self.either('=', TokenKind::LessOrEqual, TokenKind::Less),
            '>' => self.either('=', TokenKind::GreaterOrEqual, TokenKind::Greater),
            '!' => self.either('=', TokenKind::NotEqual, TokenKind::Not),
            '=' if self.peek() == Some('=') => {
                self.next();
                TokenKind::Equal
            }
            'a'..='z' | 'A'..='Z' | '_' => self.identifier(start),
            '-' | '0'..='9' => self.number(start)?,
            '"' => self.quoted_identifier(start)?,
            '\'' => self.raw_string(start)?,
            '`' => self.json_literal(start)?,
            other => return Err(self.error(format!("unexpected character `{other}`"), start)),
        }))
    }

    fn either(&mut self, second: char, double: TokenKind, single: TokenKind) -> TokenKind {
        if self.peek() == Some(second) {
            self.next();
            return double;
        }
        single
    }

    fn take_while(&mut self, start: usize, accept: impl Fn(u8) -> bool) -> &'a str {
        let more = self.rest().bytes().take_while(|byte| accept(*byte)).count();
        self.position += more;
        self.text.get(start..self.position).unwrap_or_default()
    }

    fn identifier(&mut self, start: usize) -> TokenKind {
        TokenKind::Identifier(self.take_while(start, |byte| byte.is_ascii_alphanumeric() || byte == b'_').to_owned())
    }

    fn number(&mut self, start: usize) -> Result<TokenKind, ParseError> {
        let digits = self.take_while(start, |byte| byte.is_ascii_digit());
        digits.parse().map(TokenKind::Number).map_err(|_| self.error(format!("`{digits}` is not an index"), start))
    }

    /// The text up to an unescaped `end`, escapes kept.
    fn until(&mut self, end: char, start: usize) -> Result<&'a str, ParseError> {
        let from = self.position;
        while let Some(next) = self.next() {
            if next == end {
                return Ok(self.text.get(from..self.position - end.len_utf8()).unwrap_or_default());
            }
            if next == '\\' {
                self.next();
            }
        }
        Err(self.error(format!("`{end}` is not closed"), start))
    }

    fn quoted_identifier(&mut self, start: usize) -> Result<TokenKind, ParseError> {
        let name = self.until('"', start)?;
        match Value::from_json(&format!("\"{name}\"")) {
            Ok(Value::String(name)) => Ok(TokenKind::QuotedIdentifier(name.to_string())),
            _ => Err(self.error(format!("`\"{name}\"` is not a JSON string"), start)),
        }
    }

    fn json_literal(&mut self, start: usize) -> Result<TokenKind, ParseError> {
        let text = self.until('`', start)?.replace("\\`", "`");
        Value::from_json(&text)
            .map(TokenKind::Literal)
            .map_err(|_| self.error(format!("`{text}` between backticks is not JSON; write text as 'text'"), start))
    }

    /// A raw string knows one escape, `\'`, and sees it even after another backslash.
    fn raw_string(&mut self, start: usize) -> Result<TokenKind, ParseError> {
        let mut text = String::new();
        while let Some(next) = self.next() {
            match next {
                '\'' => return Ok(TokenKind::Literal(Value::from(text))),
                '\\' if self.peek() == Some('\'') => {
                    self.next();
                    text.push('\'');
                }
                other => text.push(other),
            }
        }
        Err(self.error("`'` is not closed", start))
    }
}
