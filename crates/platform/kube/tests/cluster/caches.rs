//! Look-ups are answered from watches, follow changes, and are errors where they cannot be answered.

use palisade_kube::{Caches, Event, KubeError, Outside};
use palisade_model::Value;
use palisade_policy::{ApiCall, LookupError, Lookups as _, Namespace, ObjectQuery};

use crate::world::{blocking, caches, caches_with, config, connect, own, shared, until};

fn query(group: &str, version: &str, resource: &str, namespace: &str, name: &str) -> ObjectQuery {
    ObjectQuery {
        group: group.into(),
        version: version.into(),
        resource: resource.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

async fn get(caches: &Caches, query: ObjectQuery) -> Result<Value, LookupError> {
    let caches = caches.clone();
    blocking(move || caches.get(&query)).await
}

async fn call(caches: &Caches, method: &str, url: &str, body: &str) -> Result<Value, LookupError> {
    let caches = caches.clone();
    let body = Value::from_json(body).unwrap();
    let call = ApiCall { method: method.into(), url: url.into(), body };
    blocking(move || caches.call(&call)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn look_ups_follow_the_cluster() {
    let Some(cluster) = shared() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: looked, labels: {tier: gold}}}");
    cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: colours, namespace: looked}, data: {sky: blue}}");
    let (caches, _guard) = caches(&cluster).await;
    let colours = || query("", "v1", "ConfigMap", "looked", "colours");
    let found = get(&caches, colours()).await.unwrap();
    assert_eq!(found.dig(["data", "sky"]).and_then(Value::as_str), Some("blue"));
    assert_eq!(found.get("kind").and_then(Value::as_str), Some("ConfigMap"));
    assert!(found.dig(["metadata", "managedFields"]).is_none() && found.dig(["metadata", "annotations"]).is_none());
    let namespaces = caches.clone();
    let Namespace::Known(namespace) = blocking(move || namespaces.namespace("looked")).await else {
        panic!("the namespace is known")
    };
    assert_eq!(namespace.dig(["metadata", "labels", "tier"]).and_then(Value::as_str), Some("gold"));

    cluster.kubectl(&["patch", "configmap", "colours", "-n", "looked", "-p", r#"{"data":{"sky":"grey"}}"#], "").ok();
    until("the change", async || {
        let found = get(&caches, colours()).await.unwrap();
        (found.dig(["data", "sky"]).and_then(Value::as_str) == Some("grey")).then_some(())
    })
    .await;
    cluster.kubectl(&["delete", "configmap", "colours", "-n", "looked"], "").ok();
    until("the removal", async || matches!(get(&caches, colours()).await, Err(LookupError::NotFound(_))).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_answered_from_caches_or_by_the_api_server() {
    let Some(cluster) = shared() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: called}}");
    for (name, team) in [("a", "red"), ("b", "green")] {
        let labels = format!("labels: {{team: {team}}}");
        cluster.apply(&format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: called, {labels}}}}}"
        ));
    }
    let (caches, _guard) = caches(&cluster).await;
    let names = |list: &Value| -> Vec<String> {
        let items = list.get("items").and_then(Value::as_array).unwrap().iter();
        items.map(|item| item.dig(["metadata", "name"]).and_then(Value::as_str).unwrap().to_owned()).collect()
    };
    let list = call(&caches, "GET", "/api/v1/namespaces/called/configmaps", "null").await.unwrap();
    assert_eq!(list.get("kind").and_then(Value::as_str), Some("ConfigMapList"));
    assert_eq!(names(&list), ["a", "b"]);
    let selected = "/api/v1/namespaces/called/configmaps?labelSelector=team%3Dgreen";
    assert_eq!(names(&call(&caches, "GET", selected, "null").await.unwrap()), ["b"]);
    let version = call(&caches, "GET", "/version", "null").await.unwrap();
    assert_eq!(version.get("major").and_then(Value::as_str), Some("1"));
    let review = r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview",
        "spec":{"user":"nobody","resourceAttributes":{"verb":"delete","resource":"nodes"}}}"#;
    let url = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let answer = call(&caches, "POST", url, review).await.unwrap();
    assert_eq!(answer.dig(["status", "allowed"]).and_then(Value::as_bool), Some(false));
    let missing = call(&caches, "GET", "/api/v1/namespaces/called/configmaps/c", "null").await;
    assert!(matches!(missing, Err(LookupError::NotFound(_))), "{missing:?}");
    let outside = call(&caches, "GET", "https://example.com/", "null").await;
    assert!(matches!(outside, Err(LookupError::Unavailable { .. })), "{outside:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_we_may_not_read_is_an_error_and_not_empty() {
    let Some(cluster) = shared() else { return };
    cluster.apply(
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: cache-reader},
          roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cache-reader},
          subjects: [{kind: User, name: reader, apiGroup: rbac.authorization.k8s.io}]}",
    );
    cluster.apply(
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: cache-reader},
          rules: [{apiGroups: [''], resources: [namespaces], verbs: [get, list, watch]}]}",
    );
    let config = config(&cluster.user_kubeconfig("reader", &["system:authenticated"]));
    let shutdown = tokio_util::sync::CancellationToken::new();
    let caches = Caches::start(&connect(&config).await, &config, Outside::default(), &shutdown).await.unwrap();
    let listing = caches.clone();
    let denied = blocking(move || listing.list(&query("", "v1", "Secret", "default", ""))).await;
    let Err(LookupError::Failed(message)) = denied else { panic!("{denied:?}") };
    assert!(message.contains("secrets") && message.contains("forbidden"), "{message}");
    let unknown = get(&caches, query("example.com", "v1", "Unicorn", "", "x")).await;
    assert!(matches!(unknown, Err(LookupError::Failed(_))), "{unknown:?}");
    shutdown.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kinds_that_appear_later_are_found_and_followed() {
    let Some(cluster) = shared() else { return };
    let (caches, _guard) = caches(&cluster).await;
    assert!(caches.discovery().named("shop.example.com", "Order").is_none());
    cluster.apply(
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: orders.shop.example.com},
          spec: {group: shop.example.com, scope: Namespaced, names: {kind: Order, plural: orders, singular: order},
          versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object,
          x-kubernetes-preserve-unknown-fields: true}}}]}}",
    );
    let orders = until("the new kind", async || caches.discovery().named("shop.example.com", "Order").cloned()).await;
    assert!(orders.namespaced && orders.is_watchable());
    let mut subscription = caches.subscribe();
    subscription.follow(&[orders]);
    cluster
        .apply("{apiVersion: shop.example.com/v1, kind: Order, metadata: {name: one, namespace: default}, amount: 3}");
    let change = tokio::time::timeout(crate::world::LIMIT, subscription.next()).await.unwrap();
    let Event::Applied(object) = change.event else { panic!("{change:?}") };
    assert_eq!((&*change.namespace, &*change.name), ("default", "one"));
    assert_eq!(object.get("amount").and_then(Value::as_i64), Some(3));
    cluster.kubectl(&["delete", "orders.shop.example.com", "one"], "").ok();
    let change = tokio::time::timeout(crate::world::LIMIT, subscription.next()).await.unwrap();
    assert!(matches!(change.event, Event::Deleted(_)), "{change:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_api_server_is_survived() {
    let Some(cluster) = own() else { return };
    cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, namespace: default}, data: {a: '1'}}");
    let (caches, _guard) = caches(&cluster).await;
    let kept = || query("", "v1", "ConfigMap", "default", "kept");
    get(&caches, kept()).await.unwrap();
    let maps = caches.discovery().named("", "ConfigMap").unwrap().gvk.clone();
    cluster.stop();
    until("the failure to be seen", async || caches.freshness(&maps).unwrap().problem).await;
    get(&caches, kept()).await.expect("what was known a moment ago is still answered");
    let unknown = get(&caches, query("", "v1", "Secret", "default", "s")).await;
    let Err(LookupError::Failed(message)) = unknown else { panic!("{unknown:?}") };
    assert!(message.contains("secrets cannot be read"), "{message}");
    let refused = caches.connection().get("/version").await.unwrap_err();
    assert!(
        matches!(refused, KubeError::Unreachable { .. }) && refused.to_string().contains(cluster.url()),
        "{refused}"
    );

    cluster.restart();
    cluster.kubectl(&["patch", "configmap", "kept", "-p", r#"{"data":{"a":"2"}}"#], "").ok();
    until("the change after the restart", async || {
        let found = get(&caches, kept()).await.ok()?;
        (found.dig(["data", "a"]).and_then(Value::as_str) == Some("2")).then_some(())
    })
    .await;
    let freshness = caches.freshness(&maps).unwrap();
    assert!(freshness.synced && freshness.problem.is_none(), "{freshness:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn context_entries_and_the_inventory_follow_the_cluster() {
    let Some(cluster) = shared() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: context}}");
    cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: one, namespace: context}}");
    let project = |expression: &str, data: &Value| {
        assert_eq!(expression, "length(@)");
        Ok(Value::Int(i64::try_from(data.as_array().unwrap().len()).unwrap()))
    };
    let outside = Outside { project: std::sync::Arc::new(project), ..Outside::default() };
    let (caches, _guard) = caches_with(&cluster, outside).await;
    for definition in palisade_kube::definitions::kyverno() {
        let name = palisade_kube::definitions::name_of(&definition).unwrap();
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        caches.connection().apply(&path, &definition, true).await.unwrap();
    }
    for (name, spec) in [
        (
            "maps",
            "{kubernetesResource: {version: v1, resource: configmaps, namespace: context},
          projections: [{name: count, jmesPath: length(@)}]}",
        ),
        ("release", "{apiCall: {urlPath: /version, refreshInterval: 10s}}"),
    ] {
        let entry = format!(
            "{{apiVersion: kyverno.io/v2alpha1, kind: GlobalContextEntry, metadata: {{name: {name}}}, spec: {spec}}}"
        );
        cluster.wait_for(crate::world::LIMIT, |cluster| {
            cluster.kubectl(&["apply", "-f", "-"], &entry).success.then_some(())
        });
    }
    let entry = async |name: &'static str, projection: &'static str| {
        let caches = caches.clone();
        blocking(move || caches.global_context(name, projection)).await
    };
    let maps = until("the entry", async || entry("maps", "").await.ok()).await;
    assert_eq!(maps.as_array().map(<[Value]>::len), Some(1));
    assert_eq!(entry("release", "").await.unwrap().get("major").and_then(Value::as_str), Some("1"));
    assert!(matches!(entry("none", "").await, Err(LookupError::NotFound(_))));
    let number = |found: Result<Value, LookupError>| found.unwrap().as_array().map(<[Value]>::len);
    assert_eq!(number(entry("manifests", "configmaps/context").await), Some(1), "what the built-in pack asks for");
    assert_eq!(number(entry("manifests", "networkpolicies/context").await), Some(0));
    assert_eq!(number(entry("manifests", "ciliumnetworkpolicies/context").await), Some(0), "a kind that is not there");
    assert_eq!(entry("maps", "count").await, Ok(Value::Int(1)));

    let inventory = async || {
        let caches = caches.clone();
        blocking(move || caches.objects()).await
    };
    assert!(matches!(inventory().await, Err(LookupError::Unavailable { .. })), "nobody named its kinds");
    caches.set_inventory(vec![palisade_model::GroupVersionKind::new("v1", "Namespace")]);
    let names = |all: &Value| all.to_json().matches(r#""kind":"Namespace""#).count();
    let before = inventory().await.unwrap();
    assert!(names(&before) >= 2);
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: inventoried}}");
    until("the new namespace", async || inventory().await.unwrap().to_json().contains("inventoried").then_some(()))
        .await;
}
