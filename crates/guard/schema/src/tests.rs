//! What schemas refuse, in OPA's words.

use palisade_rego_value::Value;

use super::{Schema, Unjudged};

fn json(text: &str) -> Value {
    Value::from(&palisade_model::Value::from_json(text).unwrap())
}

fn violations(schema: &str, document: &str) -> Vec<String> {
    let schema = Schema::compile(&json(schema)).unwrap();
    let found = schema.validate(&json(document), &mut 10_000).unwrap();
    found.iter().map(|one| format!("{} {}: {}", one.kind, one.field, one.description)).collect()
}

#[test]
fn violations_say_where_and_what() {
    let schema = r##"{
        "type": "object", "required": ["id"], "additionalProperties": false,
        "properties": {"id": {"type": "integer", "minimum": 1e6}, "tags": {"items": {"$ref": "#/definitions/tag"}}},
        "definitions": {"tag": {"enum": ["a", 1.0], "$comment": "referred to"}}
    }"##;
    assert_eq!(violations(schema, r#"{"id": 1000000.0, "tags": ["a", 1]}"#), Vec::<String>::new());
    assert_eq!(
        violations(schema, r#"{"tags": ["b"], "x": 1}"#),
        [
            "required (Root): id is required",
            "additional_property_not_allowed (Root): Additional property x is not allowed",
            "enum tags.0: tags.0 must be one of the following: \"a\", 1",
        ]
    );
    assert_eq!(violations(schema, r#"{"id": 5}"#), ["number_gte id: Must be greater than or equal to 1e+06"]);
    assert_eq!(violations(schema, "[]"), ["invalid_type (Root): Invalid type. Expected: object, given: array"]);
}

#[test]
fn the_schema_that_held_best_tells_its_violations() {
    let schema = r#"{"anyOf": [{"type": "integer"}, {"minLength": 3}]}"#;
    assert_eq!(
        violations(schema, r#""a""#),
        [
            "number_any_of (Root): Must validate at least one schema (anyOf)",
            "string_gte (Root): String length must be greater than or equal to 3",
        ]
    );
    assert!(violations(r#"{"if": {"type": "null"}, "then": false, "else": {"multipleOf": 0.1}}"#, "0.3").is_empty());
}

#[test]
fn wrong_schemas_are_refused_in_opas_words() {
    for (schema, error) in [
        (r#"{"properties": {"a": {"minLength": -1}}}"#, "minLength must be greater than or equal to 0"),
        (r#"{"required": ["a", "a"]}"#, "required items must be unique"),
        (r#"{"exclusiveMinimum": true}"#, "exclusiveMinimum cannot be used without minimum"),
        (r##"{"$ref": "#/definitions/a"}"##, "Object has no key 'definitions'"),
        (r#"{"oneOf": [3]}"#, "Expected: Valid Schema, given: Invalid JSON"),
        ("[]", "schema is invalid"),
    ] {
        assert_eq!(Schema::compile(&json(schema)).unwrap_err(), error);
    }
}

#[test]
fn circles_end() {
    let schema = Schema::compile(&json(r##"{"$ref": "#"}"##)).unwrap();
    assert_eq!(schema.validate(&Value::Null, &mut 10_000), Err(Unjudged::TooDeep));
    let tree = r##"{"properties": {"next": {"$ref": "#"}}, "maxProperties": 1}"##;
    assert_eq!(violations(tree, r#"{"next": {"next": {"a": 1, "b": 2}}}"#).len(), 1);
    let many = Schema::compile(&json(r#"{"items": {"type": "integer"}}"#)).unwrap();
    assert_eq!(many.validate(&Value::array(vec![Value::Null; 100]), &mut 50), Err(Unjudged::TooManySteps));
}
