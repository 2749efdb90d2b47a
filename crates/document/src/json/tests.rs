//! What the JSON reader accepts, refuses and points at.

use super::*;

fn read(text: &str) -> Parsed {
    parse_json(Source::new("a.json", text), &Limits::default())
}

fn json(text: &str) -> String {
    let parsed = read(text);
    assert!(parsed.diagnostics.is_empty(), "{text}: {:?}", parsed.diagnostics);
    parsed.documents[0].value.to_json()
}

#[test]
fn values_are_read_exactly() {
    assert_eq!(
        json(r#" {"a":[1,-2.5,1e2,true,false,null,{}],"b":[]} "#),
        r#"{"a":[1,-2.5,100,true,false,null,{}],"b":[]}"#
    );
    assert_eq!(json(r#""\u0041\ud83d\ude00\/\n\u00e9""#), "\"A\u{1F600}/\\n\u{e9}\"");
    assert_eq!(json("9223372036854775807"), "9223372036854775807");
    assert_eq!(read("18446744073709551615").documents[0].value, Value::Float(18_446_744_073_709_551_615.0));
    assert!(read(" \n").documents.is_empty() && read("null").documents.is_empty());
}

#[test]
fn every_node_has_its_place() {
    let parsed = read(r#"{"a": [10, "x"], "b": {}}"#);
    let document = &parsed.documents[0];
    let place = |pointer: &str| {
        let path = palisade_model::Path::from_pointer(pointer);
        document.source.slice(document.spans.locate(&document.value, &path)).to_owned()
    };
    assert_eq!(place("/a"), r#"[10, "x"]"#);
    assert_eq!(place("/a/1"), r#""x""#);
    assert_eq!(place("/b"), "{}");
    assert_eq!(document.source.slice(document.spans.children[0].key), r#""a""#);
}

#[test]
fn what_rfc_8259_refuses_is_refused() {
    for (text, code) in [
        ("{'a': 1}", codes::JSON),
        ("{\"a\": 1,}", codes::JSON),
        ("[1,]", codes::JSON),
        ("[1 2]", codes::JSON),
        ("{\"a\" 1}", codes::JSON),
        ("01", codes::NUMBER),
        ("1.", codes::NUMBER),
        ("-", codes::NUMBER),
        ("1e999", codes::NUMBER),
        (".5", codes::JSON),
        ("nul", codes::JSON),
        ("truex", codes::JSON),
        ("// c\n1", codes::JSON),
        ("\"a\tb\"", codes::JSON),
        ("\"a", codes::UNCLOSED),
        ("[1", codes::UNCLOSED),
        ("{\"a\":", codes::JSON),
        ("\"\\x\"", codes::ESCAPE),
        ("\"\\ud800\"", codes::ESCAPE),
        ("\"\\u12\"", codes::ESCAPE),
    ] {
        let parsed = read(text);
        assert!(parsed.documents.is_empty(), "{text}");
        assert_eq!(parsed.diagnostics[0].code, code, "{text}");
        assert!(!parsed.diagnostics[0].help.is_empty() && !parsed.diagnostics[0].labels.is_empty(), "{text}");
    }
}

#[test]
fn a_repeated_key_warns_and_the_last_wins() {
    let parsed = read(r#"{"a": 1, "b": 2, "a": 3}"#);
    assert_eq!(parsed.documents[0].value.to_json(), r#"{"a":3,"b":2}"#);
    assert_eq!(parsed.diagnostics[0].to_string(), "a.json:1:18: warning[PAL-D0012]: the key `a` occurs twice");
}

#[test]
fn json_lines_are_documents() {
    let parsed = read("{\"a\": 1}\n\n{\"b\": 2}\r\n[3]\n");
    assert_eq!(parsed.documents.iter().map(|document| document.index).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(parsed.diagnostics.is_empty());
    for text in ["{} {}", "1 2", "1\n2"] {
        assert_eq!(read(text).diagnostics[0].code, codes::JSON);
    }
}

#[test]
fn depth_is_bounded() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read(&deep).diagnostics[0].code, codes::TOO_DEEP);
}
