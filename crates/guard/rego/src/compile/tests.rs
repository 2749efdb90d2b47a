//! What is accepted, what is reported, and what plans look like, by text.

use palisade_model::{Diagnostic, Source};

use super::{CompileOptions, compile};
use crate::plan::{Block, Emit, Program, RuleKind, Step};
use crate::syntax::ast::{Module, Version};
use crate::syntax::parse;

fn modules(texts: &[&str]) -> Vec<Module> {
    let parse = |text: &&str| {
        let (module, found) = parse(Source::new("test.rego", *text), Version::V1);
        assert!(found.is_empty(), "{found:?}");
        module.unwrap()
    };
    texts.iter().map(parse).collect()
}

fn accepted(text: &str) -> Program {
    compile(&modules(&[text]), &[], CompileOptions::default()).unwrap_or_else(|found| panic!("{text}: {found:?}"))
}

fn found_in(texts: &[&str], strict: bool) -> Vec<String> {
    let options = CompileOptions { strict, ..CompileOptions::default() };
    let found = compile(&modules(texts), &[], options).expect_err("nothing is reported");
    found.iter().map(Diagnostic::to_string).collect()
}

/// Asserts that the only mistake of a module is told so, `test.rego:` left out.
fn reported(text: &str, expected: &str) {
    let found = found_in(&[&format!("package a\n{text}")], false);
    assert_eq!(found, [format!("test.rego:{expected}")], "{text}");
}

#[test]
fn conditions_wait_for_the_values_they_need() {
    let program = accepted("package a\np if {\n\tx > 1\n\tx = y + 1\n\ty = input.n\n}\n");
    let [rule] = program.rules.as_slice() else { panic!() };
    let [Step::Get { .. }, Step::Call { .. }, Step::Compare { .. }] = rule.definitions[0].branches[0].steps.as_slice()
    else {
        panic!("{:?}", rule.definitions[0].branches[0].steps)
    };
}

#[test]
fn variables_without_values_are_unsafe() {
    reported("p if x > 1", "2:6: error[PAL-R0102]: rego_unsafe_var_error: var x is unsafe");
    reported("p := x", "2:6: error[PAL-R0102]: rego_unsafe_var_error: var x is unsafe");
    reported("p if not data.xs[_]", "2:18: error[PAL-R0102]: rego_unsafe_var_error: var _ is unsafe");
    reported("f(x) := y if y > x", "2:14: error[PAL-R0102]: rego_unsafe_var_error: var y is unsafe");
    reported("p := [x | y = 1]", "2:7: error[PAL-R0102]: rego_unsafe_var_error: var x is unsafe");
    accepted("package a\np if { [x, {\"k\": [1, y]}] = [y, {\"k\": [1, input.z]}]; x == y }\n");
    accepted("package a\np := [x | some y in input; x := y]\nq if { walk(input, [path, value]); path[0] == value }\n");
}

#[test]
fn operands_without_braces_give_no_values_to_names() {
    let reported = |condition: &str, expected: &str| {
        let found = found_in(&[&format!("package a\nimport future.keywords\np if {{ {condition} }}")], false);
        assert!(found[0].ends_with(expected), "{condition}: {found:?}");
    };
    reported("x = 1 or input.b", "rego_unsafe_var_error: var x is unsafe");
    reported("{ x = 1 } and x == 1", "rego_unsafe_var_error: var x is unsafe");
    reported("input.list[_] == 1 or input.b", "rego_unsafe_var_error: var _ is unsafe");
    reported("not input.list[_]", "rego_unsafe_var_error: var _ is unsafe");
    reported("x := 1 or input.b", "rego_compile_error: cannot assign vars inside implicit or operand");
    reported("x := 1 and input.b", "rego_compile_error: cannot assign vars inside implicit and operand");
    reported("not x := 1", "rego_compile_error: cannot assign vars inside negated expression");
    accepted("package a\nimport future.keywords\np if { { x := 1; x > 0 } or input.b; not { y = 2; y == 3 } }\n");
}

#[test]
fn rules_that_need_themselves_are_reported_with_the_circle() {
    let found = found_in(&["package a\np if data.b.q\n", "package b\nq if data.a.p\n"], false);
    assert_eq!(found.len(), 2);
    assert!(found[0].contains("rego_recursion_error: rule data.a.p is recursive: data.a.p -> data.b.q -> data.a.p"));
    reported(
        "p if count(data.a[x]) > 1",
        "2:1: error[PAL-R0103]: rego_recursion_error: rule data.a.p is recursive: data.a.p -> data.a.p",
    );
    accepted("package a.b\np if data.a[x].q\n");
}

#[test]
fn names_that_nothing_defines_are_reported_with_what_is_near() {
    let found = compile(&modules(&["package a\np if startwith(input.x, \"a\")\n"]), &[], CompileOptions::default());
    let found = found.unwrap_err();
    assert_eq!(found[0].message, "rego_type_error: undefined function startwith");
    assert_eq!(found[0].help, ["did you mean `startswith`?"]);
    reported(
        "f(x) := x\np := f(1, 2)",
        "3:6: error[PAL-R0101]: rego_type_error: function data.a.f has arity 1, got 2 arguments",
    );
}

