//! Defaults that depend on other fields, by the type that they are filled into.
//!
//! The table marks fields whose default was seen to change with others (`?`); what is set only where another field is
//! there, it cannot know. Each is as the API reference describes it and as a real API server answered.

use std::borrow::Cow;

use palisade_model::image_reference::ImageReference;
use palisade_model::{Map, Str, Value, json};

/// Fills in what depends on other fields, which have their own defaults by then; the second map is as it was written.
pub(crate) type Condition = fn(&mut Cow<'_, Map>, &Map);

/// What is conditional in the type called `name`.
pub(crate) fn of(name: &str) -> Option<Condition> {
    Some(match name {
        "Container" | "EphemeralContainer" => pull_policy,
        "ImageVolumeSource" => volume_pull_policy,
        "Pod" => pod,
        "PodSpec" => account,
        "Volume" => empty_directory,
        "DeploymentStrategy" => |map, _| rolling(map, || json!({"maxSurge": "25%", "maxUnavailable": "25%"})),
        "DaemonSetUpdateStrategy" => |map, _| rolling(map, || json!({"maxSurge": 0, "maxUnavailable": 1})),
        "StatefulSetUpdateStrategy" => |map, written| {
            if text(written, "type").is_empty() {
                rolling(map, || json!({"partition": 0}));
            }
        },
        "ServiceSpec" => service,
        "ServicePort" => target_port,
        "Job" => job,
        "ReplicationController" => replication_controller,
        "NetworkPolicySpec" => policy_types,
        "Subject" => subject_group,
        "Namespace" => namespace,
        "LimitRangeItem" => limits,
        "ExactDeviceRequest" | "DeviceSubRequest" => device_count,
        _ => return None,
    })
}

fn default(map: &mut Cow<'_, Map>, name: &str, value: impl Into<Value>) {
    if !map.contains_key(name) {
        map.to_mut().insert(Str::from(name), value);
    }
}

fn text<'a>(map: &'a Map, name: &str) -> &'a str {
    map.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn has(map: &Map, name: &str) -> bool {
    map.contains_key(name)
}

/// An image that may change under its name is looked for each time.
fn pull_policy(map: &mut Cow<'_, Map>, _: &Map) {
    if !has(map, "imagePullPolicy") {
        let policy = policy_of(text(map, "image"));
        default(map, "imagePullPolicy", policy);
    }
}

fn volume_pull_policy(map: &mut Cow<'_, Map>, _: &Map) {
    if !has(map, "pullPolicy") {
        let policy = policy_of(text(map, "reference"));
        default(map, "pullPolicy", policy);
    }
}

fn policy_of(image: &str) -> &'static str {
    let latest = !image.is_empty() && ImageReference::parse(image).is_ok_and(|image| image.tag == "latest");
    if latest { "Always" } else { "IfNotPresent" }
}

/// In a pod of its own, not in a template: a request is its limit where only that is written, and a port of the node's
/// network is a port of the node.
fn pod(map: &mut Cow<'_, Map>, _: &Map) {
    let Some(spec) = map.get("spec").and_then(Value::as_object) else { return };
    let on_host = spec.get("hostNetwork").and_then(Value::as_bool) == Some(true);
    for list in ["initContainers", "containers"] {
        let items = map.get("spec").and_then(|spec| spec.get(list)).and_then(Value::as_array).unwrap_or_default();
        let changed: Vec<Option<Value>> = items.iter().map(|item| container(item, on_host)).collect();
        if changed.iter().all(Option::is_none) {
            continue;
        }
        let changed: Vec<Value> =
            changed.into_iter().zip(items).map(|(new, old)| new.unwrap_or_else(|| old.clone())).collect();
        if let Some(spec) = map.to_mut().get_mut("spec").and_then(Value::as_object_mut) {
            spec.insert(list, changed);
        }
    }
}

