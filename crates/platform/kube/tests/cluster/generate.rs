//! Generated objects appear, are kept in step, and go; what is somebody else's stays as it is.

use std::sync::Arc;
use std::time::Duration;

use palisade_kube::Caches;
use palisade_kube::controller::{ActionKind, ControllerState};
use palisade_kube::generate::{GenerateConfig, Generator};
use palisade_model::{Value, json};
use palisade_runtime::Clock;
use palisade_testkit::Cluster;
use palisade_verdict::Ruleset;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::controllers::{Notebook, cluster_policy, ruleset};
use crate::world::{caches, shared, until};

fn start(
    caches: &Caches,
    rulesets: watch::Receiver<Arc<Ruleset>>,
    notebook: &Arc<Notebook>,
) -> tokio_util::sync::DropGuard {
    let stop = CancellationToken::new();
    let generator = Generator {
        caches: caches.clone(),
        rulesets,
        state: notebook.clone(),
        sink: notebook.clone(),
        clock: Clock::system(),
        config: GenerateConfig {
            settle: Duration::from_millis(200),
            grace: Duration::from_millis(500),
            ..GenerateConfig::default()
        },
    };
    tokio::spawn(generator.run(stop.clone()));
    stop.drop_guard()
}

/// A rule for namespaces that have the label `for`.
fn rule(name: &str, label: &str, generate: &Value) -> Value {
    json!({
        "name": name,
        "match": {"any": [{"resources": {"kinds": ["Namespace"], "selector": {"matchLabels": {"for": label}}}}]},
        "generate": generate
    })
}

fn data(kind: (&str, &str), name: &str, data: &Value, synchronize: bool) -> Value {
    json!({
        "apiVersion": kind.0, "kind": kind.1, "name": name, "namespace": "{{ request.object.metadata.name }}",
        "synchronize": synchronize, "data": data
    })
}

const NETWORK_POLICY: (&str, &str) = ("networking.k8s.io/v1", "NetworkPolicy");
const CONFIG_MAP: (&str, &str) = ("v1", "ConfigMap");

fn namespace(cluster: &Cluster, name: &str, label: &str) {
    cluster
        .apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{for: {label}}}}}}}"));
}

fn find(cluster: &Cluster, kind: &str, namespace: &str, name: &str) -> Option<Value> {
    let found = cluster.kubectl(&["get", kind, "-n", namespace, name, "-o", "json"], "");
    found.success.then(|| Value::from_json(&found.stdout).unwrap())
}

