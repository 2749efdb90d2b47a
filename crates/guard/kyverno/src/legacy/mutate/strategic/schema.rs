//! Which lists of Kubernetes' own kinds merge by key, and by which.
//!
//! Kyverno merges with kustomize's library, which reads `x-kubernetes-patch-strategy` from the OpenAPI schema of one
//! Kubernetes release that it has built in. This is that knowledge reduced to what a merge asks: a list that is not
//! here is replaced as a whole, whatever its elements look like.

use palisade_model::Value;

/// What the schema says of a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Nothing; an object here may name its own kind.
    Unknown,
    /// An object with fields that matter.
    Object(&'static Fields),
    /// A list whose elements merge by the texts of these keys; a set of scalars where there are none.
    List(&'static [&'static str], &'static Fields),
}

/// The fields of an object that are keyed lists or lead to some.
pub(super) type Fields = [(&'static str, Shape)];

impl Shape {
    /// What the schema says of a field.
    pub(super) fn field(self, name: &str) -> Self {
        match self {
            Self::Object(fields) => {
                fields.iter().find(|(field, _)| *field == name).map_or(Self::Unknown, |(_, shape)| *shape)
            }
            Self::Unknown | Self::List(..) => Self::Unknown,
        }
    }

    /// The same, with the kind that the first of the objects names where nothing is known yet.
    pub(super) fn or_named_by(self, objects: [Option<&Value>; 2]) -> Self {
        match self {
            Self::Unknown => objects.into_iter().flatten().find_map(named_kind).unwrap_or(self),
            known => known,
        }
    }
}

fn named_kind(object: &Value) -> Option<Shape> {
    kind(object.get("apiVersion")?.as_str()?, object.get("kind")?.as_str()?)
}

fn kind(api_version: &str, kind: &str) -> Option<Shape> {
    let listed = |table: &'static [(&str, &str, &Fields)]| {
        table.iter().find(|row| row.0 == api_version && row.1 == kind).map(|row| Shape::Object(row.2))
    };
    let bare = || {
        let (_, kinds) = BARE.iter().find(|(version, _)| *version == api_version)?;
        kinds.split(' ').any(|name| name == kind).then_some(Shape::Object(META_ONLY))
    };
    listed(KINDS).or_else(bare)
}

const SCALARS: Shape = Shape::List(&[], &[]);
const CONDITIONS: (&str, Shape) = ("conditions", Shape::List(&["type"], &[]));
const META: (&str, Shape) =
    ("metadata", Shape::Object(&[("finalizers", SCALARS), ("ownerReferences", Shape::List(&["uid"], &[]))]));
const STATUS: (&str, Shape) = ("status", Shape::Object(&[CONDITIONS]));
const META_ONLY: &Fields = &[META];
const WITH_STATUS: &Fields = &[META, STATUS];

const fn by_name(element: &'static Fields) -> Shape {
    Shape::List(&["name"], element)
}

const ENV: (&str, Shape) = ("env", by_name(&[]));
const VOLUME_DEVICES: (&str, Shape) = ("volumeDevices", Shape::List(&["devicePath"], &[]));
const VOLUME_MOUNTS: (&str, Shape) = ("volumeMounts", Shape::List(&["mountPath"], &[]));
const CONTAINER: &Fields =
    &[ENV, ("ports", Shape::List(&["containerPort", "protocol"], &[])), VOLUME_DEVICES, VOLUME_MOUNTS];
const CLAIM_TEMPLATE: &Fields = &[("volumeClaimTemplate", Shape::Object(META_ONLY))];
const POD_SPEC: (&str, Shape) = (
    "spec",
    Shape::Object(&[
        ("containers", by_name(CONTAINER)),
        ("initContainers", by_name(CONTAINER)),
        ("ephemeralContainers", by_name(&[ENV, VOLUME_DEVICES, VOLUME_MOUNTS])),
        ("hostAliases", Shape::List(&["ip"], &[])),
        ("imagePullSecrets", by_name(&[])),
        ("topologySpreadConstraints", Shape::List(&["topologyKey", "whenUnsatisfiable"], &[])),
        ("volumes", by_name(&[("ephemeral", Shape::Object(CLAIM_TEMPLATE))])),
    ]),
);
const TEMPLATE: (&str, Shape) = ("template", Shape::Object(&[META, POD_SPEC]));
const WORKLOAD_SPEC: (&str, Shape) = ("spec", Shape::Object(&[TEMPLATE]));
const WORKLOAD: &Fields = &[META, WORKLOAD_SPEC, STATUS];
const CRON_JOB: &Fields = &[META, ("spec", Shape::Object(&[("jobTemplate", Shape::Object(&[META, WORKLOAD_SPEC]))]))];
const WEBHOOKS: &Fields = &[META, ("webhooks", by_name(&[]))];
const CSI_NODE: &Fields = &[META, ("spec", Shape::Object(&[("drivers", by_name(&[]))]))];

/// Kinds with keyed lists beyond their metadata.
const KINDS: &[(&str, &str, &Fields)] = &[
    ("v1", "Pod", &[META, POD_SPEC, ("status", Shape::Object(&[CONDITIONS, ("podIPs", Shape::List(&["ip"], &[]))]))]),
    ("v1", "PodTemplate", &[META, TEMPLATE]),
    ("v1", "ReplicationController", WORKLOAD),
    ("v1", "Namespace", WITH_STATUS),
    ("v1", "PersistentVolumeClaim", WITH_STATUS),
    ("v1", "ComponentStatus", &[META, CONDITIONS]),
    ("v1", "ServiceAccount", &[META, ("secrets", by_name(&[]))]),
    ("v1", "Service", &[META, ("spec", Shape::Object(&[("ports", Shape::List(&["port", "protocol"], &[]))])), STATUS]),
    (
        "v1",
        "Node",
        &[
            META,
            ("spec", Shape::Object(&[("podCIDRs", SCALARS)])),
            ("status", Shape::Object(&[CONDITIONS, ("addresses", Shape::List(&["type"], &[]))])),
        ],
    ),
    ("apps/v1", "DaemonSet", WORKLOAD),
    ("apps/v1", "Deployment", WORKLOAD),
    ("apps/v1", "ReplicaSet", WORKLOAD),
    ("apps/v1", "StatefulSet", WORKLOAD),
    ("batch/v1", "Job", WORKLOAD),
    ("batch/v1", "CronJob", CRON_JOB),
    ("batch/v1beta1", "CronJob", CRON_JOB),
    ("policy/v1", "PodDisruptionBudget", WITH_STATUS),
    ("policy/v1beta1", "PodDisruptionBudget", WITH_STATUS),
    ("storage.k8s.io/v1", "CSINode", CSI_NODE),
    ("storage.k8s.io/v1beta1", "CSINode", CSI_NODE),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", WEBHOOKS),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", WEBHOOKS),
    ("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", WEBHOOKS),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", WEBHOOKS),
    ("apiregistration.k8s.io/v1", "APIService", WITH_STATUS),
    ("apiregistration.k8s.io/v1beta1", "APIService", WITH_STATUS),
];

