//! Every check of the catalog: a hardened pod that one change makes forbidden, and a change that it must let pass.

use palisade_model::patch::merge;
use palisade_model::{Value, json};

use super::{hardened, ids, judge, pod_settings};
use crate::catalog::{CATALOG, Entry};
use crate::{Level, Version};

/// Checks by their identifiers, with a merge patch of a container that each forbids and one that it allows.
fn of_containers() -> Vec<(&'static str, Value, Value)> {
    let security = |settings: Value| json!({"securityContext": settings});
    let probe = |target: Value| json!({"readinessProbe": {"httpGet": target}});
    vec![
        (
            "allowPrivilegeEscalation",
            security(json!({"allowPrivilegeEscalation": true})),
            security(json!({"allowPrivilegeEscalation": false})),
        ),
        (
            "appArmorProfile",
            security(json!({"appArmorProfile": {"type": "Unconfined"}})),
            security(json!({"appArmorProfile": {"type": "RuntimeDefault"}})),
        ),
        (
            "capabilities_baseline",
            security(json!({"capabilities": {"add": ["SYS_ADMIN"]}})),
            security(json!({"capabilities": {"add": ["CHOWN"]}})),
        ),
        (
            "capabilities_restricted",
            security(json!({"capabilities": {"add": ["CHOWN"]}})),
            security(json!({"capabilities": {"add": ["NET_BIND_SERVICE"]}})),
        ),
        (
            "hostPorts",
            json!({"ports": [{"containerPort": 80, "hostPort": 80}]}),
            json!({"ports": [{"containerPort": 80}]}),
        ),
        (
            "hostProbesAndHostLifecycle",
            probe(json!({"port": 80, "host": "169.254.169.254"})),
            probe(json!({"port": 80})),
        ),
        ("privileged", security(json!({"privileged": true})), security(json!({"privileged": false}))),
        ("procMount", security(json!({"procMount": "Unmasked"})), security(json!({"procMount": "Default"}))),
        ("procMount_restricted", security(json!({"procMount": "Unmasked"})), security(json!({"procMount": "Default"}))),
        ("runAsNonRoot", security(json!({"runAsNonRoot": false})), security(json!({"runAsNonRoot": true}))),
        ("runAsUser", security(json!({"runAsUser": 0})), security(json!({"runAsUser": 1000}))),
        (
            "seLinuxOptions",
            security(json!({"seLinuxOptions": {"type": "spc_t"}})),
            security(json!({"seLinuxOptions": {"type": "container_t", "level": "s0:c1,c2"}})),
        ),
        (
            "seccompProfile_baseline",
            security(json!({"seccompProfile": {"type": "Unconfined"}})),
            security(json!({"seccompProfile": {"type": "Localhost"}})),
        ),
        (
            "seccompProfile_restricted",
            security(json!({"seccompProfile": {"type": "Unconfined"}})),
            security(json!({"seccompProfile": {"type": "RuntimeDefault"}})),
        ),
        (
            "windowsHostProcess",
            security(json!({"windowsOptions": {"hostProcess": true}})),
            security(json!({"windowsOptions": {"hostProcess": false}})),
        ),
    ]
}