fn text<'v, const N: usize>(object: &'v Value, keys: [&str; N]) -> &'v str {
    object.dig(keys).and_then(Value::as_str).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_namespace_receives_what_it_should_and_keeps_it() {
    let Some(cluster) = shared() else { return };
    namespace(&cluster, "gen-old", "gen-a");
    // Creation times have whole seconds: what is as old as the policy counts as younger.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let closed = json!({"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}});
    let policies = |cpu: &str| {
        let quota = json!({"spec": {"hard": {"requests.cpu": cpu}}});
        ruleset(&[cluster_policy(
            "gen-defaults",
            &json!([
                rule("closed", "gen-a", &data(NETWORK_POLICY, "default-deny", &closed, true)),
                rule("quota", "gen-a", &data(("v1", "ResourceQuota"), "default", &quota, true)),
                rule("once", "gen-a", &data(CONFIG_MAP, "welcome", &json!({"data": {"text": "hello"}}), false))
            ]),
        )])
    };
    let (send, rulesets) = watch::channel(policies("4"));
    let (caches, _caches) = caches(&cluster).await;
    let notebook = Arc::new(Notebook::default());
    let running = start(&caches, rulesets.clone(), &notebook);
    // Namespaces that were there before are no triggers, as the rules do not say `generateExisting`.
    until("a generator that knows what exists", async || notebook.load("generate").await.unwrap()).await;
    namespace(&cluster, "gen-new", "gen-a");
    let policy = until("the NetworkPolicy", async || find(&cluster, "networkpolicy", "gen-new", "default-deny")).await;
    let label = |key: &str| text(&policy, ["metadata", "labels", key]).to_owned();
    assert_eq!(label("generate.kyverno.io/policy-name"), "gen-defaults");
    assert_eq!(label("generate.kyverno.io/rule-name"), "closed");
    assert_eq!(label("generate.kyverno.io/trigger-kind"), "Namespace");
    until("the quota", async || find(&cluster, "resourcequota", "gen-new", "default")).await;
    until("the text", async || find(&cluster, "configmap", "gen-new", "welcome")).await;
    assert!(find(&cluster, "networkpolicy", "gen-old", "default-deny").is_none());

    // An added rule opens what the policy closes, so it goes.
    let open = r#"{"spec":{"ingress":[{}],"podSelector":{"matchLabels":{"a":"b"}}}}"#;
    cluster.kubectl(&["patch", "networkpolicy", "-n", "gen-new", "default-deny", "--type=merge", "-p", open], "").ok();
    until("the change is reverted", async || {
        let policy = find(&cluster, "networkpolicy", "gen-new", "default-deny")?;
        let closed =
            policy.dig(["spec", "ingress"]).is_none() && policy.dig(["spec", "podSelector", "matchLabels"]).is_none();
        closed.then_some(())
    })
    .await;
    cluster.kubectl(&["delete", "networkpolicy", "-n", "gen-new", "default-deny"], "").ok();
    until("it is made anew", async || find(&cluster, "networkpolicy", "gen-new", "default-deny")).await;
    // What is not kept in step is the users'.
    cluster.kubectl(&["delete", "configmap", "-n", "gen-new", "welcome"], "").ok();

    send.send(policies("8")).unwrap();
    until("the policy's change arrives", async || {
        let quota = find(&cluster, "resourcequota", "gen-new", "default")?;
        (quota.dig(["spec", "hard", "requests.cpu"]) == Some(&Value::from("8"))).then_some(())
    })
    .await;
    assert!(find(&cluster, "configmap", "gen-new", "welcome").is_none());

    // What happens while nobody runs is made up for.
    drop(running);
    tokio::time::sleep(Duration::from_millis(300)).await;
    namespace(&cluster, "gen-late", "gen-a");
    cluster.kubectl(&["delete", "resourcequota", "-n", "gen-new", "default"], "").ok();
    let _running = start(&caches, rulesets, &notebook);
    until("the namespace that nobody saw", async || find(&cluster, "networkpolicy", "gen-late", "default-deny")).await;
    until("the quota that nobody saw go", async || find(&cluster, "resourcequota", "gen-new", "default")).await;

    cluster.kubectl(&["label", "namespace", "gen-new", "for-", "--overwrite"], "").ok();
    until("a namespace that is not meant any more", async || {
        find(&cluster, "networkpolicy", "gen-new", "default-deny").is_none().then_some(())
    })
    .await;
    assert!(find(&cluster, "networkpolicy", "gen-late", "default-deny").is_some());
    send.send(ruleset(&[])).unwrap();
    until("a policy that is gone takes along what it made", async || {
        find(&cluster, "networkpolicy", "gen-late", "default-deny").is_none().then_some(())
    })
    .await;
    assert!(find(&cluster, "configmap", "gen-late", "welcome").is_some(), "what is not kept in step stays");
    assert!(notebook.action(ActionKind::Created, "default-deny").is_some());
    assert!(notebook.action(ActionKind::Updated, "default-deny").is_some());
    assert!(notebook.action(ActionKind::Removed, "default-deny").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_follow_their_source_and_nothing_foreign_is_overwritten() {
    let Some(cluster) = shared() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: gen-base}}");
    let source = |text: &str| {
        cluster.apply(&format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: source, namespace: gen-base}}, data: {{text: {text}}}}}"
        ));
    };
    source("one");
    namespace(&cluster, "gen-copy", "gen-b");
    namespace(&cluster, "gen-taken", "gen-b");
    cluster
        .apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: copy, namespace: gen-taken}, data: {text: mine}}");
    let clone = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": "copy", "namespace": "{{ request.object.metadata.name }}",
        "synchronize": true, "generateExisting": true, "clone": {"namespace": "gen-base", "name": "source"}
    });
    let (send, rulesets) =
        watch::channel(ruleset(&[cluster_policy("gen-copies", &json!([rule("copy", "gen-b", &clone)]))]));
    let (caches, _caches) = caches(&cluster).await;
    let notebook = Arc::new(Notebook::default());
    let _running = start(&caches, rulesets, &notebook);
    let copy = || find(&cluster, "configmap", "gen-copy", "copy").map(|map| text(&map, ["data", "text"]).to_owned());
    until("a copy for a namespace that existed", async || copy().filter(|text| text == "one")).await;
    until("the foreign object is named", async || notebook.action(ActionKind::Failed, "copy")).await;
    assert_eq!(text(&find(&cluster, "configmap", "gen-taken", "copy").unwrap(), ["data", "text"]), "mine");
    source("two");
    until("the copy follows", async || copy().filter(|text| text == "two")).await;
    send.send(ruleset(&[])).unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(copy().as_deref(), Some("two"), "copies outlive their policy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_goes_with_its_source() {
    let Some(cluster) = shared() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: gen-root}}");
    cluster.apply("{apiVersion: v1, kind: Secret, metadata: {name: origin, namespace: gen-root}, stringData: {a: b}}");
    namespace(&cluster, "gen-leaf", "gen-c");
    let clone = json!({
        "apiVersion": "v1", "kind": "Secret", "name": "leaf", "namespace": "{{ request.object.metadata.name }}",
        "synchronize": true, "generateExisting": true, "clone": {"namespace": "gen-root", "name": "origin"}
    });
    let (_send, rulesets) =
        watch::channel(ruleset(&[cluster_policy("gen-leaves", &json!([rule("leaf", "gen-c", &clone)]))]));
    let (caches, _caches) = caches(&cluster).await;
    let notebook = Arc::new(Notebook::default());
    let _running = start(&caches, rulesets, &notebook);
    until("the copy", async || find(&cluster, "secret", "gen-leaf", "leaf")).await;
    cluster.kubectl(&["delete", "secret", "-n", "gen-root", "origin"], "").ok();
    until("the copy goes", async || find(&cluster, "secret", "gen-leaf", "leaf").is_none().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn existing_objects_are_changed_and_chains_end() {
    let Some(cluster) = shared() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: gen-chain}}");
    cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: target, namespace: gen-chain}, data: {a: b}}");
    let selected = |name: &str| json!({"any": [{"resources": {"kinds": ["ConfigMap"], "namespaces": ["gen-chain"], "names": [name]}}]});
    let generating = json!({
        "apiVersion": "policies.kyverno.io/v1", "kind": "GeneratingPolicy", "metadata": {"name": "gen-cel"},
        "spec": {
            "evaluation": {"synchronize": {"enabled": true}},
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]
            }]},
            "matchConditions": [{"name": "here", "expression": "object.metadata.namespace == 'gen-chain' && object.metadata.name == 'cause'"}],
            "generate": [{"expression": "generator.Apply('gen-chain', [{'apiVersion': dyn('v1'), 'kind': dyn('ConfigMap'), 'metadata': dyn({'name': 'effect'}), 'data': dyn({'of': 'cel'})}])"}]
        }
    });
    let rules = json!([
        {
            "name": "touch",
            "match": selected("cause"),
            "mutate": {
                "targets": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "target", "namespace": "gen-chain"}],
                "patchStrategicMerge": {"data": {"touched": "{{ request.object.data.by }}"}}
            }
        },
        {
            "name": "endless",
            "match": selected("loop*"),
            "generate": {
                "apiVersion": "v1", "kind": "ConfigMap", "name": "{{ request.object.metadata.name }}x",
                "namespace": "gen-chain", "synchronize": true, "data": {"data": {}}
            }
        }
    ]);
    let (_send, rulesets) = watch::channel(ruleset(&[cluster_policy("gen-chain", &rules), generating]));
    let (caches, _caches) = caches(&cluster).await;
    let notebook = Arc::new(Notebook::default());
    let _running = start(&caches, rulesets, &notebook);
    until("a generator that knows what exists", async || notebook.load("generate").await.unwrap()).await;
    cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: cause, namespace: gen-chain}, data: {by: me}}");
    cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: loop, namespace: gen-chain}}");
    until("the target is changed", async || {
        let target = find(&cluster, "configmap", "gen-chain", "target")?;
        (text(&target, ["data", "touched"]) == "me" && text(&target, ["data", "a"]) == "b").then_some(())
    })
    .await;
    let effect = until("what CEL makes", async || find(&cluster, "configmap", "gen-chain", "effect")).await;
    assert_eq!(text(&effect, ["metadata", "labels", "generate.kyverno.io/policy-name"]), "gen-cel");
    until("the chain is named", async || notebook.action(ActionKind::Failed, "loopx")).await;
    assert!(find(&cluster, "configmap", "gen-chain", "loopxx").is_none());
    // The API server runs no garbage collector here: the generator itself removes what lost its trigger.
    cluster.kubectl(&["delete", "configmap", "-n", "gen-chain", "cause"], "").ok();
    until("what lost its trigger goes", async || {
        find(&cluster, "configmap", "gen-chain", "effect").is_none().then_some(())
    })
    .await;
}
