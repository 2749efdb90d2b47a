//! Edits keep what they do not touch, and always read back as wanted.

use super::*;
use crate::{expand_lists, parse};

fn edit(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let parsed = parse("a.yaml", text.as_bytes(), &Limits::default());
    let document = &parsed.documents[0];
    let mut new = document.value.clone();
    change(&mut new);
    apply(document, &new).unwrap()
}

fn at<'a>(value: &'a mut Value, pointer: &str) -> &'a mut Value {
    Path::from_pointer(pointer).0.iter().fold(value, |value, segment| match segment {
        Segment::Key(key) => value.as_object_mut().unwrap().entry(key),
        Segment::Index(index) => &mut value.as_array_mut().unwrap()[*index],
    })
}

const POD: &str = "# a pod
apiVersion: v1
kind: Pod # the kind
metadata:
  name: 'web'   # quoted
spec:
  # the containers
  containers:
    - name: a # first
      image: \"nginx:1\" # pinned
      ports: [80, 443]
    # the second
    - name: b
      image: busybox

  hostNetwork: true # bad
# the end
";

#[test]
fn scalars_are_replaced_in_their_quotes() {
    let text = edit(POD, |pod| {
        *at(pod, "/metadata/name") = "it's".into();
        *at(pod, "/spec/containers/0/image") = "nginx:2".into();
        *at(pod, "/spec/hostNetwork") = false.into();
        *at(pod, "/spec/containers/0/ports/1") = Value::Int(8443);
    });
    let expected = POD
        .replace("'web'", "'it''s'")
        .replace("\"nginx:1\"", "\"nginx:2\"")
        .replace("true # bad", "false # bad")
        .replace("443]", "8443]");
    assert_eq!(text, expected);
}

#[test]
fn members_are_inserted_and_deleted_with_their_lines() {
    let text = edit(POD, |pod| {
        at(pod, "/spec").as_object_mut().unwrap().remove("hostNetwork");
        at(pod, "/metadata").as_object_mut().unwrap().insert("labels", palisade_model::json!({"app": "web"}));
        *at(pod, "/spec/containers/1/securityContext") = palisade_model::json!({"drop": ["ALL"], "run": "yes"});
        *at(pod, "/spec/containers/0/ports") = palisade_model::json!([80, 443, 8080]);
    });
    let expected = POD
        .replace("   # quoted\n", "   # quoted\n  labels:\n    app: web\n")
        .replace("\n  hostNetwork: true # bad\n", "\n")
        .replace(
            "image: busybox\n",
            "image: busybox\n      securityContext:\n        drop:\n          - ALL\n        run: \"yes\"\n",
        )
        .replace("443]", "443, 8080]");
    assert_eq!(text, expected);
}

#[test]
fn a_container_comes_and_goes_without_touching_its_siblings() {
    let inserted = edit(POD, |pod| {
        at(pod, "/spec/containers")
            .as_array_mut()
            .unwrap()
            .insert(1, palisade_model::json!({"image": "x", "name": "m"}));
    });
    assert_eq!(inserted, POD.replace("443]\n", "443]\n    - image: x\n      name: m\n"));
    let first = edit(POD, |pod| {
        at(pod, "/spec/containers").as_array_mut().unwrap().insert(0, palisade_model::json!({"name": "m"}));
    });
    assert_eq!(first, POD.replace("    - name: a", "    - name: m\n    - name: a"));
    let deleted = edit(POD, |pod| {
        at(pod, "/spec/containers").as_array_mut().unwrap().remove(0);
    });
    assert_eq!(
        deleted,
        POD.replace("    - name: a # first\n      image: \"nginx:1\" # pinned\n      ports: [80, 443]\n", "")
    );
}

#[test]
fn the_first_key_behind_a_dash_can_go() {
    let text = edit("- a: 1 # x\n  b: 2\n  c: 3\n- d: 4\n", |list| {
        at(list, "/0").as_object_mut().unwrap().remove("a");
    });
    assert_eq!(text, "- b: 2\n  c: 3\n- d: 4\n");
}

#[test]
fn types_can_change_in_place() {
    for (text, pointer, new, expected) in [
        ("a: 1 # c\nb: 2\n", "/a", "{\"x\":[1]}", "a: # c\n  x:\n  - 1\nb: 2\n"),
        ("a:\n  x: 1\nb: 2\n", "/a", "\"yes\"", "a: \"yes\"\nb: 2\n"),
        ("a: {}\nb: 2\n", "/a", "{\"x\":1}", "a:\n  x: 1\nb: 2\n"),
        ("a:\nb: 2\n", "/a", "5", "a: 5\nb: 2\n"),
        ("a:\n- 1\n- 2\n", "/a", "[]", "a: []\n"),
        ("-\n- 2\n", "/0", "{\"x\":1,\"z\":2}", "- x: 1\n  z: 2\n- 2\n"),
        ("a: {b: 1, c: 2}\n", "/a", "{\"c\":3,\"d\":[1]}", "a: {c: 3, d: [1]}\n"),
        ("a: x\nb: 1", "/a", "\"l1\\nl2\\n\"", "a: |\n  l1\n  l2\nb: 1"),
        ("a: |\n  l1\nb: 1\n", "/a", "\"l2\\nl3\\n\"", "a: |\n  l2\n  l3\nb: 1\n"),
        ("a: |+\n  l1\n\nb: 1\n", "/c", "1", "a: |+\n  l1\n\nb: 1\nc: 1\n"),
    ] {
        let changed = edit(text, |value| *at(value, pointer) = Value::from_json(new).unwrap());
        assert_eq!(changed, expected, "{text}");
    }
}

