//! What can be wrong with YAML text, each with its place, its words and the way out.

use palisade_model::{Diagnostic, Location, Span};

use super::parser::Parser;
use crate::codes;
use crate::fail::Fail;

impl Parser<'_> {
    /// A diagnostic at `span`.
    pub(super) fn trouble(&self, code: &'static str, span: Span, message: impl Into<String>, label: &str) -> Fail {
        Fail::new(Diagnostic::error(code, message).at(self.location(span), label))
    }

    pub(super) fn location(&self, span: Span) -> Location {
        Location { source: self.source.clone(), span }
    }

    /// The character at the cursor, or the empty span at the end.
    pub(super) fn here(&self) -> Span {
        let rest = self.cursor.text.get(self.cursor.pos..).unwrap_or_default();
        let width = rest.chars().next().filter(|c| !c.is_control()).map_or(0, char::len_utf8);
        Span::new(self.cursor.pos..self.cursor.pos + width)
    }

    /// Something else was expected at the cursor.
    pub(super) fn unexpected(&self, expected: &str) -> Fail {
        if self.cursor.peek(0) == b'\t' {
            let fail =
                self.trouble(codes::TAB, self.here(), "a tab is used for indentation", "this is a tab character");
            return fail.help("replace the tab by spaces");
        }
        if self.cursor.peek(0) == b':' && self.cursor.blank_or_end(self.cursor.pos + 1) {
            return self.stray_colon();
        }
        let found = match self.cursor.text.get(self.cursor.pos..).and_then(|rest| rest.chars().next()) {
            _ if self.cursor.at_marker() => "the end of the document".to_owned(),
            None => "the end of the file".to_owned(),
            Some(c) if c.is_control() => "the end of the line".to_owned(),
            Some(c) => format!("`{c}`"),
        };
        let fail = self.trouble(
            codes::STRUCTURE,
            self.here(),
            format!("found {found} where {expected} should follow"),
            &format!("expected {expected}"),
        );
        match self.cursor.peek(0) {
            b'@' | b'`' | b'%' | b'*' | b'&' | b'!' | b'|' | b'>' | b'{' | b'[' => {
                fail.help("put quotes around the text if it begins with this character by intention")
            }
            _ => fail.help("check the indentation of this line against the lines above it"),
        }
    }

    pub(super) fn stray_colon(&self) -> Fail {
        let fail = self.trouble(
            codes::COLON,
            self.here(),
            "a mapping cannot begin here",
            "this colon would begin a mapping inside a value",
        );
        fail.help("put quotes around the value if the colon belongs to the text")
    }

    pub(super) fn unclosed(&self, opened: usize, what: &str) -> Fail {
        let fail = self.trouble(
            codes::UNCLOSED,
            Span::new(opened..opened + 1),
            format!("this {what} is never closed"),
            "opened here",
        );
        fail.help("add the closing character, or put quotes around the whole text if this one belongs to it")
    }

    pub(super) fn complex_key(&self, span: Span) -> Fail {
        let fail = self.trouble(
            codes::KEY,
            span,
            "a key must be a string, a number or a boolean",
            "this cannot be the key of a JSON object",
        );
        fail.help("put quotes around the key if it is text")
    }

    pub(super) fn limit(&self, code: &'static str, span: Span, message: String) -> Fail {
        self.trouble(code, span, message, "reading stops here").help("split the document, or leave the file out")
    }
}
