//! YAML as Kubernetes reads it: the stream of documents, its markers and directives.
//!
//! A broken document costs only itself: the documents before it are kept, and reading resumes at the next `---`,
//! which is where every Kubernetes tool splits files too.

use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Source, Span, Value};

use crate::codes;
use crate::document::{Document, Limits, Parsed};
use crate::kind::HELM_MARKS;
pub(crate) use names::Names;
use node::Node;
use parser::{Parse, Parser};

mod block;
mod cursor;
mod flow;
mod mapping;
mod names;
mod node;
mod parser;
pub(crate) mod resolve;
mod scalar;
mod tag;
#[cfg(test)]
mod tests;
mod trouble;

/// Reads the documents of a YAML source. Empty documents are dropped, but counted in [`Document::index`].
#[expect(clippy::needless_pass_by_value, reason = "the documents take shares of the source")]
pub fn parse_yaml(source: Arc<Source>, limits: &Limits) -> Parsed {
    read(&source, limits, None).0
}

/// Where the comments of a YAML source stand, in the order of reading.
pub(crate) fn comments(source: &Arc<Source>, limits: &Limits) -> Vec<Span> {
    read(source, limits, Some(Vec::new())).1.unwrap_or_default()
}

fn read(source: &Arc<Source>, limits: &Limits, comments: Option<Vec<Span>>) -> (Parsed, Option<Vec<Span>>) {
    if let Err(fail) = limits.admit(source) {
        return (Parsed { documents: Vec::new(), diagnostics: vec![fail.into_diagnostic()] }, None);
    }
    let (control, exotic) = cursor::examine(source.text());
    let readable = control.map_or(source.text().len(), |at| at);
    let text = source.text().get(..readable).unwrap_or_default();
    let mut parser = Parser::new(source, text, exotic, limits);
    parser.comments = comments;
    let mut stream = Stream { documents: Vec::new(), index: 0, control };
    while stream.read_document(&mut parser) {}
    let diagnostics = std::mem::take(&mut parser.diagnostics);
    (Parsed { documents: stream.documents, diagnostics }, parser.comments)
}

struct Stream {
    documents: Vec<Document>,
    index: usize,
    /// Where a character stands that ends the readable text.
    control: Option<usize>,
}

impl Stream {
    /// Reads one document or what is wrong with it; whether there may be another.
    fn read_document(&mut self, parser: &mut Parser<'_>) -> bool {
        parser.start_document();
        let start = parser.cursor.pos;
        let outcome = parser.document();
        let cut = self.control.filter(|_| parser.cursor.at_end());
        if let Some(at) = cut {
            parser.diagnostics.push(control_character(parser, at));
            return false;
        }
        match outcome {
            Ok(None) => return false,
            Ok(Some(node)) => self.keep(parser, node),
            Err(fail) => {
                let more = parser.cursor.next_document();
                let document = parser.cursor.slice(start..parser.cursor.pos);
                parser.diagnostics.push(explain_template(fail.into_diagnostic(), document));
                if !more {
                    return false;
                }
            }
        }
        self.index += 1;
        if self.index < parser.limits.max_documents {
            return true;
        }
        let message = format!("the file holds more than {} documents", parser.limits.max_documents);
        let fail = parser.limit(codes::TOO_MANY, parser.here(), message);
        parser.diagnostics.push(fail.into_diagnostic());
        false
    }

    fn keep(&mut self, parser: &Parser<'_>, node: Node) {
        if matches!(node.value, Value::Null) {
            return;
        }
        self.documents.push(Document {
            value: node.value,
            spans: Arc::new(node.tree),
            source: parser.source.clone(),
            index: self.index,
        });
    }
}

fn control_character(parser: &Parser<'_>, at: usize) -> Diagnostic {
    let c = parser.source.text().get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
    let location = Location { source: parser.source.clone(), span: Span::new(at..at + c.len_utf8()) };
    Diagnostic::error(codes::CONTROL, format!("the control character U+{:04X} is not allowed in YAML", u32::from(c)))
        .at(location, "this character")
        .help("delete it, or write it as an escape in double quotes")
}