#[test]
fn aliases_and_merges_are_overridden_not_spread() {
    let text = "base: &b {x: 1}\nuse: *b # alias\nmerged:\n  <<: *b\n  own: 1\n";
    let changed = edit(text, |value| {
        *at(value, "/use/x") = Value::Int(2);
        *at(value, "/merged/x") = Value::Int(3);
    });
    assert_eq!(changed, "base: &b {x: 1}\nuse: # alias\n  x: 2\nmerged:\n  <<: *b\n  own: 1\n  x: 3\n");
}

#[test]
fn json_stays_json() {
    let text = "{\n    \"a\": {\n        \"b\": 1\n    },\n    \"c\": [1, 2]\n}\n";
    let changed = edit(text, |value| {
        *at(value, "/a/b") = "x".into();
        *at(value, "/a/n") = palisade_model::json!({"k": [1]});
    });
    assert!(changed.starts_with("{\n    \"a\": {\n        \"b\": \"x\",\n        \"n\": {\n"), "{changed}");
    assert!(Value::from_json(&changed).is_ok() && changed.ends_with("\"c\": [1, 2]\n}\n"));
}

#[test]
fn documents_of_a_file_and_items_of_a_list_are_edited_together() {
    let text = "a: 1\r\n---\r\napiVersion: v1\r\nkind: List\r\nitems:\r\n- b: 1 # c\r\n- b: 2\r\n---\r\nd: 1\r\n";
    let parsed = parse("a.yaml", text.as_bytes(), &Limits::default());
    let documents: Vec<_> = parsed.documents.into_iter().flat_map(expand_lists).collect();
    let changes = [
        (documents[1].clone(), palisade_model::json!({"b": 9, "m": 1})),
        (documents[3].clone(), palisade_model::json!({"d": 2})),
    ];
    let changed = apply_all(&documents[0].source, &changes).unwrap();
    assert_eq!(changed, text.replace("b: 1 # c", "b: 9 # c\r\n  m: 1").replace("d: 1", "d: 2"));
    let stranger = parse("a.yaml", b"z: 1", &Limits::default()).documents.remove(0);
    assert!(matches!(apply_all(&documents[0].source, &[(stranger, Value::Null)]), Err(EditError::Unknown { .. })));
}

#[test]
fn comments_stay_beside_what_they_are_about() {
    for (text, pointer, new, expected) in [
        ("a: # none yet\n# c\nb: 2\n", "/a", r#"{"x":1}"#, "a: # none yet\n  x: 1\n# c\nb: 2\n"),
        ("a: # none yet\nb: 2\n", "/a", "5", "a: 5 # none yet\nb: 2\n"),
        ("a: []  # no\nb: 2\n", "/a", "[1]", "a:  # no\n- 1\nb: 2\n"),
        ("a: {} # tbd\n", "/a", r#"{"x":1}"#, "a: # tbd\n  x: 1\n"),
        ("a: ~ # later\n", "/a", r#"{"x":1}"#, "a: # later\n  x: 1\n"),
        ("a: 1 # c\n", "/a", r#""l1\nl2\n""#, "a: | # c\n  l1\n  l2\n"),
        ("a: | # c\n  l1\nb: 1\n", "/a", r#""x""#, "a: x # c\nb: 1\n"),
        ("a: # c\n  x: 1 # x\nb: 1\n", "/a", "1", "a: 1 # c\nb: 1\n"),
        ("- {} # c\n- 2\n", "/0", r#"{"x":1,"z":2}"#, "- x: 1 # c\n  z: 2\n- 2\n"),
        ("l: {\n  a: b, # ig\n}\n", "/l/e", r#""on""#, "l: {\n  a: b, # ig\n  e: \"on\",\n}\n"),
        ("l: [\n  a, # 1\n  b  # 2\n]\n", "/l", r#"["a","b","c"]"#, "l: [\n  a, # 1\n  b,  # 2\n  c\n]\n"),
        ("l: [\n  a, # 1\n  b  # 2\n]\n", "/l", r#"["a"]"#, "l: [\n  a # 1\n]\n"),
        ("l: [\n  a, # 1\n  b  # 2\n]\n", "/l", r#"["b"]"#, "l: [\n  b  # 2\n]\n"),
        ("l: [a, # 1\n  b]\n", "/l", r#"["a"]"#, "l: [a # 1\n  ]\n"),
        ("l: [\n  a, # 1\n  b  # 2\n]\n", "/l", r#"["a","c"]"#, "l: [\n  a, # 1\n  c  # 2\n]\n"),
        ("{\"l\":{\"a\":1},\n\"b\":2}\n", "/l/e", r#"{"x":1}"#, "{\"l\":{\"a\":1,\"e\":{\"x\":1}},\n\"b\":2}\n"),
    ] {
        let changed = edit(text, |value| *at(value, pointer) = Value::from_json(new).unwrap());
        assert_eq!(changed, expected, "{text}");
    }
}
