//! Agreement with Gatekeeper's library on its own examples, for templates that say the same as a rule of ours.

use std::path::Path;

use palisade_model::Value;

use crate::runner::{check, corpus, documents, files_called, selector};

/// Template folder, start of the test's name (empty for all), and the rules that together say the same.
const SAME: &[(&str, &str, &[&str])] = &[
    ("allow-privilege-escalation", "", &["privilege-escalation"]),
    ("automount-serviceaccount-token", "", &["default-service-account-token"]),
    ("block-endpoint-edit-default-role", "", &["rbac-endpoints-edit"]),
    ("block-nodeport-services", "", &["service-node-port"]),
    ("block-wildcard-ingress", "", &["ingress-wildcard-host", "ingress-host"]),
    ("capabilities", "capabilities-baseline", &["added-capabilities"]),
    ("capabilities", "capabilities-restricted", &["dropped-capabilities", "added-capabilities"]),
    ("disallowedtags", "", &["image-tag"]),
    ("disallowinteractive", "", &["interactive-container"]),
    ("externalip", "", &["service-external-ips"]),
    ("forbidden-sysctls", "", &["unsafe-sysctls"]),
    ("host-filesystem", "", &["host-path-volumes"]),
    ("host-namespaces", "", &["host-namespaces"]),
    ("host-probes-lifecycle", "", &["probe-hosts"]),
    ("host-process", "", &["host-process"]),
    ("imagedigests", "", &["image-digest"]),
    ("privileged-containers", "", &["privileged-containers"]),
    ("proc-mount", "", &["proc-mount", "proc-mount-strict"]),
    ("read-only-root-filesystem", "", &["read-only-root"]),
    ("seccompv2", "seccomp-baseline", &["seccomp-unconfined"]),
    ("seccompv2", "seccomp-restricted", &["seccomp-profile", "seccomp-unconfined"]),
    ("selinux", "", &["selinux-options"]),
    ("verifydeprecatedapi", "", &["removed-api", "deprecated-api"]),
    ("volumes", "", &["volume-types", "host-path-volumes"]),
];

/// Parameters that change what a template says so much that its examples are no longer about our rule.
const PARAMETERS: &[(&str, &str)] = &[
    ("allowedIPs", "our rule knows no addresses that a Service may take"),
    ("allowedHostPaths", "our rule allows no path of the node"),
    ("kvs", "an API that is fine in one release is reported when any release removed it"),
];

/// One in so many may differ unexplained.
const TOLERANCE: usize = 50;

#[test]
fn rules_agree_with_gatekeeper_where_they_say_the_same() {
    let Some(corpus) = corpus("gatekeeper-library") else { return };
    let (mut compared, mut differences) = (0, Vec::new());
    for suite in files_called(&corpus, "suite.yaml") {
        let folder = suite.parent().unwrap_or(Path::new(""));
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(document) = documents(&suite).into_iter().next() else { continue };
        for test in document.value.get("tests").and_then(Value::as_array).unwrap_or_default() {
            let title = text(test, "name");
            let same = |(at, start, _): &&(&str, &str, &[&str])| *at == name && title.starts_with(start);
            let Some((.., rules)) = SAME.iter().find(same) else { continue };
            let parameters = parameters(&folder.join(text(test, "constraint")));
            for case in test.get("cases").and_then(Value::as_array).unwrap_or_default() {
                let violates = violates(case);
                let about_parameters = PARAMETERS.iter().any(|(key, _)| parameters.get(key).is_some());
                let excused = ["exempt", "update"].iter().any(|word| text(case, "name").contains(word));
                // A violation stays one without the exception; what an exception lets pass is none of ours, nor is an update of
                // what Kubernetes lets nobody change.
                if !violates && (about_parameters || excused) {
                    continue;
                }
                let selectors: Vec<String> = rules.iter().map(|rule| selector(rule)).collect();
                let found = check(&[folder.join(text(case, "object"))], &selectors);
                compared += 1;
                if found.is_empty() == violates {
                    differences.push(format!("{name}/{title}/{}: expected violation={violates}", text(case, "name")));
                }
            }
        }
    }
    eprintln!("agreed with Gatekeeper on {} of {compared} objects", compared - differences.len());
    let allowed = compared / TOLERANCE;
    assert!(compared > 0 && differences.len() <= allowed, "{compared} compared\n{}", differences.join("\n"));
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn parameters(constraint: &Path) -> Value {
    let documents = if constraint.is_file() { documents(constraint) } else { Vec::new() };
    documents.first().and_then(|document| document.value.dig(["spec", "parameters"])).cloned().unwrap_or_default()
}

/// Whether any assertion of a case wants a violation.
fn violates(case: &Value) -> bool {
    let assertions = case.get("assertions").and_then(Value::as_array).unwrap_or_default();
    assertions.iter().any(|assertion| match assertion.get("violations") {
        None => true,
        Some(Value::String(text)) => &**text == "yes",
        Some(Value::Bool(wanted)) => *wanted,
        Some(other) => other.as_i64().is_some_and(|count| count > 0),
    })
}
