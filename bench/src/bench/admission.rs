//! One review, inside the process: from the bytes of an API server to the bytes of the answer, with the Pod Security pack.
//!
//! The server around it is measured elsewhere, by its own load generator.

use std::fs;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use palisade_admission::{Limits, Review, response, validate};
use palisade_document::parse;
use palisade_model::{Map, Value, json};
use palisade_policy::{Environment, Offline, Variables};
use palisade_verdict::Ruleset;

use crate::Context;

/// The rules of a group of the built-in pack, each in a folder.
const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packs/kubernetes");

/// Prints median and 99th percentile of reading alone, and of the whole way, for a pod that passes and one that does not.
pub(crate) fn run(context: &Context) -> Result<(), String> {
    let rounds = if context.quick { 5_000 } else { 50_000 };
    let ruleset = ruleset(&["baseline", "restricted"])?;
    println!("{} policies", ruleset.policies().len());
    println!("{:<36} {:>8} {:>10} {:>10}", "review", "bytes", "median us", "p99 us");
    for (name, secure) in [("a pod that passes", true), ("a pod that is denied", false)] {
        let bytes = review(secure);
        let answer = answer(&ruleset, &bytes)?;
        if answer.contains("\"allowed\":true") != secure {
            return Err(format!("{name} is answered by {answer}"));
        }
        row(&format!("{name}, read"), &bytes, rounds, || {
            Review::read(&bytes, &Limits::default()).map(|_| ()).map_err(|error| error.to_string())
        })?;
        row(&format!("{name}, answered"), &bytes, rounds, || self::answer(&ruleset, &bytes).map(|_| ()))?;
    }
    Ok(())
}

fn row(name: &str, bytes: &[u8], rounds: usize, mut work: impl FnMut() -> Result<(), String>) -> Result<(), String> {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    println!("{name:<36} {:>8} {:>10.2} {:>10.2}", bytes.len(), at(0.5), at(0.99));
    Ok(())
}

fn answer(ruleset: &Ruleset, bytes: &[u8]) -> Result<String, String> {
    let variables = Variables::default();
    let environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
    let review = Review::read(bytes, &Limits::default()).map_err(|error| error.to_string())?;
    let decision = validate(ruleset, &review, &environment);
    String::from_utf8(response(&decision, &review)).map_err(|error| error.to_string())
}

fn ruleset(groups: &[&str]) -> Result<Ruleset, String> {
    let mut documents = Vec::new();
    for group in groups {
        let folder = Path::new(PACK).join(group);
        let failed = |error| format!("reading the pack `{}`: {error}", folder.display());
        let mut rules: Vec<_> = fs::read_dir(&folder).map_err(failed)?.flatten().map(|entry| entry.path()).collect();
        rules.sort();
        for rule in rules {
            let text = fs::read(rule.join("rule.yaml")).map_err(failed)?;
            documents.extend(parse("rule.yaml", &text, &palisade_document::Limits::default()).documents);
        }
    }
    let documents: Vec<_> = documents.iter().map(palisade_document::Document::resource).collect();
    let mut policies = Vec::new();
    for language in [palisade_kyverno::LANGUAGE, palisade_cel::admission::LANGUAGE] {
        let own: Vec<_> = documents.iter().filter(|document| language.claims(document)).cloned().collect();
        policies.extend(language.load(&own, &[]).policies);
    }
    Ok(Ruleset::of(policies))
}

/// The review of a pod with three containers, as kubectl's `apply` makes the API server send it: about 5 KB.
fn review(secure: bool) -> Vec<u8> {
    let container = |index: usize| {
        json!({
            "name": format!("app-{index}"), "image": format!("registry.example/shop/app-{index}:1.4.2"),
            "args": ["--listen=0.0.0.0:8080", "--log-format=json"],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "env": [{"name": "MODE", "value": "production"}, {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10},
            "securityContext": {
                "allowPrivilegeEscalation": !secure, "privileged": !secure, "readOnlyRootFilesystem": true,
                "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}
            },
            "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "token", "mountPath": "/var/run/secrets"}],
            "terminationMessagePath": "/dev/termination-log", "imagePullPolicy": "IfNotPresent"
        })
    };
    let managed = json!({"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "time": "2026-11-23T10:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:app": {}, "f:team": {}}},
        "f:spec": {"f:containers": {"k:{\"name\":\"app-0\"}": {".": {}, "f:image": {}, "f:name": {}, "f:args": {}}}}}});
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "uid": "6c7e8f90-1111-4222-8333-444455556666",
            "creationTimestamp": "2026-11-23T10:00:00Z", "labels": {"app": "web", "team": "shop"},
            "annotations": {"example.org/owner": "shop"}, "managedFields": [managed]},
        "spec": {
            "containers": [container(0), container(1), container(2)], "hostNetwork": !secure,
            "volumes": [{"name": "data", "emptyDir": {}}, {"name": "token", "projected": {"defaultMode": 420, "sources": []}}],
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "serviceAccountName": "web", "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]
        }
    });
    let names = json!({"group": "", "version": "v1", "kind": "Pod"});
    let resource = json!({"group": "", "version": "v1", "resource": "pods"});
    let mut request = Map::new();
    let members = [
        ("uid", Value::from("705ab4f5-6393-11e8-b7cc-42010a800002")),
        ("kind", names.clone()),
        ("resource", resource.clone()),
        ("requestKind", names),
        ("requestResource", resource),
        ("name", "web".into()),
        ("namespace", "shop".into()),
        ("operation", "CREATE".into()),
        (
            "userInfo",
            json!({"username": "jane", "groups": ["shop", "system:authenticated"], "extra": {"scopes": ["a"]}}),
        ),
        ("object", pod),
        ("oldObject", Value::Null),
        ("dryRun", false.into()),
        ("options", json!({"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl"})),
    ];
    for (key, value) in members {
        request.insert(key, value);
    }
    let mut review = Map::new();
    review.insert("kind", "AdmissionReview");
    review.insert("apiVersion", "admission.k8s.io/v1");
    review.insert("request", request);
    Value::object(review).to_json().into_bytes()
}
