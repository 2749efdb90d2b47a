//! Policies of the cluster: found when they appear, told how they are, left to other controllers where those speak.

use std::sync::Arc;

use jiff::Timestamp;
use palisade_kube::policies::Documents;
use palisade_kube::{ClusterPolicies, Condition, Connection, definitions};
use palisade_model::{Resource, Value};
use palisade_testkit::Cluster;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::world::{LIMIT, caches, config, shared, until};

type Receiver = watch::Receiver<Option<Arc<Documents>>>;

async fn define(connection: &Connection, definitions: Vec<Value>) {
    for definition in definitions {
        let name = definitions::name_of(&definition).unwrap();
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        connection.apply(&path, &definition, true).await.unwrap();
    }
}

/// Waits until a document of this kind and name fulfils the condition.
async fn document(documents: &mut Receiver, kind: &str, name: &str, holds: impl Fn(&Resource) -> bool) -> Resource {
    let found = |all: &Option<Arc<Documents>>| {
        let all = all.as_ref()?;
        all.documents.iter().find(|one| one.kind() == kind && one.name() == name && holds(one)).cloned()
    };
    let waited = tokio::time::timeout(LIMIT, documents.wait_for(|all| found(all).is_some()));
    found(&waited.await.unwrap_or_else(|_| panic!("{kind} {name} does not arrive")).unwrap()).unwrap()
}

fn condition(document: &Resource, ready: bool, message: &str) -> Condition {
    let reason = if ready { "Loaded" } else { "Refused" };
    Condition {
        document: document.clone(),
        ready,
        reason: reason.into(),
        message: message.into(),
        time: Timestamp::now(),
    }
}

