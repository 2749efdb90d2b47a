//! `match` and `exclude`: which resources a rule selects.

use palisade_model::{Str, Value};
use palisade_policy::Operation;

use super::{Node, Reader};
use crate::legacy::codes;

/// A `match` or `exclude` block.
#[derive(Clone, Debug, Default)]
pub struct MatchBlock {
    /// Filters of which one must select the resource.
    pub any: Vec<ResourceFilter>,
    /// Filters that must all select the resource.
    pub all: Vec<ResourceFilter>,
    /// The old form, directly in the block; used where both lists are empty.
    pub direct: ResourceFilter,
}

/// One filter: a description of resources and of users.
#[derive(Clone, Debug, Default)]
pub struct ResourceFilter {
    /// `resources`.
    pub resources: ResourceDescription,
    /// `subjects`.
    pub subjects: Vec<Subject>,
    /// `roles`, as `namespace:name`.
    pub roles: Vec<Str>,
    /// `clusterRoles`.
    pub cluster_roles: Vec<Str>,
}

/// What describes a resource. Lists match when one element does; the parts must all match.
#[derive(Clone, Debug, Default)]
pub struct ResourceDescription {
    /// Kind selectors.
    pub kinds: Vec<KindSelector>,
    /// A name with wildcards; the old form of `names`.
    pub name: Option<Str>,
    /// Names with wildcards.
    pub names: Vec<Str>,
    /// Namespaces with wildcards.
    pub namespaces: Vec<Str>,
    /// Annotations, keys and values with wildcards.
    pub annotations: Vec<(Str, Str)>,
    /// Labels of the resource.
    pub selector: Option<LabelSelector>,
    /// Labels of the resource's namespace.
    pub namespace_selector: Option<LabelSelector>,
    /// Operations.
    pub operations: Vec<Operation>,
}

/// A selector of kinds such as `Pod`, `apps/v1/Deployment`, `Pod/exec`, `*/*`; every part takes wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindSelector {
    /// As it is written.
    pub text: Str,
    /// API group, `*` where the selector names none.
    pub group: Str,
    /// API version, `*` where the selector names none.
    pub version: Str,
    /// Kind.
    pub kind: Str,
    /// Subresource; empty for the object itself.
    pub subresource: Str,
}

/// A user, a group or a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: Str,
    /// Name, with wildcards.
    pub name: Str,
    /// Namespace of a service account, with wildcards.
    pub namespace: Str,
}

/// A Kubernetes label selector; keys and values of `matchLabels` take wildcards.
#[derive(Clone, Debug, Default)]
pub struct LabelSelector {
    /// `matchLabels`.
    pub labels: Vec<(Str, Str)>,
    /// `matchExpressions`.
    pub expressions: Vec<Requirement>,
}

/// An element of `matchExpressions`.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The label's key.
    pub key: Str,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: Str,
    /// The values of `In` and `NotIn`.
    pub values: Vec<Str>,
}

impl MatchBlock {
    /// Whether the block says nothing.
    pub fn is_empty(&self) -> bool {
        self.any.is_empty() && self.all.is_empty() && self.direct.is_empty()
    }

    /// Every filter of the block.
    pub fn filters(&self) -> impl Iterator<Item = &ResourceFilter> {
        std::iter::once(&self.direct).chain(&self.all).chain(&self.any)
    }

    /// The kind selectors of all filters.
    pub fn kinds(&self) -> impl Iterator<Item = &KindSelector> {
        self.filters().flat_map(|filter| &filter.resources.kinds)
    }

    pub(crate) fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &["any", "all", "resources", "subjects", "roles", "clusterRoles"]);
        let filters = |reader: &mut Reader<'_>, key: &str| {
            let nodes = reader.list(node, key);
            nodes.iter().map(|node| ResourceFilter::read(reader, node, true)).collect::<Vec<_>>()
        };
        let (any, all) = (filters(reader, "any"), filters(reader, "all"));
        if !any.is_empty() && !all.is_empty() {
            let message = "`any` and `all` cannot stand in one block";
            reader.error(codes::INVALID_RULE, &node.path, message, "write one of them");
        }
        Self { any, all, direct: ResourceFilter::read(reader, node, false) }
    }
}

impl ResourceFilter {
    /// Whether the filter says nothing.
    pub fn is_empty(&self) -> bool {
        !self.names_users() && self.resources.is_empty()
    }

    /// Whether the filter looks at who asks.
    pub fn names_users(&self) -> bool {
        !(self.subjects.is_empty() && self.roles.is_empty() && self.cluster_roles.is_empty())
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>, strict: bool) -> Self {
        if strict {
            reader.known_fields(node, &["resources", "subjects", "roles", "clusterRoles"]);
        }
        let subjects = reader.list(node, "subjects");
        Self {
            resources: node.get("resources").map(|node| ResourceDescription::read(reader, &node)).unwrap_or_default(),
            subjects: subjects.iter().map(|node| Subject::read(reader, node)).collect(),
            roles: reader.texts(node, "roles"),
            cluster_roles: reader.texts(node, "clusterRoles"),
        }
    }
}

