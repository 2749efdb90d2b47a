//! Where generated objects come from: written-out data, one object to clone, or all objects of some kinds.

use palisade_model::{GroupVersionKind, Str, Value};
use palisade_policy::{LookupError, Lookups, ObjectQuery};

use super::metadata::{Identity, cloned};
use crate::legacy::context::RuleContext;
use crate::legacy::spec::{KindSelector, LabelSelector};

/// Hands the objects that a substituted pattern describes to `made`, less those that exist already and stay as they
/// are.
pub(super) fn objects(
    pattern: &Value,
    synchronize: bool,
    context: &RuleContext<'_>,
    mut made: impl FnMut(Value),
) -> Result<(), String> {
    let sources = Sources { lookups: context.environment().lookups, synchronize };
    let target = Identity::of(pattern);
    let clone = pattern.get("clone").map(Identity::of).unwrap_or_default();
    let list = pattern.get("cloneList");
    let kinds = list.and_then(|list| list.get("kinds")).and_then(Value::as_array).unwrap_or_default();
    if !clone.name.is_empty() {
        let from = Identity { namespace: clone.namespace, name: clone.name, ..target.clone() };
        sources.clone_one(&from, &target)?.into_iter().for_each(made);
        return Ok(());
    }
    if let (Some(list), false) = (list, kinds.is_empty()) {
        for kind in kinds.iter().filter_map(Value::as_str) {
            context.spend(1).map_err(|error| error.to_string())?;
            sources.clone_all(kind, list, &target.namespace)?.into_iter().for_each(&mut made);
        }
        return Ok(());
    }
    if let Some(data) = pattern.get("data").filter(|data| !data.is_null()) {
        sources.data(data, &target)?.into_iter().for_each(made);
    }
    Ok(())
}

struct Sources<'a> {
    lookups: &'a dyn Lookups,
    synchronize: bool,
}

impl Sources<'_> {
    fn data(&self, data: &Value, target: &Identity) -> Result<Option<Value>, String> {
        if data.as_object().is_none() {
            return Err(format!("`data` must be an object, not {}", data.type_name()));
        }
        let wanted = target.give(data.clone());
        Ok(match self.existing(target)? {
            Some(_) if !self.synchronize => None,
            Some(existing) if covers(&existing, &wanted) => None,
            _ => Some(wanted),
        })
    }

    fn clone_one(&self, from: &Identity, target: &Identity) -> Result<Option<Value>, String> {
        if from.namespace == target.namespace && from.name == target.name {
            return Ok(None);
        }
        let source = self.lookups.get(&query(from)).map_err(|error| format!("source resource not found: {error}"))?;
        let wanted = target.give(cloned(&source, target));
        Ok(match self.existing(target)? {
            Some(_) if !self.synchronize => None,
            Some(existing) if covers(&existing, &wanted) => None,
            _ => Some(wanted),
        })
    }

    fn clone_all(&self, kind: &str, list: &Value, namespace: &str) -> Result<Vec<Value>, String> {
        let selected = KindSelector::parse(kind);
        let text = |key: &str| list.get(key).and_then(Value::as_str).unwrap_or_default();
        // A core kind is written without a group: `v1/Secret`.
        let group = if &*selected.group == "*" { Str::from("") } else { selected.group };
        let query = ObjectQuery {
            group,
            version: selected.version,
            resource: selected.kind,
            namespace: text("namespace").into(),
            name: Str::from(""),
        };
        let sources = self.lookups.list(&query).map_err(|error| format!("failed to list source `{kind}`: {error}"))?;
        let selector = list.get("selector").filter(|selector| !selector.is_null()).map(LabelSelector::of);
        let mut objects = Vec::new();
        for source in sources {
            let labels = source.dig(["metadata", "labels"]).and_then(Value::as_object);
            if selector.as_ref().is_none_or(|selector| selector.selects(labels)) {
                let from = identity_of(&source);
                let target = Identity { namespace: namespace.to_owned(), ..from.clone() };
                objects.extend(self.clone_one(&from, &target)?);
            }
        }
        Ok(objects)
    }

    /// The object as it exists; none where nothing can be looked up, as in a check of files.
    fn existing(&self, target: &Identity) -> Result<Option<Value>, String> {
        match self.lookups.get(&query(target)) {
            Ok(object) => Ok(Some(object)),
            Err(LookupError::NotFound(_) | LookupError::Unavailable { .. }) => Ok(None),
            Err(error @ LookupError::Failed(_)) => Err(format!("failed to get target resource: {error}")),
        }
    }
}

fn identity_of(object: &Value) -> Identity {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    Identity {
        api_version: text(object.get("apiVersion")),
        kind: text(object.get("kind")),
        namespace: text(object.dig(["metadata", "namespace"])),
        name: text(object.dig(["metadata", "name"])),
    }
}

fn query(identity: &Identity) -> ObjectQuery {
    let gvk = GroupVersionKind::new(&identity.api_version, &identity.kind);
    ObjectQuery {
        group: gvk.group,
        version: gvk.version,
        resource: gvk.kind,
        namespace: identity.namespace.as_str().into(),
        name: identity.name.as_str().into(),
    }
}

/// Whether an existing object already says everything that the wanted one says.
fn covers(existing: &Value, wanted: &Value) -> bool {
    match (existing, wanted) {
        (Value::Object(existing), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| existing.get(key).is_some_and(|existing| covers(existing, value)))
        }
        (Value::Array(existing), Value::Array(wanted)) => {
            existing.len() == wanted.len() && existing.iter().zip(wanted.iter()).all(|(a, b)| covers(a, b))
        }
        _ => existing == wanted,
    }
}
