//! TOML with spans: one document, numbers as the model has them, dates as text.
//!
//! The reader is the `toml` crate's, which keeps the place of every key and value; this module bounds what it is given
//! and turns what it found into our trees, in the order of the file. Absent: comments, which waivers in TOML files cannot use.

use std::ops::Range;
use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Map, Source, Span, SpanEntry, SpanTree, Str, Value};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::codes;
use crate::document::{Document, Limits, Parsed};
use crate::fail::Fail;

/// Reads a TOML source: one document, none where it says nothing.
#[expect(clippy::needless_pass_by_value, reason = "the document takes a share of the source, as every reader's do")]
pub fn parse_toml(source: Arc<Source>, limits: &Limits) -> Parsed {
    match read(&source, limits) {
        Ok(document) => Parsed { documents: document.into_iter().collect(), diagnostics: Vec::new() },
        Err(fail) => Parsed { documents: Vec::new(), diagnostics: vec![fail.into_diagnostic()] },
    }
}

fn read(source: &Arc<Source>, limits: &Limits) -> Result<Option<Document>, Fail> {
    limits.admit(source)?;
    let mut reader = Reader { source, limits, nodes: 0 };
    if let Some(at) = too_deep(source.text(), limits.max_depth) {
        return Err(reader.nested(at..at));
    }
    let table = DeTable::parse(source.text()).map_err(|error| reader.syntax(&error))?;
    if table.get_ref().is_empty() {
        return Ok(None);
    }
    let (value, children) = reader.table(table.get_ref(), 0, 0..source.text().len())?;
    let spans = Arc::new(SpanTree { span: Span::new(0..source.text().len()), children });
    Ok(Some(Document { value, spans, source: source.clone(), index: 0 }))
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    limits: &'a Limits,
    nodes: usize,
}

