//! Pod templates inside custom workloads: found by their form, judged as the pods they stand for.

use palisade_model::{GroupVersionKind, Map, Path, Segment, Value};
use palisade_policy::AdmissionRequest;

/// The deepest nesting that is searched.
const MAX_DEPTH: usize = 128;
/// The most templates that are judged.
const MAX_TEMPLATES: usize = 256;

/// A pod template and where it is.
#[derive(Debug)]
struct Template<'a> {
    value: &'a Value,
    path: Path,
}

/// The requests that would bring the pods of a workload about, with the place of each template. `Err` where the
/// object has none, since a policy that finds nothing to judge must not look like one that is satisfied.
pub(super) fn pod_requests(request: &AdmissionRequest) -> Result<Vec<(Path, AdmissionRequest)>, String> {
    let requests = requests(request, templates_of);
    if requests.is_empty() {
        return Err(format!("no pod template was found in the {}", request.kind.kind));
    }
    Ok(requests)
}

fn requests(request: &AdmissionRequest, find: fn(&Value) -> Vec<Template<'_>>) -> Vec<(Path, AdmissionRequest)> {
    let deleting = request.object.is_null();
    let (source, other) =
        if deleting { (&request.old_object, &request.object) } else { (&request.object, &request.old_object) };
    let templates = find(source);
    let others = if templates.is_empty() { Vec::new() } else { find(other) };
    let request = |template: Template<'_>| {
        let pod = pod_of(template.value, request);
        let counterpart = others.iter().find(|other| other.path == template.path);
        let other = counterpart.map(|other| pod_of(other.value, request)).unwrap_or_default();
        let text = |key| pod.dig(["metadata", key]).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let (name, namespace) = (text("name"), text("namespace"));
        let (object, old_object) = if deleting { (other, pod) } else { (pod, other) };
        let kind = GroupVersionKind::new("v1", "Pod");
        let pod = AdmissionRequest {
            kind,
            resource: "pods".into(),
            resource_of: None,
            requested: None,
            name,
            namespace,
            object,
            old_object,
            ..request.clone()
        };
        (template.path, pod)
    };
    templates.into_iter().map(request).collect()
}

fn templates_of(object: &Value) -> Vec<Template<'_>> {
    let mut found = Vec::new();
    if let Some(spec) = object.get("spec").filter(|spec| spec.as_object().is_some()) {
        search(spec, &Path::root().child("spec"), &mut found);
    }
    found
}

fn search<'a>(value: &'a Value, path: &Path, found: &mut Vec<Template<'a>>) {
    if path.0.len() > MAX_DEPTH || found.len() >= MAX_TEMPLATES {
        return;
    }
    match value {
        Value::Object(_) if is_pod_template(value) => found.push(Template { value, path: path.clone() }),
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| search(value, &path.child(Segment::Key(key.clone())), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| search(value, &path.child(index), found));
        }
        _ => {}
    }
}

/// The pods of kinds that nobody has told us of, found once for all policies about a request. Of Kubernetes' own kinds
/// only PodTemplate is one; policies hold patterns of pods, not pods.
#[derive(Debug)]
pub(super) struct HiddenPods(pub(super) Vec<(Path, AdmissionRequest)>);

impl HiddenPods {
    /// The pods that the object of `request` would bring about.
    pub(super) fn of(request: &AdmissionRequest) -> Self {
        Self(if may_hide_pods(&request.kind) { requests(request, whole) } else { Vec::new() })
    }
}

/// Whether objects of the kind may hold pods without being known for it.
fn may_hide_pods(kind: &GroupVersionKind) -> bool {
    let group = &*kind.group;
    let of_policies = |group: &str| group.ends_with("kyverno.io") || group.ends_with("gatekeeper.sh");
    (group.is_empty() && &*kind.kind == "PodTemplate")
        || group.contains('.') && !group.ends_with(".k8s.io") && !of_policies(group)
}

