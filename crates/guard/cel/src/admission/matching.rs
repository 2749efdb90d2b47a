//! Which requests a policy is about: `matchConstraints`, `matchResources` and their rules.
//!
//! The same structure selects for Kubernetes' policies, their bindings and Kyverno's CEL kinds. `matchPolicy` is read
//! as exact: one request stands for one version of an object here, so there is nothing equivalent to look for.

use palisade_model::{Str, Value};
use palisade_policy::{AdmissionRequest, Matched, Objects, Operation, Reach};

use super::codes;
use super::document::{Node, Reader};
use super::namespace::NamespaceView;
use super::selector::LabelSelector;

/// `matchConstraints` or `matchResources`, compiled.
#[derive(Clone, Debug, Default)]
pub struct MatchResources {
    /// Requests that one of these selects; none selects every request.
    pub rules: Vec<ResourceRule>,
    /// Requests that none of these may select.
    pub exclude: Vec<ResourceRule>,
    /// Labels of the request's namespace.
    pub namespace_selector: LabelSelector,
    /// Labels of the new or the old object.
    pub object_selector: LabelSelector,
}

/// One entry of `resourceRules`.
#[derive(Clone, Debug, Default)]
pub struct ResourceRule {
    /// API groups; `*` is any.
    pub groups: Vec<Str>,
    /// API versions; `*` is any.
    pub versions: Vec<Str>,
    /// Operations.
    pub operations: Operations,
    /// Plural resource names with their subresources.
    pub resources: Vec<ResourcePattern>,
    /// Names of objects; none is any.
    pub names: Vec<Str>,
    /// Namespaced or cluster-scoped objects only.
    pub scope: Scope,
}

/// `pods`, `pods/exec`, `pods/*`, `*/scale`, `*/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePattern {
    resource: Str,
    sub_resource: Str,
}

/// A set of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations(u8);

/// `scope` of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// `*`.
    #[default]
    Any,
    /// `Namespaced`.
    Namespaced,
    /// `Cluster`.
    Cluster,
}

impl Operations {
    /// Every operation.
    pub const ALL: Self = Self(u8::MAX);

    /// The set of the named ones; `Err` names one that does not exist.
    pub fn read<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        names.into_iter().try_fold(Self::default(), |set, name| {
            let one = if name == "*" { Self::ALL } else { Self::only(name.parse()?) };
            Ok(Self(set.0 | one.0))
        })
    }

    const fn only(operation: Operation) -> Self {
        Self(1 << operation as u8)
    }

    /// The operations one by one; an empty list where all are among them.
    fn list(self) -> Vec<Operation> {
        let all = [Operation::Create, Operation::Update, Operation::Delete, Operation::Connect];
        let listed: Vec<_> = all.into_iter().filter(|operation| self.contains(*operation)).collect();
        if listed.len() == all.len() { Vec::new() } else { listed }
    }

    /// Whether `operation` is among them.
    pub const fn contains(self, operation: Operation) -> bool {
        self.0 & Self::only(operation).0 != 0
    }
}

impl ResourcePattern {
    /// Reads `resource` or `resource/subresource`.
    pub fn read(text: &str) -> Self {
        let (resource, sub_resource) = text.split_once('/').unwrap_or((text, ""));
        Self { resource: resource.into(), sub_resource: sub_resource.into() }
    }

    /// The plural resource name; `*` is any.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    fn matches(&self, resource: &str, sub_resource: &str) -> bool {
        let covers = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        covers(&self.resource, resource) && covers(&self.sub_resource, sub_resource)
    }
}

