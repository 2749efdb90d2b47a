//! Whether a rule's `match` and `exclude` blocks, or an exception's, select a request.
//!
//! Namespace labels come from the values file or the cluster's Namespace object, and only when a selector asks. Where nobody
//! can tell them, a selection that depends on them is neither made nor declined: a [`Truth`] that says why.
//! Deliberately absent: preconditions, which are judged after selection.

use std::borrow::Cow;

use palisade_model::wildcard;
use palisade_model::{GroupVersionKind, Map, Str, Value};
use palisade_policy::lookups::NAME_LABEL;
use palisade_policy::{AdmissionRequest, Environment, Namespace, Operation, UserInfo};

use super::spec::{Body, KindSelector, LabelSelector, MatchBlock, ResourceDescription, ResourceFilter, Rule, Subject};

/// A request as `match` blocks see it.
#[derive(Debug)]
pub struct Subjects<'a> {
    /// The object that is looked at.
    pub object: &'a Value,
    /// Its kind, of the parent where a subresource is requested.
    pub kind: Cow<'a, GroupVersionKind>,
    /// The subresource; empty for the object itself.
    pub subresource: Cow<'a, str>,
    /// The namespace that it is in, whether or not it says so; empty for cluster scope.
    pub namespace: &'a str,
    /// What happens to the object.
    pub operation: Operation,
    /// Who asks; `None` where nobody is known to ask, which selects as if blocks named no users.
    pub user: Option<Asker<'a>>,
    /// Where namespace labels come from.
    pub environment: &'a Environment<'a>,
}

/// Who asks, with the roles bound to them.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The user.
    pub info: &'a UserInfo,
    /// Roles as `namespace:name`.
    pub roles: &'a [Str],
    /// Cluster roles.
    pub cluster_roles: &'a [Str],
}

impl<'a> Subjects<'a> {
    /// The subject of a request: `object`, which is the new object or the old one.
    pub fn of(admission: &'a AdmissionRequest, object: &'a Value, environment: &'a Environment<'a>) -> Self {
        let (kind, subresource) = parent_of(admission, environment);
        let known = !admission.user.is_nobody() || !admission.roles.is_empty() || !admission.cluster_roles.is_empty();
        let asker = Asker { info: &admission.user, roles: &admission.roles, cluster_roles: &admission.cluster_roles };
        let written = object.dig(["metadata", "namespace"]).and_then(Value::as_str).filter(|text| !text.is_empty());
        Self {
            object,
            kind,
            subresource,
            namespace: written.unwrap_or(&admission.namespace),
            operation: admission.operation,
            user: known.then_some(asker),
            environment,
        }
    }

    fn metadata(&self, key: &str) -> &'a str {
        self.object.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default()
    }

    fn name(&self) -> &'a str {
        match self.metadata("name") {
            "" => self.metadata("generateName"),
            name => name,
        }
    }

    fn own_kind(&self) -> &'a str {
        self.object.get("kind").and_then(Value::as_str).unwrap_or_default()
    }
}

/// The kind that selectors compare with. Where a values file declares the object's kind as a subresource (a `Scale` as
/// `deployments/scale`), that is the parent's kind.
fn parent_of<'a>(
    admission: &'a AdmissionRequest,
    environment: &'a Environment<'a>,
) -> (Cow<'a, GroupVersionKind>, Cow<'a, str>) {
    let text = |value: &'a Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    for declared in &environment.variables.subresources {
        let (Some(sub), Some(parent)) = (declared.get("subresource"), declared.get("parentResource")) else { continue };
        let kind = &admission.kind;
        let same = text(sub, "group") == &*kind.group
            && text(sub, "version") == &*kind.version
            && text(sub, "kind") == &*kind.kind;
        if same {
            let [group, version, kind] = ["group", "version", "kind"].map(|key| Str::from(text(parent, key)));
            let name = text(sub, "name").split_once('/').map_or("", |(_, name)| name);
            return (Cow::Owned(GroupVersionKind { group, version, kind }), Cow::Borrowed(name));
        }
    }
    (admission.parent_kind(), Cow::Borrowed(&admission.sub_resource))
}

/// Whether something holds, or why nobody can tell.
pub type Truth = Result<bool, String>;

/// Whether a rule selects the request, policy namespaces aside. What may or may not be excluded is judged: an exclusion that
/// nobody can tell of excuses nothing. It is not changed, nor is anything made for it.
pub fn selects(rule: &Rule, subject: &Subjects<'_>) -> Truth {
    let truth = selected(&rule.matches, rule.exclude.as_ref(), subject);
    if truth.is_err() && matches!(rule.body, Body::Validate(_)) && selected(&rule.matches, None, subject) == Ok(true) {
        return Ok(true);
    }
    truth
}

