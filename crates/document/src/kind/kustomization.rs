//! Kustomizations: what `kustomize build` reads.
//!
//! They look like Kubernetes objects and never reach a cluster, so that policies for objects are not asked about them.
//! Absent: building them.

use super::{Form, Kind, Name};
use crate::decode::parse_source;

/// See the module.
#[derive(Debug)]
pub(super) struct Kustomization;

impl Kind for Kustomization {
    fn id(&self) -> &'static str {
        "kustomization"
    }

    fn summary(&self) -> &'static str {
        "what `kustomize build` reads; a document of its own, no Kubernetes object"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        matches!(name.file(), "kustomization.yaml" | "kustomization.yml" | "Kustomization")
    }

    fn form(&self) -> Form {
        Form::Tree(parse_source)
    }
}
