//! Bytes to text, and the choice between YAML and JSON.

use std::sync::Arc;

use palisade_model::{Diagnostic, Level, Location, Source, Span};

use crate::codes;
use crate::document::{Limits, Parsed};
use crate::json::parse_json;
use crate::yaml::parse_yaml;

/// Reads a file's documents; empty documents are dropped.
///
/// A name that ends in `.json` is read as strict JSON. Otherwise text that begins like JSON is tried as JSON first,
/// because that is faster, and read as YAML where it is not.
pub fn parse(name: &str, bytes: &[u8], limits: &Limits) -> Parsed {
    let source = match decode(name, bytes) {
        Ok(source) => source,
        Err(diagnostic) => return Parsed { documents: Vec::new(), diagnostics: vec![diagnostic] },
    };
    parse_source(source, limits)
}

/// Reads text as [`parse`] does.
pub(crate) fn parse_source(source: Arc<Source>, limits: &Limits) -> Parsed {
    if has_extension(source.name(), "json") {
        return parse_json(source, limits);
    }
    if source.text().trim_start().starts_with(['{', '[']) {
        let parsed = parse_json(source.clone(), limits);
        if parsed.diagnostics.iter().all(|diagnostic| diagnostic.level < Level::Error) {
            return parsed;
        }
    }
    parse_yaml(source, limits)
}

pub(crate) fn has_extension(name: &str, wanted: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case(wanted))
}

/// Turns bytes into text: UTF-8 with or without a byte order mark, or UTF-16 with one. The mark is left out, so
/// that spans count from the first character.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Arc<Source>, Diagnostic> {
    let decoded = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8(bytes),
    };
    decoded.map(|text| Source::new(name, text)).map_err(|invalid| invalid.diagnostic(name))
}

/// Text up to the first invalid unit, and what that is.
struct Invalid {
    before: String,
    what: String,
}

impl Invalid {
    /// The place is shown in the text before it, which is all that could be decoded.
    fn diagnostic(self, name: &str) -> Diagnostic {
        let end = self.before.len();
        let line = self.before.matches('\n').count() + 1;
        let location = Location { source: Source::new(name, self.before), span: Span::new(end..end) };
        Diagnostic::error(codes::ENCODING, format!("`{name}` is not valid text: {} on line {line}", self.what))
            .at(location, "the text before this place could be read")
            .help("save the file as UTF-8")
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Invalid> {
    match str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let offset = error.valid_up_to();
            let byte = bytes.get(offset).copied().unwrap_or_default();
            let before = String::from_utf8_lossy(bytes.get(..offset).unwrap_or_default()).into_owned();
            Err(Invalid { before, what: format!("byte 0x{byte:02X} at offset {offset} is not UTF-8") })
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Invalid> {
    let pairs = bytes.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let units = pairs.map(|pair| unit([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]));
    let mut text = String::with_capacity(bytes.len() / 2);
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(c) => text.push(c),
            Err(error) => {
                let what = format!("the surrogate 0x{:04X} has no partner", error.unpaired_surrogate());
                return Err(Invalid { before: text, what });
            }
        }
    }
    if odd { Err(Invalid { before: text, what: "a last byte is left over".to_owned() }) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_gives_the_same_text() {
        let le: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("a: \u{1F600}".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let be: Vec<u8> =
            [0xFE, 0xFF].into_iter().chain("a: \u{1F600}".encode_utf16().flat_map(u16::to_be_bytes)).collect();
        for bytes in ["\u{FEFF}a: \u{1F600}".as_bytes(), "a: \u{1F600}".as_bytes(), &le, &be] {
            assert_eq!(&**decode("a.yaml", bytes).unwrap().text(), "a: \u{1F600}");
        }
    }

    #[test]
    fn invalid_bytes_are_named_with_their_place() {
        let diagnostic = decode("a.yaml", b"a: 1\nb: caf\xE9\n").unwrap_err();
        assert_eq!(
            diagnostic.to_string(),
            "a.yaml:2:7: error[PAL-D0001]: `a.yaml` is not valid text: byte 0xE9 at offset 11 is not UTF-8 on line 2"
        );
        for bytes in [b"\xFF\xFEa\0\x00".as_slice(), b"\xFE\xFF\xD8\x00\x00a"] {
            assert_eq!(decode("a.yaml", bytes).unwrap_err().code, codes::ENCODING);
        }
    }

    #[test]
    fn json_is_recognised_by_name_and_by_content() {
        let limits = Limits::default();
        assert_eq!(parse("a.json", b"a: 1", &limits).diagnostics[0].code, codes::JSON);
        assert_eq!(parse("a", b" {\"a\": 1}", &limits).documents[0].value.to_json(), r#"{"a":1}"#);
        assert_eq!(parse("a.yaml", b"{\"a\": 1}\n---\n{\"b\": 2}", &limits).documents.len(), 2);
        assert_eq!(parse("a.yaml", b"{a: yes} # flow", &limits).documents[0].value.to_json(), r#"{"a":true}"#);
    }
}
