//! What the TOML reader accepts, refuses and points at.

use palisade_model::Path;

use super::*;

fn read(text: &str) -> Parsed {
    parse_toml(Source::new("a.toml", text), &Limits::default())
}

#[test]
fn values_are_read_in_the_order_of_the_file() {
    let parsed = read("z = 0x10\na = [1.5, 'x', true]\nday = 2026-01-02\n[b.c]\nd = {e = \"f\"}\n[[b.list]]\nn = 1\n");
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let json = r#"{"z":16,"a":[1.5,"x",true],"day":"2026-01-02","b":{"c":{"d":{"e":"f"}},"list":[{"n":1}]}}"#;
    assert_eq!(parsed.documents[0].value.to_json(), json);
    assert!(read("# nothing\n").documents.is_empty());
}

#[test]
fn every_node_has_its_place() {
    let parsed = read("[server.tls]\nversions = [\"1.0\", \"1.3\"]\n");
    let document = &parsed.documents[0];
    let place = |pointer: &str| {
        let path = Path::from_pointer(pointer);
        document.source.slice(document.spans.locate(&document.value, &path)).to_owned()
    };
    assert_eq!(place("/server/tls/versions/1"), "\"1.3\"");
    assert_eq!(place("/server/tls/versions"), "[\"1.0\", \"1.3\"]");
    assert_eq!(document.resource().locate(&Path::from_pointer("/server/tls/versions/0")).unwrap().start().line, 2);
}

#[test]
fn what_is_no_toml_or_no_json_is_a_diagnostic() {
    for (text, code) in [
        ("a = ", codes::TOML),
        ("a = 1\na = 2", codes::TOML),
        ("[a\n", codes::TOML),
        ("a = inf", codes::NUMBER),
        ("a = 9223372036854775808", codes::NUMBER),
    ] {
        let parsed = read(text);
        assert!(parsed.documents.is_empty(), "{text}");
        let diagnostic = &parsed.diagnostics[0];
        assert_eq!(diagnostic.code, code, "{text}: {diagnostic}");
        assert!(!diagnostic.help.is_empty() && !diagnostic.labels.is_empty(), "{text}");
    }
}

#[test]
fn depth_is_bounded_before_the_tree_is_built() {
    let keys = vec!["k"; 70].join(".");
    let nested = format!("{keys} = {}1{}", format!("{{{keys} = ").repeat(70), "}".repeat(70));
    for text in
        [format!("a = {}{}", "[".repeat(10_000), "]".repeat(10_000)), nested, vec!["k"; 10_000].join(".") + " = 1"]
    {
        assert_eq!(read(&text).diagnostics[0].code, codes::TOO_DEEP);
    }
}

#[test]
fn dots_that_nest_nothing_are_no_depth() {
    let text = format!("a = \"{0}\"\nb = '''{0}'''\n# {0}\nc = [{1}]\n", "..{[".repeat(200), "1.5, ".repeat(500));
    let parsed = read(&text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    assert_eq!(parsed.documents[0].value.get("c").and_then(Value::as_array).map(<[_]>::len), Some(500));
}