impl ResourceRule {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        let operations = reader.texts(node, "operations");
        let operations = Operations::read(operations.iter().map(|text| &**text)).unwrap_or_else(|message| {
            reader.error(codes::UNKNOWN_NAME, &node.path.child("operations"), message, "correct the operation");
            Operations::default()
        });
        let scopes = [("*", Scope::Any), ("Namespaced", Scope::Namespaced), ("Cluster", Scope::Cluster)];
        Self {
            groups: reader.texts(node, "apiGroups"),
            versions: reader.texts(node, "apiVersions"),
            operations,
            resources: reader.texts(node, "resources").iter().map(|text| ResourcePattern::read(text)).collect(),
            names: reader.texts(node, "resourceNames"),
            scope: reader.word(node, "scope", &scopes).unwrap_or_default(),
        }
    }

    /// Whether kind and operation alone allow the rule to select the request.
    pub fn may_match(&self, request: &AdmissionRequest) -> bool {
        let listed = |list: &[Str], text: &str| list.iter().any(|item| &**item == "*" || &**item == text);
        self.operations.contains(request.operation)
            && listed(&self.groups, request.resource_group())
            && listed(&self.versions, request.resource_version())
            && self.resources.iter().any(|pattern| pattern.matches(&request.resource, &request.sub_resource))
    }

    fn matches(&self, request: &AdmissionRequest) -> bool {
        self.may_match(request) && self.in_scope(request) && self.names_match(request)
    }

    /// The requests that the rule may select.
    fn reach(&self) -> Matched {
        let resources = self.resources.iter().map(|pattern| match &*pattern.sub_resource {
            "" => pattern.resource.clone(),
            sub_resource => format!("{}/{sub_resource}", pattern.resource).into(),
        });
        let (groups, versions) = (self.groups.clone(), self.versions.clone());
        let objects = Objects::Resources { groups, versions, resources: resources.collect() };
        Matched { objects, operations: self.operations.list() }
    }

    fn in_scope(&self, request: &AdmissionRequest) -> bool {
        let is_namespace = request.resource_group().is_empty() && &*request.resource == "namespaces";
        let cluster = is_namespace || request.namespace.is_empty();
        match self.scope {
            Scope::Any => true,
            Scope::Namespaced => !cluster,
            Scope::Cluster => cluster,
        }
    }

    /// An object that has only a `generateName` is selected by a name that begins it.
    fn names_match(&self, request: &AdmissionRequest) -> bool {
        if self.names.is_empty() {
            return true;
        }
        let subject = request.subject();
        let text = |key| subject.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default();
        match text("name") {
            "" if !text("generateName").is_empty() => {
                self.names.iter().any(|name| text("generateName").starts_with(&**name))
            }
            "" => self.names.contains(&request.name),
            name => self.names.iter().any(|listed| &**listed == name),
        }
    }
}

