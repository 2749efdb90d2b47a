//! JSON with spans, read strictly as RFC 8259 defines it.
//!
//! A reader of its own and not serde's, because findings need the place of every node. Numbers follow the model:
//! 64-bit integers where they fit, doubles elsewhere. As kubectl does, a file may hold several documents, each on
//! lines of its own (JSON Lines). Absent: comments, trailing commas.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Map, Source, Span, SpanEntry, SpanTree, Str, Value};

use crate::codes;
use crate::document::{Document, Limits, Parsed};
use crate::fail::Fail;
use crate::yaml::Names;

/// Reads the documents of a JSON source: one, or several that each begin on a line of their own.
#[expect(clippy::needless_pass_by_value, reason = "the documents take shares of the source")]
pub fn parse_json(source: Arc<Source>, limits: &Limits) -> Parsed {
    let mut reader = Reader {
        source: &source,
        text: source.text(),
        bytes: source.text().as_bytes(),
        pos: 0,
        depth: 0,
        nodes: 0,
        limits,
        names: Names::default(),
        diagnostics: Vec::new(),
    };
    let mut documents = Vec::new();
    if let Err(fail) = limits.admit(&source).and_then(|()| reader.stream(&mut documents)) {
        reader.diagnostics.push(fail.into_diagnostic());
    }
    Parsed { documents, diagnostics: reader.diagnostics }
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    bytes: &'a [u8],
    pos: usize,
    depth: usize,
    nodes: usize,
    limits: &'a Limits,
    names: Names,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn stream(&mut self, documents: &mut Vec<Document>) -> Result<(), Fail> {
        self.skip_space();
        let mut index = 0;
        while self.pos < self.bytes.len() {
            if index >= self.limits.max_documents {
                let message = format!("the file holds more than {} documents", self.limits.max_documents);
                return Err(self.limit(codes::TOO_MANY, message));
            }
            let (value, tree) = self.value()?;
            if !value.is_null() {
                documents.push(Document { value, spans: Arc::new(tree), source: self.source.clone(), index });
            }
            self.separator()?;
            index += 1;
        }
        Ok(())
    }

    /// The line break between two documents, where there are two.
    fn separator(&mut self) -> Result<(), Fail> {
        let end = self.pos;
        self.skip_space();
        let next_line = self.bytes.get(end..self.pos).is_some_and(|space| space.contains(&b'\n'));
        if self.pos >= self.bytes.len() || (next_line && matches!(self.peek(), b'{' | b'[')) {
            return Ok(());
        }
        let help = "a JSON file holds one document, or several objects that each begin on a line of their own";
        Err(Fail::new(self.trouble(self.pos, "text follows the end of the document", "not expected").help(help)))
    }

    fn value(&mut self) -> Result<(Value, SpanTree), Fail> {
        self.count()?;
        let start = self.pos;
        let value = match self.peek() {
            b'{' => return self.nested(Self::object),
            b'[' => return self.nested(Self::array),
            b'"' => Value::String(Str::from(&*self.string()?)),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true", Value::Bool(true))?,
            b'f' => self.word("false", Value::Bool(false))?,
            b'n' => self.word("null", Value::Null)?,
            _ => return Err(self.expected("a value")),
        };
        Ok((value, SpanTree { span: Span::new(start..self.pos), children: Vec::new() }))
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<(Value, SpanTree), Fail>) -> Result<(Value, SpanTree), Fail> {
        if self.depth >= self.limits.max_depth {
            let message = format!("collections are nested deeper than {} levels", self.limits.max_depth);
            return Err(self.limit(codes::TOO_DEEP, message));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn array(&mut self) -> Result<(Value, SpanTree), Fail> {
        let start = self.pos;
        let (mut items, mut children) = (Vec::new(), Vec::new());
        while self.continues(start, b']', items.is_empty())? {
            let (value, tree) = self.value()?;
            items.push(value);
            children.push(SpanEntry { key: Span::default(), tree });
        }
        Ok((Value::array(items), SpanTree { span: Span::new(start..self.pos), children }))
    }

    fn object(&mut self) -> Result<(Value, SpanTree), Fail> {
        let start = self.pos;
        let (mut map, mut children) = (Map::new(), Vec::new());
        while self.continues(start, b'}', map.is_empty())? {
            if self.peek() != b'"' {
                return Err(self.expected("a key in double quotes"));
            }
            let key_start = self.pos;
            let name = self.key()?;
            let key = Span::new(key_start..self.pos);
            self.skip_space();
            if self.peek() != b':' {
                return Err(self.expected("`:`"));
            }
            self.pos += 1;
            self.skip_space();
            let (value, tree) = self.value()?;
            let entry = SpanEntry { key, tree };
            if map.insert(name.clone(), value).is_none() {
                children.push(entry);
            } else if let Some(slot) = map.position(&name).and_then(|at| children.get_mut(at)) {
                let first = std::mem::replace(slot, entry);
                self.duplicate(&name, key, first.key);
            }
        }
        Ok((Value::object(map), SpanTree { span: Span::new(start..self.pos), children }))
    }

    /// Steps over the opening bracket, the comma between elements, or the closing bracket; whether an element follows.
    fn continues(&mut self, opened: usize, close: u8, first: bool) -> Result<bool, Fail> {
        self.pos += usize::from(self.pos == opened);
        self.skip_space();
        let next = self.peek();
        if next == close {
            self.pos += 1;
            return Ok(false);
        }
        if self.pos >= self.bytes.len() {
            let what = if close == b']' { "list" } else { "object" };
            let location = self.location(opened..opened + 1);
            let fail = Diagnostic::error(codes::UNCLOSED, format!("this {what} is never closed"));
            return Err(Fail::new(fail.at(location, "opened here").help("add the closing bracket")));
        }
        if first {
            return Ok(true);
        }
        if next != b',' {
            return Err(self.expected(if close == b']' { "`,` or `]`" } else { "`,` or `}`" }));
        }
        let comma = self.pos;
        self.pos += 1;
        self.skip_space();
        if self.peek() == close {
            let fail = self.trouble(comma, "a comma stands after the last element", "JSON allows none here");
            return Err(Fail::new(fail.help("delete the comma")));
        }
        Ok(true)
    }

    fn key(&mut self) -> Result<Str, Fail> {
        let text = self.string()?;
        Ok(self.names.name(&text))
    }

    /// The string at the cursor; borrowed where it has no escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Fail> {
        let opened = self.pos;
        self.pos += 1;
        let mut text = Cow::Borrowed(self.run());
        loop {
            match self.peek() {
                b'"' => {
                    self.pos += 1;
                    return Ok(text);
                }
                b'\\' => text.to_mut().push(self.escape()?),
                _ if self.pos < self.bytes.len() => {
                    let message = "a string must not contain a control character or line break";
                    let fail = self.trouble(self.pos, message, "this must be escaped");
                    return Err(Fail::new(fail.help("close the string, or write `\\n` for a line break")));
                }
                _ => {
                    let location = self.location(opened..opened + 1);
                    let fail = Diagnostic::error(codes::UNCLOSED, "this string is never closed");
                    return Err(Fail::new(fail.at(location, "opened here").help("add the closing quote")));
                }
            }
            let run = self.run();
            if !run.is_empty() {
                text.to_mut().push_str(run);
            }
        }
    }

    /// The text up to the next quote, backslash or control character.
    fn run(&mut self) -> &'a str {
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
        let run = self.text.get(self.pos..self.pos + length).unwrap_or_default();
        self.pos += length;
        run
    }

    fn escape(&mut self) -> Result<char, Fail> {
        let start = self.pos;
        self.pos += 2;
        let c = match self.at(start + 1) {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\x08',
            b'f' => '\x0C',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode().ok_or_else(|| self.bad_escape(start)),
            _ => return Err(self.bad_escape(start)),
        };
        Ok(c)
    }

    /// The code after `\u`, two of them for a character outside the basic plane.
    fn unicode(&mut self) -> Option<char> {
        let high = self.hex()?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high);
        }
        if self.bytes.get(self.pos..self.pos + 2)? != b"\\u" {
            return None;
        }
        self.pos += 2;
        let low = self.hex()?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((high - 0xD800) << 10) + low)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.pos..self.pos + 4)?;
        self.pos += 4;
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }

    fn bad_escape(&self, start: usize) -> Fail {
        let rest = self.text.get(start..).unwrap_or_default();
        let width = rest.chars().take(2).filter(|c| !c.is_control()).map(char::len_utf8).sum::<usize>();
        let location = self.location(start..start + width);
        let message = format!("`{}` is not a valid JSON escape", rest.get(..width).unwrap_or_default());
        let fail = Diagnostic::error(codes::ESCAPE, message).at(location, "unknown or incomplete escape");
        Fail::new(
            fail.help("write `\\\\` for a backslash; `\\u` takes four hexadecimal digits, in pairs beyond U+FFFF"),
        )
    }

    fn number(&mut self) -> Result<Value, Fail> {
        let start = self.pos;
        self.pos += usize::from(self.peek() == b'-');
        let whole = self.digits();
        let leading_zero = whole > 1 && self.at(self.pos - whole) == b'0';
        let mut valid = whole > 0 && !leading_zero;
        let mut integer = true;
        if self.peek() == b'.' {
            self.pos += 1;
            integer = false;
            valid &= self.digits() > 0;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.pos += 1;
            integer = false;
            self.pos += usize::from(matches!(self.peek(), b'+' | b'-'));
            valid &= self.digits() > 0;
        }
        let text = self.text.get(start..self.pos).unwrap_or_default();
        if let (true, true, Ok(value)) = (valid, integer, text.parse()) {
            return Ok(Value::Int(value));
        }
        match text.parse::<f64>() {
            Ok(value) if valid && value.is_finite() => Ok(Value::Float(value)),
            _ => {
                let location = self.location(start..self.pos);
                let fail = Diagnostic::error(codes::NUMBER, format!("`{text}` is not a JSON number"));
                let help = "write digits without leading zeros and with digits on both sides of a point";
                Err(Fail::new(fail.at(location, "cannot be read as a number").help(help)))
            }
        }
    }

    /// Steps over digits, and returns how many.
    fn digits(&mut self) -> usize {
        let start = self.pos;
        while self.peek().is_ascii_digit() {
            self.pos += 1;
        }
        self.pos - start
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Fail> {
        let end = self.pos + word.len();
        if self.bytes.get(self.pos..end) != Some(word.as_bytes()) || self.at(end).is_ascii_alphanumeric() {
            return Err(self.expected("a value"));
        }
        self.pos = end;
        Ok(value)
    }

    fn at(&self, offset: usize) -> u8 {
        self.bytes.get(offset).copied().unwrap_or(0)
    }

    fn peek(&self) -> u8 {
        self.at(self.pos)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.pos += 1;
        }
    }

    fn count(&mut self) -> Result<(), Fail> {
        self.nodes += 1;
        if self.nodes <= self.limits.max_nodes {
            return Ok(());
        }
        Err(self.limit(codes::TOO_MANY, format!("the file holds more than {} nodes", self.limits.max_nodes)))
    }

    fn location(&self, range: Range<usize>) -> Location {
        Location { source: self.source.clone(), span: Span::new(range) }
    }

    /// A syntax error at the character at `offset`.
    fn trouble(&self, offset: usize, message: impl Into<String>, label: &str) -> Diagnostic {
        let rest = self.text.get(offset..).unwrap_or_default();
        let width = rest.chars().next().filter(|c| !c.is_control()).map_or(0, char::len_utf8);
        Diagnostic::error(codes::JSON, message).at(self.location(offset..offset + width), label)
    }

    fn expected(&self, expected: &str) -> Fail {
        let found = match self.text.get(self.pos..).and_then(|rest| rest.chars().next()) {
            None => "the end of the file".to_owned(),
            Some(c) if c.is_control() => format!("the control character U+{:04X}", u32::from(c)),
            Some(c) => format!("`{c}`"),
        };
        let message = format!("found {found} where {expected} should follow");
        let help = match self.peek() {
            b'\'' => "JSON strings take double quotes",
            b'/' | b'#' => "JSON has no comments; keep the file as YAML if it needs them",
            _ => "JSON is read strictly: double quotes, commas between elements, no comments",
        };
        Fail::new(self.trouble(self.pos, message, &format!("expected {expected}")).help(help))
    }

    fn limit(&self, code: &'static str, message: String) -> Fail {
        let fail = Diagnostic::error(code, message).at(self.location(self.pos..self.pos), "reading stops here");
        Fail::new(fail.help("split the file, or leave it out with `.palisadeignore`"))
    }

    fn duplicate(&mut self, name: &str, key: Span, first: Span) {
        let diagnostic = Diagnostic::warning(codes::DUPLICATE, format!("the key `{name}` occurs twice"))
            .at(self.location(key.range()), "this one is used")
            .at(self.location(first.range()), "this one is lost")
            .help("delete one of the two, or merge their contents");
        self.diagnostics.push(diagnostic);
    }
}

#[cfg(test)]
mod tests;
