//! `spec.match`, the same for constraints and mutators: every criterion that is given must hold.

use palisade_cel::admission::{LabelSelector, Node, Reader};
use palisade_model::{Diagnostic, GroupVersionKind, Str};

use super::{Origin, Target, Wildcard};
use crate::codes;

/// A compiled `spec.match`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Criteria {
    /// Entries of which one must hold; none is any kind.
    kinds: Vec<Kinds>,
    scope: Scope,
    namespaces: Vec<Wildcard>,
    excluded_namespaces: Vec<Wildcard>,
    labels: Option<LabelSelector>,
    namespace_labels: Option<LabelSelector>,
    name: Option<Wildcard>,
    origin: Option<Origin>,
}

/// An entry of `kinds`; an empty list or `*` is any.
#[derive(Clone, Debug)]
pub(crate) struct Kinds {
    pub(crate) groups: Vec<Str>,
    pub(crate) kinds: Vec<Str>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scope {
    #[default]
    Any,
    Cluster,
    Namespaced,
}

const FIELDS: &[&str] =
    &["source", "kinds", "scope", "namespaces", "excludedNamespaces", "labelSelector", "namespaceSelector", "name"];

impl Criteria {
    /// Reads `match` of `spec`; one that selects everything where it is absent.
    pub(crate) fn read(reader: &mut Reader<'_>, spec: &Node<'_>) -> Self {
        let Some(node) = reader.object(spec, "match") else { return Self::default() };
        reader.known_fields(&node, FIELDS);
        let kinds = reader.list(&node, "kinds");
        let namespace_labels = selector(reader, &node, "namespaceSelector");
        reader.reads().namespace |= namespace_labels.is_some();
        let origins = [("All", None), ("Original", Some(Origin::Original)), ("Generated", Some(Origin::Generated))];
        Self {
            kinds: kinds.iter().map(|kinds| Kinds::read(reader, kinds)).collect(),
            scope: Scope::read(reader, &node),
            namespaces: reader.texts(&node, "namespaces").into_iter().map(Wildcard).collect(),
            excluded_namespaces: reader.texts(&node, "excludedNamespaces").into_iter().map(Wildcard).collect(),
            labels: selector(reader, &node, "labelSelector"),
            namespace_labels,
            name: reader.text(&node, "name").filter(|name| !name.is_empty()).map(Wildcard),
            origin: reader.word(&node, "source", &origins).flatten(),
        }
    }

    /// The entries of `kinds`, of which one must hold; none where any kind is meant.
    pub(crate) fn kinds(&self) -> &[Kinds] {
        &self.kinds
    }

    /// Whether kind and group alone allow an object to be selected.
    pub(crate) fn may_match(&self, gvk: &GroupVersionKind) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|kinds| kinds.names(gvk))
    }

    /// Whether the object is selected; the error says what could not be known.
    pub(crate) fn matches(&self, target: &Target<'_>) -> Result<bool, String> {
        Ok(self.may_match(target.gvk)
            && self.in_scope(target)
            && self.in_namespace(target)
            && self.labels.as_ref().is_none_or(|selector| selector.matches(target.labels()))
            && self.origin.is_none_or(|origin| origin == target.origin)
            && self.is_named(target)
            && self.selects_namespace(target)?)
    }

    fn in_scope(&self, target: &Target<'_>) -> bool {
        let namespaced = !target.is_namespace() && !target.namespace_name().is_empty();
        match self.scope {
            Scope::Any => true,
            Scope::Cluster => !namespaced,
            Scope::Namespaced => namespaced,
        }
    }

    /// Cluster-scoped objects are in no namespace, so none is wanted of them or excludes them. A Namespace goes by its
    /// own name.
    fn in_namespace(&self, target: &Target<'_>) -> bool {
        let name = if target.is_namespace() { target.text("name") } else { target.namespace_name() };
        if name.is_empty() && !target.is_namespace() {
            return true;
        }
        let any = |wildcards: &[Wildcard]| wildcards.iter().any(|wildcard| wildcard.matches(name));
        (self.namespaces.is_empty() || any(&self.namespaces)) && !any(&self.excluded_namespaces)
    }

    fn is_named(&self, target: &Target<'_>) -> bool {
        self.name.as_ref().is_none_or(|wildcard| {
            wildcard.matches(target.text("name")) || wildcard.matches_generated(target.text("generateName"))
        })
    }

    fn selects_namespace(&self, target: &Target<'_>) -> Result<bool, String> {
        let Some(selector) = &self.namespace_labels else { return Ok(true) };
        if target.is_namespace() {
            return Ok(selector.matches(target.labels()));
        }
        let name = target.namespace_name();
        if name.is_empty() {
            return Ok(true);
        }
        match target.namespace.object() {
            Ok(None) => Err(format!("namespace `{name}` does not exist, so that its labels are not known")),
            _ => target.namespace.is_selected_by(selector),
        }
    }
}

impl Kinds {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &["apiGroups", "kinds"]);
        Self { groups: reader.texts(node, "apiGroups"), kinds: reader.texts(node, "kinds") }
    }

    fn names(&self, gvk: &GroupVersionKind) -> bool {
        let lists =
            |list: &[Str], text: &Str| list.is_empty() || list.iter().any(|item| &**item == "*" || item == text);
        lists(&self.kinds, &gvk.kind) && lists(&self.groups, &gvk.group)
    }
}

impl Scope {
    /// Gatekeeper takes a scope that it does not know for any, which is worth a warning.
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        match reader.text(node, "scope").as_deref() {
            None | Some("*" | "") => Self::Any,
            Some("Cluster") => Self::Cluster,
            Some("Namespaced") => Self::Namespaced,
            Some(other) => {
                let message = format!("the scope `{other}` is not known and selects objects of any scope");
                let help = "write `*`, `Cluster` or `Namespaced`";
                let diagnostic = Diagnostic::warning(codes::UNKNOWN_NAME, message).help(help);
                reader.report_at(&node.path.child("scope"), diagnostic);
                Self::Any
            }
        }
    }
}

/// The selector at `key`; `None` where it is absent.
fn selector(reader: &mut Reader<'_>, parent: &Node<'_>, key: &str) -> Option<LabelSelector> {
    let node = reader.object(parent, key)?;
    let selector = LabelSelector::read(node.value);
    if let Err(message) = &selector {
        reader.error(codes::UNKNOWN_NAME, &node.path, message.clone(), "write it as a Kubernetes label selector");
    }
    selector.ok()
}
