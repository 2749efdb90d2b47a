//! Kubernetes' CEL libraries.

use super::Library;

/// All libraries that Kubernetes' admission policies have.
pub fn libraries() -> Vec<Library> {
    Vec::new()
}
