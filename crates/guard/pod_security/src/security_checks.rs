//! Checks of settings that the pod makes for all of its containers or a container for itself.

use std::collections::BTreeSet;

use palisade_model::{Segment, Value};

use super::forbidden::{Bad, Field, Forbidden, Offenders, Setters, plural, quoted, security_path};
use super::pod::{Pod, Security};

pub(super) fn host_process<'a>(pod: &Pod<'a>, _minor: u32) -> Option<Forbidden<'a>> {
    let setters = Setters::find(pod, &["windowsOptions", "hostProcess"], |security| {
        security.host_process.then(|| Bad::Value(true.into()))
    });
    let detail = format!("{} must not set securityContext.windowsOptions.hostProcess=true", setters.described());
    setters.forbidden("hostProcess", detail)
}

/// Since 1.35, root in a user namespace of the pod's own counts as nobody.
pub(super) fn run_as_non_root<'a>(pod: &Pod<'a>, minor: u32) -> Option<Forbidden<'a>> {
    if minor >= 35 && pod.user_namespace {
        return None;
    }
    let setters = Setters::find(pod, &["runAsNonRoot"], |security| {
        (security.run_as_non_root == Some(false)).then(|| Bad::Value(false.into()))
    });
    let silent = Offenders::find(pod, &["runAsNonRoot"], |container| {
        let unset = container.security.run_as_non_root.is_none() && pod.security.run_as_non_root != Some(true);
        unset.then_some(Bad::Missing)
    });
    let mut details = Vec::new();
    if !setters.words.is_empty() {
        details.push(format!("{} must not set securityContext.runAsNonRoot=false", setters.described()));
    }
    if !silent.is_empty() {
        details.push(format!("pod or {} must set securityContext.runAsNonRoot=true", silent.described()));
    }
    let fields: Vec<_> = setters.fields.into_iter().chain(silent.fields).collect();
    let detail = details.join("\n");
    (!fields.is_empty()).then_some(Forbidden { reason: "runAsNonRoot != true", detail, fields })
}

pub(super) fn run_as_user<'a>(pod: &Pod<'a>, minor: u32) -> Option<Forbidden<'a>> {
    if minor >= 35 && pod.user_namespace {
        return None;
    }
    let setters = Setters::find(pod, &["runAsUser"], |security| {
        (security.run_as_user == Some(0)).then_some(Bad::Value(Value::Int(0)))
    });
    let detail = format!("{} must not set runAsUser=0", setters.described());
    setters.forbidden("runAsUser=0", detail)
}

fn allowed_profile(kind: &str) -> bool {
    matches!(kind, "RuntimeDefault" | "Localhost")
}

const APP_ARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

pub(super) fn app_armor<'a>(pod: &Pod<'a>, _minor: u32) -> Option<Forbidden<'a>> {
    let mut setters = Setters::find(pod, &["appArmorProfile", "type"], |security| {
        security.app_armor.filter(|kind| !allowed_profile(kind)).map(|kind| Bad::Value(kind.into()))
    });
    let mut values: Vec<String> = setters.values().into_iter().collect();
    let allowed = |value: &str| value.is_empty() || value == "runtime/default" || value.starts_with("localhost/");
    let annotations: Vec<_> = pod
        .annotations
        .iter()
        .filter(|(key, value)| key.starts_with(APP_ARMOR_ANNOTATION) && !allowed(value))
        .collect();
    if !annotations.is_empty() {
        let named: BTreeSet<String> = annotations.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
        values.extend(named);
        let word = plural(annotations.len(), "annotation", "annotations").to_owned();
        setters.add(word, annotations.iter().map(|(key, value)| annotation(key, value)));
    }
    let reason = plural(values.len(), "forbidden AppArmor profile", "forbidden AppArmor profiles");
    let detail = format!("{} must not set AppArmor profile type to {}", setters.described(), quoted(values));
    setters.forbidden(reason, detail)
}

fn annotation<'a>(key: &str, value: &str) -> Field<'a> {
    Field::of_pod(["metadata".into(), "annotations".into(), Segment::from(key)], Bad::Value(value.into()))
}

/// Seccomp was an annotation before it became a field in 1.19.
pub(super) fn seccomp<'a>(pod: &Pod<'a>, minor: u32) -> Option<Forbidden<'a>> {
    if minor < 19 {
        return seccomp_annotations(pod);
    }
    let setters = Setters::find(pod, &["seccompProfile", "type"], bad_seccomp);
    seccomp_forbidden(setters)
}

fn bad_seccomp(security: &Security<'_>) -> Option<Bad> {
    security.seccomp.filter(|kind| !allowed_profile(kind)).map(|kind| Bad::Value(kind.into()))
}

