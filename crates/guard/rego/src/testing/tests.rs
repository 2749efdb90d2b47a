use jiff::Timestamp;
use palisade_model::Source;
use palisade_policy::Programs;
use palisade_policy::testing::TestOutcome;

use super::Suite;

const POLICY: &str = "package main

deny contains msg if {
	input.kind == \"Pod\"
	input.privileged
	msg := \"privileged\"
}
";

fn outcomes(tests: &str) -> Vec<(String, TestOutcome, String)> {
    let modules = vec![Source::new("policy.rego", POLICY), Source::new("policies/policy_test.rego", tests)];
    let suite = Suite::load(&Programs { modules, ..Programs::default() }).unwrap();
    let files = |path: &str| match path {
        "policies/pod.yaml" => Ok("kind: Pod\nprivileged: true\n".to_owned()),
        other => Err(format!("`{other}` is not there")),
    };
    let run = |test| suite.run(test, Timestamp::UNIX_EPOCH, &files).rows;
    let name = |rule: &str, case: &str| if case.is_empty() { rule.to_owned() } else { format!("{rule}/{case}") };
    suite.tests().iter().flat_map(run).map(|row| (name(&row.rule, &row.resource), row.outcome, row.message)).collect()
}

#[test]
fn a_failure_names_the_condition_that_does_not_hold() {
    let rows = outcomes(
        "package main_test
import data.main

test_denied if {
	some msg in main.deny with input as {\"kind\": \"Pod\", \"privileged\": true}
	msg == \"privileged\"
}

test_wrong if {
	count(main.deny) == 0 with input as {\"kind\": \"Pod\", \"privileged\": true}
}

todo_test_later if { main.later }
",
    );
    assert_eq!(rows[0], ("test_denied".into(), TestOutcome::Passed, String::new()));
    assert_eq!(rows[1].1, TestOutcome::Failed);
    assert!(rows[1].2.starts_with("`count(main.deny) == 0"), "{}", rows[1].2);
    assert_eq!(rows[2].1, TestOutcome::Skipped);
}

#[test]
fn a_test_that_reaches_no_rule_is_vacuous() {
    let rows =
        outcomes("package main_test\n\ntest_typo if {\n\tnot data.main.denny\n}\n\ntest_true if { 1 + 1 == 2 }\n");
    assert!(rows.iter().all(|(_, outcome, _)| *outcome == TestOutcome::Vacuous), "{rows:?}");
}

#[test]
fn cases_pass_and_fail_on_their_own() {
    let rows = outcomes(
        "package main_test

test_kinds[note] if {
	some note, case in {
		\"pod\": {\"input\": {\"kind\": \"Pod\", \"privileged\": true}, \"count\": 1},
		\"other\": {\"input\": {\"kind\": \"Job\", \"privileged\": true}, \"count\": 1},
	}
	count(data.main.deny) == case.count with input as case.input
}
",
    );
    let short: Vec<_> = rows.iter().map(|(name, outcome, _)| (name.as_str(), *outcome)).collect();
    assert_eq!(short, [("test_kinds/other", TestOutcome::Failed), ("test_kinds/pod", TestOutcome::Passed)]);
}

#[test]
fn tests_read_files_beside_their_policies() {
    let rows = outcomes(
        "package main_test

test_file if {
	\"privileged\" in data.main.deny with input as parse_config_file(\"pod.yaml\")
}

test_absent if {
	count(data.main.deny) == 0 with input as parse_config_file(\"none.yaml\")
}
",
    );
    let short: Vec<_> = rows.iter().map(|(name, outcome, _)| (name.as_str(), *outcome)).collect();
    assert_eq!(short, [("test_file", TestOutcome::Passed), ("test_absent", TestOutcome::Error)]);
    assert!(rows[1].2.contains("`policies/none.yaml` is not there"), "{}", rows[1].2);
}
