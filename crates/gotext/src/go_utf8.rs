//! Bytes as text: Go's strings may hold any bytes, and ours hold text.

/// Bytes as text, as Go counts the characters of such a string: each byte out of place is one.
pub fn text_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}