fn apply_when_served(cluster: &Cluster, yaml: &str) {
    cluster.wait_for(LIMIT, |cluster| cluster.kubectl(&["apply", "-f", "-"], yaml).success.then_some(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_appear_change_go_and_are_told_how_they_are() {
    let Some(cluster) = shared() else { return };
    let (caches, _guard) = caches(&cluster).await;
    let policies = ClusterPolicies::start(&caches, &config(cluster.kubeconfig()), &CancellationToken::new());
    let mut documents = policies.documents();
    define(caches.connection(), definitions::kyverno()).await;
    apply_when_served(
        &cluster,
        "{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: told, labels: {v: '1'}}, spec: {rules: []}}",
    );
    let told = document(&mut documents, "ClusterPolicy", "told", |_| true).await;
    let written = Value::from_json(r#"{"name":"told","labels":{"v":"1"}}"#).unwrap();
    assert_eq!(told.object.get("metadata"), Some(&written), "only what somebody wrote");

    policies.report(&[condition(&told, false, "rule `x` has no match")]).await.unwrap();
    let shown = cluster.kubectl(&["get", "clusterpolicy", "told"], "").ok();
    assert!(shown.contains("False") && shown.contains("rule `x` has no match"), "{shown}");
    let first = cluster.kubectl(&["get", "clusterpolicy", "told", "-o", "json"], "").json();
    let condition_of = |object: &serde_json::Value| object["status"]["conditions"][0].clone();
    assert_eq!(condition_of(&first)["observedGeneration"], first["metadata"]["generation"]);
    policies.report(&[condition(&told, false, "rule `x` has no match")]).await.unwrap();
    let again = cluster.kubectl(&["get", "clusterpolicy", "told", "-o", "json"], "").json();
    assert_eq!(first["metadata"]["resourceVersion"], again["metadata"]["resourceVersion"], "nothing is written twice");
    policies.report(&[condition(&told, true, "")]).await.unwrap();
    assert!(cluster.kubectl(&["get", "clusterpolicy", "told"], "").ok().contains("True"));

    cluster.kubectl(&["label", "clusterpolicy", "told", "v=2", "--overwrite"], "").ok();
    let label = |one: &Resource| one.object.dig(["metadata", "labels", "v"]).and_then(Value::as_str) == Some("2");
    document(&mut documents, "ClusterPolicy", "told", label).await;
    cluster.kubectl(&["delete", "clusterpolicy", "told"], "").ok();
    let gone = |all: &Option<Arc<Documents>>| {
        all.as_ref().is_some_and(|all| all.documents.iter().all(|one| one.name() != "told"))
    };
    tokio::time::timeout(LIMIT, documents.wait_for(gone)).await.expect("the policy goes").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_of_another_controller_is_left_alone() {
    let Some(cluster) = shared() else { return };
    let (caches, _guard) = caches(&cluster).await;
    let policies = ClusterPolicies::start(&caches, &config(cluster.kubeconfig()), &CancellationToken::new());
    define(caches.connection(), definitions::kyverno()).await;
    apply_when_served(
        &cluster,
        "{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: theirs}, spec: {rules: []}}",
    );
    let theirs =
        r#"{"status":{"conditions":[{"type":"Ready","status":"True","reason":"Succeeded","message":"Ready"}]}}"#;
    let patch =
        ["patch", "clusterpolicy", "theirs", "--subresource=status", "--type=merge", "--field-manager=kyverno", "-p"];
    cluster.kubectl(&[&patch[..], &[theirs]].concat(), "").ok();
    let document = document(&mut policies.documents(), "ClusterPolicy", "theirs", |_| true).await;
    policies.report(&[condition(&document, false, "we cannot load it")]).await.unwrap();
    assert!(cluster.kubectl(&["get", "clusterpolicy", "theirs"], "").ok().contains("True"), "Kyverno's word stands");
    let events = cluster.kubectl(&["get", "events", "--field-selector", "involvedObject.name=theirs"], "").ok();
    assert!(events.contains("Warning") && events.contains("we cannot load it"), "{events}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn native_policies_are_kept_to_the_scan_and_get_an_event() {
    let Some(cluster) = shared() else { return };
    let (caches, _guard) = caches(&cluster).await;
    let policies = ClusterPolicies::start(&caches, &config(cluster.kubeconfig()), &CancellationToken::new());
    cluster.apply(
        "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: native},
          spec: {matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE],
          resources: [configmaps]}]}, validations: [{expression: 'true'}]}}",
    );
    let native = document(&mut policies.documents(), "ValidatingAdmissionPolicy", "native", |_| true).await;
    let annotation = native.object.dig(["metadata", "annotations", "palisade.dev/admission"]);
    assert_eq!(annotation.and_then(Value::as_str), Some("false"));
    policies.report(&[condition(&native, false, "its expression is wrong")]).await.unwrap();
    let events = cluster.kubectl(&["get", "events", "--field-selector", "involvedObject.name=native"], "").ok();
    assert!(events.contains("its expression is wrong"), "{events}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn constraints_are_defined_from_their_templates() {
    let Some(cluster) = shared() else { return };
    let (caches, _guard) = caches(&cluster).await;
    let policies = ClusterPolicies::start(&caches, &config(cluster.kubeconfig()), &CancellationToken::new());
    define(caches.connection(), definitions::gatekeeper()).await;
    apply_when_served(
        &cluster,
        "{apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: needslabel},
          spec: {crd: {spec: {names: {kind: NeedsLabel}, validation: {openAPIV3Schema: {type: object, properties:
          {label: {type: string}}}}}}, targets: [{target: admission.k8s.gatekeeper.sh, rego: 'package needslabel'}]}}",
    );
    let constraint = |label: &str| {
        format!(
            "{{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: NeedsLabel, metadata: {{name: team}},
               spec: {{match: {{kinds: [{{apiGroups: [''], kinds: [Pod]}}]}}, parameters: {{label: {label}}}}}}}"
        )
    };
    apply_when_served(&cluster, &constraint("team"));
    let refused = cluster.kubectl(&["apply", "-f", "-"], &constraint("7")).refused();
    assert!(refused.contains("parameters.label"), "the template's schema checks it: {refused}");
    let found = document(&mut policies.documents(), "NeedsLabel", "team", |_| true).await;
    policies.report(&[condition(&found, true, "")]).await.unwrap();
    let shown = until("the status", async || {
        let shown = cluster.kubectl(&["get", "constraints"], "").ok();
        shown.contains("True").then_some(shown)
    });
    assert!(shown.await.contains("team"));
}