impl Reader<'_> {
    fn value(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<(Value, SpanTree), Fail> {
        self.nodes += 1;
        if self.nodes > self.limits.max_nodes {
            let message = format!("the file holds more than {} nodes", self.limits.max_nodes);
            return Err(self.fail(codes::TOO_MANY, message, value.span(), "reading stops here").help(SMALLER));
        }
        let (read, children) = match value.get_ref() {
            DeValue::String(text) => (Value::String(Str::from(&**text)), Vec::new()),
            DeValue::Boolean(value) => (Value::Bool(*value), Vec::new()),
            DeValue::Datetime(date) => (Value::String(date.to_string().into()), Vec::new()),
            DeValue::Integer(number) => (self.integer(number, value.span())?, Vec::new()),
            DeValue::Float(number) => (self.float(number.as_str(), value.span())?, Vec::new()),
            DeValue::Array(items) => self.array(items, depth + 1, value.span())?,
            DeValue::Table(table) => self.table(table, depth + 1, value.span())?,
        };
        Ok((read, SpanTree { span: Span::new(value.span()), children }))
    }

    fn array(
        &mut self,
        items: &[Spanned<DeValue<'_>>],
        depth: usize,
        at: Range<usize>,
    ) -> Result<(Value, Vec<SpanEntry>), Fail> {
        self.enter(depth, at)?;
        let (mut values, mut children) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        for item in items {
            let (value, tree) = self.value(item, depth)?;
            values.push(value);
            children.push(SpanEntry { key: Span::default(), tree });
        }
        Ok((Value::array(values), children))
    }

    /// A table's members in the order in which the file names them.
    fn table(&mut self, table: &DeTable<'_>, depth: usize, at: Range<usize>) -> Result<(Value, Vec<SpanEntry>), Fail> {
        self.enter(depth, at)?;
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let (mut map, mut children) = (Map::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        for (key, value) in entries {
            let (value, tree) = self.value(value, depth)?;
            map.insert(&**key.get_ref(), value);
            children.push(SpanEntry { key: Span::new(key.span()), tree });
        }
        Ok((Value::object(map), children))
    }

    fn enter(&self, depth: usize, at: Range<usize>) -> Result<(), Fail> {
        if depth <= self.limits.max_depth { Ok(()) } else { Err(self.nested(at)) }
    }

    fn integer(&self, number: &DeInteger<'_>, at: Range<usize>) -> Result<Value, Fail> {
        match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => Err(self.number(at, "write an integer of 64 bits, or quote the text")),
        }
    }

    fn float(&self, number: &str, at: Range<usize>) -> Result<Value, Fail> {
        match number.parse() {
            Ok(number) if f64::is_finite(number) => Ok(Value::Float(number)),
            _ => Err(self.number(at, "write a finite number, or quote the text")),
        }
    }

    fn number(&self, at: Range<usize>, help: &str) -> Fail {
        let text = self.source.text().get(at.clone()).unwrap_or_default();
        self.fail(codes::NUMBER, format!("`{text}` cannot be written in JSON"), at, "this number").help(help)
    }

    fn nested(&self, at: Range<usize>) -> Fail {
        let message = format!("tables and arrays are nested deeper than {} levels", self.limits.max_depth);
        self.fail(codes::TOO_DEEP, message, at, "reading stops here").help(SMALLER)
    }

    fn syntax(&self, error: &toml::de::Error) -> Fail {
        let text = self.source.text();
        let at = error.span().filter(|span| text.get(span.clone()).is_some()).unwrap_or(text.len()..text.len());
        let message = format!("this is not TOML: {}", error.message().lines().next().unwrap_or_default());
        self.fail(codes::TOML, message, at, "").help("correct the place shown; strings, dates and keys follow TOML 1.1")
    }

    fn fail(&self, code: &'static str, message: String, at: Range<usize>, label: &str) -> Fail {
        let location = Location { source: self.source.clone(), span: Span::new(at) };
        Fail::new(Diagnostic::error(code, message).at(location, label))
    }
}

const SMALLER: &str = "split the file, or leave it out with `.palisadeignore`";

/// Where brackets and dotted keys together could nest deeper than `limit`: a few long lines can ask for tables in tables
/// whose number no reader of values should have to free by recursion.
fn too_deep(text: &str, limit: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    // Of each open bracket, how deep it and the dots of the key at hand go.
    let mut open: Vec<usize> = vec![0];
    let mut total = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'#' => at += line_rest(bytes, at),
            b'"' | b'\'' => at += string_length(bytes, at) - 1,
            b'[' | b'{' => {
                open.push(1);
                total += 1;
            }
            b']' | b'}' if open.len() > 1 => total -= open.pop().unwrap_or_default(),
            b'.' => {
                total += 1;
                open.last_mut().into_iter().for_each(|dots| *dots += 1);
            }
            b',' | b'\n' => {
                let base = usize::from(open.len() > 1);
                if let Some(dots) = open.last_mut() {
                    total -= *dots - base;
                    *dots = base;
                }
            }
            _ => {}
        }
        if total > limit {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// How many bytes are left before the end of the line.
fn line_rest(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    memchr::memchr(b'\n', rest).unwrap_or(rest.len()).saturating_sub(1)
}

/// How long the string at `at` is, quotes included; one that is not closed ends with its line.
fn string_length(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(quote) = rest.first() else { return 1 };
    let long = rest.get(..3).is_some_and(|three| three.iter().all(|byte| byte == quote));
    let mut length = if long { 3 } else { 1 };
    while let Some(byte) = rest.get(length) {
        let closes =
            byte == quote && (!long || rest.get(length..length + 3).is_some_and(|end| end.iter().all(|b| b == quote)));
        if closes {
            return length + if long { 3 } else { 1 };
        }
        if *byte == b'\n' && !long {
            return length;
        }
        length += if *byte == b'\\' && *quote == b'"' { 2 } else { 1 };
    }
    rest.len()
}

#[cfg(test)]
mod tests;