/// Whether `match` selects the request and `exclude` does not.
pub fn selected(matches: &MatchBlock, exclude: Option<&MatchBlock>, subject: &Subjects<'_>) -> Truth {
    let matched = block(matches, |filter| matched_by(filter, subject));
    if matched == Ok(false) {
        return matched;
    }
    let exclude = exclude.filter(|exclude| !exclude.is_empty());
    match exclude.map_or(Ok(false), |exclude| block(exclude, |filter| excluded_by(filter, subject))) {
        Ok(true) => Ok(false),
        Ok(false) => matched,
        Err(why) => Err(why),
    }
}

fn block(block: &MatchBlock, test: impl Fn(&ResourceFilter) -> Truth) -> Truth {
    if !block.any.is_empty() {
        decided(true, block.any.iter().map(test))
    } else if !block.all.is_empty() {
        decided(false, block.all.iter().map(test))
    } else {
        test(&block.direct)
    }
}

/// Alternatives (`by` is true: one that holds is enough) or demands (`by` is false: one that does not hold is enough). Only
/// where none decides does it matter that something is not known.
fn decided(by: bool, truths: impl Iterator<Item = Truth>) -> Truth {
    let mut unknown = None;
    for truth in truths {
        match truth {
            Ok(holds) if holds == by => return Ok(by),
            Ok(_) => {}
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    unknown.map_or(Ok(!by), Err)
}

/// Where nobody is known to ask, what the filter says of users does not count; a filter that says nothing else then
/// selects nothing.
fn matched_by(filter: &ResourceFilter, subject: &Subjects<'_>) -> Truth {
    let users = subject.user.is_some() && filter.names_users();
    let says_something = !filter.resources.is_empty() || users;
    if !says_something || (users && !names(filter, subject.user.as_ref())) {
        return Ok(false);
    }
    describes(&filter.resources, subject)
}

fn excluded_by(filter: &ResourceFilter, subject: &Subjects<'_>) -> Truth {
    if filter.is_empty() || !names(filter, subject.user.as_ref()) {
        return Ok(false);
    }
    describes(&filter.resources, subject)
}

/// Whether an exception's `match` block selects the request. Operations do not count, as in Kyverno.
pub fn excepts(exception: &MatchBlock, subject: &Subjects<'_>) -> Truth {
    if exception.any.is_empty() && exception.all.is_empty() {
        return Ok(false);
    }
    block(exception, |filter| {
        if filter.is_empty() || !names(filter, subject.user.as_ref()) {
            return Ok(false);
        }
        described(&filter.resources, subject, false)
    })
}

fn describes(description: &ResourceDescription, subject: &Subjects<'_>) -> Truth {
    let operation_fits = description.operations.is_empty() || description.operations.contains(&subject.operation);
    if operation_fits { described(description, subject, true) } else { Ok(false) }
}

fn described(description: &ResourceDescription, subject: &Subjects<'_>, in_rule: bool) -> Truth {
    if !described_by_itself(description, subject, in_rule) {
        return Ok(false);
    }
    let selector = description.namespace_selector.as_ref();
    selector.map_or(Ok(true), |selector| namespace_selected(selector, description, subject, in_rule))
}

fn described_by_itself(description: &ResourceDescription, subject: &Subjects<'_>, in_rule: bool) -> bool {
    let one = |patterns: &[Str], text: &str| patterns.is_empty() || patterns.iter().any(|p| wildcard::matches(p, text));
    let kind = &*subject.kind;
    (description.kinds.is_empty() || description.kinds.iter().any(|s| s.selects(kind, &subject.subresource, in_rule)))
        && description.name.as_ref().is_none_or(|name| wildcard::matches(name, subject.name()))
        && one(&description.names, subject.name())
        && one(&description.namespaces, namespace_of(subject))
        && annotated(&description.annotations, subject)
        && description.selector.as_ref().is_none_or(|selector| {
            selector.selects(subject.object.dig(["metadata", "labels"]).and_then(Value::as_object))
        })
}

/// A Namespace is in itself.
fn namespace_of<'a>(subject: &Subjects<'a>) -> &'a str {
    if subject.own_kind() == "Namespace" { subject.metadata("name") } else { subject.namespace }
}

fn annotated(wanted: &[(Str, Str)], subject: &Subjects<'_>) -> bool {
    let annotations = subject.object.dig(["metadata", "annotations"]).and_then(Value::as_object);
    wanted.iter().all(|(key, value)| {
        annotations.into_iter().flat_map(Map::iter).any(|(found, text)| {
            wildcard::matches(key, found) && text.as_str().is_some_and(|text| wildcard::matches(value, text))
        })
    })
}

