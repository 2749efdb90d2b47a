//! Hostile tests of policies: what they name is missing, huge, cyclic or a folder.

use crate::content::{POD, harmless};
use crate::runner::Folder;

fn test(policies: &str, resources: &str, results: &str) -> String {
    format!(
        "apiVersion: cli.kyverno.io/v1alpha1
kind: Test
metadata: {{name: t}}
policies: {policies}
resources: {resources}
results: {results}
"
    )
}

const ROW: &str = "[{policy: hostile, rule: r, kind: Pod, resources: [web], result: pass}]";

#[test]
fn files_that_tests_name_are_read_within_limits_or_reported() {
    let large = format!("a: {}", "x".repeat(70 << 20));
    let folder = Folder::new("suite").file("policy.yaml", harmless()).file("pod.yaml", POD).file("large.yaml", large);
    std::fs::create_dir(folder.path().join("folder.yaml")).unwrap();
    for (name, saying) in [
        ("missing.yaml", "missing.yaml"),
        ("large.yaml", "PAL-D0003"),
        ("kyverno-test.yaml", "kyverno-test.yaml"),
        ("../../../../../../../../no/such/file", "no/such/file"),
        ("/dev/zero", "/dev/zero"),
        ("\"a\\0b\"", "a"),
        ("\"\"", ""),
        ("5", ""),
        ("{}", ""),
    ] {
        for (policies, resources) in
            [(format!("[{name}]"), "[pod.yaml]".into()), ("[policy.yaml]".into(), format!("[{name}]"))]
        {
            std::fs::write(folder.path().join("kyverno-test.yaml"), test(&policies, &resources, ROW)).unwrap();
            let run = folder.run(&["test", "kyverno-test.yaml"]);
            let exit = if run.vacuous() { 1 } else { 2 };
            run.ends(exit, saying);
        }
    }
}

#[test]
fn tests_of_wrong_types_are_not_passed() {
    for results in ["5", "[5]", "[[]]", "{}", "[{policy: {}, resources: 5}]", "[{policy: hostile, result: maybe}]"] {
        let text = test("[policy.yaml]", "[pod.yaml]", results);
        let folder =
            Folder::new("rows").file("policy.yaml", harmless()).file("pod.yaml", POD).file("kyverno-test.yaml", text);
        let run = folder.run(&["test", "."]);
        let exit = if run.vacuous() { 1 } else { 2 };
        run.ends(exit, "kyverno-test.yaml");
    }
}

#[test]
fn very_many_rows_end() {
    let row =
        "{policy: hostile, rule: r, kind: Pod, resources: [web, web, web, web, web, web, web, web], result: pass}";
    let results = format!("[{}]", vec![row; 5_000].join(", "));
    let text = test("[policy.yaml]", "[pod.yaml]", &results);
    let folder =
        Folder::new("many").file("policy.yaml", harmless()).file("pod.yaml", POD).file("kyverno-test.yaml", text);
    folder.run(&["test", "."]).ends(0, "passed");
}
