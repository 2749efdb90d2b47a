//! What is known, waived or called by one name is one offending element, whatever language the rule is written in.

use serde_json::Value;

use crate::{Folder, NOW, TERMS, dispositions, stderr};

/// Rules in every language, each with the field that it is about: what it says of one element does not stand for another.
const LANGUAGES: &str = "apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: variables}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  variables:
    - {name: all, expression: 'object.spec.containers + object.spec.?initContainers.orValue([])'}
  validations:
    - {expression: 'variables.all.all(c, c.?env.orValue([]).all(e, !e.value.startsWith(\"bad\")))', message: a bad value}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: keys}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}
  validations:
    - {expression: '!object.data.exists(k, object.data[k].startsWith(\"bad\"))', message: a bad value}
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: loops}
spec:
  rules:
    - name: loop
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate:
        message: a bad value
        foreach:
          - list: request.object.spec.[containers, initContainers || `[]`][]
            foreach:
              - list: element.env || `[]`
                deny: {conditions: {any: [{key: '{{ element1.value }}', operator: Equals, value: bad*}]}}
    - name: values
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      validate:
        message: a bad value
        foreach:
          - list: values(request.object.data)
            deny: {conditions: {any: [{key: '{{ element }}', operator: Equals, value: bad*}]}}
";

const REGO: &str = "package main

