//! Kubernetes objects in YAML or JSON.
//!
//! A file may hold objects and other documents side by side, so that what a document is decides the document:
//! [`is_object`]. An object is identified by its group, kind, namespace and name. Absent: schemas of its kinds.

use palisade_model::{GroupVersionKind, Value};

use super::{Form, Kind, Name, contains};
use crate::decode::parse_source;

/// The group of what kustomize reads and no cluster stores.
const KUSTOMIZE: &str = "kustomize.config.k8s.io";

/// See the module.
#[derive(Debug)]
pub(super) struct Kubernetes;

impl Kind for Kubernetes {
    fn id(&self) -> &'static str {
        "kubernetes"
    }

    fn summary(&self) -> &'static str {
        "Kubernetes objects in YAML or JSON, lists taken apart"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.has_extension(&["yaml", "yml", "json"])
    }

    fn confirms(&self, head: &[u8]) -> bool {
        contains(head, "apiVersion") && contains(head, "kind")
    }

    fn form(&self) -> Form {
        Form::Tree(parse_source)
    }
}

/// Whether a value is an object that a cluster could hold, by `apiVersion` and `kind`.
pub fn is_object(value: &Value) -> bool {
    GroupVersionKind::of(value).is_some_and(|gvk| *gvk.group != *KUSTOMIZE)
}
