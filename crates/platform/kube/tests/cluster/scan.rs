//! The background scan: results follow objects, policies and what policies look up, and nothing is judged twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_kube::Caches;
use palisade_kube::scan::{ScanConfig, Scanner};
use palisade_model::{Value, json};
use palisade_runtime::Clock;
use palisade_verdict::Ruleset;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::controllers::{Notebook, cluster_policy, ruleset};
use crate::world::{caches, own, shared, until};

fn labelled(namespace: &str, label: &str) -> Value {
    json!({
        "name": "label",
        "match": {"any": [{"resources": {"kinds": ["ConfigMap"], "namespaces": [namespace], "names": ["map-*"]}}]},
        "validate": {"message": "label it", "pattern": {"metadata": {"labels": {label: "?*"}}}}
    })
}

fn map(namespace: &str, name: &str, labels: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}}}")
}

/// Starts a scan; it ends with the guard.
fn start(
    caches: &Caches,
    rulesets: watch::Receiver<Arc<Ruleset>>,
    notebook: &Arc<Notebook>,
) -> tokio_util::sync::DropGuard {
    let stop = CancellationToken::new();
    let config = ScanConfig { settle: Duration::from_millis(300), rescans_per_second: 5_000, ..ScanConfig::default() };
    let scanner = Scanner {
        caches: caches.clone(),
        rulesets,
        state: notebook.clone(),
        sink: notebook.clone(),
        reporter: None,
        again: Arc::default(),
        clock: Clock::system(),
        config,
    };
    tokio::spawn(scanner.run(stop.clone()));
    stop.drop_guard()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_follow_objects_and_policies() {
    let Some(cluster) = shared() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: scanned}}");
    cluster.apply(&map("scanned", "map-good", "{team: a}"));
    cluster.apply(&map("scanned", "map-bad", "{}"));
    let (caches, _caches) = caches(&cluster).await;
    let policy = |label| ruleset(&[cluster_policy("labels", &Value::array(vec![labelled("scanned", label)]))]);
    let (send, rulesets) = watch::channel(policy("team"));
    let notebook = Arc::new(Notebook::default());
    let scan = start(&caches, rulesets.clone(), &notebook);
    let counts = |name: &'static str| {
        let notebook = notebook.clone();
        move || notebook.decision("scanned", name).map(|decision| (decision.counts.pass, decision.counts.fail))
    };
    let (good, bad) = (counts("map-good"), counts("map-bad"));
    until("first results", async || ((good(), bad()) == (Some((1, 0)), Some((0, 1)))).then_some(())).await;

    cluster.apply(&map("scanned", "map-bad", "{team: b}"));
    until("a mended object passes", async || (bad() == Some((1, 0))).then_some(())).await;
    send.send(policy("owner")).unwrap();
    until("a new policy judges anew", async || ((good(), bad()) == (Some((0, 1)), Some((0, 1)))).then_some(())).await;
    cluster.kubectl(&["delete", "configmap", "-n", "scanned", "map-bad"], "").ok();
    until("what is gone is told", async || notebook.is_gone("map-bad").then_some(())).await;

    // A later run takes over where this one ended, and finds what went meanwhile.
    cluster.apply(&map("scanned", "map-new", "{owner: c}"));
    let fresh = counts("map-new");
    until("the new object", async || fresh()).await;
    drop(scan);
    cluster.kubectl(&["delete", "configmap", "-n", "scanned", "map-new"], "").ok();
    let before = notebook.judgements();
    let _scan = start(&caches, rulesets, &notebook);
    until("what went meanwhile is told", async || notebook.is_gone("map-new").then_some(())).await;
    assert_eq!(notebook.judgements(), before, "nothing changed, so nothing is judged again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_follow_what_policies_look_up() {
    let Some(cluster) = shared() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: looking, labels: {tier: low}}}");
    cluster.apply(&map("looking", "map-one", "{team: a}"));
    cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: allowed, namespace: looking}, data: {team: a}}");
    let selected = |resources: Value| json!({"any": [{"resources": resources}]});
    let rules = json!([
        {
            "name": "tier",
            "match": selected(json!({"kinds": ["ConfigMap"], "names": ["map-*"], "namespaceSelector": {"matchLabels": {"tier": "high"}}})),
            "validate": {"message": "never in a high tier", "deny": {}}
        },
        {
            "name": "allowed",
            "match": selected(json!({"kinds": ["ConfigMap"], "namespaces": ["looking"], "names": ["map-*"]})),
            "context": [{"name": "allowed", "configMap": {"name": "allowed", "namespace": "looking"}}],
            "validate": {
                "message": "team is not allowed",
                "pattern": {"metadata": {"labels": {"team": "{{ allowed.data.team }}"}}}
            }
        }
    ]);
    let (caches, _caches) = caches(&cluster).await;
    let (_send, rulesets) = watch::channel(ruleset(&[cluster_policy("looks", &rules)]));
    let notebook = Arc::new(Notebook::default());
    let _scan = start(&caches, rulesets, &notebook);
    let failed = || notebook.decision("looking", "map-one").map(|decision| decision.counts.fail);
    until("all is well", async || (failed() == Some(0)).then_some(())).await;
    cluster.kubectl(&["label", "namespace", "looking", "tier=high", "--overwrite"], "").ok();
    until("the namespace's label counts", async || (failed() == Some(1)).then_some(())).await;
    cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: allowed, namespace: looking}, data: {team: b}}");
    until("the look-up counts", async || (failed() == Some(2)).then_some(())).await;
}

/// The memory of this process, in megabytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stderr, reason = "the figures are what the test shows")]
async fn two_thousand_objects_are_scanned_in_seconds() {
    const OBJECTS: usize = 2_000;
    let Some(cluster) = own() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: crowd}}");
    let items: Vec<Value> = (0..OBJECTS)
        .map(|n| {
            let metadata = json!({"name": format!("map-{n}"), "namespace": "crowd", "labels": {"n": n.to_string()}});
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": "x".repeat(1_000)}})
        })
        .collect();
    let (caches, _caches) = caches(&cluster).await;
    for chunk in items.chunks(50) {
        let path = "/api/v1/namespaces/crowd/configmaps";
        let created = chunk.iter().map(|item| caches.connection().create(path, item));
        for answer in futures_util::future::join_all(created).await {
            answer.unwrap();
        }
    }
    let (send, rulesets) = watch::channel(ruleset(&[]));
    let notebook = Arc::new(Notebook::default());
    let _scan = start(&caches, rulesets, &notebook);
    let before = resident();
    for (label, round) in [("team", 1), ("owner", 2)] {
        let began = Instant::now();
        let policy = cluster_policy("labels", &Value::array(vec![labelled("crowd", label)]));
        send.send(ruleset(&[policy])).unwrap();
        until("all objects", async || (notebook.judgements().len() >= OBJECTS * round).then_some(())).await;
        let seconds = began.elapsed().as_secs_f64();
        eprintln!(
            "scan of {OBJECTS} objects, round {round}: {seconds:.2} s, {:.0} objects/s; resident {:.1} MB, {:.1} MB more \
             than before the scan",
            OBJECTS as f64 / seconds,
            resident(),
            resident() - before
        );
    }
    assert_eq!(notebook.judgements().len(), OBJECTS * 2, "each object is judged once for each policy");
}