/// A container of a pod, where the pod changes it.
fn container(item: &Value, on_host: bool) -> Option<Value> {
    let resources = item.get("resources");
    let requested = |name: &str| resources.and_then(|resources| resources.dig(["requests", name])).is_some();
    let limits = resources.and_then(|resources| resources.get("limits")).and_then(Value::as_object);
    let limits = limits.filter(|limits| limits.iter().any(|(name, _)| !requested(name)));
    let ports = item.get("ports").and_then(Value::as_array).filter(|_| on_host);
    if limits.is_none() && ports.is_none() {
        return None;
    }
    let mut item = item.clone();
    let map = item.as_object_mut()?;
    if let (Some(limits), Some(resources)) = (limits, resources) {
        let mut requests = resources.get("requests").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, amount) in limits.iter().filter(|(name, _)| !requested(name)) {
            requests.insert(name.clone(), amount.clone());
        }
        map.entry("resources").as_object_mut()?.insert("requests", requests);
    }
    if let Some(ports) = ports {
        let host_port = |port: &Value| match (port.get("hostPort"), port.get("containerPort")) {
            (None, Some(number)) if *number != Value::Int(0) => {
                let mut port = port.clone();
                port.as_object_mut()?.insert("hostPort", number.clone());
                Some(port)
            }
            _ => None,
        };
        let ports: Vec<Value> = ports.iter().map(|port| host_port(port).unwrap_or_else(|| port.clone())).collect();
        map.insert("ports", ports);
    }
    Some(item)
}

/// The account has two names in the API, of which one is deprecated.
fn account(map: &mut Cow<'_, Map>, _: &Map) {
    for (from, to) in [("serviceAccountName", "serviceAccount"), ("serviceAccount", "serviceAccountName")] {
        if let Some(name) = map.get(from).filter(|name| map.get(to) != Some(name)).cloned() {
            map.to_mut().insert(to, name);
        }
    }
}

/// A volume that is from nowhere is an empty directory.
fn empty_directory(map: &mut Cow<'_, Map>, _: &Map) {
    if map.iter().all(|(name, _)| &**name == "name") {
        default(map, "emptyDir", Map::new());
    }
}

fn rolling(map: &mut Cow<'_, Map>, values: fn() -> Value) {
    if text(map, "type") == "RollingUpdate" {
        default(map, "rollingUpdate", values());
    }
}

fn service(map: &mut Cow<'_, Map>, _: &Map) {
    let kind = text(map, "type").to_owned();
    if text(map, "sessionAffinity") == "ClientIP" {
        const SECONDS: i64 = 10_800;
        default(map, "sessionAffinityConfig", Map::new());
        within(map, "sessionAffinityConfig", |config| {
            default(config, "clientIP", Map::new());
            within(config, "clientIP", |client| default(client, "timeoutSeconds", SECONDS));
        });
    } else if has(map, "sessionAffinityConfig") {
        map.to_mut().remove("sessionAffinityConfig");
    }
    let has_external = map.get("externalIPs").and_then(Value::as_array).is_some_and(|addresses| !addresses.is_empty());
    if matches!(&*kind, "NodePort" | "LoadBalancer") || (kind == "ClusterIP" && has_external) {
        default(map, "externalTrafficPolicy", "Cluster");
    }
    if matches!(&*kind, "ClusterIP" | "NodePort" | "LoadBalancer") {
        default(map, "internalTrafficPolicy", "Cluster");
    } else if has(map, "internalTrafficPolicy") {
        map.to_mut().remove("internalTrafficPolicy");
    }
    if kind == "LoadBalancer" {
        default(map, "allocateLoadBalancerNodePorts", true);
    }
}

fn target_port(map: &mut Cow<'_, Map>, _: &Map) {
    let unset = |target: Option<&Value>| match target {
        None | Some(Value::Int(0)) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    };
    if unset(map.get("targetPort"))
        && let Some(port) = map.get("port").cloned()
    {
        map.to_mut().insert("targetPort", port);
    }
}

