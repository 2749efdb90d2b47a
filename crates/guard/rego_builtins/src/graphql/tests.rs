//! Trees, and what is wrong with queries and schemas, in OPA's words.

use crate::testing::call;

fn text(text: &str) -> String {
    palisade_rego_value::Value::from(text).to_json()
}

fn parsed(query: &str, schema: &str) -> String {
    call("graphql.parse", &[&text(query), &text(schema)])
}

#[test]
fn trees_have_the_shape_of_opas() {
    assert_eq!(
        call("graphql.parse_query", &[&text("{ a: b(x: [1, $y]) }")]),
        concat!(
            r#"{"Operations": [{"Name": "", "Operation": "query", "SelectionSet": [{"Alias": "a", "Arguments": [{"#,
            r#""Name": "x", "Value": {"Children": [{"Name": "", "Value": {"ExpectedTypeHasDefault": false, "#,
            r#""Kind": 1, "Raw": "1"}}, {"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 0, "#,
            r#""Raw": "y"}}], "ExpectedTypeHasDefault": false, "Kind": 8, "Raw": ""}}], "Name": "b"}]}]}"#
        )
    );
    assert_eq!(call("graphql.parse_schema", &[&text("# nothing")]), "{}");
}

#[test]
fn wrong_texts_say_where() {
    for (query, error) in [
        ("{", "Expected Name, found <EOF> in GraphQL string at location 1:2"),
        ("query {\n  a(x: ) }", "Unexpected ) in GraphQL string at location 2:8"),
        ("fragment on on T { a }", r#"Unexpected Name "on" in GraphQL string at location 1:10"#),
        ("{ a(b:'x') }", "Unexpected <Invalid> in GraphQL string at location 1:7"),
    ] {
        assert!(call("graphql.parse_query", &[&text(query)]).ends_with(error), "{query}");
    }
    let deep = "{a".repeat(5_000);
    assert!(call("graphql.parse_query", &[&text(&deep)]).contains("nested deeper"));
}

#[test]
fn queries_are_checked_against_the_schema() {
    const SCHEMA: &str = "type Query { a(x: Int!): Int b: T } type T { c: [String!]! }";
    for (query, error) in [
        ("{ b { c } a(x: 1) }", ""),
        (
            "{ a }",
            r#"argument "x" of type "Int!" is required, but it was not provided in GraphQL string at location 1:3"#,
        ),
        ("{ b }", r#"Field "b" of type "T" must have a selection of subfields. Did you mean "b { ... }"?"#),
        ("query($x: Int!) { b { c } }", r#"Variable "$x" is never used"#),
        ("{ ...F } fragment F on Query { ...F }", r#"Cannot spread fragment "F" within itself"#),
        ("{ a(x: 1) a(x: 2) }", r#"Fields "a" conflict because they have differing arguments"#),
        ("mutation { a }", r#"Schema does not support operation type "mutation""#),
    ] {
        let outcome = parsed(query, SCHEMA);
        let valid = call("graphql.is_valid", &[&text(query), &text(SCHEMA)]);
        assert!(outcome.contains(error), "{query}: {outcome}");
        assert_eq!(valid, (error.is_empty()).to_string(), "{query}");
    }
}

#[test]
fn schemas_are_checked() {
    for (schema, valid) in [
        ("type Query { a: Int } extend type Query { b: Int }", "true"),
        ("type Query { a: Missing }", "false"),
        ("type Query implements I { a: Int } interface I { b: Int }", "false"),
        ("enum E { true }", "false"),
    ] {
        assert_eq!(call("graphql.schema_is_valid", &[&text(schema)]), valid, "{schema}");
    }
}
