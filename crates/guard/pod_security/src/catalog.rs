//! The table of checks: identifier, control, level and the Kubernetes version that introduced it.
//!
//! The order is that of Kubernetes' own registry and thereby that of messages. A restricted check does not replace its
//! weaker baseline relative: Kyverno runs and reports both. Only `procMount` is left out where `procMount_restricted`,
//! the very same check, stands in.

use super::Level;
use super::forbidden::Forbidden;
use super::pod::Pod;
use super::{container_checks as container, pod_checks as pod, security_checks as security};

/// A check of the Pod Security Standards.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: &'static str,
    pub(super) control: &'static str,
    pub(super) level: Level,
    /// The minor version since which the check exists.
    pub(super) since: u32,
    pub(super) judge: Judge,
}

impl Entry {
    /// Whether the check belongs to a level by the rules of a minor version.
    pub(super) fn applies(&self, level: Level, minor: u32) -> bool {
        let in_level = match level {
            Level::Privileged => false,
            Level::Baseline => self.level == Level::Baseline,
            Level::Restricted => !(self.id == "procMount" && minor >= PROC_MOUNT_RESTRICTED),
        };
        in_level && minor >= self.since
    }
}

/// The minor version since which the restricted level has a check of its own for `/proc`.
const PROC_MOUNT_RESTRICTED: u32 = 35;

/// A check: what is wrong with a pod by the rules of a minor version.
pub(super) type Judge = for<'a, 'b> fn(&'b Pod<'a>, u32) -> Option<Forbidden<'a>>;

const fn baseline(id: &'static str, control: &'static str, since: u32, judge: Judge) -> Entry {
    Entry { id, control, level: Level::Baseline, since, judge }
}

const fn restricted(id: &'static str, control: &'static str, since: u32, judge: Judge) -> Entry {
    Entry { id, control, level: Level::Restricted, since, judge }
}

pub(super) const CATALOG: [Entry; 19] = [
    restricted("allowPrivilegeEscalation", "Privilege Escalation", 8, container::privilege_escalation),
    baseline("appArmorProfile", "AppArmor", 0, security::app_armor),
    baseline("capabilities_baseline", "Capabilities", 0, container::default_capabilities),
    restricted("capabilities_restricted", "Capabilities", 22, container::restricted_capabilities),
    baseline("hostNamespaces", "Host Namespaces", 0, pod::host_namespaces),
    baseline("hostPathVolumes", "HostPath Volumes", 0, pod::host_path_volumes),
    baseline("hostPorts", "Host Ports", 0, container::host_ports),
    baseline("hostProbesAndHostLifecycle", "Host Probes / Lifecycle Hooks", 34, container::probe_hosts),
    baseline("privileged", "Privileged Containers", 0, container::privileged),
    baseline("procMount", "/proc Mount Type", 0, container::proc_mount),
    restricted("procMount_restricted", "/proc Mount Type", PROC_MOUNT_RESTRICTED, container::strict_proc_mount),
    restricted("restrictedVolumes", "Volume Types", 0, pod::restricted_volumes),
    restricted("runAsNonRoot", "Running as Non-root", 0, security::run_as_non_root),
    restricted("runAsUser", "Running as Non-root user", 23, security::run_as_user),
    baseline("seLinuxOptions", "SELinux", 0, security::selinux),
    baseline("seccompProfile_baseline", "Seccomp", 0, security::seccomp),
    restricted("seccompProfile_restricted", "Seccomp", 19, security::restricted_seccomp),
    baseline("sysctls", "Sysctls", 0, pod::sysctls),
    baseline("windowsHostProcess", "HostProcess", 0, security::host_process),
];
