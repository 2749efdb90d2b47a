//! What policies of an admission review, and of `POST /evaluate`, may look up: through the caches of a small API server that
//! speaks just enough HTTP, so that the tests need no other program.

use std::path::PathBuf;
use std::time::Duration;

use palisade_kube::{Connection, KubernetesConfig};
use palisade_model::json;
use palisade_policy::{ApiCall, Namespace, ObjectQuery};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;

/// What the API server answers to a GET; `None` is "not found". Its watches never tell of anything, so that what is not in a
/// list stays unknown to the caches.
fn answer(path: &str) -> Option<Value> {
    let resource = |group: &str, version: &str, kind: &str, plural: &str, scope: &str| {
        json!({
            "resource": plural, "scope": scope, "singularResource": "", "verbs": ["get", "list", "watch"],
            "responseKind": {"group": group, "version": version, "kind": kind}
        })
    };
    let discovery = |group: &str, version: &str, resources: Vec<Value>| {
        let mut of = palisade_model::Map::new();
        of.insert("version", version);
        of.insert("resources", resources);
        let (kind, metadata) = ("APIGroupDiscoveryList", json!({"name": group}));
        let item = json!({"metadata": {}, "versions": []});
        let mut item = item.as_object().unwrap().clone();
        item.insert("metadata", metadata);
        item.insert("versions", vec![Value::object(of)]);
        let mut list = palisade_model::Map::new();
        list.insert("kind", kind);
        list.insert("apiVersion", "apidiscovery.k8s.io/v2");
        list.insert("metadata", palisade_model::Map::new());
        list.insert("items", vec![Value::object(item)]);
        Value::object(list)
    };
    Some(match path {
        "/api" => discovery(
            "",
            "v1",
            vec![
                resource("", "v1", "Namespace", "namespaces", "Cluster"),
                resource("", "v1", "ConfigMap", "configmaps", "Namespaced"),
            ],
        ),
        "/apis" => discovery(
            "kyverno.io",
            "v2alpha1",
            vec![resource("kyverno.io", "v2alpha1", "GlobalContextEntry", "globalcontextentries", "Cluster")],
        ),
        "/api/v1/namespaces" => list(r#"[{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "old"}}]"#),
        "/api/v1/namespaces/new" => {
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new", "labels": {"env": "prod"}}})
        }
        "/api/v1/configmaps" => list(
            r#"[{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "old"}},
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two", "namespace": "old"}}]"#,
        ),
        "/apis/kyverno.io/v2alpha1/globalcontextentries" => list(
            r#"[{"apiVersion": "kyverno.io/v2alpha1", "kind": "GlobalContextEntry", "metadata": {"name": "maps"}, "spec": {
                "kubernetesResource": {"version": "v1", "resource": "configmaps", "namespace": "old"},
                "projections": [{"name": "count", "jmesPath": "length(@)"}]}}]"#,
        ),
        "/version" => json!({"major": "1"}),
        _ => return None,
    })
}

fn list(items: &str) -> Value {
    let text = format!(r#"{{"kind": "List", "metadata": {{"resourceVersion": "1"}}, "items": {items}}}"#);
    Value::from_json(&text).unwrap()
}

async fn serve(mut stream: TcpStream) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let target = head.split(' ').nth(1).unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if query.contains("watch=true") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            std::future::pending::<()>().await;
        }
        let missing = || json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404});
        let (status, body) = answer(path).map_or_else(|| ("404 Not Found", missing()), |body| ("200 OK", body));
        let body = body.to_json();
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    }
}

/// The file that says where the API server is; it goes with the test.
struct Kubeconfig(PathBuf);

impl Drop for Kubeconfig {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The view of admission on such an API server, as the server makes it.
async fn view(outside: Outside) -> (Arc<ClusterView>, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    let name = format!("palisade-view-{}-{}.json", std::process::id(), address.port());
    let file = Kubeconfig(std::env::temp_dir().join(name));
    let text = format!(
        r#"{{"apiVersion": "v1", "kind": "Config", "current-context": "a", "users": [{{"name": "a", "user": {{}}}}],
            "clusters": [{{"name": "a", "cluster": {{"server": "http://{address}"}}}}],
            "contexts": [{{"name": "a", "context": {{"cluster": "a", "user": "a"}}}}]}}"#
    );
    std::fs::write(&file.0, text).unwrap();
    let config = KubernetesConfig { kubeconfig: Some(file.0.clone()), ..KubernetesConfig::default() };
    let connection = Connection::open(&config).await.unwrap().unwrap();
    let stop = CancellationToken::new();
    let caches = Caches::start(&connection, &config, outside.clone(), &stop).await.unwrap();
    let view = ClusterView::new(Some(Arc::new(OnceLock::from(caches))), outside);
    (Arc::new(view), stop.drop_guard())
}

