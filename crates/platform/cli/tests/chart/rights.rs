//! What the service account may do, by the API server's own account.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use palisade_testkit::Cluster;
use serde_json::{Value, json};

use crate::generated::permissions;
use crate::render;

/// API group, resource, name of the object (empty for any) and verb.
type Right = (String, String, String, String);

/// What the table permits in a namespace, given the values of the chart that ask for more.
fn by_the_table(own_namespace: bool, asked: &[&str]) -> BTreeSet<Right> {
    let granted = permissions().filter(|(value, permission)| {
        (own_namespace || !permission.own_namespace) && value.is_none_or(|value| asked.contains(&value))
    });
    let mut rights = BTreeSet::new();
    for (_, permission) in granted {
        let names = if permission.names.is_empty() { &[""] } else { permission.names };
        for (resource, name, verb) in product(permission.resources, names, permission.verbs) {
            rights.insert((permission.group.to_owned(), resource.to_owned(), name.to_owned(), verb.to_owned()));
        }
    }
    rights
}

fn product<'a>(a: &'a [&str], b: &'a [&str], c: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    a.iter().flat_map(move |a| b.iter().flat_map(move |b| c.iter().map(move |c| (*a, *b, *c))))
}

/// What the API server says that a service account may do in a namespace.
fn by_the_server(cluster: &Cluster, account: &str, namespace: &str) -> BTreeSet<Right> {
    let kubeconfig = cluster.service_account_kubeconfig("palisade", account);
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    });
    // To validate, kubectl would read definitions, which not everybody may.
    let create = ["create", "--validate=false", "-o", "json", "-f", "-"];
    let answer = cluster.kubectl_as(&kubeconfig, &create, &review.to_string()).json();
    assert_ne!(answer["status"]["incomplete"], true, "{answer}");
    let mut rights = BTreeSet::new();
    for rule in answer["status"]["resourceRules"].as_array().unwrap() {
        let all =
            |key: &str| -> Vec<&str> { rule[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect() };
        let names = if all("resourceNames").is_empty() { vec![""] } else { all("resourceNames") };
        for group in all("apiGroups") {
            for (resource, name, verb) in product(&all("resources"), &names, &all("verbs")) {
                rights.insert((group.to_owned(), resource.to_owned(), name.to_owned(), verb.to_owned()));
            }
        }
    }
    rights
}

/// Exactly the table, besides what everybody may do.
fn assert_exact(cluster: &Cluster, asked: &[&str]) {
    for (namespace, own) in [("palisade", true), ("default", false)] {
        let expected = by_the_table(own, asked);
        let everybody = by_the_server(cluster, "bystander", namespace);
        let granted = || &by_the_server(cluster, "palisade", namespace) - &everybody;
        // Roles reach the authoriser a moment after they were written.
        let begun = Instant::now();
        while granted() != expected {
            assert!(begun.elapsed() < Duration::from_secs(10), "{namespace}: {:#?}", &granted() ^ &expected);
        }
    }
}

#[test]
fn the_service_account_may_do_what_the_table_says_and_nothing_else() {
    let Ok(cluster) = Cluster::start() else { return };
    cluster.kubectl(&["create", "namespace", "palisade"], "").ok();
    cluster.kubectl(&["create", "serviceaccount", "bystander", "--namespace=palisade"], "").ok();
    let apply = |asked: &[&str]| {
        let Ok(text) = render(&[&["--show-only=templates/rbac.yaml"], asked].concat()) else { return };
        cluster.kubectl(&["apply", "-f", "-"], &text).ok();
    };
    cluster.kubectl(&["create", "serviceaccount", "palisade", "--namespace=palisade"], "").ok();
    apply(&[]);
    assert_exact(&cluster, &[]);
    let may = |words: &str| {
        let account = "--as=system:serviceaccount:palisade:palisade";
        let words: Vec<&str> = ["auth", "can-i", account].into_iter().chain(words.split(' ')).collect();
        cluster.kubectl(&words, "").success
    };
    assert!(may("list pods --all-namespaces") && may("get secrets/palisade-certificates --namespace=palisade"));
    for forbidden in [
        "list secrets --all-namespaces",
        "list secrets --namespace=palisade",
        "create pods --all-namespaces",
        "create pods/exec --all-namespaces",
        "delete pods --all-namespaces",
        "impersonate users",
        "escalate clusterroles",
        "bind clusterroles",
        "update validatingwebhookconfigurations/another",
        "create serviceaccounts/token --namespace=palisade",
        "* *",
    ] {
        assert!(!may(forbidden), "{forbidden}");
    }
    let values = ["readSecrets", "gatekeeper", "generateDefaults"];
    apply(&values.map(|value| format!("--set=rbac.{value}=true")).each_ref().map(String::as_str));
    assert_exact(&cluster, &values);
    assert!(may("list secrets --all-namespaces"));
}
