//! An object as `spec.match` sees it.

use palisade_cel::admission::NamespaceView;
use palisade_model::{GroupVersionKind, Map, Value};

/// Whether an object was put before the policies or came of expanding another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// It was put before the policies.
    Original,
    /// An expansion template made it.
    Generated,
}

/// An object with where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) object: &'a Value,
    pub(crate) gvk: &'a GroupVersionKind,
    /// The namespace of the request; empty for cluster-scoped objects.
    pub(crate) namespace_name: &'a str,
    pub(crate) namespace: &'a NamespaceView<'a>,
    pub(crate) origin: Origin,
}

impl<'a> Target<'a> {
    /// `metadata.KEY`, or the empty string.
    pub(crate) fn text(&self, key: &str) -> &'a str {
        self.object.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default()
    }

    /// The labels of the object.
    pub(crate) fn labels(&self) -> Option<&'a Map> {
        self.object.dig(["metadata", "labels"]).and_then(Value::as_object)
    }

    /// Whether the object is a Namespace.
    pub(crate) fn is_namespace(&self) -> bool {
        self.gvk.group.is_empty() && &*self.gvk.kind == "Namespace"
    }

    /// The namespace that the object is in; empty for cluster-scoped objects.
    pub(crate) fn namespace_name(&self) -> &'a str {
        match self.text("namespace") {
            "" => self.namespace_name,
            name => name,
        }
    }
}
