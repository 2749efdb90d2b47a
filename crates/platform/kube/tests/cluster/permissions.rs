//! The table of permissions is enough for everything that is done, and the API server takes it.

use std::sync::Arc;

use jiff::Timestamp;
use palisade_kube::certificates::Keeping;
use palisade_kube::{
    Caches, Certificates, ClusterPolicies, Condition, KubernetesConfig, Outside, Registration, definitions, permissions,
};
use palisade_verdict::Ruleset;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::webhooks::{asking, on};
use crate::world::{LIMIT, config, connect, own, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_account_can_do_its_work_and_no_more() {
    let Some(cluster) = own() else { return };
    let admin = connect(&config(cluster.kubeconfig())).await;
    for definition in definitions::kyverno().into_iter().chain(definitions::gatekeeper()).chain(definitions::reports())
    {
        let name = definitions::name_of(&definition).unwrap();
        admin
            .apply(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"), &definition, true)
            .await
            .unwrap();
    }
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: palisade}}");
    cluster.apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: palisade, namespace: palisade}}");
    for role in permissions::roles(&KubernetesConfig::default()) {
        cluster.apply(&role.to_json());
    }
    // No controller gathers labelled roles here, so the account is bound to the one that is to be gathered.
    let binding = [
        "create",
        "clusterrolebinding",
        "gathered",
        "--clusterrole=palisade-controller",
        "--serviceaccount=palisade:palisade",
    ];
    cluster.kubectl(&binding, "").ok();
    let policy = "{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: one}, spec: {rules: []}}";
    cluster.wait_for(LIMIT, |cluster| cluster.kubectl(&["apply", "-f", "-"], policy).success.then_some(()));

    let config = config(&cluster.service_account_kubeconfig("palisade", "palisade"));
    let connection = connect(&config).await;
    let stop = CancellationToken::new();
    let caches = Caches::start(&connection, &config, Outside::default(), &stop).await.unwrap();
    let policies = ClusterPolicies::start(&caches, &config, &stop);
    let mut documents = policies.documents();
    let read = tokio::time::timeout(
        LIMIT,
        documents.wait_for(|all| all.as_ref().is_some_and(|all| !all.documents.is_empty())),
    );
    let read = read.await.expect("policies arrive").unwrap().clone().unwrap();
    assert!(read.unread.is_empty(), "{:?}", read.unread);
    let condition = |ready: bool| Condition {
        document: read.documents[0].clone(),
        ready,
        reason: "Loaded".into(),
        message: String::new(),
        time: Timestamp::now(),
    };
    policies.report(&[condition(true)]).await.unwrap();

    let keeping = Keeping::Secret {
        connection: connection.clone(),
        namespace: "palisade".into(),
        name: permissions::CERTIFICATE_SECRET.into(),
    };
    let certificates =
        Certificates::open(keeping, vec!["palisade.palisade.svc".into()], Timestamp::now()).await.unwrap();
    certificates.refresh(Timestamp::now() + jiff::SignedDuration::from_hours(24 * 25)).await.unwrap();
    let ruleset = Ruleset::of(vec![asking(vec![on("limitranges")])]);
    let (_rulesets, ruleset) = watch::channel(Arc::new(ruleset));
    let (_readiness, ready) = watch::channel(true);
    let registration = Registration::new(&caches, &config, ruleset, certificates.bundles(), ready);
    let state = registration.state();
    tokio::spawn(registration.keep(stop.clone()));
    until("the registration", async || (!state.borrow().plan.is_empty()).then_some(())).await;
    palisade_kube::webhooks::remove(&connection).await.unwrap();

    let may = |what: &[&str]| {
        cluster.kubectl_as(config.kubeconfig.as_deref().unwrap(), &[&["auth", "can-i"], what].concat(), "").success
    };
    assert!(may(&["list", "pods", "-A"]));
    for beyond in
        [&["get", "secrets", "-A"][..], &["create", "pods"], &["delete", "nodes"], &["create", "clusterrolebindings"]]
    {
        assert!(!may(beyond), "{beyond:?}");
    }
    stop.cancel();
}
