//! Checks of the pod's own fields: host namespaces, volumes and sysctls.

use std::collections::BTreeSet;

use palisade_model::{Segment, Value};

use super::forbidden::{Bad, Field, Forbidden, plural, quoted};
use super::pod::Pod;

pub(super) fn host_namespaces<'a>(pod: &Pod<'a>, _minor: u32) -> Option<Forbidden<'a>> {
    let shared = &pod.host_namespaces;
    let fields = shared.iter().map(|key| Field::of_pod(["spec".into(), Segment::from(*key)], Bad::Value(true.into())));
    let detail: Vec<String> = shared.iter().map(|key| format!("{key}=true")).collect();
    let fields: Vec<_> = fields.collect();
    (!fields.is_empty()).then(|| Forbidden { reason: "host namespaces", detail: detail.join(", "), fields })
}

fn volume_field<'a>(index: usize, source: &str, bad: Bad) -> Field<'a> {
    Field::of_pod(["spec".into(), "volumes".into(), Segment::Index(index), Segment::from(source)], bad)
}

pub(super) fn host_path_volumes<'a>(pod: &Pod<'a>, _minor: u32) -> Option<Forbidden<'a>> {
    let (mut names, mut fields) = (Vec::new(), Vec::new());
    for (index, volume) in pod.volumes.iter().enumerate() {
        if let Some(path) = volume.host_path {
            names.push(volume.name);
            fields.push(volume_field(index, "hostPath", Bad::Value(path.into())));
        }
    }
    let detail = format!("{} {}", plural(names.len(), "volume", "volumes"), quoted(names));
    (!fields.is_empty()).then_some(Forbidden { reason: "hostPath volumes", detail, fields })
}

const ALLOWED_VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

const RESTRICTED_VOLUMES: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

/// A volume without a source is an empty directory: the API server fills that in before anybody judges the pod.
pub(super) fn restricted_volumes<'a>(pod: &Pod<'a>, _minor: u32) -> Option<Forbidden<'a>> {
    let (mut names, mut kinds, mut fields) = (Vec::new(), BTreeSet::new(), Vec::new());
    for (index, volume) in pod.volumes.iter().enumerate() {
        if volume.sources.is_empty() || volume.sources.iter().any(|source| ALLOWED_VOLUMES.contains(source)) {
            continue;
        }
        let kind = RESTRICTED_VOLUMES.into_iter().find(|kind| volume.sources.contains(kind)).unwrap_or("unknown");
        names.push(volume.name);
        kinds.insert(kind);
        fields.push(volume_field(index, kind, Bad::Present));
    }
    let detail = format!(
        "{} {} {} {} {}",
        plural(names.len(), "volume", "volumes"),
        quoted(&names),
        plural(names.len(), "uses", "use"),
        plural(kinds.len(), "restricted volume type", "restricted volume types"),
        quoted(kinds)
    );
    (!fields.is_empty()).then_some(Forbidden { reason: "restricted volume types", detail, fields })
}

/// Safe sysctls, and the minor version since which each is.
const SAFE_SYSCTLS: [(&str, u32); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];

pub(super) fn sysctls<'a>(pod: &Pod<'a>, minor: u32) -> Option<Forbidden<'a>> {
    let safe = |name: &str| SAFE_SYSCTLS.iter().any(|(known, since)| *known == name && minor >= *since);
    let unsafe_ones = pod.sysctls.iter().enumerate().filter(|(_, name)| !safe(name));
    let (mut names, mut fields) = (Vec::new(), Vec::new());
    for (index, name) in unsafe_ones {
        let path = ["spec".into(), "securityContext".into(), "sysctls".into(), Segment::Index(index), "name".into()];
        names.push(*name);
        fields.push(Field::of_pod(path, Bad::Value(Value::from(*name))));
    }
    (!fields.is_empty()).then(|| Forbidden { reason: "forbidden sysctls", detail: names.join(", "), fields })
}
