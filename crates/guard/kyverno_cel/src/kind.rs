//! The kinds of `policies.kyverno.io`.

use palisade_model::{Resource, Value};
use palisade_policy::Phase;

/// What a document of `policies.kyverno.io` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Validating,
    Mutating,
    Generating,
    Deleting,
    ImageValidating,
    Exception,
}

impl Kind {
    /// The kind of `document`; `None` where it is none of these.
    pub(super) fn of(document: &Resource) -> Option<Self> {
        let api_version = document.object.get("apiVersion").and_then(Value::as_str)?;
        let version = api_version.strip_prefix("policies.kyverno.io/")?;
        matches!(version, "v1" | "v1beta1" | "v1alpha1").then_some(())?;
        let kind = document.kind();
        match kind.strip_prefix("Namespaced").unwrap_or(kind) {
            "ValidatingPolicy" => Some(Self::Validating),
            "MutatingPolicy" => Some(Self::Mutating),
            "GeneratingPolicy" => Some(Self::Generating),
            "DeletingPolicy" => Some(Self::Deleting),
            "ImageValidatingPolicy" => Some(Self::ImageValidating),
            "PolicyException" if kind == "PolicyException" => Some(Self::Exception),
            _ => None,
        }
    }

    /// When policies of the kind are asked.
    pub(super) const fn phase(self) -> Phase {
        match self {
            Self::Validating | Self::ImageValidating | Self::Exception => Phase::Validate,
            Self::Mutating => Phase::Mutate,
            Self::Generating => Phase::Generate,
            Self::Deleting => Phase::Delete,
        }
    }
}
