//! The built command, as a person runs it: exit codes, the last line, and what is drawn.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod requests;
mod snapshots;

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BAD: &str = "apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    app: web # ours
spec:
  containers:
    - name: web
      image: web:latest
";

const POLICY: &str = "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: tags
  annotations:
    policies.kyverno.io/severity: high
    palisade.dev/remediation: name a release tag
spec:
  rules:
    - name: fixed
      match:
        any:
          - resources:
              kinds: [Pod]
      validate:
        message: the tag may move
        pattern:
          spec:
            containers:
              - image: \"!*:latest\"
";

const MUTATION: &str = "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: defaults
spec:
  rules:
    - name: token
      match:
        any:
          - resources:
              kinds: [Pod]
      mutate:
        patchStrategicMerge:
          spec:
            automountServiceAccountToken: false
";

/// A folder of its own for a test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("palisade-test-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        for (file, text) in files {
            fs::write(path.join(file), text).unwrap();
        }
        Self(path)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(arguments)
            .current_dir(&self.0)
            .env("NO_COLOR", "1")
            .env_remove("PALISADE_CONFIG")
            .output()
            .unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn last_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_finding_shows_the_line_the_rule_and_the_fix() {
    let folder = Folder::new("finding", &[("pod.yaml", BAD), ("policy.yaml", POLICY)]);
    let output = folder.run(&["check", "pod.yaml", "-p", "policy.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = out(&output);
    assert!(shown.contains("error[tags/fixed]: "), "{shown}");
    assert!(shown.contains("--> pod.yaml:10:14"), "{shown}");
    assert!(shown.contains("image: web:latest"), "{shown}");
    assert!(shown.contains("spec.containers[0].image of Pod web"), "{shown}");
    assert!(shown.contains("high severity, ClusterPolicy at policy.yaml:10:"), "{shown}");
    assert!(shown.contains("help: name a release tag"), "{shown}");
    assert!(last_line(&output).starts_with("failed: 1 finding"), "{}", last_line(&output));
}

#[test]
fn severity_filters_and_fail_on_decides() {
    let folder = Folder::new("severity", &[("pod.yaml", BAD), ("policy.yaml", POLICY)]);
    let run = |extra: &[&str]| folder.run(&[&["check", "pod.yaml", "-p", "policy.yaml"], extra].concat());
    assert_eq!(run(&["--fail-on", "critical"]).status.code(), Some(0));
    assert_eq!(run(&["--fail-on", "never"]).status.code(), Some(0));
    assert_eq!(run(&["--fail-on", "high"]).status.code(), Some(1));
    let hidden = run(&["--severity", "critical"]);
    assert_eq!((hidden.status.code(), out(&hidden).as_str()), (Some(1), ""));
}

#[test]
fn nothing_evaluated_is_not_a_pass() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n";
    let folder = Folder::new("nothing", &[("service.yaml", service), ("policy.yaml", POLICY)]);
    let output = folder.run(&["check", "service.yaml", "-p", "policy.yaml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(last_line(&output).starts_with("nothing was evaluated"));
}

#[test]
fn what_cannot_be_read_is_exit_code_two() {
    let folder = Folder::new("broken", &[("pod.yaml", BAD), ("policy.yaml", POLICY), ("bad.yaml", "a: [1\nb: 2\n")]);
    for paths in [
        ["missing.yaml", "policy.yaml"],
        ["bad.yaml", "policy.yaml"],
        ["pod.yaml", "bad.yaml"],
        ["pod.yaml", "missing"],
    ] {
        let output = folder.run(&["check", paths[0], "-p", paths[1]]);
        assert_eq!(output.status.code(), Some(2), "{paths:?}");
        assert!(last_line(&output).starts_with("could not decide"), "{paths:?}: {}", last_line(&output));
    }
    assert_eq!(folder.run(&["check"]).status.code(), Some(2));
}

#[test]
fn the_built_in_pack_judges_where_no_policies_are_named() {
    let folder = Folder::new("pack", &[("pod.yaml", BAD), ("policy.yaml", POLICY)]);
    let output = folder.run(&["check", "pod.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("error[image-tag]: "), "{}", out(&output));
    let hint = |output: &Output| String::from_utf8_lossy(&output.stderr).contains("hint: no policies are named");
    assert!(hint(&output));
    assert!(!hint(&folder.run(&["check", "pod.yaml", "--quiet"])));
    let both = folder.run(&["check", "pod.yaml", "-p", "pack:kubernetes/image-tag", "policy.yaml"]);
    assert!(!hint(&both) && out(&both).contains("error[tags/fixed]: ") && out(&both).contains("error[image-tag]: "));
    fs::write(folder.0.join("palisade.toml"), "[check]\npolicies = ['pack:kubernetes/baseline']\n").unwrap();
    assert_eq!(folder.run(&["check", "pod.yaml"]).status.code(), Some(0), "the baseline has no say about tags");
    let unknown = folder.run(&["check", "pod.yaml", "-p", "pack:kubernetes/basline"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(last_line(&unknown).contains("no group and no rule called `basline`"), "{}", last_line(&unknown));
    assert!(out(&folder.run(&["explain", "image-tag"])).contains("To mend it, "));
    assert!(
        out(&folder.run(&["list", "policies", "-p", "pack:kubernetes/all"])).contains("ValidatingPolicy/image-tag")
    );
}

#[test]
fn members_that_are_null_are_judged_as_the_cluster_stores_them() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  volumes:\n  initContainers:\n  hostNetwork: true\n\
               \u{20} containers:\n    - {name: a, image: a, env: , securityContext: }\n";
    let folder = Folder::new("nulls", &[("pod.yaml", pod)]);
    let output = folder.run(&["check", "pod.yaml", "-p", "pack:kubernetes/baseline"]);
    assert_eq!(output.status.code(), Some(1), "{}", last_line(&output));
    assert!(out(&output).contains("--> pod.yaml:7:16"), "{}", out(&output));
}

#[test]
fn every_format_is_written_from_one_run() {
    let folder = Folder::new("formats", &[("pod.yaml", BAD), ("policy.yaml", POLICY)]);
    let arguments = ["check", "pod.yaml", "-p", "policy.yaml", "--format", "json"];
    let output = folder.run(&[&arguments[..], &["--report", "sarif=a.sarif", "--report", "junit=a.xml"]].concat());
    let json: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(json["schema_version"], "1");
    assert_eq!(json["findings"][0]["location"]["line"], 10);
    assert_eq!(json["findings"][0]["path"], "spec.containers[0].image");
    assert_eq!(json["summary"]["fail"], 1);
    let sarif: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.0.join("a.sarif")).unwrap()).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 10);
    assert_eq!(result["partialFingerprints"]["palisade/v1"], json["findings"][0]["fingerprint"]);
    let junit = fs::read_to_string(folder.0.join("a.xml")).unwrap();
    assert!(junit.contains("<failure") && junit.contains("pod.yaml:10:14"), "{junit}");
}

#[test]
fn mutation_keeps_comments_and_writes_only_when_asked() {
    let folder = Folder::new("mutate", &[("pod.yaml", BAD), ("policy.yaml", MUTATION)]);
    let output = folder.run(&["mutate", "pod.yaml", "-p", "policy.yaml"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(out(&output), format!("{BAD}  automountServiceAccountToken: false\n"));
    let diff = out(&folder.run(&["mutate", "pod.yaml", "-p", "policy.yaml", "--diff"]));
    assert!(diff.contains("+++ b/pod.yaml") && diff.contains("+  automountServiceAccountToken: false"), "{diff}");
    assert_eq!(fs::read_to_string(folder.0.join("pod.yaml")).unwrap(), BAD);
    folder.run(&["mutate", "pod.yaml", "-p", "policy.yaml", "--write"]);
    assert_eq!(fs::read_to_string(folder.0.join("pod.yaml")).unwrap(), out(&output));
}

#[test]
fn patches_and_templates_are_left_alone_and_counted() {
    let replicas = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {hostNetwork: true}\n";
    let directive = "apiVersion: v1\nkind: Pod\nmetadata: {name: gone}\n$patch: delete\n";
    let files = [
        ("pod.yaml", BAD),
        ("replicas.yaml", replicas),
        ("directive.yaml", directive),
        ("kustomization.yaml", "resources: [pod.yaml]\npatches:\n- path: ./replicas.yaml\n"),
        ("policy/policy.yaml", MUTATION),
    ];
    let folder = Folder::new("mutate-patches", &[]);
    fs::create_dir_all(folder.0.join("policy")).unwrap();
    for (file, text) in files {
        fs::write(folder.0.join(file), text).unwrap();
    }
    let files = ["pod.yaml", "replicas.yaml", "directive.yaml"];
    for paths in [&files[..], &["."]] {
        let output = folder.run(&[&["mutate"], paths, &["--diff", "-p", "policy"]].concat());
        let (diff, told) = (out(&output), String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(diff.contains("b/pod.yaml") && diff.matches("+++").count() == 1, "{diff}");
        assert!(told.contains("2 Kustomize patches left alone"), "{told}");
    }
}

#[test]
fn a_vacuous_test_fails_and_upstreams_leniency_is_asked_for() {
    let test = "apiVersion: cli.kyverno.io/v1alpha1
kind: Test
metadata: {name: t}
policies: [policy.yaml]
resources: [pod.yaml]
results:
  - {policy: tags, rule: fixed, kind: Pod, resources: [web], result: fail}
  - {policy: tags, rule: fixde, kind: Pod, resources: [web], result: pass}
";
    let folder = Folder::new("vacuous", &[("pod.yaml", BAD), ("policy.yaml", POLICY), ("kyverno-test.yaml", test)]);
    let strict = folder.run(&["test", ".", "--format", "json"]);
    assert_eq!(strict.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_str(&out(&strict)).unwrap();
    assert_eq!((&json["passed"], &json["vacuous"]), (&1.into(), &1.into()), "{json}");
    assert_eq!(json["results"].as_array().unwrap().len(), 2);
    let compat = folder.run(&["test", ".", "--compat"]);
    assert_eq!(compat.status.code(), Some(0), "{}", last_line(&compat));
}

#[test]
fn what_was_meant_for_a_policy_or_an_object_is_never_dropped_in_silence() {
    let policy = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: a}\nspec:\n  rules:\n  - name: r\n    match: {any: [{resources: {kinds: [Pod]}}]}\n    validate: {message: x, pattern: {spec: {\"=(hostNetwork)\": false}}}\n";
    let near = policy.replace("ClusterPolicy", "ClusterPolcy");
    let job = "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: j}\nspec: {jobTemplate: {spec: {template: {spec: {hostNetwork: true}}}}}\n";
    let lost = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n---\nkind: Pod\nmetadata: {name: p}\n";
    let folder =
        Folder::new("silence", &[("good.yaml", policy), ("near.yaml", &near), ("j.yaml", job), ("m.yaml", lost)]);
    let text = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let dropped = folder.run(&["check", "m.yaml", "-p", "good.yaml", "-p", "near.yaml"]);
    assert_eq!(dropped.status.code(), Some(2), "{}", text(&dropped));
    assert!(text(&dropped).contains("did you mean `ClusterPolicy`?"), "{}", text(&dropped));
    let objects = folder.run(&["check", "m.yaml", "-p", "good.yaml"]);
    assert!(text(&objects).contains("this has no `apiVersion`"), "{}", text(&objects));
    let old = folder.run(&["check", "j.yaml", "-p", "good.yaml"]);
    assert_eq!(old.status.code(), Some(1), "{}", text(&old));
}

const ASKS: &str = "package main

deny contains msg if {
	answer := http.send({\"method\": \"GET\", \"url\": data.url})
	not answer.body.allowed
	msg := \"the service says no\"
}
";

#[test]
fn a_namespace_that_nothing_defines_is_named() {
    let policy = "package main\n\ndeny contains \"x\" if input.bad\n";
    let folder = Folder::new("namespace", &[("policy.rego", policy), ("input.json", "{}")]);
    let mistaken = folder.run(&["check", "input.json", "-p", "policy.rego", "--namespace", "mian"]);
    assert_eq!(mistaken.status.code(), Some(2), "{}", last_line(&mistaken));
    assert!(String::from_utf8_lossy(&mistaken.stderr).contains("PAL-P0004"), "{}", last_line(&mistaken));
}

#[test]
fn a_policy_asks_permitted_hosts_and_cannot_pass_without_an_answer() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let data = format!("url: http://{address}/\n");
    let permitted = format!("[network]\nallow = ['{address}']\n");
    let folder = Folder::new(
        "network",
        &[
            ("policy.rego", ASKS),
            ("data.yaml", &data),
            ("input.json", "{}"),
            ("palisade.toml", &permitted),
            ("none.toml", ""),
        ],
    );
    let check = |config: &str| {
        folder.run(&["check", "input.json", "-p", "policy.rego", "--data", "data.yaml", "--config", config])
    };
    let refused = check("none.toml");
    assert_eq!(refused.status.code(), Some(2), "{}", last_line(&refused));
    assert!(out(&refused).contains("unallowed host"), "{}", out(&refused));

    let answering = std::thread::spawn(move || {
        let (mut client, _) = server.accept().unwrap();
        let mut request = [0; 1024];
        let read = client.read(&mut request).unwrap();
        assert!(request[..read].starts_with(b"GET / HTTP/1.1"));
        let body = "{\"allowed\": false}";
        write!(
            client,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
    });
    let answered = check("palisade.toml");
    answering.join().unwrap();
    assert_eq!(answered.status.code(), Some(1), "{}", last_line(&answered));
    let dead = check("palisade.toml");
    assert_eq!(dead.status.code(), Some(2), "a dead server must not let anything pass: {}", last_line(&dead));
}

#[test]
fn the_example_company_finds_what_its_story_says() {
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/shop");
    let folder = Folder::new("shop", &[]);
    let config = shop.join("palisade.toml").display().to_string();
    let deploy = shop.join("deploy").display().to_string();
    let output = folder.run(&["check", &deploy, "--config", &config, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let found = |policy: &str, resource: &str| {
        findings.iter().any(|f| f["policy"]["name"] == policy && f["resource"].as_str().unwrap().ends_with(resource))
    };
    for (policy, resource) in [
        ("images", "catalog"),
        ("images", "reports"),
        ("images", "recommendations"),
        ("pod-security", "recommendations"),
        ("pod-security", "search"),
        ("credentials", "search"),
        ("pod-security", "payments"),
        ("credentials", "payments"),
        ("pod-security", "orders"),
        ("credentials", "accounts"),
        ("resources", "cart"),
        ("ownership", "checkout"),
        ("shop.availability", "checkout"),
        ("ownership", "shop-platform"),
        ("ownership", "notifications"),
        ("exposure", "inventory-scanners"),
        ("exposure", "shipping-callbacks"),
        ("least-privilege", "pipeline"),
        ("least-privilege", "pipeline-admin"),
    ] {
        assert!(found(policy, resource), "{policy} says nothing of {resource}");
    }
    assert!(!found("images", "search"), "the exception is not honoured");
    assert!(
        findings.iter().all(|f| !f["resource"].as_str().unwrap().ends_with("/storefront")),
        "the model service has findings"
    );
    let paths = ["tests", "policies"].map(|name| shop.join(name).display().to_string());
    let tests = folder.run(&["test", &paths[0], &paths[1]]);
    assert_eq!(tests.status.code(), Some(0), "{}", last_line(&tests));
}

#[test]
fn tables_are_printed_for_people_and_scripts() {
    let folder = Folder::new("tables", &[("policy.yaml", POLICY)]);
    assert!(out(&folder.run(&["list", "formats"])).contains("sarif"));
    assert!(out(&folder.run(&["list", "rules", "-p", "policy.yaml"])).contains("autogen-cronjob-fixed"));
    assert!(out(&folder.run(&["explain", "pal-p0001"])).starts_with("PAL-P0001: "));
    assert_eq!(folder.run(&["explain", "PAL-X9999"]).status.code(), Some(2));
    assert!(out(&folder.run(&["completions", "bash"])).contains("palisade"));
    assert!(out(&folder.run(&["man"])).starts_with(".ie"));
}

#[test]
fn what_was_not_judged_is_told_in_words_and_in_json() {
    let folder = Folder::new(
        "kinds",
        &[
            ("pod.yaml", BAD),
            (
                "policy.rego",
                "package main\n\ndeny contains msg if {\n    input.server.debug\n    msg := \"debug\"\n}\n",
            ),
            ("app.toml", "[server]\ndebug = true\n"),
            ("Dockerfile", "FROM scratch\n"),
            ("notes.md", "caf\u{e9}\n"),
            ("logo.png", "\u{1}"),
        ],
    );
    fs::create_dir_all(folder.0.join("chart/templates")).unwrap();
    fs::write(folder.0.join("chart/templates/a.yaml"), "{{- if .Values.x }}\na: b\n{{- end }}\n").unwrap();
    let object =
        "# {{- no template hides it }}\napiVersion: v1\nkind: Pod\nmetadata: {name: hidden}\nserver: {debug: true}\n";
    fs::write(folder.0.join("chart/templates/b.yaml"), object).unwrap();
    let output = folder.run(&["check", ".", "-p", "policy.rego", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    let summary = &json["summary"];
    assert_eq!(summary["kinds"], serde_json::json!({"helm-template": 1, "kubernetes": 1, "toml": 1}));
    assert_eq!(summary["text"], serde_json::json!({"dockerfile": 1, "helm-template": 1, "markdown": 1}));
    assert_eq!(summary["left_alone"], serde_json::json!({".png": 1, ".rego": 1}));
    assert_eq!((&summary["files"], &summary["fail"]), (&3.into(), &2.into()));
    let places: Vec<_> = json["findings"].as_array().unwrap().iter().map(|finding| &finding["location"]).collect();
    assert_eq!((&places[0]["file"], &places[0]["line"]), (&"app.toml".into(), &2.into()), "{places:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("left alone: 2 files of no known kind (.png 1, .rego 1)\nfailed: "), "{told}");
    assert!(told.contains("not judged: 3 files of text that no policy asks for"), "{told}");
    let quiet = folder.run(&["check", ".", "-p", "policy.rego", "--quiet"]);
    assert!(!String::from_utf8_lossy(&quiet.stderr).contains("left alone"));
    let text = folder.run(&["check", "Dockerfile", "-p", "policy.rego"]);
    assert_eq!(text.status.code(), Some(3), "text is never a pass: {}", last_line(&text));
    let combined = folder.run(&["check", "Dockerfile", "--combine", "-p", "policy.rego"]);
    assert_eq!(combined.status.code(), Some(3), "nor is nothing, combined: {}", last_line(&combined));
}

#[test]
fn facts_of_a_rule_are_in_every_format() {
    let policy = "package main\nimport rego.v1\n\
                  deny contains {\"msg\": \"openssl is old\", \"cve\": \"CVE-2026-1\"} if input.name == \"a\"\n";
    let folder = Folder::new("facts", &[("policy.rego", policy), ("input.json", r#"{"name": "a"}"#)]);
    let told = |arguments: &[&str]| {
        let output = folder.run(&[&["check", "input.json", "-p", "policy.rego"], arguments].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    for format in ["human", "json", "sarif", "junit", "github", "gitlab", "markdown"] {
        let text = told(&["--format", format]);
        assert!(text.contains("openssl is old") && text.contains("CVE-2026-1"), "{format}: {text}");
    }
    assert!(told(&["--quiet"]).contains("openssl is old [cve: CVE-2026-1] ("), "{}", told(&["--quiet"]));
}
