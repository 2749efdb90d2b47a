//! What a file comes to as a request: the namespace it is put into, what was before, reviews, parts of objects.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

use super::{BAD, Folder, POLICY};

const CLUSTER_WIDE: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: regions.shop.example}
spec: {group: shop.example, scope: Cluster, names: {kind: Region, plural: regions}}
";

const PLACED: &str = "apiVersion: v1
kind: Pod
metadata: {name: unsaid}
spec: {containers: [{name: a, image: 'a:1'}]}
---
apiVersion: shop.example/v1
kind: Region
metadata: {name: north}
---
apiVersion: shop.example/v1
kind: Till
metadata: {name: one}
";

/// Three dialects that ask in which namespace an object is.
const WHERE: &str = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: by-request}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: ['', shop.example], apiVersions: [v1], operations: [CREATE], resources: ['*'], scope: Namespaced}
  validations: [{expression: \"request.namespace != 'default' && namespaceObject.metadata.name != 'default'\"}]
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: by-match}
spec:
  rules:
  - name: by-match
    match: {any: [{resources: {kinds: [Pod, Region, Till], namespaces: [default]}}]}
    validate: {message: not there, deny: {}}
---
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: denied}
spec:
  crd: {spec: {names: {kind: Denied}}}
  targets:
  - target: admission.k8s.gatekeeper.sh
    rego: |
      package denied
      violation[{\"msg\": \"not there\"}] { input.review.namespace == \"default\" }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: Denied
metadata: {name: by-constraint}
spec: {match: {scope: Namespaced}}
";

/// Everything that was said, on both streams.
fn out(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|stream| String::from_utf8_lossy(stream).into_owned()).concat()
}

fn findings(folder: &Folder, arguments: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
    let output = folder.run(&arguments);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", out(&output)));
    report["findings"].as_array().unwrap().clone()
}

fn failed(findings: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut failed: Vec<_> = findings
        .iter()
        .map(|finding| {
            (
                text(&finding["rule"]),
                text(&finding["resource"]).rsplit([' ', '/']).next().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    failed.sort();
    failed
}

#[test]
fn what_writes_no_namespace_is_in_default_unless_its_kind_has_none() {
    let folder = Folder::new("placed", &[("a.yaml", PLACED), ("crd.yaml", CLUSTER_WIDE), ("policy.yaml", WHERE)]);
    let failed = failed(&findings(&folder, &["check", "a.yaml", "crd.yaml", "-p", "policy.yaml"]));
    let expected: Vec<_> = ["by-constraint", "by-match", "by-request"]
        .into_iter()
        .flat_map(|rule| ["one", "unsaid"].map(|name| (rule.to_owned(), name.to_owned())))
        .collect();
    assert_eq!(failed, expected);
}

const LABELS: &str = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: RULE}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations: [{expression: \"EXPRESSION\"}]
";

#[test]
fn of_a_namespace_that_is_not_among_the_files_its_name_is_known() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: [{name: a, image: 'a:1'}]}\n";
    let rules = [
        ("named", "namespaceObject.metadata.labels['kubernetes.io/metadata.name'] == 'other'"),
        ("labelled", "namespaceObject.metadata.labels.env == 'prod'"),
        ("counted", "size(namespaceObject.metadata.labels) > 3"),
        ("within", "'env' in namespaceObject.metadata.labels"),
        ("provided", "namespaceObject.metadata.?labels.env.orValue('') != ''"),
    ];
    let policies: Vec<_> =
        rules.iter().map(|(rule, text)| LABELS.replace("RULE", rule).replace("EXPRESSION", text)).collect();
    let folder = Folder::new("unknown-namespace", &[("a.yaml", pod), ("p.yaml", &policies.join("---\n"))]);
    let output = folder.run(&["check", "a.yaml", "-p", "p.yaml", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdict = |rule: &str| {
        let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == rule);
        let found = found.unwrap_or_else(|| panic!("no finding of {rule}: {report}"));
        (found["verdict"].as_str().unwrap().to_owned(), found["message"].as_str().unwrap().to_owned())
    };
    assert_eq!(verdict("named").0, "fail");
    assert_eq!(verdict("provided").0, "fail");
    for rule in ["labelled", "counted", "within"] {
        let (verdict, message) = verdict(rule);
        assert!(verdict == "error" && message.contains("namespace `shop`"), "{rule}: {verdict} {message}");
    }
    assert!(report["diagnostics"].to_string().contains("PAL-P0018"), "{report}");
}

const TEAM: &str = "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: team}
spec:
  rules:
  - name: team
    match: {any: [{resources: {kinds: [ConfigMap], selector: {matchLabels: {tier: gold}}}}]}
    validate:
      failureAction: Enforce
      message: the label team is missing
      pattern: {metadata: {labels: {team: '?*'}}}
";

fn config(labels: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: shop, labels: {{{labels}}}}}\n")
}

#[test]
fn an_update_is_excused_only_by_an_old_object_that_was_given() {
    let (gold, silver) = (config("tier: gold"), config("tier: silver"));
    let folder = Folder::new(
        "updated",
        &[
            ("new.yaml", &gold),
            ("silver.yaml", &silver),
            ("was.yaml", &config("tier: gold, team: a")),
            ("p.yaml", TEAM),
        ],
    );
    let check = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["check"].iter().chain(arguments).chain(&["-p", "p.yaml"]).copied().collect();
        folder.run(&arguments)
    };
    let unknown = check(&["new.yaml", "--operation", "UPDATE"]);
    assert_eq!(unknown.status.code(), Some(1), "{}", out(&unknown));
    assert!(out(&unknown).contains("PAL-P0017"), "{}", out(&unknown));
    assert_eq!(check(&["new.yaml", "--old", "was.yaml"]).status.code(), Some(1), "it was in order before");
    let excused = check(&["new.yaml", "--old", "new.yaml", "--verbose"]);
    assert!(out(&excused).contains("pre-existing violations are allowed"), "{}", out(&excused));
    assert_eq!(
        check(&["silver.yaml", "--old", "was.yaml"]).status.code(),
        Some(1),
        "what was selected before is still"
    );
}

#[test]
fn a_review_is_the_request_that_it_says() {
    let review = "apiVersion: admission.k8s.io/v1
kind: AdmissionReview
request:
  uid: 6f1f0a52-0000-4000-8000-000000000001
  operation: DELETE
  kind: {group: '', version: v1, kind: ConfigMap}
  resource: {group: '', version: v1, resource: configmaps}
  name: a
  namespace: shop
  userInfo: {username: jane}
  oldObject:
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: a, namespace: shop}
";
    let rule = "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: kept}
spec:
  background: false
  rules:
  - name: kept
    match: {any: [{resources: {kinds: [ConfigMap], operations: [DELETE]}}]}
    validate: {message: \"{{ request.userInfo.username }} may not\", deny: {}}
";
    let broken = review.replace("  operation: DELETE\n", "");
    let folder = Folder::new("reviewed", &[("r.yaml", review), ("p.yaml", rule), ("broken.yaml", &broken)]);
    let found = findings(&folder, &["check", "r.yaml", "-p", "p.yaml"]);
    assert_eq!(found[0]["message"], "jane may not");
    assert_eq!(found[0]["resource"], "ConfigMap shop/a");
    assert_eq!(found[0]["location"]["line"], 14, "{found:?}");
    let refused = folder.run(&["check", "broken.yaml", "-p", "p.yaml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(out(&refused).contains("PAL-P0019"), "{}", out(&refused));
}

#[test]
fn a_check_judges_no_part_of_an_object_as_a_whole_and_says_so() {
    let kustomization = "resources: [pod.yaml, both.yaml]\npatches: [{path: patch.yaml}, {path: both.yaml}]\n";
    let files = [
        ("pod.yaml", BAD),
        ("patch.yaml", BAD),
        ("both.yaml", BAD),
        ("directive.yaml", &format!("{BAD}$patch: replace\n")),
        ("kustomization.yaml", kustomization),
        ("policy.yaml", POLICY),
    ];
    let folder = Folder::new("check-patches", &files);
    let output = folder.run(&["check", ".", "-p", "policy.yaml", "--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let files: BTreeSet<_> = findings.iter().map(|finding| finding["location"]["file"].as_str().unwrap()).collect();
    assert_eq!(files.into_iter().collect::<Vec<_>>(), ["both.yaml", "pod.yaml"], "{json}");
    assert_eq!(json["summary"]["left_alone"]["kustomize-patch"], 2);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("left alone: 2 Kustomize patches"), "{told}");
    let named = folder.run(&["check", "patch.yaml", "-p", "policy.yaml"]);
    let told = String::from_utf8_lossy(&named.stderr).into_owned();
    assert_eq!(named.status.code(), Some(3), "{told}");
    assert!(told.contains("left alone: 1 Kustomize patch, "), "{told}");
}

#[test]
fn what_does_not_fail_the_run_is_no_error_and_what_is_hidden_is_told() {
    let folder = Folder::new("levels", &[("pod.yaml", BAD), ("policy.yaml", POLICY)]);
    let check = |more: &[&str]| folder.run(&[&["check", "pod.yaml", "-p", "policy.yaml"], more].concat());
    for (format, mild, severe) in [
        ("human", "warning[", "error["),
        ("github", "::warning ", "::error "),
        ("sarif", "\"level\": \"warning\"", "\"level\": \"error\""),
        ("junit", "<system-out>", "<failure"),
    ] {
        let passes = check(&["--format", format, "--fail-on", "never"]);
        assert_eq!(passes.status.code(), Some(0));
        let (passes, fails) = (out(&passes), out(&check(&["--format", format])));
        assert!(passes.contains(mild) && !passes.contains(severe), "{passes}");
        assert!(fails.contains(severe) && !fails.contains(mild), "{fails}");
    }
    let hidden = check(&["--severity", "critical"]);
    assert_eq!(hidden.status.code(), Some(1));
    assert!(out(&hidden).contains("severity `critical` hides 1 of them"), "{}", out(&hidden));
}

#[test]
fn a_message_names_what_was_taken_and_what_was_meant() {
    let folder = Folder::new("arguments", &[("pod.yaml", BAD), ("policy.yaml", POLICY)]);
    for (arguments, said) in [
        (&["check", "-p", "policy.yaml", "pod.yaml"][..], "`-p` took `pod.yaml` for a policy"),
        (&["check", "pod.yaml", "-p", "pack:kubernetes/basline"], "did you mean `baseline`?"),
        (&["check", "pod.yaml", "-p", "pack:kubernets"], "did you mean `kubernetes`?"),
        (&["check", "pod.yaml", "--format", "sarf"], "did you mean `sarif`"),
    ] {
        let output = folder.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(out(&output).contains(said), "{}", out(&output));
    }
}

#[test]
fn what_holds_no_policy_is_named() {
    let folder = Folder::new("no-policy", &[("pod.yaml", BAD)]);
    let output = folder.run(&["check", "pod.yaml", "-p", "pod.yaml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(out(&output).contains("`-p` took `pod.yaml`, which holds no policy"), "{}", out(&output));
}

#[test]
fn an_option_about_packages_says_where_there_are_none() {
    let folder = Folder::new(
        "no-package",
        &[("pod.yaml", BAD), ("policy.yaml", POLICY), ("own.rego", "package own\ndeny contains 1 if false\n")],
    );
    let check = |policy| out(&folder.run(&["check", "pod.yaml", "--namespace", "own", "-p", policy]));
    assert!(check("policy.yaml").contains("`--namespace` has no effect"), "{}", check("policy.yaml"));
    assert!(!check("own.rego").contains("no effect"), "{}", check("own.rego"));
}