/// Edits the object in a field, if there is one.
fn within(map: &mut Cow<'_, Map>, name: &str, edit: impl FnOnce(&mut Cow<'_, Map>)) {
    let Some(inner) = map.get(name).and_then(Value::as_object) else { return };
    let mut made = Cow::Borrowed(inner);
    edit(&mut made);
    if let Cow::Owned(made) = made {
        map.to_mut().insert(Str::from(name), made);
    }
}

/// A job runs once; one that a schedule makes gets that from its own defaults.
fn job(map: &mut Cow<'_, Map>, written: &Map) {
    template_labels(map);
    let parallel = written.get("spec").and_then(|spec| spec.get("parallelism")).is_some_and(|count| !count.is_null());
    within(map, "spec", |spec| {
        if !parallel {
            default(spec, "completions", 1_i64);
        }
        default(spec, "backoffLimit", if has(spec, "backoffLimitPerIndex") { i64::from(i32::MAX) } else { 6 });
        let replacement = if has(spec, "podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
        default(spec, "podReplacementPolicy", replacement);
    });
}

fn replication_controller(map: &mut Cow<'_, Map>, _: &Map) {
    if let Some(labels) = template_labels(map) {
        within(map, "spec", |spec| default(spec, "selector", labels));
    }
}

/// The oldest kinds take the labels of their template where they have none; the template's labels.
fn template_labels(map: &mut Cow<'_, Map>) -> Option<Value> {
    let labels = map.get("spec")?.dig(["template", "metadata", "labels"])?.clone();
    within(map, "metadata", |metadata| default(metadata, "labels", labels.clone()));
    Some(labels)
}

/// A policy without types is about what comes in, and about what goes out where it has rules for that.
fn policy_types(map: &mut Cow<'_, Map>, _: &Map) {
    let both = if has(map, "egress") { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    default(map, "policyTypes", both);
}

fn subject_group(map: &mut Cow<'_, Map>, _: &Map) {
    if matches!(text(map, "kind"), "User" | "Group") {
        default(map, "apiGroup", "rbac.authorization.k8s.io");
    }
}

/// Every namespace carries its name as a label.
fn namespace(map: &mut Cow<'_, Map>, _: &Map) {
    const LABEL: &str = "kubernetes.io/metadata.name";
    let metadata = map.get("metadata");
    let Some(name) = metadata.and_then(|metadata| metadata.get("name")).cloned() else { return };
    let labels = metadata.and_then(|metadata| metadata.get("labels"));
    if labels.is_none_or(|labels| labels.get(LABEL) != Some(&name))
        && let Some(metadata) = map.to_mut().get_mut("metadata").and_then(Value::as_object_mut)
    {
        let labels = metadata.entry("labels");
        if labels.is_null() {
            *labels = Map::new().into();
        }
        if let Some(labels) = labels.as_object_mut() {
            labels.insert(LABEL, name);
        }
    }
}

/// A limit for containers is their default, and that is what they request.
fn limits(map: &mut Cow<'_, Map>, _: &Map) {
    if text(map, "type") != "Container" {
        return;
    }
    let amounts = |map: &Map, name: &str| map.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let fill = |map: &mut Cow<'_, Map>, to: &str, from: Map| {
        let mut made = amounts(map, to);
        let known = made.len();
        for (name, amount) in from.iter() {
            if !made.contains_key(name) {
                made.insert(name.clone(), amount.clone());
            }
        }
        if made.len() > known {
            map.to_mut().insert(Str::from(to), made);
        }
    };
    let (most, least) = (amounts(map, "max"), amounts(map, "min"));
    fill(map, "default", most);
    let usual = amounts(map, "default");
    fill(map, "defaultRequest", usual);
    fill(map, "defaultRequest", least);
}

fn device_count(map: &mut Cow<'_, Map>, _: &Map) {
    if text(map, "allocationMode") == "ExactCount" {
        default(map, "count", 1_i64);
    }
}
