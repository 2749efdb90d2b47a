//! Evaluation, as policies use it.

use palisade_model::json;

use crate::library::standard;
use crate::{Bindings, Budget, Env, EvalError, Type, Val};

fn env() -> Env {
    Env::builder().libraries(standard::extensions()).variable("object", Type::Dyn).build()
}

fn run(source: &str) -> Result<Val, EvalError> {
    let pod = json!({
        "metadata": {"name": "web", "labels": {"app": "a"}},
        "spec": {
            "replicas": 3,
            "containers": [
                {"name": "a", "image": "nginx:1.2", "securityContext": {"privileged": false}},
                {"name": "b", "image": "redis"}
            ]
        }
    });
    let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
    program.evaluate(&Bindings::new().with("object", pod), &mut Budget::default())
}

fn holds(source: &str) -> bool {
    run(source).unwrap_or_else(|error| panic!("{source}: {error}")) == Val::Bool(true)
}

#[test]
fn typical_policies_evaluate() {
    assert!(holds(
        "object.spec.containers.all(c, !has(c.securityContext) || c.securityContext.?privileged.orValue(false) == false)"
    ));
    assert!(holds("object.spec.containers.exists(c, c.image.contains(':') && !c.image.endsWith(':latest'))"));
    assert!(holds("object.spec.containers.map(c, c.name) == ['a', 'b']"));
    assert!(holds("object.spec.containers.filter(c, c.name in ['b', 'c']).size() == 1"));
    assert!(holds("object.metadata.?annotations[?'x'].orValue('none') == 'none'"));
    assert!(holds("(object.spec.containers + object.spec.?initContainers.orValue([])).size() == 2"));
    assert!(holds("cel.bind(n, object.spec.replicas, n > 2 && n < 4.5)"));
}

#[test]
fn errors_are_absorbed_only_where_cel_says_so() {
    assert!(holds("object.spec.missing.x == 1 || true"));
    assert!(holds("!(object.spec.missing.x == 1 && false)"));
    assert_eq!(run("object.spec.missing"), Err(EvalError::NoSuchKey("missing".into())));
    assert!(run("object.spec.containers.all(c, c.securityContext.privileged == false)").is_err());
    assert!(holds("object.spec.containers.exists(c, c.securityContext.privileged == false)"));
    assert_eq!(run("1 / 0"), Err(EvalError::DivisionByZero));
    assert_eq!(run("9223372036854775807 + 1"), Err(EvalError::Overflow("integer")));
}

#[test]
fn explosive_expressions_run_out_of_budget() {
    for source in [
        "lists.range(1000000000).size() > 0",
        "lists.range(3000).all(a, lists.range(3000).all(b, a + b >= 0))",
        "lists.range(1000).map(a, lists.range(1000).map(b, lists.range(1000))).size() > 0",
        "lists.range(60).map(i, 'x').join('y').replace('', 'zzzzzzzzzz').replace('', 'zzzzzzzzzzzzzzzzzzzzz')
            .replace('', 'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz').replace('', 'zzzzzzzzzzzzzzzzzzzzzzzzzzz').replace('z', 'zzzzzzz').size() > 0",
    ] {
        assert!(matches!(run(source), Err(EvalError::CostExceeded { .. })), "{source}");
    }
}

#[test]
fn a_spent_budget_is_not_absorbed() {
    let program = env().compile("lists.range(1000).all(i, i >= 0) || true").unwrap();
    let spent = program.evaluate(&Bindings::new(), &mut Budget::new(100));
    assert_eq!(spent.unwrap_err(), EvalError::CostExceeded { limit: 100 });
}
