//! What observers are told, compared with what `opa eval --coverage` and `print` show for the same policy.

use palisade_model::Source;

use super::coverage::Coverage;
use super::trace::Trace;
use super::*;
use crate::compile::{CompileOptions, compile};
use crate::syntax::ast::Version;
use crate::syntax::parse;

const POLICY: &str = "package p

allow if {
	input.user == \"root\"
	print(\"never\", input.user)
}

deny contains msg if {
	some role in input.roles
	print(\"role\", role, input.nope)
	role == \"guest\"
	msg := \"guests\"
}
";

fn observe(observer: &mut dyn Observer) -> Arc<Program> {
    let (module, _) = parse(Source::new("p.rego", POLICY), Version::V1);
    let options = CompileOptions { instrument: true, ..CompileOptions::default() };
    let mut machine = Machine::new(Arc::new(compile(&[module.unwrap()], &[], options).unwrap()));
    let input = palisade_model::Value::from_json(r#"{"user": "eve", "roles": ["admin", "guest"]}"#).unwrap();
    let inputs = Inputs { input: Some(Value::from(&input)), observer: Some(observer), ..Inputs::empty() };
    machine.session(inputs).evaluate(&["p".into()]).unwrap();
    machine.program().clone()
}

#[test]
fn coverage_tells_lines_that_were_evaluated_from_those_that_were_not() {
    let mut coverage = Coverage::default();
    let program = observe(&mut coverage);
    let report = coverage.report(&program);
    let lines = &report.files["p.rego"];
    assert_eq!(lines.covered.iter().copied().collect::<Vec<_>>(), [4, 8, 9, 10, 11, 12]);
    assert_eq!(lines.not_covered.iter().copied().collect::<Vec<_>>(), [3, 5]);
    assert_eq!(
        report.to_json().to_json(),
        r#"{"files":{"p.rego":{"covered":[{"start":{"row":4},"end":{"row":4}},{"start":{"row":8},"end":{"row":12}}],"not_covered":[{"start":{"row":3},"end":{"row":3}},{"start":{"row":5},"end":{"row":5}}],"covered_lines":6,"not_covered_lines":2,"coverage":75}},"covered_lines":6,"not_covered_lines":2,"coverage":75}"#
    );
}

#[test]
fn traces_tell_rules_expressions_failures_and_prints() {
    let mut trace = Trace::default();
    let program = observe(&mut trace);
    let text = trace.render(&program);
    for line in ["Enter data.p.allow", "| Fail input.user == \"root\"", "Exit data.p.deny", "role guest <undefined>"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
