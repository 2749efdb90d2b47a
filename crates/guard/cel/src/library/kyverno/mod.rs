//! Kyverno's CEL libraries.

use super::Library;

/// All libraries that Kyverno's CEL policies have beside Kubernetes'.
pub fn libraries() -> Vec<Library> {
    Vec::new()
}
