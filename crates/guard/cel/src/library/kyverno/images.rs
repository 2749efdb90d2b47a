//! The variable `images`: the container images of a pod-bearing object, by the kind of container.
//!
//! Custom extractors are expressions of a policy; whoever evaluates them adds their lists to this one.

use palisade_model::{Map, Value};

use crate::EvalError;

/// The lists of containers.
const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The images of `object`, which is of the API resource named by `group`, `version` and plural `resource`: an object
/// with the lists `containers`, `initContainers` and `ephemeralContainers`. `None` for resources without a pod.
pub fn extract(group: &str, version: &str, resource: &str, object: &Value) -> Result<Option<Map>, EvalError> {
    let route: &[&str] = match (group, version, resource) {
        ("", "v1", "pods") => &["spec"],
        ("batch", "v1", "jobs") | ("apps", "v1", "deployments" | "statefulsets" | "daemonsets" | "replicasets") => {
            &["spec", "template", "spec"]
        }
        ("batch", "v1", "cronjobs") => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return Ok(None),
    };
    let missing = |key: &str| EvalError::NoSuchKey(key.into());
    let spec = route.iter().try_fold(object, |value, key| value.get(key).ok_or_else(|| missing(key)))?;
    let mut images = Map::with_capacity(LISTS.len());
    for list in LISTS {
        let containers = spec.get(list).and_then(Value::as_array).unwrap_or_default();
        let found = containers.iter().map(|container| {
            container.get("image").filter(|image| image.as_str().is_some()).cloned().ok_or_else(|| missing("image"))
        });
        images.insert(list, Value::array(found.collect::<Result<Vec<_>, _>>()?));
    }
    Ok(Some(images))
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_model::json;

    #[test]
    fn images_are_found_under_the_pod_of_each_kind() {
        let pod =
            json!({"containers": [{"name": "a", "image": "x:1"}, {"image": "y"}], "initContainers": [{"image": "z"}]});
        let expected = json!({"containers": ["x:1", "y"], "initContainers": ["z"], "ephemeralContainers": []});
        let deployment = Value::from_json(&format!(r#"{{"spec":{{"template":{{"spec":{pod}}}}}}}"#)).unwrap();
        let found = extract("apps", "v1", "deployments", &deployment).unwrap();
        assert_eq!(found.map(Value::object), Some(expected));
        assert_eq!(extract("", "v1", "configmaps", &deployment), Ok(None));
    }

    #[test]
    fn a_container_without_an_image_is_an_error() {
        let pod = json!({"spec": {"containers": [{"name": "a"}]}});
        assert_eq!(extract("", "v1", "pods", &pod), Err(EvalError::NoSuchKey("image".into())));
        assert_eq!(extract("", "v1", "pods", &json!({})), Err(EvalError::NoSuchKey("spec".into())));
    }
}
