//! Bindings: where a Kubernetes policy is in force, with which parameters, and what a violation leads to.

use palisade_model::{Resource, Str, Value};
use palisade_policy::{AdmissionRequest, Enforcement, Environment, Reads};

use super::document::{Node, Reader};
use super::matching::MatchResources;
use super::namespace::NamespaceView;
use super::params::{ParamKind, ParamRef};

/// A `ValidatingAdmissionPolicyBinding` or `MutatingAdmissionPolicyBinding`.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Its name.
    pub name: Str,
    /// The policy that it puts in force.
    pub policy: Str,
    /// What a violation leads to.
    pub enforcement: Enforcement,
    /// What it depends on itself.
    pub(super) reads: Reads,
    constraints: Option<MatchResources>,
    params: Option<ParamRef>,
}

impl Binding {
    /// Reads a binding; problems go to `reader`.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let root = reader.root();
        let Some(spec) = reader.object(&root, "spec") else {
            reader.missing(&root, "spec");
            return None;
        };
        let constraints = reader.object(&spec, "matchResources").map(|node| MatchResources::read(reader, &node));
        Some(Self {
            name: reader.document().name().into(),
            policy: reader.required_text(&spec, "policyName")?,
            enforcement: enforcement(&reader.texts(&spec, "validationActions")),
            reads: reader.reads().clone(),
            constraints,
            params: ParamRef::read(reader, &spec),
        })
    }

    /// Whether the request is bound.
    ///
    /// # Errors
    /// Where that depends on labels of the namespace that nobody can tell.
    pub fn matches(&self, request: &AdmissionRequest, namespace: &NamespaceView<'_>) -> Result<bool, String> {
        self.constraints.as_ref().map_or(Ok(true), |constraints| constraints.matches(request, namespace))
    }

    /// The parameters, one evaluation each; `Ok(None)` where there is nothing to evaluate.
    pub(super) fn params(
        &self,
        kind: Option<&ParamKind>,
        namespace: &str,
        others: &[Value],
        environment: &Environment<'_>,
    ) -> Result<Option<Vec<Value>>, String> {
        match (kind, &self.params) {
            (Some(kind), Some(params)) => params.resolve(kind, namespace, others, environment),
            _ => Ok(Some(vec![Value::Null])),
        }
    }
}

/// What `validationActions` lead to; the strictest counts.
pub fn enforcement(actions: &[Str]) -> Enforcement {
    let has = |action: &str| actions.iter().any(|listed| &**listed == action);
    match () {
        () if actions.is_empty() || has("Deny") => Enforcement::Enforce,
        () if has("Warn") => Enforcement::Warn,
        () => Enforcement::Audit,
    }
}

/// The name and spec of a policy document; problems go to `reader`.
pub fn policy_parts<'d>(reader: &mut Reader<'d>) -> Option<(Str, Node<'d>)> {
    let root = reader.root();
    let name = reader.document().object.dig(["metadata", "name"]).and_then(Value::as_shared_str).cloned();
    if name.is_none() {
        let metadata = root.get("metadata").unwrap_or_else(|| root.clone());
        reader.missing(&metadata, "name");
    }
    let spec = reader.object(&root, "spec");
    if spec.is_none() {
        reader.missing(&root, "spec");
    }
    name.zip(spec)
}

/// The objects beside the policies that may be parameters.
pub(super) fn objects(others: &[Resource]) -> Vec<Value> {
    others.iter().map(|other| other.object.clone()).collect()
}
