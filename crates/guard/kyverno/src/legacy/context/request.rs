//! `request` and the service account, as variables see them.

use palisade_model::{Map, Value};
use palisade_policy::{AdmissionRequest, Operation};

use super::given::{Given, merge};

/// The request. What a check of files does not know (who asks, an object that does not exist) is left out, so that a
/// policy that depends on it cannot be judged instead of being judged on made-up facts.
pub(super) fn value(
    admission: &AdmissionRequest,
    operation: Operation,
    object: &Value,
    old_object: &Value,
    given: &Given,
) -> Value {
    let Value::Object(request) = admission.to_value() else { return Value::Null };
    let mut map = Map::clone(&request);
    map.insert("object", object.clone());
    map.insert("oldObject", old_object.clone());
    map.insert("operation", operation.as_str());
    let anonymous = admission.user.is_nobody();
    map.retain(|key, value| match &**key {
        "object" | "oldObject" | "options" => !value.is_null(),
        "uid" => value.as_str() != Some(""),
        "userInfo" | "roles" | "clusterRoles" => !anonymous || value.as_array().is_some_and(|items| !items.is_empty()),
        _ => true,
    });
    if let Some(Value::Object(over)) = given.get("request") {
        let mut over = Map::clone(over);
        // The checkpoint decides what happens; it has read the values file, too.
        over.remove("operation");
        merge(&mut map, &over);
    }
    Value::object(map)
}

/// Name or namespace of the service account that asks; empty for other users, absent where nobody is known to ask.
pub(super) fn service_account(admission: &AdmissionRequest, which: &str) -> Option<Value> {
    if admission.user.is_nobody() {
        return None;
    }
    let account = admission.user.username.get("system:serviceaccount:".len()..).unwrap_or_default();
    let mut parts = account.split(':');
    let (namespace, name) = (parts.next().unwrap_or_default(), parts.next());
    Some(match (which, name) {
        ("serviceAccountName", Some(name)) => Value::from(name),
        ("serviceAccountNamespace", Some(_)) => Value::from(namespace),
        _ => Value::from(""),
    })
}
