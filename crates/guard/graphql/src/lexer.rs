//! Tokens of GraphQL. Places are lines and columns in characters, as OPA counts them.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    End,
    Invalid,
    Punctuator(&'static str),
    Name,
    Int,
    Float,
    String,
    BlockString,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::End => "<EOF>",
            Self::Invalid => "<Invalid>",
            Self::Punctuator(text) => text,
            Self::Name => "Name",
            Self::Int => "Int",
            Self::Float => "Float",
            Self::String => "String",
            Self::BlockString => "BlockString",
        })
    }
}

/// Line and column, from 1.
pub(crate) type Place = (i64, i64);

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) place: Place,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() { write!(f, "{}", self.kind) } else { write!(f, "{} {:?}", self.kind, self.text) }
    }
}

#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    rest: &'a str,
    line: i64,
    column: i64,
}

const PUNCTUATORS: [&str; 14] = ["...", "!", "$", "&", "(", ")", ":", "=", "@", "[", "]", "{", "}", "|"];

impl<'a> Lexer<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1, column: 1 }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Passes one character, or one line end.
    fn pass(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let found = chars.next()?;
        self.rest = chars.as_str();
        self.column += 1;
        if matches!(found, '\n' | '\r') {
            self.line += 1;
            self.column = 1;
        }
        // The second half of a line end counts as a column, as it does for OPA.
        if let (true, Some(rest)) = (found == '\r', self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.column = 2;
        }
        Some(found)
    }

    fn pass_while(&mut self, accepted: impl Fn(char) -> bool) -> &'a str {
        let before = self.rest;
        while self.peek().is_some_and(&accepted) {
            self.pass();
        }
        before.get(..before.len() - self.rest.len()).unwrap_or_default()
    }

    fn token(&self, kind: Kind, text: impl Into<String>, column: i64) -> Token {
        Token { kind, text: text.into(), place: (self.line, column) }
    }

    /// A token that is none, where the lexer stands.
    fn invalid(&self) -> Token {
        self.token(Kind::Invalid, "", self.column)
    }

    pub(crate) fn next(&mut self) -> Token {
        loop {
            self.pass_while(|c| matches!(c, ' ' | '\t' | ',' | '\n' | '\r' | '\u{feff}'));
            if self.peek() != Some('#') {
                break;
            }
            self.pass_while(|c| c > '\u{1f}' || c == '\t');
        }
        let column = self.column;
        if let Some(punctuator) = PUNCTUATORS.into_iter().find(|text| self.rest.starts_with(text)) {
            for _ in 0..punctuator.len() {
                self.pass();
            }
            return self.token(Kind::Punctuator(punctuator), "", column);
        }
        match self.peek() {
            None => self.token(Kind::End, "", column),
            Some('_' | 'a'..='z' | 'A'..='Z') => {
                let name = self.pass_while(|c| c.is_ascii_alphanumeric() || c == '_');
                self.token(Kind::Name, name, column)
            }
            Some('-' | '0'..='9') => self.number(column),
            Some('"') if self.rest.starts_with("\"\"\"") => self.block_string(),
            Some('"') => self.string(),
            Some(_) => self.invalid(),
        }
    }

    fn number(&mut self, column: i64) -> Token {
        let before = self.rest;
        let mut kind = Kind::Int;
        if self.peek() == Some('-') {
            self.pass();
        }
        let zero = self.peek() == Some('0');
        if zero {
            self.pass();
        }
        if zero == self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return self.invalid();
        }
        self.pass_while(|c| c.is_ascii_digit());
        if self.peek() == Some('.') {
            self.pass();
            kind = Kind::Float;
            if self.pass_while(|c| c.is_ascii_digit()).is_empty() {
                return self.invalid();
            }
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.pass();
            kind = Kind::Float;
            if matches!(self.peek(), Some('+' | '-')) {
                self.pass();
            }
            if self.pass_while(|c| c.is_ascii_digit()).is_empty() {
                return self.invalid();
            }
        }
        self.token(kind, before.get(..before.len() - self.rest.len()).unwrap_or_default(), column)
    }

    fn string(&mut self) -> Token {
        self.pass();
        let column = self.column;
        let mut text = String::new();
        loop {
            match self.peek() {
                Some('"') => {
                    self.pass();
                    return self.token(Kind::String, text, column);
                }
                Some('\\') => {
                    self.pass();
                    match self.escape() {
                        Some(c) => text.push(c),
                        None => return self.invalid(),
                    }
                }
                Some(c) if c >= ' ' || c == '\t' => {
                    self.pass();
                    text.push(c);
                }
                _ => return self.invalid(),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let escape = self.peek()?;
        let c = match escape {
            '"' | '/' | '\\' => escape,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let digits = self.rest.get(1..5)?;
                let code = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
                for _ in 0..5 {
                    self.pass();
                }
                return Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            _ => return None,
        };
        self.pass();
        Some(c)
    }

    /// The place is that of the line on which the text ends.
    fn block_string(&mut self) -> Token {
        for _ in 0..3 {
            self.pass();
        }
        let column = self.column;
        let mut raw = String::new();
        loop {
            if self.rest.starts_with("\"\"\"") {
                for _ in 0..3 {
                    self.pass();
                }
                return self.token(Kind::BlockString, block_value(&raw), column);
            }
            if self.rest.starts_with("\\\"\"\"") {
                raw.push_str("\"\"\"");
                for _ in 0..4 {
                    self.pass();
                }
                continue;
            }
            match self.peek() {
                Some('\r') => {
                    self.pass();
                    self.column = 1;
                    raw.push('\n');
                }
                Some(c) if c >= ' ' || matches!(c, '\t' | '\n') => {
                    self.pass();
                    raw.push(c);
                }
                _ => return self.invalid(),
            }
        }
    }
}

/// Without the indentation that all lines but the first share, and without blank lines around.
fn block_value(raw: &str) -> String {
    let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let is_blank = |line: &str| indentation(line) == line.len();
    let shared = raw.split('\n').skip(1).filter(|line| !is_blank(line)).map(indentation).min().unwrap_or(0);
    let lines = raw.split('\n').enumerate();
    let lines: Vec<&str> =
        lines.map(|(number, line)| if number == 0 { line } else { line.get(shared..).unwrap_or_default() }).collect();
    let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !is_blank(line)).map_or(first, |last| last + 1);
    lines.get(first..last).unwrap_or_default().join("\n")
}
