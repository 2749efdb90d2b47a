//! The Helm chart: rendered by the real helm, judged by our own pack, accepted by a real API server, which also says
//! what the service account may do.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot set itself up has failed"
)]

mod generated;
mod rights;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use palisade_testkit::{Cluster, Skip, tool};
use serde_json::{Value, json};

/// Values that name a digest, a priority class and whatever else the strict rules ask for.
const PRODUCTION: &[&str] = &["--values", "examples/production.yaml"];

/// A cluster that serves the defaults.
const DEFAULTS: &[&str] = &[];

/// Every switch of the chart turned the other way.
const EVERYTHING: &[&str] = &[
    "--values=examples/production.yaml",
    "--set=rbac.readSecrets=true",
    "--set=rbac.gatekeeper=true",
    "--set=rbac.generateDefaults=true",
    "--set=rbac.extraRules[0].apiGroups[0]=example.com",
    "--set=rbac.extraRules[0].resources[0]=widgets",
    "--set=rbac.extraRules[0].verbs[0]=get",
    "--set=image.pullSecrets[0]=registry",
    "--set=serviceAccount.name=guard",
    "--set=serviceAccount.annotations.example\\.com/role=guard",
    "--set=podAnnotations.example\\.com/note=kept",
    "--set=labels.cost-center=security",
    "--set=nodeSelector.pool=platform",
    "--set=tolerations[0].key=platform",
    "--set=tolerations[0].operator=Exists",
];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy")
}

/// Runs `helm template` in the folder of the chart.
fn helm(arguments: &[&str]) -> Result<Output, Skip> {
    let mut command = Command::new(tool("helm")?);
    command.current_dir(deploy()).args(["template", "palisade", "chart/palisade", "--namespace", "palisade"]);
    Ok(command.args(arguments).output().unwrap())
}

