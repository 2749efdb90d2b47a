//! What is judged: a Kubernetes object or another payload, with the place it came from.

use std::fmt;
use std::sync::Arc;

use crate::{Location, Path, Source, SpanTree, Str, Value};

/// Group, version and kind of a Kubernetes object. The core group is the empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupVersionKind {
    /// API group, empty for core.
    pub group: Str,
    /// API version such as `v1`.
    pub version: Str,
    /// Kind such as `Deployment`.
    pub kind: Str,
}

impl GroupVersionKind {
    /// From `apiVersion` (`apps/v1`, `v1`) and `kind`.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// Of an object that has `apiVersion` and `kind`.
    pub fn of(object: &Value) -> Option<Self> {
        let api_version = object.get("apiVersion")?.as_str()?;
        let kind = object.get("kind")?.as_str()?;
        Some(Self::new(api_version, kind))
    }

    /// `group/version`, or `version` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether it is a kind of Kubernetes' own, by the form of its group.
    pub fn is_built_in(&self) -> bool {
        !self.group.contains('.') || self.group.ends_with(".k8s.io")
    }

    /// Whether it is known for a kind that has no namespace. Of other kinds, whoever has the definition knows.
    pub fn is_cluster_scoped(&self) -> bool {
        cluster_scoped(&self.group).contains(&&*self.kind)
    }
}

/// The kinds of a group that have no namespace: Kubernetes' own, those that come with most clusters, and those that policies
/// are written in.
fn cluster_scoped(group: &str) -> &'static [&'static str] {
    match group {
        "" => &["ComponentStatus", "Namespace", "Node", "PersistentVolume"],
        "admissionregistration.k8s.io" => &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
        "apiextensions.k8s.io" => &["CustomResourceDefinition"],
        "apiregistration.k8s.io" => &["APIService"],
        "authentication.k8s.io" => &["SelfSubjectReview", "TokenReview"],
        "authorization.k8s.io" => &["SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"],
        "certificates.k8s.io" => &["CertificateSigningRequest", "ClusterTrustBundle"],
        "flowcontrol.apiserver.k8s.io" => &["FlowSchema", "PriorityLevelConfiguration"],
        "gateway.networking.k8s.io" => &["GatewayClass"],
        "networking.k8s.io" => &["IPAddress", "IngressClass", "ServiceCIDR"],
        "node.k8s.io" => &["RuntimeClass"],
        "policy" => &["PodSecurityPolicy"],
        "rbac.authorization.k8s.io" => &["ClusterRole", "ClusterRoleBinding"],
        "resource.k8s.io" => &["DeviceClass", "DeviceTaintRule", "ResourceSlice"],
        "scheduling.k8s.io" => &["PriorityClass"],
        "storage.k8s.io" => &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
        "snapshot.storage.k8s.io" => &["VolumeSnapshotClass", "VolumeSnapshotContent"],
        "templates.gatekeeper.sh" => &["ConstraintTemplate"],
        "mutations.gatekeeper.sh" => &["Assign", "AssignImage", "AssignMetadata", "ModifySet"],
        "expansion.gatekeeper.sh" => &["ExpansionTemplate"],
        "kyverno.io" => &["ClusterCleanupPolicy", "ClusterPolicy", "GlobalContextEntry"],
        "policies.kyverno.io" => {
            &["DeletingPolicy", "GeneratingPolicy", "ImageValidatingPolicy", "MutatingPolicy", "ValidatingPolicy"]
        }
        _ => &[],
    }
}

impl fmt::Display for GroupVersionKind {
    /// `group/version/Kind`, or `version/Kind` for the core group.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.api_version(), self.kind)
    }
}

/// Where a resource came from.
#[derive(Clone, Debug, Default)]
pub enum Origin {
    /// A document of a file, with the span of every node.
    File {
        /// The file.
        source: Arc<Source>,
        /// The spans of the document, shaped like the object.
        spans: Arc<SpanTree>,
    },
    /// Made in memory: a request, a generated object, a test.
    #[default]
    Memory,
}

/// What is judged. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// The object itself.
    pub object: Value,
    /// Where it came from.
    pub origin: Origin,
}

impl Resource {
    /// A resource with no place in any file.
    pub fn in_memory(object: Value) -> Self {
        Self { object, origin: Origin::Memory }
    }

    /// Group, version and kind, where the object has them.
    pub fn gvk(&self) -> Option<GroupVersionKind> {
        GroupVersionKind::of(&self.object)
    }

    /// `kind`, or the empty string.
    pub fn kind(&self) -> &str {
        self.text(["kind"])
    }

    /// `metadata.name`, else `metadata.generateName`, else the empty string.
    pub fn name(&self) -> &str {
        match self.text(["metadata", "name"]) {
            "" => self.text(["metadata", "generateName"]),
            name => name,
        }
    }

    /// `metadata.namespace`, or the empty string.
    pub fn namespace(&self) -> &str {
        self.text(["metadata", "namespace"])
    }

    fn text<const N: usize>(&self, keys: [&str; N]) -> &str {
        self.object.dig(keys).and_then(Value::as_str).unwrap_or_default()
    }

    /// The place of the node at `path`, or of the deepest ancestor that exists.
    pub fn locate(&self, path: &Path) -> Option<Location> {
        match &self.origin {
            Origin::File { source, spans } => {
                Some(Location { source: source.clone(), span: spans.locate(&self.object, path) })
            }
            Origin::Memory => None,
        }
    }
}

impl fmt::Display for Resource {
    /// `Kind namespace/name`, leaving out what is absent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind().is_empty() { "document" } else { self.kind() };
        match (self.namespace(), self.name()) {
            ("", "") => f.write_str(kind),
            ("", name) => write!(f, "{kind} {name}"),
            (namespace, name) => write!(f, "{kind} {namespace}/{name}"),
        }
    }
}

/// The plural resource name of a kind, by the rules that Kubernetes' own types and CRD tooling follow.
pub fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.as_str() {
        "endpoints" | "securitycontextconstraints" => lower,
        _ if lower.ends_with("ss") || lower.ends_with('x') || lower.ends_with("ch") || lower.ends_with("sh") => {
            format!("{lower}es")
        }
        _ if lower.ends_with('s') => format!("{lower}es"),
        _ => match lower.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
            _ => format!("{lower}s"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_without_a_namespace_are_known_by_their_group() {
        let scoped = |api_version, kind| GroupVersionKind::new(api_version, kind).is_cluster_scoped();
        assert!(scoped("v1", "Node") && scoped("rbac.authorization.k8s.io/v1", "ClusterRole"));
        assert!(!scoped("v1", "Pod") && !scoped("apps/v1", "Node"));
    }

    #[test]
    fn plurals_follow_kubernetes() {
        for (kind, expected) in [
            ("Pod", "pods"),
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
            ("Gateway", "gateways"),
            ("Endpoints", "endpoints"),
            ("StorageClass", "storageclasses"),
        ] {
            assert_eq!(plural(kind), expected);
        }
    }
}
