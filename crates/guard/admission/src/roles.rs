//! Which roles a user has, from the bindings of a cluster; policies of Kyverno select by them.

use palisade_model::{Str, Value};
use palisade_policy::UserInfo;

/// The roles of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Namespaced roles, as `namespace:name`.
    pub roles: Vec<Str>,
    /// Cluster roles, those that a RoleBinding grants in one namespace included.
    pub cluster_roles: Vec<Str>,
}

/// The prefix of the names of service accounts.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// The roles that RoleBindings and ClusterRoleBindings grant the user, each once, in the order of the bindings.
pub fn roles_of<'a>(
    user: &UserInfo,
    role_bindings: impl IntoIterator<Item = &'a Value>,
    cluster_role_bindings: impl IntoIterator<Item = &'a Value>,
) -> Roles {
    let mut found = Roles::default();
    for binding in role_bindings.into_iter().filter(|binding| binds(binding, user)) {
        let Some((kind, name)) = role(binding) else { continue };
        match kind {
            "Role" => {
                let namespace = binding.dig(["metadata", "namespace"]).and_then(Value::as_str).unwrap_or_default();
                add(&mut found.roles, format!("{namespace}:{name}").into());
            }
            "ClusterRole" => add(&mut found.cluster_roles, name.clone()),
            _ => {}
        }
    }
    for binding in cluster_role_bindings.into_iter().filter(|binding| binds(binding, user)) {
        if let Some(("ClusterRole", name)) = role(binding) {
            add(&mut found.cluster_roles, name.clone());
        }
    }
    found
}

fn add(names: &mut Vec<Str>, name: Str) {
    if !names.contains(&name) {
        names.push(name);
    }
}

fn role(binding: &Value) -> Option<(&str, &Str)> {
    let role = binding.get("roleRef")?;
    Some((role.get("kind")?.as_str()?, role.get("name")?.as_shared_str()?))
}

fn binds(binding: &Value, user: &UserInfo) -> bool {
    let subjects = binding.get("subjects").and_then(Value::as_array).unwrap_or_default();
    let own_namespace = binding.dig(["metadata", "namespace"]).and_then(Value::as_str).unwrap_or_default();
    subjects.iter().any(|subject| is(subject, user, own_namespace))
}

/// Whether a subject of a binding is the user. A service account without a namespace is of the binding's.
fn is(subject: &Value, user: &UserInfo, own_namespace: &str) -> bool {
    let text = |key: &str| subject.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = text("name");
    match text("kind") {
        "User" => name == &*user.username,
        "Group" => user.groups.iter().any(|group| &**group == name),
        "ServiceAccount" => {
            let namespace = if text("namespace").is_empty() { own_namespace } else { text("namespace") };
            let account = user.username.strip_prefix(SERVICE_ACCOUNT).and_then(|rest| rest.split_once(':'));
            account == Some((namespace, name))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn bindings_grant_to_users_groups_and_service_accounts() {
        let binding = |namespace: &str, kind: &str, role: &str, subject: Value| {
            let mut binding = json!({
                "metadata": {"name": "b", "namespace": namespace}, "roleRef": {"kind": kind, "name": role},
            });
            binding.as_object_mut().unwrap().insert("subjects", vec![subject]);
            binding
        };
        let account = json!({"kind": "ServiceAccount", "name": "builder"});
        let bindings = [
            binding("shop", "Role", "reader", account.clone()),
            binding("shop", "ClusterRole", "edit", json!({"kind": "Group", "name": "builders"})),
            binding("other", "Role", "writer", account),
            binding("other", "Role", "writer", json!({"kind": "User", "name": "someone"})),
        ];
        let cluster = [
            binding("", "ClusterRole", "view", json!({"kind": "User", "name": "system:serviceaccount:shop:builder"})),
            binding(
                "",
                "ClusterRole",
                "edit",
                json!({"kind": "ServiceAccount", "name": "builder", "namespace": "shop"}),
            ),
            binding("", "ClusterRole", "admin", json!({"kind": "ServiceAccount", "name": "builder"})),
        ];
        let user = UserInfo {
            username: "system:serviceaccount:shop:builder".into(),
            groups: vec!["builders".into()],
            ..UserInfo::default()
        };
        let found = roles_of(&user, &bindings, &cluster);
        assert_eq!(found.roles, ["shop:reader".into()]);
        assert_eq!(found.cluster_roles, ["edit".into(), "view".into()] as [Str; 2]);
    }
}
