//! What the checker accepts, refuses and deduces.

use std::collections::HashMap;

use crate::library::standard;
use crate::{Bindings, Budget, Env, ObjectType, Type, Val};

fn env() -> Env {
    let fields = HashMap::from([("name".into(), Type::String), ("count".into(), Type::Int)]);
    Env::builder()
        .libraries(standard::extensions())
        .variable("d", Type::Dyn)
        .variable("s", Type::String)
        .variable("list", Type::list(Type::Int))
        .variable("o", Type::object("Thing"))
        .variable("variables.image", Type::String)
        .object_type(ObjectType { name: "Thing".into(), fields })
        .build()
}

fn deduced(source: &str) -> String {
    env().compile(source).unwrap_or_else(|errors| panic!("{source}: {errors:?}")).result_type().to_string()
}

/// The text that the error points at, and the error in words.
fn error(source: &str) -> (String, String) {
    let errors = env().compile(source).expect_err(source);
    (source.get(errors[0].span.clone()).unwrap().to_owned(), errors[0].to_string())
}

#[test]
fn types_are_deduced() {
    for (source, of) in [
        ("d.a.b", "dyn"),
        ("d + 1", "int"),
        ("d + d", "dyn"),
        ("d < 1", "bool"),
        ("list.map(x, x > 1)", "list(bool)"),
        ("[1, d]", "list(dyn)"),
        ("[1, 'a']", "list(dyn)"),
        ("{'a': [1.0]}", "map(string, list(double))"),
        ("o.?name", "optional_type(string)"),
        ("o.?name.orValue('x')", "string"),
        ("s.split(',').filter(x, x != '').size()", "int"),
        ("true ? [] : [1u]", "list(uint)"),
        ("variables.image.startsWith('a')", "bool"),
        ("{'a': 1}.transformMap(k, v, k + string(v))", "map(string, string)"),
        ("cel.bind(x, [s], x[0])", "string"),
        ("type(1) == int", "bool"),
    ] {
        assert_eq!(deduced(source), of, "{source}");
    }
}

#[test]
fn errors_point_at_the_place_and_name_a_remedy() {
    for (source, place, message) in [
        (
            "1 + s",
            "1 + s",
            "no matching overload for `+` between `int` and `string` (convert one side, or wrap it in `dyn()`)",
        ),
        ("d || nothing", "nothing", "undeclared reference to `nothing`"),
        ("lst.size()", "lst", "undeclared reference to `lst` (did you mean `list`?)"),
        ("s.splt(',')", "s.splt(',')", "unknown function `splt` (did you mean `split`?)"),
        ("list.all(s)", "list.all(s)", "unknown function `all` (the macro `all` takes 2 arguments)"),
        (
            "s.startsWith(1)",
            "s.startsWith(1)",
            "no matching overload for `string.startsWith(int)` (it takes `string.startsWith(string)`)",
        ),
        ("o.nam", "o.nam", "undefined field `nam` of `Thing` (did you mean `name`?)"),
        ("list.exists(x, x + 1)", "x + 1", "the condition must be `bool`, not `int`"),
        ("s.map(x, x)", "s", "a loop walks lists and maps, not `string`"),
        ("s && true", "s", "an operand of `&&` must be `bool`, not `string`"),
        ("s.field", "s.field", "type `string` does not support field selection"),
        ("(1", "", "expected `)`, found the end of the expression"),
        ("variables.other", "variables", "undeclared reference to `variables`"),
    ] {
        assert_eq!(error(source), (place.to_owned(), message.to_owned()), "{source}");
    }
}

#[test]
fn all_errors_are_reported() {
    assert_eq!(env().compile("a == 1 && b == 2").unwrap_err().len(), 2);
}

#[test]
fn literals_of_one_type_are_required_where_kubernetes_requires_them() {
    let strict = env().extend().homogeneous_aggregates(true).build();
    assert!(strict.compile("[1, 2] + [3]").is_ok());
    assert!(strict.compile("[dyn(1), dyn('a')]").is_ok());
    assert!(strict.compile("'%s %d'.format(['a', 1])").is_ok());
    assert_eq!(strict.compile("[1, 'a']").unwrap_err()[0].message, "expected type `int` but found `string`");
    assert!(strict.compile("[s, d]").is_err());
    assert!(strict.compile("{'a': 1, 'b': 's'}").is_err());
}

#[test]
fn dotted_variables_are_asked_for_by_their_whole_name() {
    let program =
        env().compile("variables.image + variables.?image.orValue('') + (has(variables.image) ? '!' : '')").unwrap();
    assert_eq!(program.references(), ["variables.image".into()]);
    let value = program.evaluate(&Bindings::new().with("variables.image", "a"), &mut Budget::default());
    assert_eq!(value, Ok(Val::from("aa!")));
}
