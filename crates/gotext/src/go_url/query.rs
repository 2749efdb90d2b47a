//! Names and values of queries, as `url.QueryEscape` and `url.QueryUnescape` write and read them.

use std::fmt::Write;

/// As a value or name in a query: a space is `+`.
pub fn query_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            b' ' => escaped.push('+'),
            byte => write!(escaped, "%{byte:02X}").unwrap_or_default(),
        }
    }
    escaped
}

/// The bytes of an escaped value or name of a query.
pub fn query_unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let pair = rest.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
                let value = pair
                    .filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
                    .and_then(|pair| u8::from_str_radix(pair, 16).ok());
                let Some(value) = value else {
                    let shown = String::from_utf8_lossy(rest.get(..2).unwrap_or(rest));
                    return Err(format!("invalid URL escape {:?}", format!("%{shown}")));
                };
                bytes.push(value);
                rest = rest.get(2..).unwrap_or_default();
            }
            byte => bytes.push(*byte),
        }
    }
    Ok(bytes)
}
