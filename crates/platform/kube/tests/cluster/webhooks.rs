//! The webhook configurations on a real API server: exact, repaired, removed, and no way to lock the cluster out.

use std::sync::Arc;

use palisade_kube::{KubernetesConfig, Registration, webhooks};
use palisade_model::{PolicyRef, Str};
use palisade_policy::{
    Environment, FailurePolicy, Matched, Objects, Operation, Phase, Policy, PolicyInfo, PolicyMeta, Reach, Request,
    RuleInfo, RuleOutcome,
};
use palisade_testkit::Cluster;
use palisade_verdict::Ruleset;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::world::{caches, config, own, until};

/// A policy that only has a reach: what it answers is not asked here.
#[derive(Debug)]
struct Asking(PolicyInfo);

impl Policy for Asking {
    fn info(&self) -> &PolicyInfo {
        &self.0
    }

    fn may_apply(&self, _request: &Request) -> bool {
        true
    }

    fn evaluate(&self, _phase: Phase, _request: &Request, _environment: &Environment<'_>) -> Vec<RuleOutcome> {
        Vec::new()
    }
}

pub(crate) fn asking(matches: Vec<Matched>) -> Arc<dyn Policy> {
    let reference =
        PolicyRef { kind: "ClusterPolicy".into(), namespace: None, name: "asking".into(), digest: "".into() };
    let rules = vec![RuleInfo { name: "rule".into(), phase: Phase::Validate, location: None }];
    let reach = Reach { failure_policy: FailurePolicy::Fail, matches, ..Reach::default() };
    Arc::new(Asking(PolicyInfo::new(reference, PolicyMeta::default(), rules).reaching(reach)))
}

pub(crate) fn on(resource: &str) -> Matched {
    let objects =
        Objects::Resources { groups: vec!["".into()], versions: vec!["v1".into()], resources: vec![resource.into()] };
    Matched { objects, operations: vec![Operation::Create, Operation::Update] }
}

fn ruleset(resources: &[&str]) -> Arc<Ruleset> {
    let policies =
        if resources.is_empty() { Vec::new() } else { vec![asking(resources.iter().map(|one| on(one)).collect())] };
    Arc::new(Ruleset::of(policies))
}

fn registered(cluster: &Cluster) -> Option<Value> {
    let shown = cluster.kubectl(&["get", "validatingwebhookconfiguration", "palisade", "-o", "json"], "");
    shown.success.then(|| shown.json())
}

fn map(namespace: &str, name: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: {namespace}}}}}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configurations_follow_the_policies_and_never_lock_the_cluster_out() {
    let Some(cluster) = own() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: palisade}}");
    let (caches, _guard) = caches(&cluster).await;
    // Nobody listens there: the server is down from the first moment on.
    let config = KubernetesConfig { webhook_url: Some("https://127.0.0.1:9".into()), ..config(cluster.kubeconfig()) };
    let (rules, rulesets) = watch::channel(ruleset(&["configmaps"]));
    let (bundle, bundles) = watch::channel(Str::from(cluster.ca_pem()));
    let (readiness, ready) = watch::channel(false);
    let registration = Registration::new(&caches, &config, rulesets, bundles, ready);
    let mut state = registration.state();
    let stop = CancellationToken::new();
    let keeping = tokio::spawn(registration.keep(stop.clone()));

    cluster.apply(&map("default", "before"));
    assert!(registered(&cluster).is_none(), "not before we can answer");
    readiness.send_replace(true);
    let first = until("the registration", async || registered(&cluster)).await;
    let webhook = &first["webhooks"][0];
    assert_eq!(first["webhooks"].as_array().unwrap().len(), 1);
    assert_eq!(
        webhook["rules"],
        json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                "resources": ["configmaps"], "scope": "Namespaced"}])
    );
    assert_eq!(webhook["clientConfig"]["url"], "https://127.0.0.1:9/validate/fail");
    assert_eq!((&webhook["failurePolicy"], &webhook["matchPolicy"]), (&json!("Fail"), &json!("Equivalent")));

    // The API server takes a moment to act on a new configuration.
    let refused = until("the webhook to be asked", async || {
        let output = cluster.kubectl(&["create", "--dry-run=server", "-f", "-"], &map("default", "blocked"));
        (!output.success).then_some(output.stderr)
    });
    assert!(refused.await.contains("failed calling webhook \"validate-fail.palisade.dev\""));
    cluster.apply(&map("palisade", "ours"));
    cluster.apply(&map("kube-system", "repair"));
    cluster.kubectl(&["create", "namespace", "other"], "").ok();

    cluster.kubectl(&["delete", "validatingwebhookconfiguration", "palisade"], "").ok();
    until("the repair of a removal", async || registered(&cluster)).await;
    let weaker = r#"[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]"#;
    cluster.kubectl(&["patch", "validatingwebhookconfiguration", "palisade", "--type=json", "-p", weaker], "").ok();
    let strong = async || (registered(&cluster)?["webhooks"][0]["failurePolicy"] == "Fail").then_some(());
    until("the repair of a change", strong).await;

    rules.send_replace(ruleset(&["configmaps", "services", "services/*", "services/proxy"]));
    let wider = async || {
        let rules = registered(&cluster)?["webhooks"][0]["rules"].clone();
        (rules[0]["resources"] == json!(["configmaps", "services", "services/*"])).then_some(())
    };
    until("the wider rules", wider).await;
    let before = registered(&cluster).unwrap()["webhooks"][0]["clientConfig"]["caBundle"].clone();
    bundle.send_replace(format!("{0}{0}", cluster.ca_pem()).into());
    until("the new bundle", async || {
        (registered(&cluster)?["webhooks"][0]["clientConfig"]["caBundle"] != before).then_some(())
    })
    .await;

    rules.send_replace(ruleset(&[]));
    until("the removal", async || registered(&cluster).is_none().then_some(())).await;
    rules.send_replace(ruleset(&["services"]));
    until("the registration", async || registered(&cluster)).await;
    assert!(state.wait_for(|state| state.problem.is_none()).await.is_ok());
    stop.cancel();
    keeping.await.unwrap();
    assert!(registered(&cluster).is_some(), "an end alone leaves it");
    webhooks::remove(caches.connection()).await.unwrap();
    assert!(registered(&cluster).is_none());
}
