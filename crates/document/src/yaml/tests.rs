//! What the YAML reader makes of text: values, places, and words about what is wrong.

use super::*;
use palisade_model::Path;

fn read(text: &str) -> Parsed {
    parse_yaml(Source::new("a.yaml", text), &Limits::default())
}

/// The documents as JSON, one a line.
fn json(text: &str) -> String {
    let parsed = read(text);
    assert!(parsed.diagnostics.is_empty(), "{text}: {:?}", parsed.diagnostics);
    parsed.documents.iter().map(|document| document.value.to_json()).collect::<Vec<_>>().join("\n")
}

fn place(document: &Document, pointer: &str) -> String {
    let path = Path::from_pointer(pointer);
    document.source.slice(document.spans.locate(&document.value, &path)).to_owned()
}

#[test]
fn block_structure() {
    for (text, expected) in [
        ("a: 1\nb:\n  c: x\n", r#"{"a":1,"b":{"c":"x"}}"#),
        ("a:\n- 1\n- 2\nb: 3", r#"{"a":[1,2],"b":3}"#),
        ("a:\n  - b: 1\n    c: 2\n  -\n  - - x\n    - w", r#"{"a":[{"b":1,"c":2},null,["x","w"]]}"#),
        ("- a: 1\n  b:\n  - 2\n-   c\n", r#"[{"a":1,"b":[2]},"c"]"#),
        ("a:\nb: ~\nc:", r#"{"a":null,"b":null,"c":null}"#),
        ("? a\n: - 1\n? b\nc: 2", r#"{"a":[1],"b":null,"c":2}"#),
        ("a: b\r\nc:\r\n  - d\r\n", r#"{"a":"b","c":["d"]}"#),
        ("# c\na: b # c\n# c\n\nc: 'x'# c\n", r#"{"a":"b","c":"x"}"#),
        ("1: a\ntrue: b\n1.5: c\n\"2\": d\nyes: e", r#"{"1":"a","true":"e","1.5":"c","2":"d"}"#),
    ] {
        let parsed = read(text);
        assert_eq!(parsed.documents[0].value.to_json(), expected, "{text} {:?}", parsed.diagnostics);
    }
}

#[test]
fn scalars_fold_and_keep_as_yaml_says() {
    for (text, expected) in [
        ("a: b c\n  d\n\n  e # x\n", r#"{"a":"b c d\ne"}"#),
        ("a: |\n  x\n   y\n\n  z\n\nb: 1", r#"{"a":"x\n y\n\nz\n","b":1}"#),
        (
            "a: |-\n  x\nb: |+\n  y\n\nc: >\n  p\n  q\n\n  r\n   s\n  t\n",
            r#"{"a":"x","b":"y\n\n","c":"p q\nr\n s\nt\n"}"#,
        ),
        ("a: |2\n   x\n  y\n", r#"{"a":" x\ny\n"}"#),
        ("- |\n x\n- >-\n y\n ", r#"["x\n","y"]"#),
        ("a: 'it''s\n  x\n\n  y'", r#"{"a":"it's x\ny"}"#),
        (
            r#"a: "x\ty\u00e9\x41\
   z" "#,
            r#"{"a":"x\tyéAz"}"#,
        ),
        ("a: \"x \\\n  y\"", r#"{"a":"x y"}"#),
        ("a: http://x:80/?q#f\nb: -x\nc: a:b", r#"{"a":"http://x:80/?q#f","b":"-x","c":"a:b"}"#),
        ("a: |\n  --- x\n  {{ y }}", r#"{"a":"--- x\n{{ y }}"}"#),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
}

#[test]
fn flow_collections() {
    for (text, expected) in [
        ("{a: 1, b: [x, 'y', \"z\"], c: {}, d: [], e: }", r#"{"a":1,"b":["x","y","z"],"c":{},"d":[],"e":null}"#),
        ("[a: 1, {b}, ? c : d, {\"x\":1,},]", r#"[{"a":1},{"b":null},{"c":"d"},{"x":1}]"#),
        ("a: [1,\n2,\n  # c\n  3]\nb: 4", r#"{"a":[1,2,3],"b":4}"#),
        ("a: {b: c d, e: http://x:1}", r#"{"a":{"b":"c d","e":"http://x:1"}}"#),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
}

#[test]
fn tags_anchors_and_merges() {
    for (text, expected) in [
        ("a: !!str 1\nb: !!int \"2\"\nc: !!float 3\nd: !!binary aGk=\ne: !x 4\nf: !!null ''", None),
        ("a: &x {p: 1}\nb: *x\nc: &y\n  - 1\nd: *y", Some(r#"{"a":{"p":1},"b":{"p":1},"c":[1],"d":[1]}"#)),
        ("&k a: 1\nb: *k", Some(r#"{"a":1,"b":"a"}"#)),
        ("x: &x {a: 1, b: 2}\nw:\n  <<: *x\n  b: 3", Some(r#"{"x":{"a":1,"b":2},"w":{"a":1,"b":3}}"#)),
        ("x: &x {a: 1}\nw: {<<: [*x, {a: 2, c: 4}]}", Some(r#"{"x":{"a":1},"w":{"a":1,"c":4}}"#)),
        ("a: &e\nb: *e\n'<<': 1", Some(r#"{"a":null,"b":null,"<<":1}"#)),
    ] {
        let expected = expected.unwrap_or(r#"{"a":"1","b":2,"c":3,"d":"hi","e":"4","f":null}"#);
        let parsed = read(text);
        assert!(parsed.diagnostics.is_empty(), "{text} {:?}", parsed.diagnostics);
        assert_eq!(parsed.documents[0].value, Value::from_json(expected).unwrap(), "{text}");
    }
}

#[test]
fn streams_and_directives() {
    assert_eq!(json("---\na: 1\n---\n---\n# c\n--- b\n...\n---\nc: 2\n"), "{\"a\":1}\n\"b\"\n{\"c\":2}");
    assert_eq!(json("%YAML 1.2\n%TAG !e! tag:yaml.org,2002:\n---\na: !e!str 1"), r#"{"a":"1"}"#);
    assert_eq!(json("\u{FEFF}a: 1\n---\n\u{FEFF}b: 2"), "{\"a\":1}\n{\"b\":2}");
    let indices: Vec<_> = read("---\n---\na: 1\n---\n").documents.iter().map(|document| document.index).collect();
    assert_eq!(indices, [1]);
    assert!(read("# only a comment\n").documents.is_empty());
}

#[test]
fn every_node_has_its_exact_place() {
    let text = "# c\nspec: # c\n  list:\n  - name: 'é'  # c\n    x: |\n      l1\n      l2\n\n  # c\n  - {p: q}\n\n# c\nlast: &a v\nalias: *a\nempty:\n";
    let parsed = read(text);
    let document = &parsed.documents[0];
    assert_eq!(place(document, "/spec/list/0/name"), "'é'");
    assert_eq!(place(document, "/spec/list/0/x"), "|\n      l1\n      l2");
    assert_eq!(place(document, "/spec/list/0"), "name: 'é'  # c\n    x: |\n      l1\n      l2");
    assert_eq!(place(document, "/spec/list/1"), "{p: q}");
    assert_eq!(
        place(document, "/spec"),
        "list:\n  - name: 'é'  # c\n    x: |\n      l1\n      l2\n\n  # c\n  - {p: q}"
    );
    assert_eq!(place(document, "/last"), "v");
    assert_eq!(place(document, "/alias"), "*a");
    assert_eq!(document.source.position(document.spans.children[3].tree.span.start as usize).line, 15);
    let keys: Vec<_> = document.spans.children.iter().map(|child| document.source.slice(child.key)).collect();
    assert_eq!(keys, ["spec", "last", "alias", "empty"]);
}

#[test]
fn trouble_has_a_place_and_a_code() {
    for (text, expected) in [
        ("a: b: c", "a.yaml:1:5: error[PAL-D0020]"),
        ("a:\n\tb: 1", "a.yaml:2:1: error[PAL-D0006]"),
        ("a: 'x", "a.yaml:1:4: error[PAL-D0008]"),
        ("a: [1, 2", "a.yaml:1:4: error[PAL-D0008]"),
        ("a: {b: 1\n---\nc: 2", "a.yaml:1:4: error[PAL-D0008]"),
        ("a: \"\\d\"", "a.yaml:1:5: error[PAL-D0009]"),
        ("a: *x", "a.yaml:1:4: error[PAL-D0010]"),
        ("a: &x [*x]", "a.yaml:1:8: error[PAL-D0010]"),
        ("{a: 1}: 2", "a.yaml:1:1: error[PAL-D0011]"),
        ("? [a]\n: 2", "a.yaml:1:3: error[PAL-D0011]"),
        ("~: 2", "a.yaml:1:1: error[PAL-D0011]"),
        ("a: !!int x", "a.yaml:1:10: error[PAL-D0013]"),
        ("a: !e!x x", "a.yaml:1:4: error[PAL-D0013]"),
        ("<<: 1", "a.yaml:1:1: error[PAL-D0014]"),
        ("a: .inf", "a.yaml:1:4: error[PAL-D0015]"),
        ("%FOO\n---\na", "a.yaml:1:1: error[PAL-D0017]"),
        ("a:\n    b: 1\n  c: 2", "a.yaml:3:3: error[PAL-D0007]"),
        ("a: 1\nb", "a.yaml:2:1: error[PAL-D0007]"),
        ("a: \"x\" y", "a.yaml:1:8: error[PAL-D0007]"),
        ("- a\nb: 1", "a.yaml:2:1: error[PAL-D0007]"),
        ("a: @x", "a.yaml:1:4: error[PAL-D0007]"),
        ("a: x\u{7}", "a.yaml:1:5: error[PAL-D0002]"),
        ("a: {{ x }}", "a.yaml:1:5: error[PAL-D0011]"),
        ("{{- if .Values.x }}\na: 1\n{{- end }}", "a.yaml:1:3: error[PAL-D0016]"),
    ] {
        let parsed = read(text);
        let first = parsed.diagnostics.first().unwrap_or_else(|| panic!("{text} is accepted"));
        assert_eq!(first.to_string().split(": ").take(2).collect::<Vec<_>>().join(": "), expected, "{text}\n{first}");
        assert!(!first.help.is_empty() && !first.labels.is_empty(), "{text}");
    }
}

#[test]
fn a_broken_document_costs_only_itself() {
    let parsed = read("a: 1\n---\nb: [\n---\nc: 3\n---\nd: 'x\n---\ne: 5\n");
    let values: Vec<_> = parsed.documents.iter().map(|document| document.value.to_json()).collect();
    assert_eq!(values, [r#"{"a":1}"#, r#"{"c":3}"#, r#"{"e":5}"#]);
    assert_eq!(parsed.documents.iter().map(|document| document.index).collect::<Vec<_>>(), [0, 2, 4]);
    assert_eq!(parsed.diagnostics.len(), 2);
}

#[test]
fn a_repeated_key_warns_with_both_places() {
    let parsed = read("a: 1\nb: 2\na: 3\n");
    assert_eq!(parsed.documents[0].value.to_json(), r#"{"a":3,"b":2}"#);
    let labels: Vec<_> = parsed.diagnostics[0].labels.iter().map(|label| label.location.to_string()).collect();
    assert_eq!(labels, ["a.yaml:3:1", "a.yaml:1:1"]);
    assert_eq!(place(&parsed.documents[0], "/a"), "3");
}
