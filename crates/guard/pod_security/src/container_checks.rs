//! Checks of fields that only containers have.

use std::collections::BTreeSet;

use palisade_model::Segment;

use super::forbidden::{Bad, Field, Forbidden, Offenders, plural, quoted};
use super::pod::Pod;

pub(super) fn privileged<'a>(pod: &Pod<'a>, _minor: u32) -> Option<Forbidden<'a>> {
    let offenders = Offenders::find(pod, &["privileged"], |container| {
        (container.security.privileged == Some(true)).then(|| Bad::Value(true.into()))
    });
    let detail = format!("{} must not set securityContext.privileged=true", offenders.described());
    offenders.forbidden("privileged", detail)
}

/// Windows has no such setting, which is known of a pod since 1.25.
pub(super) fn privilege_escalation<'a>(pod: &Pod<'a>, minor: u32) -> Option<Forbidden<'a>> {
    if minor >= 25 && pod.windows {
        return None;
    }
    let offenders = Offenders::find(pod, &["allowPrivilegeEscalation"], |container| {
        match container.security.allow_privilege_escalation {
            _ if !container.security.present => Some(Bad::Missing),
            None => Some(Bad::Value("nil".into())),
            Some(allowed) => allowed.then(|| Bad::Value(true.into())),
        }
    });
    let detail = format!("{} must set securityContext.allowPrivilegeEscalation=false", offenders.described());
    offenders.forbidden("allowPrivilegeEscalation != false", detail)
}

const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn adding<'a>(pod: &Pod<'a>, allowed: &[&str]) -> (Offenders<'a>, String) {
    let forbidden = |added: &[&'a str]| -> Vec<&'a str> {
        added.iter().copied().filter(|capability| !allowed.contains(capability)).collect()
    };
    let offenders = Offenders::find(pod, &["capabilities", "add"], |container| {
        let (added, _) = container.security.capabilities.as_ref()?;
        let forbidden = forbidden(added);
        (!forbidden.is_empty()).then(|| Bad::values(forbidden))
    });
    let named: BTreeSet<String> = offenders.fields.iter().flat_map(|field| field.bad.words()).collect();
    let detail =
        format!("{} must not include {} in securityContext.capabilities.add", offenders.described(), quoted(named));
    (offenders, detail)
}

pub(super) fn default_capabilities<'a>(pod: &Pod<'a>, _minor: u32) -> Option<Forbidden<'a>> {
    let (offenders, detail) = adding(pod, &DEFAULT_CAPABILITIES);
    offenders.forbidden("non-default capabilities", detail)
}

/// All capabilities must be dropped; Windows knows none.
pub(super) fn restricted_capabilities<'a>(pod: &Pod<'a>, minor: u32) -> Option<Forbidden<'a>> {
    if minor >= 25 && pod.windows {
        return None;
    }
    let keeping = Offenders::find(pod, &["capabilities", "drop"], |container| match &container.security.capabilities {
        Some((_, dropped)) if dropped.contains(&"ALL") => None,
        Some((_, dropped)) if !dropped.is_empty() => Some(Bad::values(dropped.iter().copied())),
        _ => Some(Bad::Missing),
    });
    let (adding, adding_detail) = adding(pod, &["NET_BIND_SERVICE"]);
    let mut details = Vec::new();
    if !keeping.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", keeping.described()));
    }
    if !adding.is_empty() {
        details.push(adding_detail);
    }
    let fields: Vec<_> = keeping.fields.into_iter().chain(adding.fields).collect();
    let detail = details.join("; ");
    (!fields.is_empty()).then_some(Forbidden { reason: "unrestricted capabilities", detail, fields })
}

pub(super) fn host_ports<'a>(pod: &Pod<'a>, _minor: u32) -> Option<Forbidden<'a>> {
    let mut offenders = Offenders::default();
    for container in pod.containers.iter().filter(|container| !container.host_ports.is_empty()) {
        let field = |(index, port): &(usize, i64)| {
            let path = ["ports".into(), Segment::Index(*index), "hostPort".into()];
            Field::of_container(container, &path, Bad::Value((*port).into()))
        };
        offenders.add(container, container.host_ports.iter().map(field));
    }
    let ports: BTreeSet<String> = offenders.fields.iter().flat_map(|field| field.bad.words()).collect();
    let detail = format!(
        "{} {} {} {}",
        offenders.described(),
        plural(offenders.names.len(), "uses", "use"),
        plural(ports.len(), "hostPort", "hostPorts"),
        ports.into_iter().collect::<Vec<_>>().join(", ")
    );
    offenders.forbidden("hostPort", detail)
}

pub(super) fn probe_hosts<'a>(pod: &Pod<'a>, _minor: u32) -> Option<Forbidden<'a>> {
    let mut offenders = Offenders::default();
    for container in pod.containers.iter().filter(|container| !container.hosts.is_empty()) {
        let field = |(route, host): &([&'static str; 3], &str)| {
            let steps = route.iter().copied().chain(["host"]).filter(|step| !step.is_empty());
            let path: Vec<Segment> = steps.map(Segment::from).collect();
            Field::of_container(container, &path, Bad::Value((*host).into()))
        };
        offenders.add(container, container.hosts.iter().map(field));
    }
    let hosts: BTreeSet<String> = offenders.fields.iter().flat_map(|field| field.bad.words()).collect();
    let detail = format!(
        "{} {} {} {}",
        offenders.described(),
        plural(offenders.names.len(), "uses", "use"),
        plural(hosts.len(), "probe or lifecycle host", "probe or lifecycle hosts"),
        quoted(hosts)
    );
    offenders.forbidden("probe or lifecycle host", detail)
}

/// Since 1.35 a pod with a user namespace of its own may see more of `/proc`.
pub(super) fn proc_mount<'a>(pod: &Pod<'a>, minor: u32) -> Option<Forbidden<'a>> {
    if minor >= 35 && pod.user_namespace {
        return None;
    }
    strict_proc_mount(pod, minor)
}

pub(super) fn strict_proc_mount<'a>(pod: &Pod<'a>, _minor: u32) -> Option<Forbidden<'a>> {
    let offenders = Offenders::find(pod, &["procMount"], |container| {
        container.security.proc_mount.filter(|kind| *kind != "Default").map(|kind| Bad::Value(kind.into()))
    });
    let kinds: BTreeSet<String> = offenders.fields.iter().flat_map(|field| field.bad.words()).collect();
    let detail = format!("{} must not set securityContext.procMount to {}", offenders.described(), quoted(kinds));
    offenders.forbidden("procMount", detail)
}