impl ResourceDescription {
    const FIELDS: &'static [&'static str] =
        &["kinds", "name", "names", "namespaces", "annotations", "selector", "namespaceSelector", "operations"];

    /// Whether it describes nothing.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
            && self.name.is_none()
            && self.names.is_empty()
            && self.namespaces.is_empty()
            && self.annotations.is_empty()
            && self.selector.is_none()
            && self.namespace_selector.is_none()
            && self.operations.is_empty()
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, Self::FIELDS);
        let selector =
            |reader: &mut Reader<'_>, key: &str| node.get(key).map(|node| LabelSelector::read(reader, &node));
        let namespace_selector = selector(reader, "namespaceSelector");
        reader.reads().namespace |= namespace_selector.is_some();
        Self {
            kinds: reader.texts(node, "kinds").iter().map(|text| KindSelector::parse(text)).collect(),
            name: reader.text(node, "name").filter(|name| !name.is_empty()),
            names: reader.texts(node, "names"),
            namespaces: reader.texts(node, "namespaces"),
            annotations: reader.text_map(node, "annotations"),
            selector: selector(reader, "selector"),
            namespace_selector,
            operations: reader.operations(node, "operations"),
        }
    }
}

impl KindSelector {
    /// Reads a selector; one that has too many parts selects nothing.
    pub fn parse(text: &str) -> Self {
        let mut parts: Vec<&str> = text.split('/').collect();
        if let Some(last) = parts.pop() {
            parts.extend(last.split('.'));
        }
        let (group, version, kind, subresource) = match *parts.as_slice() {
            [kind] => ("*", "*", kind, ""),
            ["*", "*"] => ("*", "*", "*", "*"),
            ["*", lower] if lower == lower.to_lowercase() => ("*", "*", "*", lower),
            [version, kind] if is_version(version) => ("*", version, kind, ""),
            [kind, subresource] => ("*", "*", kind, subresource),
            [version, kind, subresource] if is_version(version) => ("*", version, kind, subresource),
            [group, version, kind] => (group, version, kind, ""),
            [group, version, kind, subresource] => (group, version, kind, subresource),
            _ => ("", "", "", ""),
        };
        Self {
            text: text.into(),
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            subresource: subresource.into(),
        }
    }
}

/// `*`, or `v` and a digit, with `alpha` or `beta` and a digit behind it.
fn is_version(text: &str) -> bool {
    let digit = |text: &str| matches!(text.as_bytes(), [b'0'..=b'9']);
    text == "*"
        || text.strip_prefix('v').is_some_and(|rest| {
            ["alpha", "beta"]
                .iter()
                .any(|stage| rest.split_once(stage).is_some_and(|(major, minor)| digit(major) && digit(minor)))
                || digit(rest)
        })
}

impl Subject {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &["kind", "name", "namespace", "apiGroup"]);
        let subject = Self {
            kind: reader.text(node, "kind").unwrap_or_default(),
            name: reader.text(node, "name").unwrap_or_default(),
            namespace: reader.text(node, "namespace").unwrap_or_default(),
        };
        if !matches!(&*subject.kind, "User" | "Group" | "ServiceAccount") {
            let message = format!("unknown kind of subject `{}`", subject.kind);
            reader.error(codes::UNKNOWN_NAME, &node.path, message, "one of User, Group, ServiceAccount");
        }
        subject
    }
}

impl LabelSelector {
    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }

    /// Reads a selector; problems become diagnostics.
    pub fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &["matchLabels", "matchExpressions"]);
        let expressions = reader.list(node, "matchExpressions");
        Self {
            labels: reader.text_map(node, "matchLabels"),
            expressions: expressions.iter().map(|node| Requirement::read(reader, node)).collect(),
        }
    }

    /// Reads a selector that was made while a rule ran; what is not a text is left out.
    pub fn of(value: &Value) -> Self {
        let text = |value: &Value| value.as_shared_str().cloned();
        let labels = value.get("matchLabels").and_then(Value::as_object);
        let expressions = value.get("matchExpressions").and_then(Value::as_array).unwrap_or_default();
        let requirement = |value: &Value| Requirement {
            key: value.get("key").and_then(text).unwrap_or_default(),
            operator: value.get("operator").and_then(text).unwrap_or_default(),
            values: value.get("values").and_then(Value::as_array).unwrap_or_default().iter().filter_map(text).collect(),
        };
        Self {
            labels: labels
                .map(|map| map.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect())
                .unwrap_or_default(),
            expressions: expressions.iter().map(requirement).collect(),
        }
    }
}

impl Requirement {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &["key", "operator", "values"]);
        let requirement = Self {
            key: reader.text(node, "key").unwrap_or_default(),
            operator: reader.text(node, "operator").unwrap_or_default(),
            values: reader.texts(node, "values"),
        };
        if !matches!(&*requirement.operator, "In" | "NotIn" | "Exists" | "DoesNotExist") {
            let message = format!("unknown label selector operator `{}`", requirement.operator);
            reader.error(codes::UNKNOWN_NAME, &node.path, message, "one of In, NotIn, Exists, DoesNotExist");
        }
        requirement
    }
}