/// The templates anywhere in the object but in what describes it.
fn whole(object: &Value) -> Vec<Template<'_>> {
    let mut found = Vec::new();
    let members = object.as_object().into_iter().flat_map(palisade_model::Map::iter);
    for (key, value) in members.filter(|(key, _)| !matches!(&***key, "metadata" | "status")) {
        search(value, &Path::root().child(Segment::Key(key.clone())), &mut found);
    }
    found
}

/// Containers with a name and an image under `spec` are what makes a pod template.
fn is_pod_template(value: &Value) -> bool {
    let metadata_fits = value.get("metadata").is_none_or(|metadata| metadata.as_object().is_some());
    let containers = value.dig(["spec", "containers"]).and_then(Value::as_array).unwrap_or_default();
    let is_container = |container: &Value| {
        let text = |key| container.get(key).and_then(Value::as_str);
        text("name").is_some_and(|name| !name.is_empty()) && text("image").is_some()
    };
    metadata_fits && !containers.is_empty() && containers.iter().all(is_container)
}

fn pod_of(template: &Value, parent: &AdmissionRequest) -> Value {
    let mut metadata = template.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, inherited) in [("name", &parent.name), ("namespace", &parent.namespace)] {
        if metadata.get(key).and_then(Value::as_str).unwrap_or_default().is_empty() {
            metadata.insert(key, inherited.clone());
        }
    }
    let mut pod = Map::new();
    pod.insert("apiVersion", "v1");
    pod.insert("kind", "Pod");
    pod.insert("metadata", metadata);
    // As of pods that the API server has read, members that are null are not there.
    pod.insert("spec", template.get("spec").map(Value::without_null_members).unwrap_or_default());
    Value::object(pod)
}

#[cfg(test)]
mod tests {
    use palisade_model::{Resource, json};
    use palisade_policy::Operation;

    use super::*;

    #[test]
    fn templates_become_pods_that_inherit_name_and_namespace() {
        let object = json!({
            "apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet",
            "metadata": {"name": "set", "namespace": "batch"},
            "spec": {"jobs": [{"template": {"spec": {"template": {
                "spec": {"containers": [{"name": "a", "image": "b"}]},
            }}}}]},
        });
        let request = AdmissionRequest::of(&Resource::in_memory(object), Operation::Create);
        let pods = pod_requests(&request).unwrap();
        assert_eq!(pods.len(), 1);
        let (path, pod) = &pods[0];
        assert_eq!(path.to_string(), "spec.jobs[0].template.spec.template");
        assert_eq!(pod.object.dig(["metadata", "name"]), Some(&Value::from("set")));
        assert_eq!((&*pod.resource, &*pod.namespace), ("pods", "batch"));
        assert!(pod.old_object.is_null());
    }

    #[test]
    fn pods_hide_in_custom_kinds_and_not_in_policies() {
        let pod = json!({"spec": {"containers": [{"name": "a", "image": "b"}]}});
        let found = |api_version: &str, kind: &str, key: &str| {
            let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, key: {"template": pod.clone()}});
            let request = AdmissionRequest::of(&Resource::in_memory(object), Operation::Create);
            HiddenPods::of(&request).0.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found("kubeflow.org/v1", "TFJob", "spec"), ["spec.template"]);
        assert_eq!(found("template.shop.example/v1", "Template", "objects"), ["objects.template"]);
        assert!(found("kubeflow.org/v1", "TFJob", "status").is_empty());
        assert!(found("kyverno.io/v1", "ClusterPolicy", "spec").is_empty());
        assert!(found("apps/v1", "Deployment", "spec").is_empty());
    }

    #[test]
    fn an_object_without_templates_is_an_error() {
        let object = json!({"apiVersion": "x/v1", "kind": "X", "spec": {"containers": []}});
        let request = AdmissionRequest::of(&Resource::in_memory(object), Operation::Create);
        assert!(pod_requests(&request).unwrap_err().contains("no pod template"));
    }
}
