//! Agreement with Kyverno's policy library on its own test objects, for policies that say the same as a rule of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use palisade_model::Value;

use crate::runner::{check, corpus, documents, files_called, selector};

/// The library's policy folder, and the rules that together say the same.
const SAME: &[(&str, &[&str])] = &[
    ("block-ephemeral-containers", &["ephemeral-container"]),
    ("check-deprecated-apis", &["removed-api"]),
    ("deny-secret-service-account-token-type", &["service-account-token-secret"]),
    ("disallow-capabilities", &["added-capabilities"]),
    ("disallow-capabilities-strict", &["dropped-capabilities", "added-capabilities"]),
    ("disallow-cri-sock-mount", &["container-socket"]),
    ("disallow-default-namespace", &["default-namespace"]),
    ("disallow-empty-ingress-host", &["ingress-host"]),
    ("disallow-helm-tiller", &["helm-tiller"]),
    ("disallow-host-namespaces", &["host-namespaces"]),
    ("disallow-host-path", &["host-path-volumes"]),
    ("disallow-host-ports", &["host-ports"]),
    ("disallow-host-process", &["host-process"]),
    ("disallow-ingress-nginx-custom-snippets", &["ingress-snippets"]),
    ("disallow-latest-tag", &["image-tag"]),
    ("disallow-localhost-services", &["service-external-name"]),
    ("disallow-privilege-escalation", &["privilege-escalation"]),
    ("disallow-privileged-containers", &["privileged-containers"]),
    ("disallow-proc-mount", &["proc-mount"]),
    ("disallow-secrets-from-env-vars", &["secret-as-file"]),
    ("disallow-selinux", &["selinux-options"]),
    ("ensure-probes-different", &["identical-probes"]),
    ("ingress-host-match-tls", &["ingress-tls"]),
    ("pdb-maxunavailable", &["disruption-budget-blocks"]),
    ("prevent-bare-pods", &["bare-pod"]),
    ("require-cpu-limits", &["cpu-limit"]),
    ("require-deployments-have-multiple-replicas", &["single-replica"]),
    ("require-drop-all", &["dropped-capabilities"]),
    ("require-image-checksum", &["image-digest"]),
    ("require-pod-priorityclassname", &["priority-class"]),
    ("require-pod-requests-limits", &["resource-requests", "memory-limit"]),
    ("require-ro-rootfs", &["read-only-root"]),
    ("require-run-as-non-root-user", &["run-as-user"]),
    ("require-run-as-nonroot", &["run-as-non-root"]),
    ("require-storageclass", &["claim-storage-class"]),
    ("restrict-apparmor-profiles", &["apparmor-profile"]),
    ("restrict-binding-clusteradmin", &["cluster-admin-binding"]),
    ("restrict-binding-system-groups", &["anonymous-binding", "authenticated-binding", "system-masters-binding"]),
    ("restrict-clusterrole-nodesproxy", &["rbac-node-proxy"]),
    ("restrict-controlplane-scheduling", &["control-plane-scheduling"]),
    ("restrict-escalation-verbs-roles", &["rbac-escalation-verbs"]),
    ("restrict-ingress-wildcard", &["ingress-wildcard-host"]),
    ("restrict-node-port", &["service-node-port"]),
    ("restrict-sa-automount-sa-token", &["service-account-automount"]),
    ("restrict-seccomp", &["seccomp-unconfined"]),
    ("restrict-seccomp-strict", &["seccomp-profile", "seccomp-unconfined"]),
    ("restrict-secret-role-verbs", &["rbac-secrets"]),
    ("restrict-service-external-ips", &["service-external-ips"]),
    ("restrict-sysctls", &["unsafe-sysctls"]),
    ("restrict-volume-types", &["volume-types", "host-path-volumes"]),
    ("restrict-wildcard-resources", &["rbac-wildcard-resources"]),
    ("restrict-wildcard-verbs", &["rbac-wildcard-verbs"]),
];

/// Where we judge otherwise on purpose: the folder, the start of the object's name, why.
const OTHERWISE: &[(&str, &str, &str)] = &[(
    "disallow-default-namespace",
    "baddeployment",
    "no namespace is written there; a file is applied to whichever namespace the user works in",
)];