fn namespace_selected(
    selector: &LabelSelector,
    description: &ResourceDescription,
    subject: &Subjects<'_>,
    in_rule: bool,
) -> Truth {
    match subject.own_kind() {
        // Rules do not select Namespaces by their namespace; exceptions do not look.
        "Namespace" => Ok(!in_rule),
        "" if !(in_rule && description.kinds.iter().any(|kind| &*kind.text == "*")) => Ok(true),
        _ => selector.selects_namespace(subject.namespace, subject.environment),
    }
}

fn names(filter: &ResourceFilter, asker: Option<&Asker<'_>>) -> bool {
    let nobody = UserInfo::default();
    let asker = asker.copied().unwrap_or(Asker { info: &nobody, roles: &[], cluster_roles: &[] });
    let one_of = |wanted: &[Str], found: &[Str]| wanted.is_empty() || wanted.iter().any(|role| found.contains(role));
    one_of(&filter.roles, asker.roles)
        && one_of(&filter.cluster_roles, asker.cluster_roles)
        && (filter.subjects.is_empty() || filter.subjects.iter().any(|subject| subject.is(asker.info)))
}

impl KindSelector {
    /// Whether the selector fits a kind and subresource. Rules for Pods also get ephemeral containers.
    pub fn selects(&self, kind: &GroupVersionKind, subresource: &str, in_rule: bool) -> bool {
        let fits = wildcard::matches(&self.kind, &kind.kind)
            && wildcard::matches(&self.group, &kind.group)
            && wildcard::matches(&self.version, &kind.version);
        let is_pod = || (&*kind.group, &*kind.version, &*kind.kind) == ("", "v1", "Pod");
        fits && (wildcard::matches(&self.subresource, subresource)
            || (in_rule && subresource == "ephemeralcontainers" && is_pod()))
    }
}

impl Subject {
    /// Whether this is the user who asks.
    fn is(&self, user: &UserInfo) -> bool {
        match &*self.kind {
            "User" => wildcard::matches(&self.name, &user.username),
            "Group" => user.groups.iter().any(|group| wildcard::matches(&self.name, group)),
            "ServiceAccount" => {
                let account = format!("system:serviceaccount:{}:{}", self.namespace, self.name);
                wildcard::matches(&account, &user.username)
            }
            _ => false,
        }
    }
}

impl LabelSelector {
    /// Whether the selector fits the labels of a namespace; one that does not exist has none.
    pub fn selects_namespace(&self, name: &str, environment: &Environment<'_>) -> Truth {
        if let Some(labels) = environment.variables.namespace_labels.get(name) {
            return Ok(self.selects(Some(labels)));
        }
        let found = if name.is_empty() { Namespace::Missing } else { environment.lookups.namespace(name) };
        match found {
            Namespace::Known(object) => Ok(self.selects(object.dig(["metadata", "labels"]).and_then(Value::as_object))),
            Namespace::Missing => Ok(self.selects(None)),
            Namespace::Unknown(error) => self
                .selects_partly(NAME_LABEL, name)
                .ok_or_else(|| format!("the labels of namespace `{name}` are not known: {error}")),
        }
    }

    /// Whether the selector fits labels of which one is known and the others are not; none where the others decide.
    fn selects_partly(&self, key: &str, value: &str) -> Option<bool> {
        let known = Map::from_iter([(Str::from(key), Value::from(value))]);
        let certain = Self {
            labels: self.labels.iter().filter(|(own, _)| **own == *key).cloned().collect(),
            expressions: self.expressions.iter().filter(|own| *own.key == *key).cloned().collect(),
        };
        let held = certain.selects(Some(&known));
        let whole = certain.labels.len() == self.labels.len() && certain.expressions.len() == self.expressions.len();
        (!held || whole).then_some(held)
    }

    /// Whether the selector fits labels; absent ones are an empty set. Wildcards of `matchLabels` stand for any label
    /// that fits them.
    pub fn selects(&self, labels: Option<&Map>) -> bool {
        let text = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        let wild = |text: &str| wildcard::contains_wildcard(text);
        let labelled = self.labels.iter().all(|(key, value)| {
            if !wild(key) && !wild(value) {
                return text(key) == Some(value);
            }
            labels.into_iter().flat_map(Map::iter).any(|(found, text)| {
                wildcard::matches(key, found) && text.as_str().is_some_and(|text| wildcard::matches(value, text))
            })
        });
        labelled
            && self.expressions.iter().all(|requirement| {
                let found = text(&requirement.key);
                let listed = || requirement.values.iter().any(|value| Some(&**value) == found);
                match &*requirement.operator {
                    "In" => listed(),
                    "NotIn" => !listed(),
                    "Exists" => found.is_some(),
                    "DoesNotExist" => found.is_none(),
                    _ => false,
                }
            })
    }
}
