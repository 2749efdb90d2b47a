//! Policies that would run away end at a limit, and the finding says where.

use palisade_model::Source;

use super::*;
use crate::compile::{CompileOptions, compile};
use crate::syntax::ast::Version;
use crate::syntax::parse;

const LIMITS: Limits = Limits { steps: 300_000, bytes: 8 << 20, depth: 500 };

fn evaluate(text: &str) -> Result<Option<Value>, EvalError> {
    let (module, found) = parse(Source::new("hostile.rego", text), Version::V1);
    assert!(found.is_empty(), "{found:?}");
    let program = compile(&[module.unwrap()], &[], CompileOptions::default()).unwrap();
    let mut machine = Machine::new(Arc::new(program));
    machine.session(Inputs { limits: LIMITS, ..Inputs::empty() }).evaluate(&["p".into()])
}

/// `package p`, a first rule, and as many rules that each build on the one before.
fn chain(first: &str, count: usize, next: impl Fn(usize) -> String) -> String {
    let rules: Vec<String> = (1..=count).map(next).collect();
    format!("package p\n{first}\n{}", rules.join("\n"))
}

#[test]
fn runaway_policies_end_at_a_limit_that_is_named() {
    let policies = [
        ("package p\na := numbers.range(1, 1000000000000)".to_owned(), "bytes"),
        (
            "package p\nr := numbers.range(1, 1000)\na contains [i, j] if { some i in r; some j in r }".to_owned(),
            "used up",
        ),
        (chain("a0 := \"x\"", 60, |n| format!("a{n} := concat(\"\", [a{}, a{}])", n - 1, n - 1)), "bytes"),
        (chain("a0 := [1]", 60, |n| format!("a{n} := array.concat(a{}, a{})", n - 1, n - 1)), "used up"),
        (chain("f0(x) := [x]", 30, |n| format!("f{n}(x) := f{}(f{}(x))", n - 1, n - 1)) + "\na := f30(1)", "nested"),
        (chain("f0(x) := x", 600, |n| format!("f{n}(x) := f{}(x) + 1", n - 1)) + "\na := f600(1)", "levels deep"),
        (
            chain("a0 := [1]", 60, |n| format!("a{n} := [a{}, a{}]", n - 1, n - 1)) + "\nb := [x | walk(a60, x)]",
            "used up",
        ),
        (chain("a0 if input.x", 600, |n| format!("a{n} if a{} with input.x as {n}", n - 1)), "levels deep"),
    ];
    for (policy, limit) in policies {
        let error = evaluate(&policy).unwrap_err();
        assert_eq!(error.code, ErrorCode::Cancel, "{policy}");
        let diagnostic = error.to_diagnostic().to_string();
        assert!(diagnostic.contains(limit), "{diagnostic}\n{policy}");
        assert!(diagnostic.contains("hostile.rego:") && diagnostic.contains("`data.p."), "{diagnostic}");
    }
}

#[test]
fn patterns_that_backtrack_elsewhere_are_linear_and_huge_ones_are_refused() {
    let policy = r#"package p
        a := regex.match(`(a+)+$`, concat("", ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "b"]))
        b := regex.match(`((((a{100}){100}){100}){100}){100}`, "a")"#;
    assert_eq!(evaluate(policy).unwrap().unwrap().to_json(), r#"{"a":false}"#);
}
