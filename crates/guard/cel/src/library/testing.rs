//! Expressions as the tests of the libraries write them.

use crate::{Budget, Env, Scope};

/// The value of an expression as text: JSON, or `error: ...`.
pub(super) fn evaluate(env: &Env, scope: &impl Scope, source: &str) -> String {
    let program = match env.compile(source) {
        Ok(program) => program,
        Err(errors) => panic!("{source}: {errors:?}"),
    };
    match program.evaluate(scope, &mut Budget::default()).and_then(|value| value.to_value()) {
        Ok(value) => value.to_json(),
        Err(error) => format!("error: {error}"),
    }
}

/// Asserts that expressions have these values.
pub(super) fn check(evaluate: fn(&str) -> String, cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(evaluate(source), *expected, "{source}");
    }
}

/// Asserts that expressions are true.
pub(super) fn holds(evaluate: fn(&str) -> String, sources: &[&str]) {
    for source in sources {
        assert_eq!(evaluate(source), "true", "{source}");
    }
}