impl MatchResources {
    /// Reads `matchConstraints` or `matchResources`.
    pub fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        let namespace_selector = LabelSelector::read_at(reader, node, "namespaceSelector");
        reader.reads().namespace |= !namespace_selector.is_empty();
        let rules = |reader: &mut Reader<'_>, key| {
            let nodes = reader.list(node, key);
            nodes.iter().map(|rule| ResourceRule::read(reader, rule)).collect()
        };
        Self {
            rules: rules(reader, "resourceRules"),
            exclude: rules(reader, "excludeResourceRules"),
            namespace_selector,
            object_selector: LabelSelector::read_at(reader, node, "objectSelector"),
        }
    }

    /// The same constraints for every operation, as for objects that already exist.
    #[must_use]
    pub fn for_any_operation(mut self) -> Self {
        for rule in &mut self.rules {
            rule.operations = Operations::ALL;
        }
        self
    }

    /// The requests that may be selected, as checkpoints ask that offer only those.
    pub fn reach(&self) -> Vec<Matched> {
        if self.rules.is_empty() {
            Reach::default().matches
        } else {
            self.rules.iter().map(ResourceRule::reach).collect()
        }
    }

    /// Whether kind and operation alone allow the request to be selected. Cheap: no label is looked at.
    pub fn may_match(&self, request: &AdmissionRequest) -> bool {
        self.rules.is_empty() || self.rules.iter().any(|rule| rule.may_match(request))
    }

    /// Whether the request is selected. `namespace` answers for the request's namespace when labels are asked for.
    ///
    /// # Errors
    /// Where that depends on labels of the namespace that nobody can tell.
    pub fn matches(&self, request: &AdmissionRequest, namespace: &NamespaceView<'_>) -> Result<bool, String> {
        Ok((self.rules.is_empty() || self.rules.iter().any(|rule| rule.matches(request)))
            && !self.exclude.iter().any(|rule| rule.matches(request))
            && self.selects_objects(request)
            && self.selects_namespace(request, namespace)?)
    }

    fn selects_objects(&self, request: &AdmissionRequest) -> bool {
        let selector = &self.object_selector;
        selector.is_empty()
            || [&request.object, &request.old_object]
                .into_iter()
                .any(|object| !object.is_null() && selector.matches_object(object))
    }

    /// Cluster-scoped objects are in no namespace, so no namespace selector holds them back; a Namespace that is
    /// created or changed is judged by the labels that it is about to have.
    fn selects_namespace(&self, request: &AdmissionRequest, namespace: &NamespaceView<'_>) -> Result<bool, String> {
        let selector = &self.namespace_selector;
        let is_namespace = &*request.resource == "namespaces" && request.sub_resource.is_empty();
        Ok(match request.operation {
            _ if selector.is_empty() => true,
            Operation::Create | Operation::Update if is_namespace => selector.matches_object(&request.object),
            _ if is_namespace => selector.matches_object(&request.old_object),
            _ if request.namespace.is_empty() => true,
            _ => namespace.is_selected_by(selector)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::{Resource, json};
    use palisade_policy::{Environment, Offline, Variables};

    use super::*;

    fn rule(resources: &[&str], operations: &[&str]) -> ResourceRule {
        ResourceRule {
            groups: vec!["apps".into(), "".into()],
            versions: vec!["v1".into()],
            operations: Operations::read(operations.iter().copied()).unwrap(),
            resources: resources.iter().map(|text| ResourcePattern::read(text)).collect(),
            ..ResourceRule::default()
        }
    }

    fn request(object: Value) -> AdmissionRequest {
        AdmissionRequest::of(&Resource::in_memory(object), Operation::Create)
    }

    fn selected(constraints: &MatchResources, request: &AdmissionRequest) -> bool {
        let mut variables = Variables::default();
        for (name, labels) in
            [("shop", json!({"env": "prod"})), ("other", json!({"kubernetes.io/metadata.name": "other"}))]
        {
            variables.namespace_labels.insert(name.into(), labels.as_object().unwrap().clone());
        }
        let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH, &Offline, &variables);
        constraints.matches(request, &NamespaceView::new(&request.namespace, &environment)).unwrap()
    }

    #[test]
    fn rules_select_by_group_version_resource_and_operation() {
        let pod = request(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}}));
        let constraints = |rule| MatchResources { rules: vec![rule], ..MatchResources::default() };
        assert!(selected(&constraints(rule(&["pods"], &["CREATE"])), &pod));
        assert!(selected(&constraints(rule(&["*"], &["*"])), &pod));
        assert!(!selected(&constraints(rule(&["pods"], &["DELETE"])), &pod));
        assert!(!selected(&constraints(rule(&["pods/exec", "*/scale"], &["*"])), &pod));
        let exec = AdmissionRequest { sub_resource: "exec".into(), ..pod.clone() };
        assert!(!selected(&constraints(rule(&["pods"], &["*"])), &exec));
        assert!(selected(&constraints(rule(&["pods/*"], &["*"])), &exec));
        let named = ResourceRule { names: vec!["b".into()], ..rule(&["pods"], &["*"]) };
        assert!(!selected(&constraints(named), &pod));
        let cluster = ResourceRule { scope: Scope::Cluster, ..rule(&["pods"], &["*"]) };
        assert!(!selected(&constraints(cluster), &pod));
    }

    #[test]
    fn selectors_and_exclusions_narrow_the_selection() {
        let pod = request(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "namespace": "shop", "labels": {"app": "web"}},
        }));
        let selector = |labels: &str| {
            LabelSelector::read(&Value::from_json(&format!(r#"{{"matchLabels":{labels}}}"#)).unwrap()).unwrap()
        };
        let base = MatchResources { rules: vec![rule(&["pods"], &["*"])], ..MatchResources::default() };
        let by_object = MatchResources { object_selector: selector(r#"{"app": "db"}"#), ..base.clone() };
        assert!(!selected(&by_object, &pod));
        let by_namespace = MatchResources { namespace_selector: selector(r#"{"env": "prod"}"#), ..base.clone() };
        assert!(selected(&by_namespace, &pod));
        let elsewhere = AdmissionRequest { namespace: "other".into(), ..pod.clone() };
        assert!(!selected(&by_namespace, &elsewhere));
        let named = selector(r#"{"kubernetes.io/metadata.name": "other"}"#);
        assert!(selected(&MatchResources { namespace_selector: named, ..base.clone() }, &elsewhere));
        let excluded = MatchResources { exclude: vec![rule(&["pods"], &["CREATE"])], ..base };
        assert!(!selected(&excluded, &pod));
    }
}
