//! `data.inventory`: the objects that referential constraints look into.

use palisade_model::{GroupVersionKind, Map, Str, Value};

/// Objects as `cluster[groupVersion][kind][name]` and `namespace[namespace][groupVersion][kind][name]`.
pub(crate) fn arrange(objects: &[Value]) -> Value {
    let mut inventory = Value::object(Map::new());
    for object in objects {
        let Some(gvk) = GroupVersionKind::of(object) else { continue };
        let text = |key| object.dig(["metadata", key]).and_then(Value::as_shared_str).cloned();
        let Some(name) = text("name") else { continue };
        let namespace = text("namespace").filter(|namespace| !namespace.is_empty());
        let route: Vec<Str> = match namespace {
            Some(namespace) => vec!["namespace".into(), namespace],
            None => vec!["cluster".into()],
        };
        let route = route.into_iter().chain([gvk.api_version().into(), gvk.kind, name]);
        insert(&mut inventory, route, object);
    }
    inventory
}

fn insert(inventory: &mut Value, route: impl Iterator<Item = Str>, object: &Value) {
    let mut here = inventory;
    for key in route {
        let Some(map) = here.as_object_mut() else { return };
        if map.get(&key).is_none() {
            map.insert(key.clone(), Map::new());
        }
        let Some(next) = map.get_mut(&key) else { return };
        here = next;
    }
    *here = object.clone();
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn objects_stand_under_their_namespace_version_kind_and_name() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}});
        let role =
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "b"}});
        let nameless = json!({"apiVersion": "v1", "kind": "Pod"});
        let inventory = arrange(&[pod.clone(), role.clone(), nameless]);
        assert_eq!(inventory.dig(["namespace", "shop", "v1", "Pod", "a"]), Some(&pod));
        assert_eq!(inventory.dig(["cluster", "rbac.authorization.k8s.io/v1", "ClusterRole", "b"]), Some(&role));
    }
}