deny contains \"a bad value\" if {
    some list in [\"containers\", \"initContainers\"]
    startswith(input.spec[list][_].env[_].value, \"bad\")
}

deny contains msg if {
    input.kind == \"ConfigMap\"
    some key, value in input.data
    startswith(value, \"bad\")
    msg := sprintf(\"bad is %v\", [key])
}
";

/// A Pod and a ConfigMap with these values in each place.
fn documents(containers: &[&str], init: &[&str], data: &[&str]) -> String {
    let env = |values: &[&str]| {
        let entries = values.iter().enumerate().map(|(at, value)| format!("{{name: V{at}-{value}, value: {value}}}"));
        entries.collect::<Vec<_>>().join(", ")
    };
    let data: Vec<_> = data.iter().enumerate().map(|(at, value)| format!("  k{at}-{value}: {value}\n")).collect();
    let data = data.concat();
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  initContainers:\n    - name: first\n      env: [{}]\n  \
         containers:\n    - name: only\n      env: [{}]\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{data}",
        env(init),
        env(containers)
    )
}

#[test]
fn beside_what_is_known_exactly_what_is_added_is_new_in_every_language() {
    let folder = Folder::new("exact", &[("all/policies.yaml", LANGUAGES), ("all/main.rego", REGO)]);
    let good = ["fine"; 70];
    let with = |bad: &[&'static str]| [&good[..], bad].concat();
    let run = |more: &[&str]| {
        let always = ["check", "a.yaml", "-p", "all", "--format", "json"];
        let output = folder.run_in("", &[&always[..], &NOW, more].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code().unwrap(), report, stderr(&output))
    };
    let before = documents(&with(&["bad1", "bad2"]), &with(&["bad1"]), &with(&["bad1"]));
    folder.write("a.yaml", &before);
    let (code, _, stderr) = run(&["--write-baseline", "base.json"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(run(&["--baseline", "base.json"]).0, 0);
    let all = |added: usize| -> (Vec<&'static str>, Vec<&'static str>, Vec<&'static str>) {
        let more = |at: usize, known: &[&'static str]| {
            let mut bad = known.to_vec();
            bad.extend((at == added).then_some("bad3"));
            with(&bad)
        };
        (more(0, &["bad1", "bad2"]), more(1, &["bad1"]), more(2, &["bad1"]))
    };
    for (added, place, rules) in [
        (0, "containers[0].env[72]", ["variables", "loop", "main"]),
        (1, "initContainers[0].env[71]", ["variables", "loop", "main"]),
        (2, "data", ["keys", "values", "main"]),
    ] {
        let (containers, init, data) = all(added);
        folder.write("a.yaml", &documents(&containers, &init, &data));
        let (code, report, stderr) = run(&["--baseline", "base.json"]);
        let new: Vec<&Value> =
            report["findings"].as_array().unwrap().iter().filter(|f| f["disposition"] == "counted").collect();
        assert_eq!((code, new.len()), (1, rules.len()), "{place}: {new:#?} {stderr}");
        for finding in new {
            let path = finding["path"].as_str().unwrap();
            assert!(path.contains(place) && (added < 2 || path.contains("k71-bad3")), "{finding:#}");
            assert_eq!(finding["related"], Value::Array(Vec::new()), "{finding:#}");
        }
    }
}

/// What the version before places were exact wrote about the documents below.
const OF_VERSION_1: &str = include_str!("../upgrade/baseline-1.json");

#[test]
fn a_baseline_of_version_1_still_covers_what_it_covered() {
    let folder = Folder::new("former", &[("all/policies.yaml", LANGUAGES), ("all/main.rego", REGO)]);
    let bad = [&["fine"; 70][..], &["bad1"]].concat();
    folder.write("a.yaml", &documents(&bad, &["fine"; 70], &bad));
    folder.write("base.json", OF_VERSION_1);
    let run = |more: &[&str]| folder.run_in("", &[&["check", "a.yaml", "-p", "all"][..], &NOW, more].concat());
    let output = run(&["--baseline", "base.json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stderr(&output).contains("2 violations are known only because the baseline is of version 1"), "{output:?}");
    assert_eq!(run(&["--baseline", "base.json", "--prune-baseline"]).status.code(), Some(0));
    assert!(
        folder.read("base.json").contains("\"path\":\"data.k70-bad1\"")
            && !folder.read("base.json").contains("\"data\"")
    );
    let output = run(&["--baseline", "base.json"]);
    assert!(output.status.success() && !stderr(&output).contains("version 1"), "{output:?}");
}

#[test]
fn a_waiver_at_a_value_covers_that_value_alone() {
    let folder = Folder::new("exact-waiver", &[("all/policies.yaml", LANGUAGES)]);
    let pod = |comment: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n    - name: only\n      env:\n        \
             - name: A\n          value: bad1{comment}\n        - name: B\n          value: bad2\n"
        )
    };
    folder.write("a.yaml", &pod(&format!(" # palisade:ignore variables loops {TERMS}")));
    let output = folder.run_in("", &[&["check", "a.yaml", "-p", "all", "--format", "json"][..], &NOW].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut said = dispositions(&report);
    said.sort();
    assert_eq!(said.len(), 4, "{report:#}");
    assert!(said[..2].iter().all(|said| said.starts_with("counted spec.containers[0].env[1]")), "{said:?}");
    assert!(said[2..].iter().all(|said| said.starts_with("waived spec.containers[0].env[0]")), "{said:?}");
}

#[test]
fn documents_of_one_file_have_names_of_their_own() {
    let policy = "package main\n\ndeny contains \"a low port\" if input.port < 1024\n";
    let folder =
        Folder::new("parts", &[("all/main.rego", policy), ("a.yaml", "port: 80\n---\nport: 22\n---\nport: 8080\n")]);
    let run = |more: &[&str]| {
        let output = folder.run_in("", &[&["check", "a.yaml", "-p", "all", "--format", "json"][..], more].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let names =
            report["findings"].as_array().unwrap().iter().map(|f| (f["part"].clone(), f["fingerprint"].clone()));
        (output.status.code().unwrap(), names.collect::<Vec<_>>())
    };
    let (_, names) = run(&[]);
    assert_eq!((names.len(), &names[1].0), (2, &Value::from("#2")));
    assert_ne!(names[0].1, names[1].1);
    assert_eq!(run(&["--write-baseline", "base.json"]).0, 0);
    folder.write("a.yaml", "port: 80\n---\nport: 8443\n---\nport: 443\n");
    assert_eq!(run(&["--baseline", "base.json"]).0, 1, "mended in one document, broken in another");
}

/// A field that is missing has no place: the rule names the element, and the next one takes its index.
#[test]
fn an_element_that_lacks_a_field_does_not_stand_for_the_next_one() {
    let policy = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: lacks}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations:
    - {expression: 'object.spec.containers.all(c, has(c.securityContext))', message: no security context}
";
    let folder = Folder::new("exact-lacks", &[("all/policies.yaml", policy)]);
    let pod = |names: &[&str]| {
        let containers: String = names.iter().flat_map(|name| ["    - {name: ", name, ", image: 'x:1'}\n"]).collect();
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n{containers}")
    };
    let run = |names: &[&str], option: &str| {
        folder.write("a.yaml", &pod(names));
        folder.run_in("", &["check", "a.yaml", "-p", "all", option, "base.json"]).status.code()
    };
    assert_eq!(run(&["one"], "--write-baseline"), Some(0));
    assert_eq!(run(&["one"], "--baseline"), Some(0));
    assert_eq!(run(&["one", "two"], "--baseline"), Some(1));
    assert_eq!(run(&["two", "one"], "--baseline"), Some(1));
    assert_eq!(run(&["one", "two"], "--write-baseline"), Some(0));
    assert_eq!(run(&["two", "one"], "--baseline"), Some(0));
}

/// A value that is a file: what is known of it is what it held.
#[test]
fn a_second_credential_in_a_known_value_is_new() {
    let folder = Folder::new("exact-file", &[]);
    let run = |lines: &str, option: &str| {
        folder.write(
            "a.yaml",
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  app.env: |\n{lines}"),
        );
        folder.run_in("", &["check", "a.yaml", "-p", "pack:kubernetes", option, "base.json"]).status.code()
    };
    let first = "    AWS_KEY=AKIAIOSFODNN7EXAMPLX\n";
    assert_eq!(run(first, "--write-baseline"), Some(0));
    assert_eq!(run(first, "--baseline"), Some(0));
    assert_eq!(run(&format!("{first}    OTHER=AKIAIOSFODNN7EXAMPLY\n"), "--baseline"), Some(1));
}

/// A message that is always the same names nothing: the rule is asked about parts of the object.
#[test]
fn elements_behind_a_constant_message_are_told_apart() {
    let policies = "apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: hostports}
spec:
  crd: {spec: {names: {kind: HostPorts}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package hostports
        violation[{\"msg\": msg}] {
          c := input.review.object.spec.containers[_]
          c.ports[_].hostPort
          msg := \"host port used\"
        }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: HostPorts
metadata: {name: host-ports}
spec: {match: {kinds: [{apiGroups: [''], kinds: [Pod]}]}}
";
    let folder = Folder::new("exact-constant", &[("all/policies.yaml", policies)]);
    let run = |names: &[&str], option: &str| {
        let container =
            |name| format!("    - {{name: {name}, image: a, ports: [{{containerPort: 80, hostPort: 80}}]}}\n");
        let containers = names.iter().map(container).collect::<Vec<_>>().concat();
        let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n{containers}");
        folder.write("a.yaml", &pod);
        folder.run_in("", &["check", "a.yaml", "-p", "all", option, "base.json"]).status.code()
    };
    assert_eq!(run(&["one"], "--write-baseline"), Some(0));
    assert_eq!(run(&["one"], "--baseline"), Some(0));
    assert_eq!(run(&["one", "two"], "--baseline"), Some(1));
    assert_eq!(run(&["two", "one"], "--baseline"), Some(1));
}
