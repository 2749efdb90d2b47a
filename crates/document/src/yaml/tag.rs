//! Tags and `%TAG`: `!!int`, `!local`, `!<tag:yaml.org,2002:str>`.
//!
//! Only the core types change how a scalar is read. Any other tag makes a scalar a string, and tags on collections
//! say nothing, as in go-yaml.

use palisade_model::{Span, Str, Value};

use super::parser::{Parse, Parser};
use super::resolve;
use super::scalar::Scalar;
use crate::codes;
use crate::fail::Fail;

/// What the handle `!!` stands for.
const CORE: &str = "tag:yaml.org,2002:";

impl<'a> Parser<'a> {
    /// Steps over a tag, and returns its span.
    pub(super) fn tag_token(&mut self) -> Parse<Span> {
        let start = self.cursor.pos;
        let verbatim = self.cursor.peek(1) == b'<';
        self.cursor.pos += 1 + usize::from(verbatim);
        while is_tag_byte(self.cursor.peek(0)) && (verbatim || !self.at_flow_indicator()) {
            self.cursor.pos += 1;
        }
        let closed = !verbatim || self.cursor.peek(0) == b'>';
        self.cursor.pos += usize::from(verbatim && closed);
        let span = Span::new(start..self.cursor.pos);
        let ends = self.cursor.blank_or_end(self.cursor.pos) || (self.flow > 0 && self.at_flow_indicator());
        if closed && ends {
            return Ok(span);
        }
        let fail = self.trouble(codes::TAG, span, "this tag is malformed", "a tag ends at a space");
        Err(fail.help("put quotes around the text if it begins with `!` by intention"))
    }

    fn at_flow_indicator(&self) -> bool {
        matches!(self.cursor.peek(0), b',' | b'[' | b']' | b'{' | b'}')
    }

    /// The full name of the tag at `span`, without the prefix of the core types.
    fn tag_name(&self, span: Span) -> Parse<String> {
        let text = self.cursor.slice(span.range());
        let full = if let Some(verbatim) = text.strip_prefix("!<") {
            verbatim.trim_end_matches('>').to_owned()
        } else {
            let (handle, suffix) = match text.get(1..).and_then(|rest| rest.split_once('!')) {
                Some((name, suffix)) => (text.get(..name.len() + 2).unwrap_or_default(), suffix),
                None => ("!", text.get(1..).unwrap_or_default()),
            };
            let declared = self.handles.iter().find(|(name, _)| *name == handle).map(|(_, prefix)| *prefix);
            let prefix = match (declared, handle) {
                (Some(prefix), _) => prefix,
                (None, "!!") => CORE,
                (None, "!") => "!",
                (None, _) => return Err(self.unknown_handle(span, handle)),
            };
            format!("{prefix}{suffix}")
        };
        Ok(full.strip_prefix(CORE).map_or(full.clone(), str::to_owned))
    }

    fn unknown_handle(&self, span: Span, handle: &str) -> Fail {
        let message = format!("the tag handle `{handle}` is not declared");
        let fail = self.trouble(codes::TAG, span, message, "no `%TAG` line declares this handle");
        fail.help("delete the tag, or declare its handle above the document")
    }

    /// A scalar read as its tag says.
    pub(super) fn tagged(&mut self, scalar: &Scalar<'a>, tag: Span) -> Parse<Value> {
        let name = self.tag_name(tag)?;
        let as_text = || Value::String(Str::from(&*scalar.text));
        let natural = resolve::resolve(&scalar.text);
        let value = match (name.as_str(), natural) {
            ("binary", _) => resolve::base64(&scalar.text).map(|bytes| String::from_utf8_lossy(&bytes).as_ref().into()),
            ("int", Some(value @ Value::Int(_))) | ("bool", Some(value @ Value::Bool(_))) => Some(value),
            ("float", Some(Value::Int(value))) => Some(Value::Float(value as f64)),
            ("float", Some(Value::Float(value))) if !value.is_finite() => return Err(self.not_json(scalar)),
            ("float" | "int", Some(value @ Value::Float(_))) if name == "float" || is_unsigned(&scalar.text) => {
                Some(value)
            }
            ("null", Some(Value::Null)) => Some(Value::Null),
            ("int" | "float" | "bool" | "null", _) => None,
            _ => Some(as_text()),
        };
        value.ok_or_else(|| self.misfit(scalar, &name))
    }

    fn misfit(&self, scalar: &Scalar<'a>, name: &str) -> Fail {
        let message = format!("`{}` cannot be read as `!!{name}`", scalar.text);
        let fail = self.trouble(codes::TAG, scalar.span, message, "does not fit its tag");
        fail.help("correct the value, or delete the tag")
    }
}

/// Whether a whole number is beyond the signed 64 bits but within the unsigned ones.
fn is_unsigned(text: &str) -> bool {
    text.parse::<i64>().is_err() && text.parse::<u64>().is_ok()
}

fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b';'
                | b'/'
                | b'?'
                | b':'
                | b'@'
                | b'&'
                | b'='
                | b'+'
                | b'$'
                | b','
                | b'.'
                | b'!'
                | b'~'
                | b'*'
                | b'\''
                | b'('
                | b')'
                | b'['
                | b']'
                | b'%'
                | b'_'
        )
}
