//! Cleanup removes what it should when it should, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use palisade_kube::Caches;
use palisade_kube::cleanup::{Cleaner, CleanupConfig};
use palisade_kube::controller::{ActionKind, ControllerState};
use palisade_model::{Value, json};
use palisade_runtime::Clock;
use palisade_testkit::Cluster;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::controllers::{Notebook, ruleset};
use crate::world::{caches, own, shared, until};

/// A clock that stands still until it is turned.
#[derive(Clone)]
struct Dial(Arc<AtomicI64>);

impl Dial {
    fn at(time: &str) -> Self {
        Self(Arc::new(AtomicI64::new(time.parse::<Timestamp>().unwrap().as_second())))
    }

    fn turn(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

fn start(caches: &Caches, policies: &[Value], notebook: &Arc<Notebook>, dial: &Dial) -> tokio_util::sync::DropGuard {
    let (send, rulesets) = watch::channel(ruleset(policies));
    let stop = CancellationToken::new();
    let dial = dial.clone();
    let cleaner = Cleaner {
        caches: caches.clone(),
        rulesets,
        state: notebook.clone(),
        sink: notebook.clone(),
        clock: Clock::new(move || Timestamp::from_second(dial.0.load(Ordering::Relaxed)).unwrap()),
        config: CleanupConfig {
            tick: Duration::from_millis(50),
            label_interval: Duration::from_millis(200),
            ..CleanupConfig::default()
        },
    };
    let running = stop.clone();
    tokio::spawn(async move {
        cleaner.run(running).await;
        drop(send);
    });
    stop.drop_guard()
}

fn names(cluster: &Cluster, namespace: &str) -> Vec<String> {
    let names = cluster.kubectl(&["get", "configmap", "-n", namespace, "-o", "name"], "").ok();
    names.lines().filter_map(|line| line.strip_prefix("configmap/")).map(str::to_owned).collect()
}

fn map(cluster: &Cluster, namespace: &str, name: &str, labels: &str, data: &str) {
    cluster.apply(&format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}, data: {data}}}"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_remove_only_what_they_must() {
    let Some(cluster) = shared() else { return };
    for namespace in ["tidy", "untidy"] {
        cluster.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}"));
        map(&cluster, namespace, "stale", "{}", "{state: stale}");
        map(&cluster, namespace, "kept", "{keep: 'true'}", "{state: stale}");
        map(&cluster, namespace, "fresh", "{}", "{state: fresh}");
        map(&cluster, namespace, "unclear", "{}", "{}");
        map(&cluster, namespace, "cel", "{}", "{state: cel}");
    }
    let policy = json!({
        "apiVersion": "kyverno.io/v2", "kind": "CleanupPolicy", "metadata": {"name": "tidy-up", "namespace": "tidy"},
        "spec": {
            "schedule": "0 * * * *",
            "match": {"any": [{"resources": {"kinds": ["ConfigMap"], "names": ["stale", "kept", "fresh", "unclear"]}}]},
            "exclude": {"any": [{"resources": {"selector": {"matchLabels": {"keep": "true"}}}}]},
            "conditions": {"any": [{"key": "{{ target.data.state }}", "operator": "Equals", "value": "stale"}]}
        }
    });
    let deleting = json!({
        "apiVersion": "policies.kyverno.io/v1", "kind": "NamespacedDeletingPolicy",
        "metadata": {"name": "tidy-cel", "namespace": "tidy"},
        "spec": {
            "schedule": "30 * * * *", "deletionPropagationPolicy": "Background",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]
            }]},
            "conditions": [{"name": "state", "expression": "has(object.data) && 'state' in object.data && object.data.state == 'cel'"}]
        }
    });
    let (caches, _caches) = caches(&cluster).await;
    let notebook = Arc::new(Notebook::default());
    let dial = Dial::at("2030-01-01T10:10:00Z");
    let policies = [policy, deleting];
    let running = start(&caches, &policies, &notebook, &dial);
    until("the first sight is kept", async || notebook.load("cleanup").await.unwrap()).await;
    assert_eq!(names(&cluster, "tidy").len(), names(&cluster, "untidy").len(), "nothing is removed before its time");
    dial.turn(21 * 60);
    until("the CEL policy runs", async || notebook.action(ActionKind::Removed, "cel")).await;
    assert!(notebook.action(ActionKind::Removed, "stale").is_none());

    // A run that is missed is made up for, once.
    drop(running);
    dial.turn(5 * 3_600);
    let _running = start(&caches, &policies, &notebook, &dial);
    until("the stale one goes", async || notebook.action(ActionKind::Removed, "stale")).await;
    until("what cannot be judged is named", async || notebook.action(ActionKind::Failed, "unclear")).await;
    let left = names(&cluster, "tidy");
    assert!(["kept", "fresh", "unclear"].iter().all(|name| left.iter().any(|left| left == name)), "{left:?}");
    assert!(!left.iter().any(|name| name == "stale" || name == "cel"), "{left:?}");
    assert_eq!(names(&cluster, "untidy").iter().filter(|name| *name != "kube-root-ca.crt").count(), 5);
    map(&cluster, "tidy", "stale", "{}", "{state: stale}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(names(&cluster, "tidy").iter().any(|name| name == "stale"), "one run makes up for all that were missed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_say_themselves_when_they_go() {
    // Its own cluster: the clocks of other tests are years ahead.
    let Some(cluster) = own() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: mortal}}");
    map(&cluster, "mortal", "short", "{cleanup.kyverno.io/ttl: 1h}", "{}");
    map(&cluster, "mortal", "dated", "{cleanup.kyverno.io/ttl: '2030-01-31'}", "{}");
    map(&cluster, "mortal", "odd", "{cleanup.kyverno.io/ttl: soon}", "{}");
    map(&cluster, "mortal", "plain", "{}", "{}");
    let (caches, _caches) = caches(&cluster).await;
    let notebook = Arc::new(Notebook::default());
    let dial = Dial(Arc::new(AtomicI64::new(Timestamp::now().as_second())));
    let _running = start(&caches, &[], &notebook, &dial);
    until("the odd label is named", async || notebook.action(ActionKind::Failed, "odd")).await;
    assert!(notebook.action(ActionKind::Removed, "short").is_none());
    dial.turn(2 * 3_600);
    until("the short one goes", async || notebook.action(ActionKind::Removed, "short")).await;
    let left = names(&cluster, "mortal");
    assert!(["dated", "odd", "plain"].iter().all(|name| left.iter().any(|left| left == name)), "{left:?}");
    dial.0.store("2030-02-01T00:00:00Z".parse::<Timestamp>().unwrap().as_second(), Ordering::Relaxed);
    until("the dated one goes", async || notebook.action(ActionKind::Removed, "dated")).await;
}