/// One in so many may differ unexplained, so that a larger suite can bring objects that nobody here has seen.
const TOLERANCE: usize = 50;

#[test]
fn rules_agree_with_kyverno_where_they_say_the_same() {
    let Some(corpus) = corpus("kyverno-policies") else { return };
    let (mut compared, mut differences) = (0, Vec::new());
    for test in files_called(&corpus, "kyverno-test.yaml") {
        let Some(folder) = test.parent().and_then(Path::parent) else { continue };
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some((_, rules)) = SAME.iter().find(|(known, _)| *known == name) {
            let (count, differing) = compare(&test, &name, rules);
            compared += count;
            differences.extend(differing.into_iter().map(|what| format!("{}: {what}", folder.display())));
        }
    }
    eprintln!("agreed with Kyverno on {} of {compared} objects", compared - differences.len());
    let allowed = compared / TOLERANCE;
    assert!(compared > 0 && differences.len() <= allowed, "{compared} compared\n{}", differences.join("\n"));
    for difference in &differences {
        eprintln!("differs: {difference}");
    }
}

/// What a test file expects of objects (by kind and name), and what our rules say.
fn compare(test: &Path, folder: &str, rules: &[&str]) -> (usize, Vec<String>) {
    let Some(document) = documents(test).into_iter().next() else { return (0, Vec::new()) };
    let beside = test.parent().unwrap_or(Path::new(""));
    let listed = document.value.get("resources").and_then(Value::as_array).unwrap_or_default();
    let files: Vec<PathBuf> = listed.iter().filter_map(Value::as_str).map(|file| beside.join(file)).collect();
    let files: Vec<PathBuf> = files.into_iter().filter(|file| file.is_file()).collect();
    if files.is_empty() {
        return (0, Vec::new());
    }
    let present: BTreeSet<(String, String)> = files.iter().flat_map(|file| documents(file)).map(key).collect();
    let selectors: Vec<String> = rules.iter().map(|rule| selector(rule)).collect();
    let found = check(&files, &selectors);
    let mut differences = Vec::new();
    let expected = expected(&document.value, &present);
    for ((kind, name), fails) in &expected {
        let ours = found.iter().any(|finding| finding.kind_and_name() == (kind, name));
        let known = OTHERWISE.iter().any(|(at, start, _)| *at == folder && name.starts_with(start));
        if ours != *fails && !known {
            differences.push(format!("{kind} {name}: expected fail={fails}, ours fail={ours}"));
        }
    }
    (expected.len(), differences)
}

fn key(document: palisade_document::Document) -> (String, String) {
    let resource = document.into_resource();
    (resource.kind().to_owned(), resource.name().to_owned())
}

/// Whether each object that is there is expected to fail. One that passes is counted only where every rule of the test
/// has a say about it: it may fail the others.
fn expected(test: &Value, present: &BTreeSet<(String, String)>) -> BTreeMap<(String, String), bool> {
    let rows = test.get("results").and_then(Value::as_array).unwrap_or_default();
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let all: BTreeSet<String> = rows.iter().map(|row| text(row, "rule")).collect();
    let mut failing = BTreeSet::new();
    let mut passed: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let result = if row.get("result").is_some() { text(row, "result") } else { text(row, "status") };
        let several = row.get("resources").and_then(Value::as_array).unwrap_or_default();
        let names = several.iter().chain(row.get("resource")).filter_map(Value::as_str);
        for name in names.map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()) {
            let key = (text(row, "kind"), name);
            match &*result {
                _ if !present.contains(&key) => {}
                "fail" => drop(failing.insert(key)),
                "pass" => drop(passed.entry(key).or_default().insert(text(row, "rule"))),
                _ => {}
            }
        }
    }
    let wholly = passed.into_iter().filter(|(key, rules)| *rules == all && !failing.contains(key));
    let wholly: Vec<_> = wholly.map(|(key, _)| (key, false)).collect();
    failing.into_iter().map(|key| (key, true)).chain(wholly).collect()
}