/// A failure in text with `{{` most likely is a template's: says so instead of talking of YAML.
fn explain_template(fail: Diagnostic, document: &str) -> Diagnostic {
    let template = document.contains("{{");
    let structural = matches!(fail.code, codes::STRUCTURE | codes::KEY | codes::COLON | codes::UNCLOSED | codes::TAB);
    if !template || !structural {
        return fail;
    }
    if HELM_MARKS.iter().any(|mark| document.contains(mark)) {
        let message = format!("this looks like a template, not YAML: {}", fail.message);
        let mut diagnostic = Diagnostic { code: codes::TEMPLATE, message, ..fail };
        diagnostic.help = vec!["render it first, for example with `helm template`, and check the result".to_owned()];
        return diagnostic;
    }
    fail.help("a variable such as `{{ name }}` needs quotes around the whole value: `'{{ name }}'`")
}

impl Parser<'_> {
    /// Reads the next document; `None` at the end of the stream.
    fn document(&mut self) -> Parse<Option<Node>> {
        self.fresh = true;
        self.skip_to_token();
        while self.cursor.at_marker() && self.cursor.peek(0) == b'.' {
            self.end_marker()?;
            self.skip_to_token();
        }
        let directives = self.directives()?;
        if self.cursor.at_marker() && self.cursor.peek(0) == b'-' {
            self.cursor.pos += 3;
            self.fresh = false;
        } else if directives {
            let message = "a `---` line must follow directives";
            let fail = self.trouble(codes::DIRECTIVE, self.here(), message, "expected `---`");
            return Err(fail.help("add the line `---`, or delete the directive"));
        } else if self.cursor.at_end() {
            return Ok(None);
        }
        let empty_at = self.cursor.pos;
        self.skip_to_token();
        if self.at_boundary() {
            self.end_marker()?;
            return Ok(Some(Node::null(empty_at)));
        }
        let node = self.block_node(node::Properties::default(), false)?;
        self.skip_to_token();
        if !self.at_boundary() {
            return Err(self.unexpected("the end of the document"));
        }
        self.end_marker()?;
        Ok(Some(node))
    }

    /// Steps over a `...` line.
    fn end_marker(&mut self) -> Parse<()> {
        if self.cursor.at_marker() && self.cursor.peek(0) == b'.' {
            self.cursor.pos += 3;
            self.end_of_marker_line()?;
        }
        Ok(())
    }

    fn end_of_marker_line(&mut self) -> Parse<()> {
        self.cursor.skip_blanks();
        self.skip_comment();
        if self.cursor.at_end() || self.cursor.take_break().is_some() {
            return Ok(());
        }
        Err(self.unexpected("the end of the line"))
    }

    /// Reads `%` lines; whether there were any.
    fn directives(&mut self) -> Parse<bool> {
        self.handles.clear();
        let mut any = false;
        while self.cursor.peek(0) == b'%' && self.cursor.column() == 0 {
            any = true;
            self.directive()?;
            self.fresh = true;
            self.skip_to_token();
        }
        Ok(any)
    }

    fn directive(&mut self) -> Parse<()> {
        let start = self.cursor.pos;
        self.cursor.skip_line();
        let span = Span::new(start..self.cursor.pos);
        let line = self.cursor.slice(span.range());
        let line = line.split(" #").next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("%YAML"), Some(version), None, None) if is_version_1(version) => Ok(()),
            (Some("%TAG"), Some(handle), Some(prefix), None) if handle.starts_with('!') && handle.ends_with('!') => {
                self.handles.push((handle, prefix));
                Ok(())
            }
            _ => {
                let message = "this directive is unknown or malformed";
                let fail =
                    self.trouble(codes::DIRECTIVE, span, message, "expected `%YAML 1.x` or `%TAG !name! prefix`");
                Err(fail.help("delete the line, or put quotes around a text that begins with `%`"))
            }
        }
    }
}

fn is_version_1(version: &str) -> bool {
    version.strip_prefix("1.").is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()))
}
