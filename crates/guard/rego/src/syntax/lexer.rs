//! Text to tokens.
//!
//! The whole text is cut up at once, so that the parser can go back cheaply. Strings are only delimited and checked
//! here; `literal` reads them.

use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Source, Span};

use super::codes;
use super::token::{Kind, Token};

/// Tokens, comments and complaints of a text.
pub(super) struct Lexed {
    /// Tokens in order, with [`Kind::End`] last.
    pub tokens: Vec<Token>,
    /// Comments in order, from the `#` to the end of the line.
    pub comments: Vec<Span>,
    /// What is wrong with single tokens; each has left a [`Kind::Illegal`].
    pub diagnostics: Vec<Diagnostic>,
}

/// Cuts a text into tokens.
pub(super) fn tokenize(source: &Arc<Source>) -> Lexed {
    let text: &str = source.text();
    let mut lexer = Lexer {
        source,
        text,
        bytes: text.as_bytes(),
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        templates: Vec::new(),
        lexed: Lexed { tokens: Vec::with_capacity(text.len() / 4 + 1), comments: Vec::new(), diagnostics: Vec::new() },
    };
    while lexer.token() {}
    lexer.lexed
}

struct Lexer<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// The templates that are open, each with its quote and the number of braces open in its expression.
    templates: Vec<(u8, u32)>,
    lexed: Lexed,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, start: usize, before: (bool, bool)) {
        let (spaced, newline) = before;
        self.lexed.tokens.push(Token { kind, spaced, newline, span: Span::new(start..self.at) });
    }

    /// Reads one token; false at the end.
    fn token(&mut self) -> bool {
        let before = self.space();
        let start = self.at;
        let Some(byte) = self.bytes.get(start).copied() else {
            self.push(Kind::End, start, before);
            return false;
        };
        let kind = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(),
            b'0'..=b'9' => self.number(),
            b'"' => self.string(),
            b'`' => self.raw_string(),
            b'$' if matches!(self.peek(1), b'"' | b'`') => {
                let quote = self.peek(1);
                self.at += 2;
                self.push(Kind::Template, start, before);
                self.template_text(quote);
                return true;
            }
            _ => self.sign(byte),
        };
        self.push(kind, start, before);
        if kind == Kind::TemplateClose
            && let Some((quote, _)) = self.templates.pop()
        {
            self.template_text(quote);
        }
        true
    }

    /// Skips white space and comments; whether there was any, and whether a line ended in it.
    fn space(&mut self) -> (bool, bool) {
        let (start, mut newline) = (self.at, false);
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    newline = true;
                    self.at += 1;
                }
                b'#' => {
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                    self.lexed.comments.push(Span::new(self.at..self.at + length));
                    self.at += length;
                }
                _ => return (self.at > start, newline),
            }
        }
    }

    fn word(&mut self) -> Kind {
        let start = self.at;
        while matches!(self.peek(0), b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9') {
            self.at += 1;
        }
        match self.at - start {
            2..=8 => self.text.get(start..self.at).map_or(Kind::Name, Kind::of_word),
            _ => Kind::Name,
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
        self.at > start
    }

    fn number(&mut self) -> Kind {
        let start = self.at;
        self.digits();
        let leading_zero = self.bytes.get(start) == Some(&b'0') && self.at - start > 1;
        let mut wrong = leading_zero.then_some("expected number without leading zero");
        if self.peek(0) == b'.' {
            self.at += 1;
            if !self.digits() {
                wrong = Some("expected fraction: write digits after the point");
            }
        }
        if wrong.is_none() && matches!(self.peek(0), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(0), b'+' | b'-') {
                self.at += 1;
            }
            if !self.digits() {
                wrong = Some("expected exponent: write digits after the `e`");
            }
        }
        if matches!(self.peek(0), b'a'..=b'z' | b'A'..=b'Z' | b'_') {
            self.word();
            wrong = Some("illegal number format");
        }
        let Some(message) = wrong else { return Kind::Number };
        self.complain(codes::NUMBER, start, message, "numbers are written as in JSON: `0`, `-12`, `1.5`, `2e9`");
        Kind::Illegal
    }

    /// A text in double quotes, on one line.
    fn string(&mut self) -> Kind {
        let start = self.at;
        self.at += 1;
        let mut kind = Kind::Text;
        loop {
            match self.bytes.get(self.at).copied() {
                Some(b'"') => {
                    self.at += 1;
                    return kind;
                }
                Some(b'\\') => {
                    if !self.escape(false) {
                        kind = Kind::Illegal;
                    }
                }
                None | Some(b'\n') => return self.unclosed(start, "\""),
                Some(_) => self.at += 1,
            }
        }
    }

    fn raw_string(&mut self) -> Kind {
        let start = self.at;
        let rest = self.bytes.get(start + 1..).unwrap_or_default();
        if let Some(length) = rest.iter().position(|byte| *byte == b'`') {
            self.at += length + 2;
            return Kind::RawText;
        }
        self.at = self.bytes.len();
        self.unclosed(start, "`")
    }

    /// Steps over an escape sequence; whether there is such a one.
    fn escape(&mut self, template: bool) -> bool {
        let start = self.at;
        let known = match self.peek(1) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => true,
            b'{' => template,
            b'u' => {
                let digits = self.bytes.get(start + 2..start + 6).unwrap_or_default();
                let hexadecimal = digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
                if hexadecimal {
                    self.at += 4;
                }
                hexadecimal
            }
            _ => false,
        };
        if known {
            self.at += 2;
            return true;
        }
        self.at += 1;
        self.at += self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(0, |next| match next {
            '\n' => 0,
            other => other.len_utf8(),
        });
        self.complain(
            codes::ESCAPE,
            start,
            "illegal escape sequence",
            "double the backslash, or write the text in backticks, where a backslash is an ordinary character",
        );
        false
    }

    /// Text of a template up to its end or to a brace, after which an expression follows.
    fn template_text(&mut self, quote: u8) {
        let start = self.at;
        let near = (false, false);
        loop {
            match self.bytes.get(self.at).copied() {
                Some(byte) if byte == quote => {
                    self.template_piece(start);
                    self.at += 1;
                    return self.push(Kind::TemplateEnd, self.at - 1, near);
                }
                Some(b'{') => {
                    self.template_piece(start);
                    self.at += 1;
                    self.templates.push((quote, 0));
                    return self.push(Kind::TemplateOpen, self.at - 1, near);
                }
                Some(b'\\') if quote == b'"' => {
                    if !self.escape(true) {
                        return self.push(Kind::Illegal, start, near);
                    }
                }
                Some(b'\\') if self.peek(1) == b'{' => self.at += 2,
                None => {
                    self.unclosed(start, if quote == b'"' { "\"" } else { "`" });
                    return self.push(Kind::Illegal, start, near);
                }
                Some(b'\n') if quote == b'"' => {
                    self.unclosed(start, "\"");
                    return self.push(Kind::Illegal, start, near);
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn template_piece(&mut self, start: usize) {
        if self.at > start {
            self.push(Kind::TemplateText, start, (false, false));
        }
    }

    fn sign(&mut self, byte: u8) -> Kind {
        let next = self.peek(1);
        let (kind, length) = match (byte, next) {
            (b'{', _) => {
                if let Some((_, depth)) = self.templates.last_mut() {
                    *depth += 1;
                }
                (Kind::BraceOpen, 1)
            }
            (b'}', _) => match self.templates.last_mut() {
                Some((_, 0)) => (Kind::TemplateClose, 1),
                Some((_, depth)) => {
                    *depth -= 1;
                    (Kind::BraceClose, 1)
                }
                None => (Kind::BraceClose, 1),
            },
            (b'[', _) => (Kind::BracketOpen, 1),
            (b']', _) => (Kind::BracketClose, 1),
            (b'(', _) => (Kind::ParenOpen, 1),
            (b')', _) => (Kind::ParenClose, 1),
            (b'.', _) => (Kind::Dot, 1),
            (b',', _) => (Kind::Comma, 1),
            (b';', _) => (Kind::Semicolon, 1),
            (b':', b'=') => (Kind::Assign, 2),
            (b':', _) => (Kind::Colon, 1),
            (b'=', b'=') => (Kind::Equal, 2),
            (b'=', _) => (Kind::Unify, 1),
            (b'!', b'=') => (Kind::NotEqual, 2),
            (b'<', b'=') => (Kind::LessOrEqual, 2),
            (b'<', _) => (Kind::Less, 1),
            (b'>', b'=') => (Kind::GreaterOrEqual, 2),
            (b'>', _) => (Kind::Greater, 1),
            (b'+', _) => (Kind::Plus, 1),
            (b'-', _) => (Kind::Minus, 1),
            (b'*', _) => (Kind::Times, 1),
            (b'/', _) => (Kind::Divide, 1),
            (b'%', _) => (Kind::Remainder, 1),
            (b'&', _) => (Kind::And, 1),
            (b'|', _) => (Kind::Or, 1),
            _ => return self.illegal(),
        };
        self.at += length;
        kind
    }

    /// A character that begins nothing.
    fn illegal(&mut self) -> Kind {
        let start = self.at;
        let Some(found) = self.text.get(start..).and_then(|rest| rest.chars().next()) else {
            self.at += 1;
            return Kind::Illegal;
        };
        self.at += found.len_utf8();
        let help = match found {
            '!' => "write `not` before a condition, or `!=` between two values",
            '\'' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => {
                "write texts in straight double quotes or in backticks"
            }
            '$' => "a template is written `$\"..\"` without a space after the `$`",
            _ if found.is_alphanumeric() => {
                "names consist of ASCII letters, digits and `_`; write other keys as `object[\"key\"]`"
            }
            _ => "delete the character, or put it into a string",
        };
        self.complain(codes::CHARACTER, start, format!("illegal token `{}`", found.escape_debug()), help);
        Kind::Illegal
    }

    fn unclosed(&mut self, start: usize, quote: &str) -> Kind {
        let message = "non-terminated string";
        let help = if quote == "\"" {
            "close it with `\"` on the same line; texts of several lines are written in backticks"
        } else {
            "close it with a backtick; within backticks there is no way to write one"
        };
        self.complain(codes::UNCLOSED, start, message, help);
        Kind::Illegal
    }

    fn complain(&mut self, code: &'static str, start: usize, message: impl Into<String>, help: &str) {
        let location = Location { source: Arc::clone(self.source), span: Span::new(start..self.at) };
        self.lexed.diagnostics.push(Diagnostic::error(code, message).at(location, "").help(help));
    }
}
