//! What the languages see of a manifest that `check` puts before them in place of an API server.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot set itself up has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// A folder of its own for a test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = Self(std::env::temp_dir().join(format!("palisade-manifests-{name}-{}", std::process::id())));
        fs::create_dir_all(&folder.0).unwrap();
        for (file, text) in files {
            fs::write(folder.0.join(file), text).unwrap();
        }
        folder
    }

    fn run(&self, arguments: &[&str]) -> (Value, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        let output = command.args(arguments).current_dir(&self.0).env("NO_COLOR", "1").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (serde_json::from_str(&text).unwrap_or_default(), String::from_utf8(output.stderr).unwrap())
    }

    /// The report about `objects.yaml` by `policy` and the verdicts of its rules about each object.
    fn check(&self, policy: &str) -> (Value, BTreeMap<(String, String), String>) {
        let (report, _) = self.run(&["check", "objects.yaml", "-p", policy, "--format", "json", "--verbose"]);
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
        let name = |finding: &Value| text(finding, "resource").rsplit(['/', ' ']).next().unwrap().to_owned();
        let findings = report["findings"].as_array().unwrap().iter();
        let verdicts =
            findings.map(|finding| ((text(finding, "rule"), name(finding)), text(finding, "verdict"))).collect();
        (report, verdicts)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn verdict<'a>(verdicts: &'a BTreeMap<(String, String), String>, rule: &str, object: &str) -> &'a str {
    verdicts.get(&(rule.to_owned(), object.to_owned())).map_or("nothing", |verdict| verdict)
}

const OBJECTS: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      initContainers: null
      containers: [{name: a, image: registry.example/a:1}]
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
    - name: web
      image: registry.example/web:latest
      ports: [{containerPort: 80, hostPort: 0}]
      resources: {limits: {cpu: 1, memory: 1Gi}}
";

const CEL: &str = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: two}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}
  validations: [{expression: 'object.spec.replicas >= 2'}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: ports}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: 'object.spec.containers.all(c, c.ports.all(p, !has(p.hostPort)))'}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: amount}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: 'object.spec.containers.all(c, quantity(c.resources.requests.cpu).isLessThan(quantity(\"2\")))'}]
---
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: says, annotations: {palisade.dev/judges: written}}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}
  validations: [{expression: 'has(object.spec.replicas)'}]
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: pull}
spec:
  rules:
    - name: pull
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate:
        message: pulled always
        pattern: {spec: {containers: [{imagePullPolicy: Always}]}}
";

#[test]
fn admission_policies_see_what_an_api_server_fills_in_and_drops() {
    let folder = Folder::new("admission", &[("objects.yaml", OBJECTS), ("policy.yaml", CEL)]);
    let (report, verdicts) = folder.check("policy.yaml");
    for (rule, object, expected) in [
        ("two", "api", "fail"),
        ("ports", "web", "pass"),
        ("amount", "web", "pass"),
        ("pull", "web", "pass"),
        ("autogen-pull", "api", "fail"),
        ("says", "api", "fail"),
    ] {
        assert_eq!(verdict(&verdicts, rule, object), expected, "{rule} of {object}: {report:#}");
    }
    let finding = |rule: &str| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["rule"] == rule).unwrap()
    };
    let two = finding("two");
    assert_eq!(two["facts"]["by default"], "spec.replicas = 1", "{two:#}");
    assert_eq!(two["location"]["line"], 4, "the nearest that is written: {two:#}");
    assert_eq!(finding("says")["facts"]["by default"], "spec.replicas = 1", "what holds as nobody decided");
}

#[test]
fn rego_about_files_sees_them_as_they_are_written() {
    let rego = "package main
import rego.v1
deny contains 'replicas' if { input.kind == \"Deployment\"; not input.spec.replicas }
deny contains 'null' if input.spec.template.spec.initContainers == null
deny contains 'zero' if input.spec.containers[_].ports[_].hostPort == 0
"
    .replace('\'', "\"");
    let folder = Folder::new("rego", &[("objects.yaml", OBJECTS), ("policy.rego", &rego)]);
    let (report, _) = folder.check("policy.rego");
    let findings = report["findings"].as_array().unwrap().iter();
    let mut said: Vec<&str> =
        findings.filter(|f| f["verdict"] == "fail").map(|f| f["message"].as_str().unwrap()).collect();
    said.sort_unstable();
    assert_eq!(said, ["null", "replicas", "zero"], "{report:#}");
}

const LISTING: &str = "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: budget}
spec:
  background: false
  rules:
    - name: called
      match: {any: [{resources: {kinds: [Pod]}}]}
      context:
        - name: replicas
          apiCall: {urlPath: '/apis/apps/v1/namespaces/{{request.namespace}}/deployments', jmesPath: 'items[].spec.replicas | sum(@)'}
      validate: {message: one is wanted, deny: {conditions: {any: [{key: '{{ replicas }}', operator: NotEquals, value: 1}]}}}
    - name: named
      match: {any: [{resources: {kinds: [Pod]}}]}
      context:
        - name: replicas
          apiCall: {urlPath: '/apis/apps/v1/namespaces/shop/deployments/api', jmesPath: spec.replicas}
      validate: {message: one is wanted, deny: {conditions: {any: [{key: '{{ replicas }}', operator: NotEquals, value: 1}]}}}
---
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: listed}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: 'resource.List(\"apps/v1\", \"deployments\", object.metadata.namespace).items.size() >= 2'}]
";

#[test]
fn what_policies_list_is_among_the_checked_files_and_that_is_told() {
    let lonely = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: alone, namespace: lonely}\nspec: {containers: [{name: a, image: a}]}\n";
    let folder = Folder::new("lists", &[("objects.yaml", &format!("{OBJECTS}{lonely}")), ("policy.yaml", LISTING)]);
    let (report, verdicts) = folder.check("policy.yaml");
    for (rule, object, expected) in [
        ("called", "web", "pass"),
        ("named", "web", "pass"),
        ("listed", "web", "fail"),
        ("called", "alone", "error"),
        ("listed", "alone", "error"),
    ] {
        assert_eq!(verdict(&verdicts, rule, object), expected, "{rule} of {object}: {report:#}");
    }
    let told = report["diagnostics"].as_array().unwrap().iter().any(|diagnostic| diagnostic["code"] == "PAL-P0020");
    assert!(told, "{report:#}");
}

#[test]
fn what_is_filled_in_is_written_into_no_file() {
    let policy = "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: team}
spec:
  rules:
    - name: team
      match: {any: [{resources: {kinds: [Pod, Deployment]}}]}
      mutate: {patchStrategicMerge: {metadata: {labels: {+(team): shop}}}}
";
    let folder = Folder::new("written", &[("objects.yaml", OBJECTS), ("policy.yaml", policy)]);
    folder.run(&["mutate", "objects.yaml", "-p", "policy.yaml", "--write"]);
    let after = fs::read_to_string(folder.0.join("objects.yaml")).unwrap();
    let kept = OBJECTS.lines().filter(|line| !line.starts_with("metadata:"));
    assert!(after.matches("team: shop").count() == 2 && kept.clone().all(|line| after.contains(line)), "{after}");
    for word in ["replicas", "imagePullPolicy", "protocol", "requests"] {
        assert!(!after.contains(word), "{after}");
    }
}
