//! Where a generated object comes from, as it says itself: in annotations that we read, and in the labels by which others
//! know Kyverno's objects.
//!
//! Labels hold 63 characters, names of policies 253: what a label cannot hold is cut there and whole in the annotation.

use palisade_model::decision::Subject;
use palisade_model::{GroupVersionKind, Map, PolicyRef, Str, Value};

use crate::controller::{ObjectKey, uid_of};

/// The annotation that names policy and rule: `Kind/namespace/name/rule`.
const RULE: &str = "palisade.dev/generated-by";
/// The annotation that names the trigger: `group/version/Kind/namespace/name/uid`.
const TRIGGER: &str = "palisade.dev/generated-for";
/// The annotation that counts how many generated objects led to this one.
const DEPTH: &str = "palisade.dev/generation-depth";

/// Where a generated object comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) policy: Identity,
    pub(super) rule: Str,
    pub(super) trigger: ObjectKey,
    pub(super) trigger_uid: Str,
}

/// A policy whatever its version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Identity(pub(super) Str);

impl Identity {
    pub(super) fn of(policy: &PolicyRef) -> Self {
        Self(format!("{}/{}/{}", policy.kind, policy.namespace.as_deref().unwrap_or_default(), policy.name).into())
    }
}

impl Origin {
    /// Of an object that carries it.
    pub(super) fn read(object: &Value) -> Option<Self> {
        let annotation = |key| object.dig(["metadata", "annotations", key]).and_then(Value::as_str);
        let (policy, rule) = {
            let text = annotation(RULE)?;
            // Names hold no slash, except that a rule's may.
            let end = text.match_indices('/').nth(2)?.0;
            (text.get(..end)?, text.get(end + 1..)?)
        };
        let trigger: Vec<&str> = annotation(TRIGGER)?.splitn(6, '/').collect();
        let [group, version, kind, namespace, name, uid] = *trigger.as_slice() else { return None };
        let gvk = GroupVersionKind { group: group.into(), version: version.into(), kind: kind.into() };
        Some(Self {
            policy: Identity(policy.into()),
            rule: rule.into(),
            trigger: ObjectKey { gvk, namespace: namespace.into(), name: name.into() },
            trigger_uid: uid.into(),
        })
    }

    /// Whether the same rule made both, for whatever trigger.
    pub(super) fn is_same_rule(&self, other: &Self) -> bool {
        self.policy == other.policy && self.rule == other.rule
    }

    /// The trigger as the subject of a record.
    pub(super) fn subject(&self) -> Subject {
        self.trigger.subject(self.trigger_uid.clone())
    }

    /// Writes it into an object that is to be made; `depth` is the new object's own.
    pub(super) fn write(&self, object: &mut Value, depth: u32) {
        let ObjectKey { gvk, namespace, name } = &self.trigger;
        let rule = format!("{}/{}", self.policy.0, self.rule);
        let trigger = format!("{}/{}/{}/{namespace}/{name}/{}", gvk.group, gvk.version, gvk.kind, self.trigger_uid);
        set(object, "annotations", [(RULE, rule), (TRIGGER, trigger), (DEPTH, depth.to_string())]);
        let parts: Vec<&str> = self.policy.0.splitn(3, '/').collect();
        let [_, policy_namespace, policy] = *parts.as_slice() else { return };
        let labels = [
            ("app.kubernetes.io/managed-by", "kyverno"),
            ("generate.kyverno.io/policy-name", policy),
            ("generate.kyverno.io/policy-namespace", policy_namespace),
            ("generate.kyverno.io/rule-name", &self.rule),
            ("generate.kyverno.io/trigger-version", &gvk.version),
            ("generate.kyverno.io/trigger-group", &gvk.group),
            ("generate.kyverno.io/trigger-kind", &gvk.kind),
            ("generate.kyverno.io/trigger-namespace", namespace),
            ("generate.kyverno.io/trigger-uid", &self.trigger_uid),
        ];
        set(object, "labels", labels.map(|(key, text)| (key, label(text))));
    }
}

/// How many generated objects led to this one, itself included.
pub(super) fn depth_of(object: &Value) -> u32 {
    let written = object.dig(["metadata", "annotations", DEPTH]).and_then(Value::as_str);
    let made = u32::from(object.dig(["metadata", "annotations", RULE]).is_some());
    written.and_then(|text| text.parse().ok()).unwrap_or(made)
}

/// The identifier of the object that a clone was made of, with its kind and namespace, from its labels.
pub(super) fn source_of(object: &Value) -> Option<(GroupVersionKind, Str, Str)> {
    let label = |key: &str| object.dig(["metadata", "labels", key]).and_then(Value::as_shared_str).cloned();
    let gvk = GroupVersionKind {
        group: label("generate.kyverno.io/source-group").unwrap_or_default(),
        version: label("generate.kyverno.io/source-version")?,
        kind: label("generate.kyverno.io/source-kind")?,
    };
    let uid = label("generate.kyverno.io/source-uid").filter(|uid| !uid.is_empty())?;
    Some((gvk, label("generate.kyverno.io/source-namespace").unwrap_or_default(), uid))
}

/// The key of an object as it says itself.
pub(super) fn key_of(object: &Value) -> Option<ObjectKey> {
    let text = |key| object.dig(["metadata", key]).and_then(Value::as_shared_str).cloned().unwrap_or_default();
    Some(ObjectKey { gvk: GroupVersionKind::of(object)?, namespace: text("namespace"), name: text("name") })
}

/// The object as the subject of a record.
pub(super) fn subject_of(object: &Value) -> Subject {
    key_of(object).map(|key| key.subject(uid_of(object))).unwrap_or_default()
}

/// Text as a label can hold it.
fn label(text: &str) -> String {
    let short: String = text.chars().take(63).collect();
    short.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

/// Sets members of a mapping of an object's metadata, which is made where it is missing.
fn set<const N: usize>(object: &mut Value, mapping: &str, texts: [(&str, String); N]) {
    let Some(metadata) = member(object, "metadata") else { return };
    let Some(mapping) = member(metadata, mapping).and_then(Value::as_object_mut) else { return };
    for (key, text) in texts {
        mapping.insert(key, text);
    }
}

/// The object that is a member of an object, made where it is missing.
fn member<'o>(object: &'o mut Value, key: &str) -> Option<&'o mut Value> {
    let member = object.as_object_mut()?.entry(key);
    if member.as_object().is_none() {
        *member = Value::object(Map::new());
    }
    Some(member)
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn an_object_says_where_it_comes_from() {
        let policy = PolicyRef {
            kind: "Policy".into(),
            namespace: Some("shop".into()),
            name: "p".repeat(70).into(),
            digest: "".into(),
        };
        let origin = Origin {
            policy: Identity::of(&policy),
            rule: "a/b".into(),
            trigger: ObjectKey {
                gvk: GroupVersionKind::new("apps/v1", "Deployment"),
                namespace: "shop".into(),
                name: "web".into(),
            },
            trigger_uid: "u1".into(),
        };
        let mut object =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "labels": {"a": "b"}}});
        assert_eq!((Origin::read(&object), depth_of(&object)), (None, 0));
        origin.write(&mut object, 2);
        assert_eq!(Origin::read(&object), Some(origin));
        assert_eq!(depth_of(&object), 2);
        let label = |key: &str| object.dig(["metadata", "labels", key]).and_then(Value::as_str);
        assert_eq!(label("generate.kyverno.io/policy-name").map(str::len), Some(63));
        assert_eq!((label("generate.kyverno.io/trigger-uid"), label("a")), (Some("u1"), Some("b")));
    }
}