fn seccomp_forbidden(setters: Setters<'_>) -> Option<Forbidden<'_>> {
    let values = quoted(setters.values());
    let detail = format!("{} must not set securityContext.seccompProfile.type to {values}", setters.described());
    setters.forbidden("seccompProfile", detail)
}

const SECCOMP_POD_ANNOTATION: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER_ANNOTATION: &str = "container.seccomp.security.alpha.kubernetes.io/";

fn seccomp_annotations<'a>(pod: &Pod<'a>) -> Option<Forbidden<'a>> {
    let allowed =
        |value: &str| matches!(value, "runtime/default" | "docker/default") || value.starts_with("localhost/");
    let names: BTreeSet<&str> = pod.containers.iter().map(|container| container.name).collect();
    let concerns = |key: &str| {
        let container = key.strip_prefix(SECCOMP_CONTAINER_ANNOTATION);
        key == SECCOMP_POD_ANNOTATION || container.is_some_and(|name| names.contains(name))
    };
    let bad: Vec<_> = pod.annotations.iter().filter(|(key, value)| concerns(key) && !allowed(value)).collect();
    let named: BTreeSet<String> = bad.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    let detail = format!(
        "forbidden {} {}",
        plural(named.len(), "annotation", "annotations"),
        named.into_iter().collect::<Vec<_>>().join(", ")
    );
    let fields: Vec<_> = bad.iter().map(|(key, value)| annotation(key, value)).collect();
    (!fields.is_empty()).then_some(Forbidden { reason: "seccompProfile", detail, fields })
}

/// A profile must be set; Windows has none, which is known of a pod since 1.25.
pub(super) fn restricted_seccomp<'a>(pod: &Pod<'a>, minor: u32) -> Option<Forbidden<'a>> {
    if minor >= 25 && pod.windows {
        return None;
    }
    let setters = Setters::find(pod, &["seccompProfile", "type"], bad_seccomp);
    if !setters.words.is_empty() {
        return seccomp_forbidden(setters);
    }
    let covered = pod.security.seccomp.is_some();
    let silent = Offenders::find(pod, &["seccompProfile", "type"], |container| {
        (!covered && container.security.seccomp.is_none()).then_some(Bad::Missing)
    });
    let detail = format!(
        "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
        silent.described()
    );
    silent.forbidden("seccompProfile", detail)
}

/// The type is one of a few, `container_engine_t` among them since 1.31; user and role may not be set.
fn bad_selinux<'o>(options: &[&'o str; 3], minor: u32) -> Vec<(&'static str, &'o str)> {
    let [kind, user, role] = *options;
    let allowed = matches!(kind, "" | "container_t" | "container_init_t" | "container_kvm_t")
        || (minor >= 31 && kind == "container_engine_t");
    let mut bad = Vec::new();
    bad.extend((!allowed).then_some(("type", kind)));
    bad.extend((!user.is_empty()).then_some(("user", user)));
    bad.extend((!role.is_empty()).then_some(("role", role)));
    bad
}

pub(super) fn selinux<'a>(pod: &Pod<'a>, minor: u32) -> Option<Forbidden<'a>> {
    let mut setters = Setters { words: Vec::new(), fields: Vec::new() };
    let mut all_bad = Vec::new();
    let mut judge = |options: Option<[&'a str; 3]>| {
        let bad = options.map_or_else(Vec::new, |options| bad_selinux(&options, minor));
        all_bad.extend(bad.iter().copied());
        bad
    };
    let steps = |field: &str| security_path(&["seLinuxOptions", field]);
    let bad = judge(pod.security.selinux);
    if !bad.is_empty() {
        let path = |field| std::iter::once("spec".into()).chain(steps(field));
        let fields = bad.iter().map(|(field, value)| Field::of_pod(path(field), Bad::Value((*value).into())));
        setters.add("pod".to_owned(), fields);
    }
    let mut offenders = Offenders::default();
    for container in &pod.containers {
        let bad = judge(container.security.selinux);
        if !bad.is_empty() {
            let field = |(field, value): &(&str, &str)| {
                Field::of_container(container, &steps(field), Bad::Value((*value).into()))
            };
            offenders.add(container, bad.iter().map(field));
        }
    }
    setters.add_containers(offenders);
    let detail =
        format!("{} set forbidden securityContext.seLinuxOptions: {}", setters.described(), selinux_detail(&all_bad));
    setters.forbidden("seLinuxOptions", detail)
}

fn selinux_detail(bad: &[(&str, &str)]) -> String {
    let kinds: BTreeSet<&str> = bad.iter().filter(|(field, _)| *field == "type").map(|(_, kind)| *kind).collect();
    let mut details = Vec::new();
    if !kinds.is_empty() {
        details.push(format!("{} {}", plural(kinds.len(), "type", "types"), quoted(kinds)));
    }
    for (field, words) in [("user", "user may not be set"), ("role", "role may not be set")] {
        details.extend(bad.iter().any(|(name, _)| *name == field).then(|| words.to_owned()));
    }
    details.join("; ")
}