fn render(arguments: &[&str]) -> Result<String, Skip> {
    let output = helm(arguments)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn our_own_pack_passes_on_the_chart() {
    for (values, pack) in [(DEFAULTS, "pack:kubernetes"), (PRODUCTION, "pack:kubernetes/all")] {
        let Ok(text) = render(values) else { return };
        let folder = std::env::temp_dir().join(format!("palisade-chart-{}-{}", std::process::id(), values.len()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("chart.yaml"), text).unwrap();
        let mut palisade = Command::new(env!("CARGO_BIN_EXE_palisade"));
        palisade.current_dir(&folder).args(["check", "chart.yaml", "--policies", pack, "--policies"]);
        let output = palisade.arg(deploy().canonicalize().unwrap().join("exceptions.yaml")).output().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{pack}: {stdout}{stderr}");
        assert!(stderr.contains(" 0 failed"), "{stderr}");
    }
}

#[test]
fn values_that_cannot_work_are_refused_with_what_to_do() {
    for (value, says) in [
        ("replicas=2", "more than one replica needs PostgreSQL: set postgresql.url"),
        ("replicas=few", "/replicas"),
        ("image.digest=latest", "/image/digest"),
        ("postgresql.url=postgres://palisade:secret@db.example.com/palisade", "/postgresql/url"),
        ("persistance.enabled=false", "persistance"),
    ] {
        let Ok(output) = helm(&["--set", value]) else { return };
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(says), "{value}: {stderr}");
    }
}

/// `palisade.toml` in the rendered ConfigMap.
fn configuration(rendered: &str) -> String {
    let lines = rendered.lines().skip_while(|line| !line.starts_with("  palisade.toml: |")).skip(1);
    let inside = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    inside.map(|line| line.trim_start_matches("    ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_server_reads_what_the_chart_writes() {
    for (values, holds) in [(DEFAULTS, "0.0.0.0:9443"), (PRODUCTION, "https://login.example.com")] {
        let Ok(rendered) = render(values) else { return };
        let text = configuration(&rendered);
        assert!(text.contains(holds), "{text}");
        let file = std::env::temp_dir().join(format!("palisade-chart-{}-{}.toml", std::process::id(), values.len()));
        std::fs::write(&file, &text).unwrap();
        let mut palisade = Command::new(env!("CARGO_BIN_EXE_palisade"));
        let output = palisade.args(["config", "show", "--config"]).arg(&file).output().unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Helm reads all numbers of values as fractions; keys may be anything; TOML wants scalars before sections.
#[test]
fn the_configuration_is_written_as_toml() {
    let config = json!({
        "server": {
            "address": "https://palisade.example.com/\"quoted\" \\ ünder <&>",
            "limits": {"connections": 1000, "max-body-bytes": 1_048_576},
            "tracing": {"sample": 0.25},
        },
        "store": {"url": "sqlite:kept.db"},
        "severity": {"team/rule.one": "high"},
        "network": {"allow": ["a.example.com", "b.example.com:8443"], "allow-unverified-tls": false},
        "identity": {"oidc": {"roles": [{"group": "admins", "role": "admin"}, {"group": "shop", "role": "viewer"}]}},
    });
    let file = std::env::temp_dir().join(format!("palisade-values-{}", std::process::id()));
    std::fs::write(&file, json!({"config": config}).to_string()).unwrap();
    let rendered = render(&["--show-only=templates/configmap.yaml", "--values", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    let Ok(rendered) = rendered else { return };
    let text = configuration(&rendered);
    let mut read: Value = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    for (section, key, chart) in [
        ("server", "data", json!("/var/lib/palisade")),
        ("server", "api", json!({"listen": "0.0.0.0:8420"})),
        ("server", "admission", json!({"listen": "0.0.0.0:9443"})),
        ("server", "log", json!({"format": "json"})),
    ] {
        assert_eq!(read[section].as_object_mut().unwrap().remove(key), Some(chart));
    }
    let mut section = |name: &str| read.as_object_mut().unwrap().remove(name).unwrap();
    let kubernetes = section("kubernetes");
    assert_eq!(section("override"), json!([{"mode": "warn"}]));
    assert_eq!(kubernetes["service"], "palisade-webhook");
    assert_eq!(read, config, "{text}");
}

#[test]
fn the_api_server_accepts_the_chart() {
    let (Ok(cluster), Ok(rendered)) = (Cluster::start(), render(DEFAULTS)) else { return };
    cluster.kubectl(&["create", "namespace", "palisade"], "").ok();
    // As the documentation asks for: the namespace admits only what is restricted.
    let label = "pod-security.kubernetes.io/enforce=restricted";
    cluster.kubectl(&["label", "namespace", "palisade", label], "").ok();
    for values in [DEFAULTS, PRODUCTION, EVERYTHING] {
        let Ok(text) = render(values) else { return };
        let accepted = cluster.kubectl(&["apply", "--dry-run=server", "--validate=strict", "-f", "-"], &text);
        assert_eq!(accepted.stderr, "", "{values:?}");
        let accepted = accepted.ok();
        assert!(accepted.contains("deployment.apps/palisade created"), "{accepted}");
    }
    let applied = cluster.kubectl(&["apply", "-f", "-"], &rendered);
    assert_eq!(applied.stderr, "");
    applied.ok();
    the_pod_is_admitted(&cluster);

    let kinds = deploy().join("chart/palisade/crds");
    let applied = cluster.kubectl(&["apply", "--server-side", "-f", kinds.to_str().unwrap()], "");
    assert_eq!(applied.stderr, "");
    applied.ok();
    cluster.kubectl(&["wait", "--for=condition=Established", "--timeout=20s", "crd", "--all"], "").ok();
    let report = json!({
        "apiVersion": "wgpolicyk8s.io/v1alpha2",
        "kind": "PolicyReport",
        "metadata": {"name": "palisade-1", "namespace": "default"},
        "summary": {"pass": 3, "fail": 1},
        "results": [{"policy": "images", "result": "fail"}],
    });
    cluster.apply(&report.to_string());
    let shown = cluster.kubectl(&["get", "policyreports", "--namespace=default", "--no-headers"], "").ok();
    assert_eq!(shown.split_whitespace().take(3).collect::<Vec<_>>(), ["palisade-1", "3", "1"]);
}

/// The pod of the Deployment, as its controller would make it.
fn the_pod_is_admitted(cluster: &Cluster) {
    let deployment =
        cluster.kubectl(&["get", "deployment", "palisade", "--namespace=palisade", "-o", "json"], "").json();
    let template = &deployment["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    metadata["name"] = json!("palisade-0");
    metadata["namespace"] = json!("palisade");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]});
    let created = cluster.kubectl(&["create", "-o", "json", "-f", "-"], &pod.to_string()).json();
    assert_eq!(created["spec"]["serviceAccountName"], "palisade");
}
