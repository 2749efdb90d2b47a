//! Escape sequences of string and bytes literals.

use crate::CompileError;

/// The text that the body of a string literal stands for; `offset` is where the body begins in the source.
pub(super) fn unescape(body: &str, offset: usize) -> Result<String, CompileError> {
    let mut text = String::with_capacity(body.len());
    walk(body, offset, |piece| match piece {
        Piece::Plain(c) => text.push(c),
        Piece::Code(code) => text.push(code),
        Piece::Byte(byte) => text.push(char::from(byte)),
    })?;
    Ok(text)
}

/// The bytes that the body of a bytes literal stands for.
pub(super) fn unescape_bytes(body: &str, offset: usize) -> Result<Vec<u8>, CompileError> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut coded = false;
    walk(body, offset, |piece| match piece {
        Piece::Plain(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        Piece::Code(_) => coded = true,
        Piece::Byte(byte) => bytes.push(byte),
    })?;
    if coded {
        let span = offset..offset + body.len();
        return Err(CompileError::new(span, "bytes take no `\\u` or `\\U` escapes").help("write the bytes with `\\x`"));
    }
    Ok(bytes)
}

enum Piece {
    Plain(char),
    /// From `\u` or `\U`.
    Code(char),
    /// From `\x` or octal digits: a code point in text, a byte in bytes.
    Byte(u8),
}

fn walk(body: &str, offset: usize, mut emit: impl FnMut(Piece)) -> Result<(), CompileError> {
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        let at = offset + body.len() - rest.len();
        let (piece, length) =
            if c == '\\' { escape(rest).ok_or_else(|| bad_escape(rest, at))? } else { (Piece::Plain(c), c.len_utf8()) };
        emit(piece);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(())
}

fn bad_escape(rest: &str, at: usize) -> CompileError {
    let shown: String = rest.chars().take(2).collect();
    CompileError::new(at..at + shown.len(), format!("invalid escape sequence `{shown}`"))
        .help("write `\\\\` for a backslash, or use a raw string: `r\"...\"`")
}

/// The piece that an escape sequence at the start of `rest` stands for, and its length.
fn escape(rest: &str) -> Option<(Piece, usize)> {
    let plain = |c| Some((Piece::Plain(c), 2));
    match rest.chars().nth(1)? {
        'a' => plain('\u{7}'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'v' => plain('\u{b}'),
        c @ ('\\' | '?' | '"' | '\'' | '`') => plain(c),
        'x' | 'X' => Some((Piece::Byte(u8::try_from(digits(rest, 2, 2, 16)?).ok()?), 4)),
        'u' => Some((Piece::Code(char::from_u32(digits(rest, 2, 4, 16)?)?), 6)),
        'U' => Some((Piece::Code(char::from_u32(digits(rest, 2, 8, 16)?)?), 10)),
        '0'..='3' => Some((Piece::Byte(u8::try_from(digits(rest, 1, 3, 8)?).ok()?), 4)),
        _ => None,
    }
}

fn digits(rest: &str, from: usize, count: usize, radix: u32) -> Option<u32> {
    let text = rest.get(from..from + count)?;
    if text.starts_with('+') { None } else { u32::from_str_radix(text, radix).ok() }
}
