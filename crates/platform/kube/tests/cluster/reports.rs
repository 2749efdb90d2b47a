//! Reports in the cluster: they come when their kinds do, follow the results, and go with their objects.

use std::sync::Arc;
use std::time::Duration;

use palisade_kube::reports::Reporter;
use palisade_kube::scan::{ScanConfig, Scanner};
use palisade_kube::{Caches, Reports};
use palisade_model::{Value, json};
use palisade_runtime::Clock;
use palisade_testkit::Cluster;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::controllers::{Notebook, cluster_policy, ruleset};
use crate::world::{caches, own, until};

/// Definitions of a pair of report kinds that keep whatever is written.
fn definitions(group: &str, version: &str, kinds: [(&str, &str, &str); 2]) -> String {
    let define = |(kind, plural, scope): (&str, &str, &str)| {
        let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        let version = json!({"name": version, "served": true, "storage": true, "schema": schema});
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {
                "name": format!("{plural}.{group}"),
                "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"}
            },
            "spec": {
                "group": group, "scope": scope, "versions": [version],
                "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")}
            }
        })
    };
    let items: Vec<Value> = kinds.into_iter().map(define).collect();
    json!({"apiVersion": "v1", "kind": "List", "items": Value::array(items)}).to_json()
}

fn start(caches: &Caches, choice: Reports, label: &str, notebook: &Arc<Notebook>) -> tokio_util::sync::DropGuard {
    let rule = json!({
        "name": "label",
        "match": {"any": [{"resources": {"kinds": ["ConfigMap", "Namespace"], "names": ["told*"]}}]},
        "validate": {"message": "label it", "pattern": {"metadata": {"labels": {label: "?*"}}}}
    });
    let mut policy = cluster_policy("labels", &json!([rule]));
    let annotations = json!({"policies.kyverno.io/category": "Housekeeping", "policies.kyverno.io/severity": "high"});
    let metadata = policy.as_object_mut().and_then(|policy| policy.get_mut("metadata")).and_then(Value::as_object_mut);
    metadata.unwrap().insert("annotations", annotations);
    let (send, rulesets) = watch::channel(ruleset(&[policy]));
    let stop = CancellationToken::new();
    let scanner = Scanner {
        caches: caches.clone(),
        rulesets,
        state: notebook.clone(),
        sink: notebook.clone(),
        again: Arc::default(),
        reporter: Reporter::new(caches, choice, Clock::system()),
        clock: Clock::system(),
        config: ScanConfig { settle: Duration::from_millis(300), ..ScanConfig::default() },
    };
    let running = stop.clone();
    tokio::spawn(async move {
        scanner.run(running).await;
        drop(send);
    });
    stop.drop_guard()
}

fn report_of(cluster: &Cluster, resource: &str, name: &str) -> Option<Value> {
    let list = cluster.kubectl(&["get", resource, "-A", "-o", "json"], "");
    let list = list.success.then(|| Value::from_json(&list.stdout).unwrap())?;
    let items = list.get("items").and_then(Value::as_array).unwrap_or_default();
    items.iter().find(|item| item.dig(["scope", "name"]).and_then(Value::as_str) == Some(name)).cloned()
}

fn summary(report: &Value) -> (i64, i64) {
    let count = |key| report.dig(["summary", key]).and_then(Value::as_i64).unwrap_or(-1);
    (count("pass"), count("fail"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_come_follow_and_go() {
    let Some(cluster) = own() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: told-space}}");
    let told = |labels: &str| {
        cluster.apply(&format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: told, namespace: told-space, labels: {labels}}}}}"
        ));
    };
    told("{a: b}");
    let (caches, _caches) = caches(&cluster).await;
    let notebook = Arc::new(Notebook::default());
    let scan = start(&caches, Reports::PolicyReport, "team", &notebook);
    // Without the kinds, results are in the store alone.
    until("results", async || notebook.decision("told-space", "told")).await;
    let kinds =
        [("PolicyReport", "policyreports", "Namespaced"), ("ClusterPolicyReport", "clusterpolicyreports", "Cluster")];
    cluster.apply(&definitions("wgpolicyk8s.io", "v1alpha2", kinds));
    let report = until("a report", async || report_of(&cluster, "policyreports", "told")).await;
    assert_eq!(summary(&report), (0, 1));
    let result = &report.get("results").and_then(Value::as_array).unwrap()[0];
    let text = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or_default();
    assert_eq!(
        ["source", "policy", "rule", "severity", "category", "result"].map(text),
        ["palisade", "labels", "label", "high", "Housekeeping", "fail"]
    );
    assert!(text("message").contains("label it") && result.dig(["timestamp", "seconds"]).is_some(), "{result}");
    let owner = &report.dig(["metadata", "ownerReferences"]).and_then(Value::as_array).unwrap()[0];
    assert_eq!(owner.get("uid"), report.dig(["scope", "uid"]));
    until("a report about an object outside of namespaces", async || {
        report_of(&cluster, "clusterpolicyreports", "told-space")
    })
    .await;

    told("{team: a}");
    let passed = until("the mended object passes", async || {
        report_of(&cluster, "policyreports", "told").filter(|report| summary(report) == (1, 0))
    })
    .await;
    // What says the same is not written again, neither now nor by a later run.
    let version = passed.dig(["metadata", "resourceVersion"]).cloned();
    told("{team: b}");
    drop(scan);
    let judged = notebook.judgements().len();
    let _scan = start(&caches, Reports::PolicyReport, "team", &notebook);
    until("the later run", async || (notebook.judgements().len() > judged).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    let again = report_of(&cluster, "policyreports", "told").unwrap();
    assert_eq!(again.dig(["metadata", "resourceVersion"]).cloned(), version);

    cluster.kubectl(&["delete", "configmap", "-n", "told-space", "told"], "").ok();
    until("the report goes", async || report_of(&cluster, "policyreports", "told").is_none().then_some(())).await;

    // Both flavours say the same.
    let kinds = [("Report", "reports", "Namespaced"), ("ClusterReport", "clusterreports", "Cluster")];
    cluster.apply(&definitions("openreports.io", "v1alpha1", kinds));
    until("the kinds", async || caches.discovery().named("openreports.io", "ClusterReport").cloned()).await;
    let _open = start(&caches, Reports::Auto, "team", &Arc::new(Notebook::default()));
    let report =
        until("an open report", async || report_of(&cluster, "clusterreports.openreports.io", "told-space")).await;
    assert_eq!((summary(&report), report.get("source")), ((0, 1), Some(&Value::from("palisade"))));
}
