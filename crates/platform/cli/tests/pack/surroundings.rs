//! What rules that look beside the object say of folders, kustomizations and single files.

use std::path::PathBuf;

use crate::runner::{Found, Scratch, check, selector};

fn found(paths: &[PathBuf], rule: &str) -> Vec<Found> {
    check(paths, &[selector(rule)])
}

const POLICY: &str = "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny
spec:
  podSelector: {}
";

fn workload(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n    - name: app\n      image: a\n"
    )
}

#[test]
fn a_policy_counts_in_its_folder_and_not_beyond() {
    let (web, api) = (workload("web"), workload("api"));
    let folder = Scratch::of(&[("a/web.yaml", &web), ("a/deny.yaml", POLICY), ("b/api.yaml", &api)]);
    let found = found(std::slice::from_ref(&folder.0), "workload-network-policy");
    let about: Vec<&str> = found.iter().map(|found| found.kind_and_name().1).collect();
    assert_eq!(about, ["api"]);
}

#[test]
fn a_kustomization_says_the_namespace() {
    let web = workload("web");
    let set = |namespace: &str, file: &str| format!("namespace: {namespace}\nresources: [{file}]\n");
    let (a, b) = (set("team-a", "deny.yaml"), set("team-b", "web.yaml"));
    let other =
        [("a/deny.yaml", POLICY), ("a/kustomization.yaml", &a), ("b/web.yaml", &*web), ("b/kustomization.yaml", &b)];
    let folder = Scratch::of(&other);
    assert_eq!(found(std::slice::from_ref(&folder.0), "workload-network-policy").len(), 1);
    let same = set("team-a", "web.yaml");
    let folder = Scratch::of(&[other[0], other[1], other[2], ("b/kustomization.yaml", &same)]);
    assert_eq!(found(std::slice::from_ref(&folder.0), "workload-network-policy"), []);
}

#[test]
fn a_single_changed_file_is_no_evidence_of_absence() {
    let (web, api) = (workload("web"), workload("api"));
    let two = format!("{web}---\n{api}");
    let folder = Scratch::of(&[("web.yaml", &two), ("deny.yaml", POLICY.replace("deny", "other").as_str())]);
    assert_eq!(found(&[folder.0.join("web.yaml")], "workload-network-policy"), []);
    let lonely = Scratch::of(&[("web.yaml", &web)]);
    assert_eq!(found(&[lonely.0.join("web.yaml")], "workload-network-policy"), []);
    let both = Scratch::of(&[("web.yaml", &two)]);
    assert_eq!(found(&[both.0.join("web.yaml")], "workload-network-policy").len(), 2);
}

#[test]
fn what_is_filled_in_later_is_no_violation() {
    let image = |image: &str| workload("web").replace("image: a", &format!("image: {image}"));
    let count = |text: &str, rule: &str| {
        let folder = Scratch::of(&[("web.yaml", text)]);
        found(std::slice::from_ref(&folder.0), rule).len()
    };
    for placeholder in ["auto", "ko://shop.example/app", "${IMAGE}", "'{{ image }}'"] {
        assert_eq!(count(&image(placeholder), "image-tag"), 0, "{placeholder}");
    }
    assert_eq!(count(&image("shop.example/app"), "image-tag"), 1);
    let host = |value: &str| workload("web").replace("spec:\n", &format!("spec:\n  hostNetwork: {value}\n"));
    assert_eq!(count(&host("${HOST}"), "host-namespaces"), 0);
    assert_eq!(count(&host("${HOST:=false}"), "host-namespaces"), 0);
    assert_eq!(count(&host("${HOST:=true}"), "host-namespaces"), 1, "the default is what it is");
    let two = image("${IMAGE}") + "    - name: other\n      image: shop.example/app\n";
    assert_eq!(count(&two, "image-tag"), 1, "another container is at fault");
}

#[test]
fn the_greatest_config_map_is_judged() {
    let lines = "    some.setting.name=value of a setting\n".repeat(25_000);
    let map = |last: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  app.properties: |\n{lines}    {last}\n"
        )
    };
    let verdicts = |last: &str| {
        let folder = Scratch::of(&[("map.yaml", &map(last))]);
        found(std::slice::from_ref(&folder.0), "secret-in-config-map")
            .into_iter()
            .map(|found| found.verdict)
            .collect::<Vec<_>>()
    };
    assert!(verdicts("last=1").is_empty());
    assert_eq!(verdicts("db.password=hunter22"), ["fail"]);
}
