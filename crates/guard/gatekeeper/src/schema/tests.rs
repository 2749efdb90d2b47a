//! Tests of schemas.

use palisade_cel::admission::Reader;
use palisade_model::{Path, Resource, Value, json};

use super::{Schema, SchemaReader, constraint_schema};
use crate::codes;

/// The schema, and what reading it reported.
fn read(schema: Value, legacy: bool) -> (Schema, Vec<String>) {
    let document = Resource::in_memory(schema);
    let mut reader = Reader::with_codes(&document, codes::READER);
    let root = reader.root();
    let schema = SchemaReader { reader: &mut reader, legacy }.read(&root);
    (schema, reader.into_diagnostics().into_iter().map(|diagnostic| diagnostic.message).collect())
}

fn breaches(schema: &Schema, value: &Value) -> Vec<String> {
    schema.breaches(value, &Path::root()).into_iter().map(|breach| breach.message).collect()
}

#[test]
fn what_does_not_fit_is_named() {
    let (schema, reported) = read(
        json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "string", "pattern": "^x", "maxLength": 3},
            "b": {"type": "array", "maxItems": 1, "items": {"type": "integer", "minimum": 2}},
            "c": {"type": "object", "additionalProperties": {"type": "boolean"}},
            "d": {"x-kubernetes-int-or-string": true},
            "e": {"type": "string", "enum": ["p", "q"], "nullable": true},
            "f": {"type": "string", "oneOf": [{"pattern": "a"}, {"pattern": "b"}], "not": {"pattern": "z"}},
        }}),
        false,
    );
    assert!(reported.is_empty(), "{reported:?}");
    let good = json!({"a": "xy", "b": [2], "c": {"k": true}, "d": "80%", "e": null, "f": "a"});
    assert!(breaches(&schema, &good).is_empty());
    for (value, wanted) in [
        (json!({}), "must have `a`"),
        (json!({"a": 1}), "`a` must be of type string, not number"),
        (json!({"a": "y"}), "must match"),
        (json!({"a": "xyzz"}), "at most 3 characters, not 4"),
        (json!({"a": "x", "b": [1]}), "`b[0]` must not be less than 2"),
        (json!({"a": "x", "b": [2, 3]}), "at most 1 elements"),
        (json!({"a": "x", "b": [2.5]}), "`b[0]` must be of type integer"),
        (json!({"a": "x", "c": {"k": 1}}), "`c.k` must be of type boolean"),
        (json!({"a": "x", "d": true}), "`d` must be of type integer or string"),
        (json!({"a": "x", "e": "r"}), "must be one of"),
        (json!({"a": null}), "not null"),
        (json!({"a": "x", "f": "ab"}), "exactly one of `oneOf`, not 2"),
        (json!({"a": "x", "f": "az"}), "`not` forbids"),
    ] {
        let found = breaches(&schema, &value);
        assert!(found.iter().any(|message| message.contains(wanted)), "{value}: {found:?}");
    }
}

#[test]
fn defaults_fill_what_is_absent() {
    let (schema, _) = read(
        json!({"type": "object", "properties": {
            "a": {"type": "object", "default": {}, "properties": {"b": {"type": "integer", "default": 3}}},
            "c": {"type": "array", "items": {"type": "object", "properties": {"d": {"type": "string", "default": "x"}}}},
            "e": {"type": "string", "default": "y"},
        }}),
        false,
    );
    let filled = schema.with_defaults(&json!({"c": [{}, {"d": "z"}], "e": null}));
    assert_eq!(filled, json!({"a": {"b": 3}, "c": [{"d": "x"}, {"d": "z"}], "e": "y"}));
}

#[test]
fn unknown_members_are_found_unless_they_are_let_through() {
    let (schema, _) = read(
        json!({"type": "object", "properties": {
            "a": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "b": {"type": "array", "items": {"type": "object"}},
        }}),
        false,
    );
    let unknown = schema.unknown_fields(&json!({"a": {"any": 1}, "b": [{"q": 1}], "z": 1}), &Path::root());
    let unknown: Vec<_> = unknown.iter().map(ToString::to_string).collect();
    assert_eq!(unknown, ["b[0].q", "z"]);
    let (legacy, reported) = read(json!({"properties": {"a": {}}}), true);
    assert!(reported.is_empty() && legacy.unknown_fields(&json!({"z": 1}), &Path::root()).is_empty());
}

#[test]
fn a_structural_schema_says_its_types() {
    let (_, reported) = read(json!({"properties": {"a": {"type": "array"}, "b": {}}}), false);
    assert_eq!(reported.len(), 3, "{reported:?}");
    let (_, reported) = read(json!({"type": "object", "properties": {"a": {"type": "strin", "pattern": "("}}}), false);
    assert_eq!(reported.len(), 2, "{reported:?}");
}

#[test]
fn hostile_schemas_and_values_stop() {
    let mut schema = json!({"type": "string"});
    let mut value = json!("x");
    for _ in 0..100 {
        schema = Value::object(
            [
                ("type".into(), "object".into()),
                ("properties".into(), Value::object([("a".into(), schema)].into_iter().collect())),
            ]
            .into_iter()
            .collect(),
        );
        value = Value::object([("a".into(), value)].into_iter().collect());
    }
    let (deep, reported) = read(schema, false);
    assert!(reported.iter().any(|message| message.contains("too deeply")));
    assert!(deep.breaches(&value, &Path::root()).is_empty());
    let mut branches = vec![json!({"type": "integer"}); 5_000];
    branches.push(json!({"type": "string"}));
    let mut items = json!({"x-kubernetes-preserve-unknown-fields": true});
    items.as_object_mut().unwrap().insert("anyOf", branches);
    let mut wide = json!({"type": "array"});
    wide.as_object_mut().unwrap().insert("items", items);
    let (wide, reported) = read(wide, false);
    assert!(reported.is_empty());
    let found = breaches(&wide, &Value::array(vec![Value::from("x"); 2_000]));
    assert!(found.iter().any(|message| message.contains("too many alternatives")), "{found:?}");
    let (list, _) = read(json!({"type": "array", "items": {"type": "integer"}}), false);
    let many = Value::array(vec![Value::from("x"); 100_000]);
    assert_eq!(list.breaches(&many, &Path::root()).len(), 20);
}

#[test]
fn gatekeepers_own_fields_are_checked() {
    let schema = constraint_schema(None);
    let constraint = |spec: Value| {
        let mut object =
            json!({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "A", "metadata": {"name": "a"}});
        object.as_object_mut().unwrap().insert("spec", spec);
        object
    };
    let fits = constraint(json!({"match": {"namespaces": ["kube-*"], "labelSelector": {"matchLabels": {"a": "b"}}}}));
    assert!(breaches(&schema, &fits).is_empty());
    assert!(!breaches(&schema, &constraint(json!({"match": {"namespaces": ["k*e"]}}))).is_empty());
    assert!(!breaches(&schema, &constraint(json!({"match": {"kinds": ["Pod"]}}))).is_empty());
    let unknown = schema.unknown_fields(&constraint(json!({"parameters": {"a": 1}})), &Path::root());
    assert_eq!(unknown.len(), 1, "the template declares no parameters");
}