/// The same for merge patches of a pod's `spec`.
fn of_pods() -> Vec<(&'static str, Value, Value)> {
    let security = |settings: Value| json!({"securityContext": settings});
    let volume = |source: Value| json!({"volumes": [merge(&json!({"name": "data"}), &source)]});
    vec![
        (
            "appArmorProfile",
            security(json!({"appArmorProfile": {"type": "Unconfined"}})),
            security(json!({"appArmorProfile": {"type": "Localhost"}})),
        ),
        ("hostNamespaces", json!({"hostNetwork": true}), json!({"hostNetwork": false})),
        ("hostNamespaces", json!({"hostPID": true}), json!({"hostPID": false})),
        ("hostNamespaces", json!({"hostIPC": true}), json!({"hostIPC": false})),
        ("hostPathVolumes", volume(json!({"hostPath": {"path": "/etc"}})), volume(json!({"emptyDir": {}}))),
        ("restrictedVolumes", volume(json!({"nfs": {"server": "a", "path": "/"}})), volume(json!({"configMap": {}}))),
        ("runAsNonRoot", security(json!({"runAsNonRoot": null})), security(json!({"runAsNonRoot": true}))),
        ("runAsUser", security(json!({"runAsUser": 0})), security(json!({"runAsUser": 1000}))),
        (
            "seLinuxOptions",
            security(json!({"seLinuxOptions": {"role": "sysadm_r"}})),
            security(json!({"seLinuxOptions": {"type": "container_init_t"}})),
        ),
        (
            "seccompProfile_baseline",
            security(json!({"seccompProfile": {"type": "Unconfined"}})),
            security(json!({"seccompProfile": {"type": "RuntimeDefault"}})),
        ),
        (
            "seccompProfile_restricted",
            security(json!({"seccompProfile": null})),
            security(json!({"seccompProfile": {"type": "Localhost"}})),
        ),
        (
            "sysctls",
            security(json!({"sysctls": [{"name": "kernel.msgmax", "value": "1"}]})),
            security(json!({"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]})),
        ),
        (
            "windowsHostProcess",
            security(json!({"windowsOptions": {"hostProcess": true}})),
            security(json!({"windowsOptions": {"hostProcess": false}})),
        ),
    ]
}

/// The lists that a pod's containers are in.
const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

fn pod(patch: &Value) -> Value {
    let spec = json!({"securityContext": pod_settings(), "containers": [hardened()]});
    json!({"kind": "Pod", "spec": merge(&spec, patch)})
}

/// Every change as a pod, with the check that it is about: the forbidden one and the allowed one.
fn pods() -> Vec<(&'static Entry, Value, Value)> {
    let entry = |id: &str| CATALOG.iter().find(|entry| entry.id == id).unwrap();
    let mut pods = Vec::new();
    for (id, forbidden, allowed) in of_containers() {
        for list in LISTS {
            let with = |patch: &Value| {
                pod(&Value::object([(list.into(), json!([merge(&hardened(), patch)]))].into_iter().collect()))
            };
            pods.push((entry(id), with(&forbidden), with(&allowed)));
        }
    }
    pods.extend(of_pods().iter().map(|(id, forbidden, allowed)| (entry(id), pod(forbidden), pod(allowed))));
    pods
}

#[test]
fn the_hardened_pod_is_restricted_by_every_version() {
    for minor in 0..40 {
        let result = judge(Level::Restricted, Version::Minor(minor), &[], &pod(&json!({})));
        assert_eq!(ids(&result), [""; 0], "v1.{minor}");
    }
}

#[test]
fn every_check_forbids_and_allows() {
    let pods = pods();
    for entry in &CATALOG {
        let own: Vec<_> = pods.iter().filter(|(of, ..)| of.id == entry.id).collect();
        assert!(!own.is_empty(), "{} has no case", entry.id);
        for (_, forbidden, allowed) in own {
            let found = |pod: &Value| ids(&judge(entry.level, Version::Latest, &[], pod));
            assert!(found(forbidden).contains(&entry.id), "{}: {forbidden}", entry.id);
            assert_eq!(found(allowed), [""; 0], "{}: {allowed}", entry.id);
            if entry.level == Level::Baseline {
                assert_eq!(found(forbidden), [entry.id], "{forbidden}");
                assert!(!judge(Level::Restricted, Version::Latest, &[], forbidden).allowed, "{forbidden}");
            }
            assert!(judge(Level::Privileged, Version::Latest, &[], forbidden).allowed, "{forbidden}");
        }
    }
}

#[test]
fn no_check_is_older_than_its_version() {
    for (entry, forbidden, _) in pods().iter().filter(|(entry, ..)| entry.since > 0) {
        let found = |minor| ids(&judge(entry.level, Version::Minor(minor), &[], forbidden));
        assert!(found(entry.since).contains(&entry.id), "{} in v1.{}", entry.id, entry.since);
        assert!(!found(entry.since - 1).contains(&entry.id), "{} before v1.{}", entry.id, entry.since);
    }
}