#[test]
fn definitions_of_a_name_must_agree() {
    reported("p := 1\np contains 2", "3:1: error[PAL-R0105]: rego_type_error: conflicting rules data.a.p found");
    reported("p := 1\np.q := 2", "2:1: error[PAL-R0105]: rego_type_error: rule data.a.p conflicts with [data.a.p.q]");
    reported(
        "default p := 1\ndefault p := 2",
        "3:9: error[PAL-R0105]: rego_type_error: multiple default rules data.a.p found",
    );
    let program =
        accepted("package a\np[x].y := 1 if some x in input\np.q.z := 2\np.s contains 3\ndefault p.q.w := 4\n");
    let kinds: Vec<_> = program.rules.iter().map(|rule| (rule.path.len(), rule.kind)).collect();
    assert_eq!(kinds, [(2, RuleKind::Object), (4, RuleKind::Complete), (4, RuleKind::Complete)]);
    assert_eq!(program.rules[0].definitions.len(), 4, "values within an object are members of it");
}

#[test]
fn declarations_are_checked() {
    reported("p if { x := 1; x := 2 }", "2:16: error[PAL-R0104]: rego_compile_error: var x assigned above");
    reported("p if { x = 1; x := 2 }", "2:15: error[PAL-R0104]: rego_compile_error: var x referenced above");
    reported("p if { some x; true }", "2:13: error[PAL-R0104]: rego_compile_error: declared var x unused");
    accepted("package a\nx := 1\np if { x := 2; y := [x | x := 3]; y[0] != x }\n");
}

#[test]
fn types_that_never_fit_are_reported() {
    reported(
        "p if count(1) > 0",
        "2:12: error[PAL-R0101]: rego_type_error: count: invalid argument(s): argument 1 is number, \
         want array or object or set or string",
    );
    reported(
        "r := \"x\"\np if r == 1",
        "3:6: error[PAL-R0101]: rego_type_error: match error: string never equals number",
    );
    accepted("package a\np if input.x == 1\nq if { x := [1, \"a\"][_]; x == \"a\" }\n");
}

#[test]
fn strict_mode_reports_what_is_unused() {
    let text = "package a\nimport data.lib\nf(x) := 1\np if { y := 1; any([true]) }\n";
    let found = found_in(&[text], true).join("\n");
    for expected in ["import data.lib unused", "unused argument x", "assigned var y unused", "deprecated built-in"] {
        assert!(found.contains(expected), "{expected} in {found}");
    }
}

#[test]
fn closures_forget_what_they_bind_and_share_what_is_outside() {
    let program = accepted("package a\np if { y := input.y; not input.x == y; every z in input.zs { z > y } }\n");
    let steps = &program.rules[0].definitions[0].branches[0].steps;
    let [Step::Get { .. }, Step::Not(inner), Step::Get { .. }, Step::Collection(_), Step::Not(every)] =
        steps.as_slice()
    else {
        panic!("{steps:?}")
    };
    assert!(matches!(inner.steps[0], Step::Get { .. }), "an undefined side makes `not` hold");
    assert!(matches!(every.as_ref(), Block { steps, emit: Emit::Exists, .. } if matches!(steps[1], Step::Not(_))));
}

#[test]
fn arguments_of_negated_calls_are_evaluated_outside() {
    let program = accepted("package a\np if not startswith(input.x, \"a\")\n");
    let steps = &program.rules[0].definitions[0].branches[0].steps;
    assert!(matches!(steps.as_slice(), [Step::Get { .. }, Step::Not(_)]), "{steps:?}");
}

#[test]
fn iterating_over_packages_evaluates_only_what_is_on_the_path() {
    let program = accepted("package a.b\np if data.a[x].q\n");
    let steps = &program.rules[0].definitions[0].branches[0].steps;
    assert!(
        matches!(steps.as_slice(), [Step::Keys { .. }, Step::Scan { .. }, Step::Tree { path, .. }, Step::Truthy(_)] if path.len() == 2)
    );
}

#[test]
fn queries_give_their_variables() {
    let program = compile(&[], &["x := 1; some y in [x]; _ = y"], CompileOptions::default()).unwrap();
    let steps = &program.queries[0].branches[0].steps;
    let Some(Step::Object { members, .. }) = steps.last() else { panic!("{steps:?}") };
    assert_eq!(members.len(), 2);
}

#[test]
fn hostile_modules_end_in_time() {
    let chain = (0..2_000).rev().map(|at| format!("\tx{} = x{at} + 1\n", at + 1)).collect::<Vec<_>>().concat();
    accepted(&format!("package a\np if {{\n{chain}\tx0 = input.x\n}}\n"));
    let nested = (0..45).fold("input.x".to_owned(), |inner, _| format!("[y | y := {inner}]"));
    accepted(&format!("package a\np := {nested}\n"));
    let rules = (0..3_000).map(|at| format!("p{at} if p{}\n", at + 1)).collect::<Vec<_>>().concat();
    accepted(&format!("package a\n{rules}p3000 := input.x\n"));
}