/// Answers of an admission thread, which may block.
async fn asked<T: Send + 'static>(view: &Arc<ClusterView>, ask: impl FnOnce(&dyn Lookups) -> T + Send + 'static) -> T {
    let view = view.clone();
    let answering = tokio::task::spawn_blocking(move || ask(&*view));
    tokio::time::timeout(Duration::from_secs(30), answering).await.unwrap().unwrap()
}

fn of(kind: &str, name: &str) -> ObjectQuery {
    ObjectQuery {
        version: "v1".into(),
        resource: kind.into(),
        namespace: "old".into(),
        name: name.into(),
        ..ObjectQuery::default()
    }
}

fn outside() -> Outside {
    Outside {
        project: Arc::new(|expression, data| {
            Ok(json!({ "of": data.as_array().unwrap().len().to_string(), "by": expression }))
        }),
        send: Arc::new(|request| Ok(request.clone())),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_the_watch_has_not_told_of_yet_is_asked_for() {
    let (view, _stop) = view(Outside::default()).await;
    let Namespace::Known(new) = asked(&view, |lookups| lookups.namespace("new")).await else { panic!("it exists") };
    assert_eq!(new.dig(["metadata", "labels", "env"]), Some(&json!("prod")));
    assert!(matches!(asked(&view, |lookups| lookups.namespace("old")).await, Namespace::Known(_)));
    assert_eq!(asked(&view, |lookups| lookups.namespace("none")).await, Namespace::Missing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_look_up_is_answered_by_the_cluster_or_by_who_configured_the_server() {
    let (view, _stop) = view(outside()).await;
    assert!(asked(&view, |lookups| lookups.get(&of("ConfigMap", "one"))).await.is_ok());
    assert_eq!(asked(&view, |lookups| lookups.list(&of("ConfigMap", ""))).await.unwrap().len(), 2);
    let version = ApiCall { method: "GET".into(), url: "/version".into(), body: Value::Null };
    assert_eq!(
        asked(&view, {
            let call = version.clone();
            move |lookups| lookups.call(&call)
        })
        .await,
        Ok(json!({"major": "1"}))
    );
    assert_eq!(asked(&view, move |lookups| lookups.http(&version)).await, Ok(json!({"major": "1"})));
    let entry = asked(&view, |lookups| lookups.global_context("maps", "")).await.unwrap();
    assert_eq!(entry.as_array().map(<[Value]>::len), Some(2));
    let count = asked(&view, |lookups| lookups.global_context("maps", "count")).await;
    assert_eq!(count, Ok(json!({"of": "2", "by": "length(@)"})), "projections are computed");
    let request = json!({"url": "https://permitted.example"});
    assert_eq!(
        asked(&view, {
            let request = request.clone();
            move |lookups| lookups.send(&request)
        })
        .await,
        Ok(request)
    );
    let inventory = asked(&view, |lookups| lookups.objects()).await.unwrap_err().to_string();
    assert!(inventory.contains("Gatekeeper Config"), "{inventory}");
    let image = asked(&view, |lookups| lookups.image("registry.example/a:1")).await.unwrap_err().to_string();
    assert!(image.contains("asks no registries"), "{image}");
}

#[test]
fn without_a_cluster_nothing_is_known_but_what_lies_outside() {
    for (caches, why) in [(None, "connected to no cluster"), (Some(Arc::default()), "has not answered yet")] {
        let view = ClusterView::new(caches, outside());
        let Namespace::Unknown(error) = view.namespace("shop") else { panic!("nobody can know it") };
        assert!(error.to_string().contains(why), "{error}");
        assert!(view.global_context("maps", "").unwrap_err().to_string().contains(why));
        assert!(view.image("registry.example/a:1").unwrap_err().to_string().contains(why));
        assert_eq!(view.send(&json!({"url": "a"})), Ok(json!({"url": "a"})));
    }
}
