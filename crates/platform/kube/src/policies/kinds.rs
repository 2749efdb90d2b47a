//! Which kinds are policies, and what they say about the cluster beside judging.

use palisade_model::{GroupVersionKind, Value};

use crate::Kind;

/// Groups all of whose kinds are policies or belong to them.
const GROUPS: &[&str] = &[
    "kyverno.io",
    "policies.kyverno.io",
    "templates.gatekeeper.sh",
    "constraints.gatekeeper.sh",
    "mutations.gatekeeper.sh",
    "config.gatekeeper.sh",
    "syncset.gatekeeper.sh",
    "expansion.gatekeeper.sh",
];

/// Kinds of these groups that controllers write.
const RECORDS: &[&str] = &["UpdateRequest", "AdmissionReport", "ClusterAdmissionReport", "BackgroundScanReport"];

/// Whether objects of `kind` are policies, exceptions, bindings, or say something about policies.
pub(super) fn is_policy(kind: &Kind) -> bool {
    let known = GROUPS.contains(&&*kind.gvk.group) && !RECORDS.contains(&&*kind.gvk.kind);
    kind.is_watchable() && (known || is_native_kind(&kind.gvk.group, &kind.gvk.kind))
}

/// Whether the API server enforces the object itself.
pub(super) fn is_native(object: &Value) -> bool {
    GroupVersionKind::of(object).is_some_and(|gvk| is_native_kind(&gvk.group, &gvk.kind))
}

fn is_native_kind(group: &str, kind: &str) -> bool {
    let kinds = [
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    ];
    group == "admissionregistration.k8s.io" && kinds.contains(&kind)
}

/// Whether Palisade made the object.
pub(super) fn is_ours(object: &Value) -> bool {
    let manager = object.dig(["metadata", "labels", "app.kubernetes.io/managed-by"]);
    manager.and_then(Value::as_str) == Some("palisade")
}

/// The kinds that Gatekeeper's Config and SyncSets name, and those that templates say they need.
pub(super) fn inventory(objects: &[Value]) -> Vec<GroupVersionKind> {
    let mut kinds = Vec::new();
    for object in objects {
        let listed = match object.get("kind").and_then(Value::as_str) {
            Some("Config") => object.dig(["spec", "sync", "syncOnly"]),
            Some("SyncSet") => object.dig(["spec", "gvks"]),
            Some("ConstraintTemplate") => {
                kinds.extend(needed(object));
                None
            }
            _ => None,
        };
        kinds.extend(listed.and_then(Value::as_array).unwrap_or_default().iter().filter_map(gvk));
    }
    kinds.sort();
    kinds.dedup();
    kinds
}

fn gvk(entry: &Value) -> Option<GroupVersionKind> {
    let text = |key| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = Some(text("kind")).filter(|kind| !kind.is_empty())?;
    Some(GroupVersionKind { group: text("group").into(), version: text("version").into(), kind: kind.into() })
}

/// The annotation is JSON, as a rule within a JSON string: alternatives of groups, versions and kinds, one of which has to
/// be there for each requirement.
fn needed(template: &Value) -> Vec<GroupVersionKind> {
    let annotation = template.dig(["metadata", "annotations", "metadata.gatekeeper.sh/requires-sync-data"]);
    let text = annotation.and_then(Value::as_str).unwrap_or_default();
    let mut read = Value::from_json(text.trim()).unwrap_or_default();
    if let Some(inner) = read.as_str() {
        read = Value::from_json(inner).unwrap_or_default();
    }
    let requirements = read.as_array().unwrap_or_default().iter();
    let alternatives = requirements.filter_map(|requirement| requirement.as_array()?.first());
    let mut kinds = Vec::new();
    for alternative in alternatives {
        let texts = |key| {
            let all = alternative.get(key).and_then(Value::as_array).unwrap_or_default();
            all.iter().filter_map(Value::as_shared_str).cloned().collect::<Vec<_>>()
        };
        let (Some(group), Some(version)) = (texts("groups").into_iter().next(), texts("versions").into_iter().next())
        else {
            continue;
        };
        let of = |kind| GroupVersionKind { group: group.clone(), version: version.clone(), kind };
        kinds.extend(texts("kinds").into_iter().map(of));
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inventory_is_what_configurations_and_templates_name() {
        let objects = [
            r#"{"kind":"Config","spec":{"sync":{"syncOnly":[{"group":"","version":"v1","kind":"Namespace"}]}}}"#,
            r#"{"kind":"SyncSet","spec":{"gvks":[{"group":"apps","version":"v1","kind":"Deployment"},{"group":""}]}}"#,
            r#"{"kind":"ConstraintTemplate","metadata":{"annotations":{"metadata.gatekeeper.sh/requires-sync-data":
                "\"[[{\\\"groups\\\":[\\\"networking.k8s.io\\\"],\\\"versions\\\":[\\\"v1\\\"],\\\"kinds\\\":[\\\"Ingress\\\"]}]]\"\n"}}}"#,
        ];
        let kinds = inventory(&objects.map(|text| Value::from_json(text).unwrap()));
        let kinds: Vec<_> = kinds.iter().map(ToString::to_string).collect();
        assert_eq!(kinds, ["v1/Namespace", "apps/v1/Deployment", "networking.k8s.io/v1/Ingress"]);
    }
}
