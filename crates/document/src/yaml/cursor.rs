//! A place in the text that moves forward: lines, columns, blanks, breaks, comments.
//!
//! All scanning is over bytes of valid UTF-8, so every position is a byte offset and no character is decoded unless
//! it matters. Offsets past the end read as NUL, which the text itself cannot contain.

use std::ops::Range;

/// The text of a source and how far it has been read.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    bytes: &'a [u8],
    pub(super) pos: usize,
    /// Where the current line begins.
    pub(super) line_start: usize,
    /// Whether any of YAML 1.1's other line breaks (NEL, LS, PS) occur in the text.
    pub(super) exotic: bool,
}

/// A byte that ends a run of plain text in every context: blanks, breaks, indicators, and lead bytes of exotic breaks.
const fn is_special(byte: u8) -> bool {
    matches!(byte, 0 | b' ' | b'\t' | b'\n' | b'\r' | b':' | b',' | b'?' | b'[' | b']' | b'{' | b'}' | 0xC2 | 0xE2)
}

static SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
        {
            table[byte] = is_special(byte as u8);
        }
        byte += 1;
    }
    table
};

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, exotic: bool) -> Self {
        Self { text, bytes: text.as_bytes(), pos: 0, line_start: 0, exotic }
    }

    /// The byte at an absolute offset.
    pub(super) fn at(&self, offset: usize) -> u8 {
        self.bytes.get(offset).copied().unwrap_or(0)
    }

    /// The byte `ahead` of the current one.
    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.at(self.pos + ahead)
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    pub(super) fn at_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    /// How far into its line the cursor is.
    pub(super) fn column(&self) -> usize {
        self.pos - self.line_start
    }

    /// The length of the line break at `offset`; 0 where there is none.
    pub(super) fn break_len(&self, offset: usize) -> usize {
        match self.at(offset) {
            b'\r' if self.at(offset + 1) == b'\n' => 2,
            b'\n' | b'\r' => 1,
            0xC2 if self.at(offset + 1) == 0x85 => 2,
            0xE2 if self.at(offset + 1) == 0x80 && matches!(self.at(offset + 2), 0xA8 | 0xA9) => 3,
            _ => 0,
        }
    }

    /// Whether a blank, a break or the end is at `offset`.
    pub(super) fn blank_or_end(&self, offset: usize) -> bool {
        match self.at(offset) {
            b' ' | b'\t' | b'\n' | b'\r' => true,
            0 => offset >= self.bytes.len(),
            0xC2 | 0xE2 => self.break_len(offset) > 0,
            _ => false,
        }
    }

    /// Steps over a line break where there is one, and returns what it counts as in a folded scalar.
    pub(super) fn take_break(&mut self) -> Option<&'a str> {
        let length = self.break_len(self.pos);
        if length == 0 {
            return None;
        }
        let text = if length == 3 { self.slice(self.pos..self.pos + 3) } else { "\n" };
        self.pos += length;
        self.line_start = self.pos;
        Some(text)
    }

    /// Steps over spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(0), b' ' | b'\t') {
            self.pos += 1;
        }
    }

    /// Steps to the end of the line, before its break.
    pub(super) fn skip_line(&mut self) {
        self.pos = self.line_end(self.pos);
    }

    /// The end of the line that `from` is in, before its break.
    pub(super) fn line_end(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        if !self.exotic {
            return memchr::memchr2(b'\n', b'\r', rest).map_or(self.bytes.len(), |at| from + at);
        }
        let mut end = from;
        while end < self.bytes.len() && self.break_len(end) == 0 {
            end += 1;
        }
        end
    }

    /// Steps over text without any special character.
    pub(super) fn skip_ordinary(&mut self) {
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        let run = rest.iter().position(|byte| SPECIAL.get(usize::from(*byte)).copied().unwrap_or(true));
        self.pos += run.unwrap_or(rest.len());
    }

    /// Whether a `---` or `...` line begins here.
    pub(super) fn at_marker(&self) -> bool {
        self.pos == self.line_start
            && matches!(self.bytes.get(self.pos..self.pos + 3), Some(b"---" | b"..."))
            && self.blank_or_end(self.pos + 3)
    }

    /// Moves to the next `---` line at or after the current one; whether there is one.
    pub(super) fn next_document(&mut self) -> bool {
        self.pos = self.line_start;
        loop {
            if self.at_marker() && self.peek(0) == b'-' {
                return true;
            }
            self.skip_line();
            if self.take_break().is_none() {
                return false;
            }
        }
    }
}

/// Offset of the first character that YAML does not allow, and whether any exotic line break occurs before it.
pub(super) fn examine(text: &str) -> (Option<usize>, bool) {
    let mut exotic = false;
    let bytes = text.as_bytes();
    for (chunk_at, chunk) in bytes.chunks(256).enumerate() {
        if !chunk.iter().fold(false, |found, byte| found | is_suspect(*byte)) {
            continue;
        }
        for (at, byte) in chunk.iter().enumerate().filter(|(_, byte)| is_suspect(**byte)) {
            let offset = chunk_at * 256 + at;
            match (byte, bytes.get(offset + 1), bytes.get(offset + 2)) {
                (0xC2, Some(0x85), _) | (0xE2, Some(0x80), Some(0xA8 | 0xA9)) => exotic = true,
                (0xC2, Some(0x80..0xA0), _) | (0xEF, Some(0xBF), Some(0xBE | 0xBF)) | (0..0x80, ..) => {
                    return (Some(offset), exotic);
                }
                _ => {}
            }
        }
    }
    (None, exotic)
}

#[expect(clippy::needless_bitwise_bool, reason = "without branches, a block of bytes is examined at once")]
fn is_suspect(byte: u8) -> bool {
    (byte < 0x20) & (byte != b'\n') & (byte != b'\r') & (byte != b'\t')
        | (byte == 0x7F)
        | (byte == 0xC2)
        | (byte == 0xE2)
        | (byte == 0xEF)
}
