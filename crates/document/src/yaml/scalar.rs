//! The five ways of writing a scalar: plain, single quoted, double quoted, literal and folded.
//!
//! Text that stands in the source as it is read is borrowed; only folding and escapes build a new string.

use std::borrow::Cow;

use palisade_model::Span;

use super::cursor::Cursor;
use super::parser::{Parse, Parser};
use crate::codes;
use crate::fail::Fail;

/// A scalar as it was read, before anyone asks for its type.
#[derive(Debug)]
pub(super) struct Scalar<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) span: Span,
    /// Without quotes: its type is decided by its text.
    pub(super) plain: bool,
}

/// Line breaks met inside a scalar, and how they fold.
struct Breaks<'a> {
    first: &'a str,
    more: Vec<&'a str>,
}

impl Breaks<'_> {
    /// A single break becomes a space; of several, the first is dropped. YAML 1.1's special breaks are kept.
    fn fold_into(&self, out: &mut String) {
        if self.first != "\n" {
            out.push_str(self.first);
        } else if self.more.is_empty() {
            out.push(' ');
        }
        self.more.iter().for_each(|line| out.push_str(line));
    }
}

impl<'a> Parser<'a> {
    pub(super) fn plain_scalar(&mut self) -> Parse<Scalar<'a>> {
        let start = self.cursor.pos;
        let mut run = start;
        let mut folded: Option<String> = None;
        loop {
            let end = self.plain_run();
            let next_line = self.cursor.break_len(self.cursor.pos) > 0;
            let breaks = if next_line { self.plain_breaks()? } else { None };
            let Some(breaks) = breaks else {
                let last = self.cursor.slice(run..end);
                let text = folded.map_or(Cow::Borrowed(last), |text| Cow::Owned(text + last));
                return Ok(Scalar { text, span: Span::new(start..end), plain: true });
            };
            let text = folded.get_or_insert_default();
            text.push_str(self.cursor.slice(run..end));
            breaks.fold_into(text);
            run = self.cursor.pos;
        }
    }

    /// Reads plain text to its end on this line, and returns where the text before trailing blanks ends. The cursor
    /// is then at a line break where the scalar may go on.
    fn plain_run(&mut self) -> usize {
        let cursor = &mut self.cursor;
        loop {
            cursor.skip_ordinary();
            let here = cursor.pos;
            match cursor.peek(0) {
                b':' if !cursor.blank_or_end(here + 1) => cursor.pos += 1,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if self.flow == 0 => cursor.pos += 1,
                b' ' | b'\t' => {
                    cursor.skip_blanks();
                    let next = cursor.peek(0);
                    let ends_here = next == b'#'
                        || (next == b':' && cursor.blank_or_end(cursor.pos + 1))
                        || (self.flow > 0 && matches!(next, b',' | b'?' | b'[' | b']' | b'{' | b'}'));
                    if ends_here || cursor.break_len(cursor.pos) > 0 || cursor.at_end() {
                        return here;
                    }
                }
                0xC2 | 0xE2 if cursor.break_len(here) == 0 => cursor.pos += 1,
                _ => return here,
            }
        }
    }

    /// Steps over the breaks after a line of plain text; `None` where the scalar does not go on below them.
    fn plain_breaks(&mut self) -> Parse<Option<Breaks<'a>>> {
        let indent = self.indent + 1;
        let Some(first) = self.cursor.take_break() else { return Ok(None) };
        let mut more = Vec::new();
        loop {
            while matches!(self.cursor.peek(0), b' ' | b'\t') {
                if self.cursor.peek(0) == b'\t' && self.cursor.column().cast_signed() < indent {
                    return Err(self.unexpected("indentation"));
                }
                self.cursor.pos += 1;
            }
            match self.cursor.take_break() {
                Some(line) => more.push(line),
                None => break,
            }
        }
        self.fresh = true;
        let outdented = self.flow == 0 && self.cursor.column().cast_signed() < indent;
        let ends = outdented || self.cursor.at_end() || self.cursor.at_marker() || self.cursor.peek(0) == b'#';
        if ends || self.plain_cannot_continue() {
            return Ok(None);
        }
        self.fresh = false;
        Ok(Some(Breaks { first, more }))
    }

    /// Whether the first character of a new line ends the scalar before it, and nothing of that line joins it.
    fn plain_cannot_continue(&self) -> bool {
        match self.cursor.peek(0) {
            b':' => self.cursor.blank_or_end(self.cursor.pos + 1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow > 0,
            _ => false,
        }
    }

    pub(super) fn quoted_scalar(&mut self) -> Parse<Scalar<'a>> {
        let start = self.cursor.pos;
        let quote = self.cursor.peek(0);
        self.cursor.pos += 1;
        self.fresh = false;
        let from = self.cursor.pos;
        self.skip_quoted_run(quote);
        if self.cursor.peek(0) == quote && !(quote == b'\'' && self.cursor.peek(1) == b'\'') {
            let text = Cow::Borrowed(self.cursor.slice(from..self.cursor.pos));
            self.cursor.pos += 1;
            return Ok(Scalar { text, span: Span::new(start..self.cursor.pos), plain: false });
        }
        let mut text = self.cursor.slice(from..self.cursor.pos).to_owned();
        self.quoted_rest(start, quote, &mut text)?;
        Ok(Scalar { text: Cow::Owned(text), span: Span::new(start..self.cursor.pos), plain: false })
    }

    /// Steps to the next quote, escape, line break or end.
    fn skip_quoted_run(&mut self, quote: u8) {
        loop {
            match self.cursor.peek(0) {
                b'\n' | b'\r' | 0 => return,
                b'\\' if quote == b'"' => return,
                byte if byte == quote => return,
                0xC2 | 0xE2 if self.cursor.break_len(self.cursor.pos) > 0 => return,
                _ => self.cursor.pos += 1,
            }
        }
    }

    fn quoted_rest(&mut self, start: usize, quote: u8, text: &mut String) -> Parse<()> {
        // Blanks before a line break fold away, but not those that an escape wrote.
        let mut kept = 0;
        loop {
            match self.cursor.peek(0) {
                byte if byte == quote && quote == b'\'' && self.cursor.peek(1) == quote => {
                    text.push('\'');
                    kept = text.len();
                    self.cursor.pos += 2;
                }
                byte if byte == quote => {
                    self.cursor.pos += 1;
                    return Ok(());
                }
                b'\\' if quote == b'"' && self.cursor.break_len(self.cursor.pos + 1) > 0 => {
                    self.cursor.pos += 1;
                    self.cursor.take_break();
                    self.quoted_breaks(start)?.iter().for_each(|line| text.push_str(line));
                    kept = text.len();
                }
                b'\\' if quote == b'"' => {
                    self.escape(text)?;
                    kept = text.len();
                }
                _ if self.cursor.break_len(self.cursor.pos) > 0 => {
                    let unescaped = text.get(kept..).unwrap_or_default();
                    text.truncate(kept + unescaped.trim_end_matches([' ', '\t']).len());
                    let first = self.cursor.take_break().unwrap_or("\n");
                    Breaks { first, more: self.quoted_breaks(start)? }.fold_into(text);
                    kept = text.len();
                }
                _ => return Err(self.unclosed(start, "quoted text")),
            }
            let from = self.cursor.pos;
            self.skip_quoted_run(quote);
            text.push_str(self.cursor.slice(from..self.cursor.pos));
        }
    }

    /// Steps over blank lines and leading blanks inside quotes, after a first break.
    fn quoted_breaks(&mut self, start: usize) -> Parse<Vec<&'a str>> {
        let mut more = Vec::new();
        loop {
            if self.cursor.at_marker() {
                return Err(self.unclosed(start, "quoted text"));
            }
            self.cursor.skip_blanks();
            match self.cursor.take_break() {
                Some(line) => more.push(line),
                None => return Ok(more),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Parse<()> {
        let start = self.cursor.pos;
        self.cursor.pos += 2;
        let digits = match self.cursor.at(start + 1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            byte => {
                text.push(simple_escape(byte).ok_or_else(|| self.bad_escape(start))?);
                return Ok(());
            }
        };
        let hex = self.cursor.slice(self.cursor.pos..self.cursor.pos + digits);
        let valid = hex.len() == digits && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = if valid { u32::from_str_radix(hex, 16).ok().and_then(char::from_u32) } else { None };
        text.push(code.ok_or_else(|| self.bad_escape(start))?);
        self.cursor.pos += digits;
        Ok(())
    }

    fn bad_escape(&self, start: usize) -> Fail {
        let rest = self.cursor.text.get(start + 1..).unwrap_or_default();
        let width = rest.chars().next().filter(|c| !c.is_control()).map_or(0, char::len_utf8);
        let span = Span::new(start..start + 1 + width);
        let escape = self.cursor.slice(span.range());
        let message = format!("`{escape}` is not an escape sequence that YAML knows");
        self.trouble(codes::ESCAPE, span, message, "unknown or incomplete escape")
            .help("write `\\\\` for a backslash, or use single quotes, where a backslash is an ordinary character")
    }

    /// A literal (`|`) or folded (`>`) scalar.
    pub(super) fn block_scalar(&mut self) -> Parse<Scalar<'a>> {
        let start = self.cursor.pos;
        let literal = self.cursor.peek(0) == b'|';
        let (chomping, increment) = self.block_header()?;
        let header_end = self.cursor.pos;
        self.cursor.skip_blanks();
        self.skip_comment();
        if !self.cursor.at_end() && self.cursor.take_break().is_none() {
            return Err(self.unexpected("a line break after the block scalar's header"));
        }
        self.fresh = true;
        let mut blank_lines = String::new();
        let indent = if let Some(increment) = increment {
            let indent = usize::try_from(self.indent).unwrap_or(0) + increment;
            self.block_breaks(Some(indent), &mut blank_lines)?;
            indent
        } else {
            let deepest = self.block_breaks(None, &mut blank_lines)?;
            deepest.max(usize::try_from(self.indent + 1).unwrap_or(0)).max(1)
        };
        let mut body = BlockBody { literal, chomping, indent, end: header_end };
        let text = self.block_lines(&mut body, blank_lines)?;
        Ok(Scalar { text: Cow::Owned(text), span: Span::new(start..body.end), plain: false })
    }

    /// The chomping indicator and the explicit indentation after `|` or `>`, in either order.
    fn block_header(&mut self) -> Parse<(Option<u8>, Option<usize>)> {
        let (mut chomping, mut increment) = (None, None);
        for offset in 1..=2 {
            match self.cursor.peek(offset) {
                sign @ (b'+' | b'-') if chomping.is_none() => chomping = Some(sign),
                digit @ b'1'..=b'9' if increment.is_none() => increment = Some(usize::from(digit - b'0')),
                _ => break,
            }
        }
        self.cursor.pos += 1 + usize::from(chomping.is_some()) + usize::from(increment.is_some());
        if matches!(self.cursor.peek(0), b'0'..=b'9' | b'+' | b'-') {
            return Err(self.unexpected("a line break after the block scalar's header"));
        }
        Ok((chomping, increment))
    }

    /// Steps over blank lines and the indentation below them, as far as `indent` where that is known. Returns the
    /// deepest column met.
    fn block_breaks(&mut self, indent: Option<usize>, breaks: &mut String) -> Parse<usize> {
        let mut deepest = 0;
        loop {
            let shallow = |cursor: &Cursor<'_>| indent.is_none_or(|indent| cursor.column() < indent);
            while shallow(&self.cursor) && self.cursor.peek(0) == b' ' {
                self.cursor.pos += 1;
            }
            deepest = deepest.max(self.cursor.column());
            if shallow(&self.cursor) && self.cursor.peek(0) == b'\t' {
                return Err(self.unexpected("indentation"));
            }
            match self.cursor.take_break() {
                Some(line) => breaks.push_str(line),
                None => return Ok(deepest),
            }
        }
    }

    fn block_lines(&mut self, body: &mut BlockBody, mut blank_lines: String) -> Parse<String> {
        let mut text = String::new();
        let mut line_break = "";
        let mut after_indented = false;
        while self.cursor.column() == body.indent && !self.cursor.at_end() {
            let indented = matches!(self.cursor.peek(0), b' ' | b'\t');
            if !body.literal && !after_indented && !indented && line_break == "\n" {
                if blank_lines.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(line_break);
            }
            text.push_str(&blank_lines);
            blank_lines.clear();
            after_indented = indented;
            let from = self.cursor.pos;
            self.cursor.skip_line();
            text.push_str(self.cursor.slice(from..self.cursor.pos));
            body.end = self.cursor.pos;
            line_break = self.cursor.take_break().unwrap_or_default();
            self.block_breaks(Some(body.indent), &mut blank_lines)?;
        }
        if body.chomping != Some(b'-') {
            text.push_str(line_break);
        }
        if body.chomping == Some(b'+') {
            text.push_str(&blank_lines);
        }
        Ok(text)
    }
}

/// What is known of a block scalar below its header.
struct BlockBody {
    literal: bool,
    chomping: Option<u8>,
    indent: usize,
    /// The end of the last line with text.
    end: usize,
}

fn simple_escape(byte: u8) -> Option<char> {
    Some(match byte {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0B',
        b'f' => '\x0C',
        b'r' => '\r',
        b'e' => '\x1B',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{A0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