/// Kinds of which only the metadata has keyed lists.
const BARE: &[(&str, &str)] = &[
    ("v1", "Binding ConfigMap Endpoints Event LimitRange PersistentVolume ResourceQuota Secret"),
    ("apps/v1", "ControllerRevision"),
    ("authentication.k8s.io/v1", "TokenRequest TokenReview"),
    ("authentication.k8s.io/v1beta1", "TokenReview"),
    (
        "authorization.k8s.io/v1",
        "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    ),
    (
        "authorization.k8s.io/v1beta1",
        "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    ),
    ("autoscaling/v1", "HorizontalPodAutoscaler Scale"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"),
    ("certificates.k8s.io/v1", "CertificateSigningRequest"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest"),
    ("coordination.k8s.io/v1", "Lease"),
    ("coordination.k8s.io/v1beta1", "Lease"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"),
    ("events.k8s.io/v1", "Event"),
    ("events.k8s.io/v1beta1", "Event"),
    ("extensions/v1beta1", "Ingress"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema PriorityLevelConfiguration"),
    ("networking.k8s.io/v1", "Ingress IngressClass NetworkPolicy"),
    ("networking.k8s.io/v1beta1", "Ingress IngressClass"),
    ("node.k8s.io/v1", "RuntimeClass"),
    ("node.k8s.io/v1beta1", "RuntimeClass"),
    ("policy/v1beta1", "Eviction PodSecurityPolicy"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole ClusterRoleBinding Role RoleBinding"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole ClusterRoleBinding Role RoleBinding"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("scheduling.k8s.io/v1beta1", "PriorityClass"),
    ("storage.k8s.io/v1", "CSIDriver StorageClass VolumeAttachment"),
    ("storage.k8s.io/v1beta1", "CSIDriver CSIStorageCapacity StorageClass VolumeAttachment"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"),
];
