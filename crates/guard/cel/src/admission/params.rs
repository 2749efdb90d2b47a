//! Parameters of a policy: the objects that a binding's `paramRef` names.

use palisade_model::{GroupVersionKind, Str, Value};
use palisade_policy::{Environment, LookupError, ObjectQuery};

use super::document::{Node, Reader};
use super::selector::LabelSelector;

/// `spec.paramKind` of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamKind(GroupVersionKind);

/// `spec.paramRef` of a binding.
#[derive(Clone, Debug)]
pub struct ParamRef {
    name: Option<Str>,
    namespace: Option<Str>,
    selector: Option<LabelSelector>,
    required: bool,
}

impl ParamKind {
    /// Reads `paramKind` of a policy's spec.
    pub fn read(reader: &mut Reader<'_>, spec: &Node<'_>) -> Option<Self> {
        let node = reader.object(spec, "paramKind")?;
        let api_version = reader.required_text(&node, "apiVersion")?;
        let kind = reader.required_text(&node, "kind")?;
        reader.reads().look_up(&kind);
        Some(Self(GroupVersionKind::new(&api_version, &kind)))
    }
}

impl ParamRef {
    /// Reads `paramRef` of a binding's spec.
    pub fn read(reader: &mut Reader<'_>, spec: &Node<'_>) -> Option<Self> {
        let node = reader.object(spec, "paramRef")?;
        let selector = node.get("selector").is_some().then(|| LabelSelector::read_at(reader, &node, "selector"));
        let actions = [("Deny", true), ("Allow", false)];
        Some(Self {
            name: reader.text(&node, "name"),
            namespace: reader.text(&node, "namespace"),
            selector,
            required: reader.word(&node, "parameterNotFoundAction", &actions).unwrap_or(true),
        })
    }

    /// The parameters for a request in `namespace`, at least one. `Ok(None)` where there are none and the binding
    /// then has nothing to say. `others` are objects that were loaded beside the policies.
    pub fn resolve(
        &self,
        kind: &ParamKind,
        namespace: &str,
        others: &[Value],
        environment: &Environment<'_>,
    ) -> Result<Option<Vec<Value>>, String> {
        let namespace = self.namespace.as_deref().unwrap_or(namespace);
        let mut found: Vec<Value> =
            others.iter().filter(|object| self.names(kind, namespace, object)).cloned().collect();
        if found.is_empty() {
            found = self.look_up(kind, namespace, environment)?;
        }
        match (found.is_empty(), self.required) {
            (false, _) => Ok(Some(found)),
            (true, false) => Ok(None),
            (true, true) => {
                Err(format!("no params found for the policy binding: no {} matches its `paramRef`", kind.0))
            }
        }
    }

    /// Whether an object that is at hand is named. Cluster-scoped parameters are in no namespace.
    fn names(&self, kind: &ParamKind, namespace: &str, object: &Value) -> bool {
        let text = |key| object.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default();
        GroupVersionKind::of(object).as_ref() == Some(&kind.0)
            && self.name.as_deref().is_none_or(|name| name == text("name"))
            && self.selector.as_ref().is_none_or(|selector| selector.matches_object(object))
            && (text("namespace").is_empty() || text("namespace") == namespace)
    }

    fn look_up(&self, kind: &ParamKind, namespace: &str, environment: &Environment<'_>) -> Result<Vec<Value>, String> {
        let query = ObjectQuery {
            group: kind.0.group.clone(),
            version: kind.0.version.clone(),
            resource: kind.0.kind.clone(),
            namespace: namespace.into(),
            name: self.name.clone().unwrap_or_default(),
        };
        let objects = match &self.selector {
            Some(selector) => environment
                .lookups
                .list(&query)
                .map(|objects| objects.into_iter().filter(|object| selector.matches_object(object)).collect()),
            None => environment.lookups.get(&query).map(|object| vec![object]),
        };
        match objects {
            Ok(objects) => Ok(objects),
            Err(LookupError::NotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(format!("the policy's params cannot be looked up: {error}")),
        }
    }
}
