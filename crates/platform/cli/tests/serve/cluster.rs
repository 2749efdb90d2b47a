//! What `kubectl` sees of Palisade on a real API server.

use std::time::Duration;

use palisade_testkit::{Cluster, wait_for};

use crate::server::{Folder, Server, Setup};

const SOON: Duration = Duration::from_mins(1);

/// A pod that says nothing of security.
const PLAIN: &str = "{apiVersion: v1, kind: Pod, metadata: {name: NAME, namespace: SPACE}, spec: {containers: [\
                     {name: web, image: 'registry.example/web:1.0.0'}]}}";

/// A pod that asks for the node.
const PRIVILEGED: &str = "{apiVersion: v1, kind: Pod, metadata: {name: NAME, namespace: SPACE}, spec: {containers: [\
                          {name: web, image: 'registry.example/web:1.0.0', securityContext: {privileged: true}}]}}";

/// A kind of reports, as far as tests need it.
const REPORTS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: PLURAL.wgpolicyk8s.io
  annotations: {api-approved.kubernetes.io: 'unapproved, for tests'}
spec:
  group: wgpolicyk8s.io
  scope: SCOPE
  names: {kind: KIND, plural: PLURAL, singular: SINGULAR, listKind: KINDList}
  versions:
    - name: v1alpha2
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

fn define_reports(cluster: &Cluster) {
    for (kind, scope) in [("PolicyReport", "Namespaced"), ("ClusterPolicyReport", "Cluster")] {
        let singular = kind.to_lowercase();
        let definition = REPORTS.replace("PLURAL", &format!("{singular}s")).replace("SINGULAR", &singular);
        cluster.apply(&definition.replace("KIND", kind).replace("SCOPE", scope));
    }
}

fn pod(template: &str, name: &str, space: &str) -> String {
    template.replace("NAME", name).replace("SPACE", space)
}

fn setup(cluster: &Cluster, folder: &Folder) -> Setup {
    let config = format!(
        "[check]\npolicies = ['pack:kubernetes/restricted', 'pack:secure-defaults']\n[kubernetes]\nenabled = true\n\
         kubeconfig = '{}'\nwebhook-url = 'https://127.0.0.1:ADMISSION'\n",
        cluster.kubeconfig().display()
    );
    Setup::new(folder.path(), "server", &config, &[])
}

/// Waits until the API server asks `server`: a privileged pod is refused, which nobody else does.
fn wait_until_asked(cluster: &Cluster, server: &Server) {
    cluster.wait_for(SOON, |cluster| {
        assert!(server.is_ready(), "{}", server.log());
        let output = cluster.kubectl(&["create", "--dry-run=server", "-f", "-"], &pod(PRIVILEGED, "probe", "default"));
        (!output.success && output.stderr.contains("privileged")).then_some(())
    });
}

#[test]
fn a_cluster_is_guarded_and_never_locked_out() {
    let Ok(cluster) = Cluster::start() else { return };
    let folder = Folder::new("cluster");
    let setup = setup(&cluster, &folder);
    define_reports(&cluster);
    let mut server = setup.start();
    wait_until_asked(&cluster, &server);

    new_namespaces_receive_what_they_should(&cluster);
    bad_pods_are_denied_in_words(&cluster);
    plain_pods_are_patched_and_pass(&cluster);
    reports_appear(&cluster);
    decisions_are_recorded(&server, &setup);
    an_outage_locks_nobody_out(&cluster, &mut server);

    let mut server = setup.start();
    wait_until_asked(&cluster, &server);
    assert_eq!(server.stop(), Some(0), "{}", server.log());
}

fn new_namespaces_receive_what_they_should(cluster: &Cluster) {
    cluster.kubectl(&["create", "namespace", "shop"], "").ok();
    for object in [
        "networkpolicy/default-deny",
        "networkpolicy/default-allow-dns",
        "resourcequota/default-quota",
        "limitrange/default-limits",
    ] {
        cluster.wait_for(SOON, |cluster| cluster.kubectl(&["get", object, "-n", "shop"], "").success.then_some(()));
    }
    cluster.kubectl(&["delete", "networkpolicy/default-deny", "-n", "shop"], "").ok();
    // Put back, because the rule keeps it in step.
    cluster.wait_for(SOON, |cluster| {
        cluster.kubectl(&["get", "networkpolicy/default-deny", "-n", "shop"], "").success.then_some(())
    });
}

fn bad_pods_are_denied_in_words(cluster: &Cluster) {
    let said = cluster.kubectl(&["apply", "-f", "-"], &pod(PRIVILEGED, "bad", "shop")).refused();
    eprintln!("kubectl says:\n{said}");
    for part in ["privileged-containers", "spec.containers[0].securityContext.privileged", "remove `privileged: true`"]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    let gone = cluster.kubectl(&["get", "pod", "bad", "-n", "shop"], "");
    assert!(gone.stderr.contains("NotFound"), "{gone:?}");
}

fn plain_pods_are_patched_and_pass(cluster: &Cluster) {
    cluster.kubectl(&["apply", "-f", "-"], &pod(PLAIN, "good", "shop")).ok();
    let stored = cluster.kubectl(&["get", "pod", "good", "-n", "shop", "-o", "json"], "").json();
    let spec = &stored["spec"];
    assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{spec}");
    assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(spec["automountServiceAccountToken"], false);
    let container = &spec["containers"][0];
    assert_eq!(container["securityContext"]["capabilities"]["drop"][0], "ALL");
    assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(container["resources"]["limits"]["memory"], "512Mi");
}

fn reports_appear(cluster: &Cluster) {
    let results = cluster.wait_for(SOON, |cluster| {
        let reports = cluster.kubectl(&["get", "policyreports", "-n", "shop", "-o", "json"], "").json();
        let about = |report: &&serde_json::Value| report["scope"]["name"] == "good";
        reports["items"].as_array()?.iter().find(about).map(|report| report["results"].clone())
    });
    let results = results.as_array().unwrap();
    assert!(results.len() > 5 && results.iter().all(|result| result["result"] != "fail"), "{results:?}");
}

fn decisions_are_recorded(server: &Server, setup: &Setup) {
    let client = server.administrator();
    let denied = wait_for(SOON, || {
        let listed = client.get(setup.api, "/api/v1/decisions?namespace=shop&allowed=false");
        listed["items"].as_array()?.first().cloned()
    });
    assert_eq!((denied["name"].as_str(), denied["team"].as_str()), (Some("bad"), Some("unowned")), "{denied}");
}

fn an_outage_locks_nobody_out(cluster: &Cluster, server: &mut Server) {
    server.kill();
    let said = cluster.kubectl(&["apply", "-f", "-"], &pod(PLAIN, "later", "shop")).refused();
    assert!(said.contains("palisade"), "what is guarded stays guarded: {said}");
    cluster.kubectl(&["create", "namespace", "palisade"], "").ok();
    for space in ["kube-system", "palisade"] {
        cluster.kubectl(&["apply", "-f", "-"], &pod(PRIVILEGED, "rescue", space)).ok();
        cluster.kubectl(&["delete", "pod", "rescue", "-n", space, "--force", "--grace-period=0"], "").ok();
    }
    cluster.kubectl(&["get", "pods", "-A"], "").ok();
    cluster.kubectl(&["delete", "validatingwebhookconfigurations,mutatingwebhookconfigurations", "--all"], "").ok();
    cluster.kubectl(&["apply", "-f", "-"], &pod(PLAIN, "later", "shop")).ok();
}
