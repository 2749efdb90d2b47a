//! How Kubernetes' own types merge: which lists are maps by key, which are sets, what is replaced as a whole.
//!
//! Server-side apply reads this from the API's schema; these are the facts of that schema that matter to merging,
//! for the kinds that policies mutate. A field that is not listed merges member by member where it is an object and
//! is replaced as a whole where it is a list, which is also the rule for kinds that are not listed at all.

/// How a value of one type merges.
#[derive(Debug)]
pub(super) enum Shape {
    /// Objects merge member by member, lists are atomic, scalars replace.
    Plain,
    /// An object whose listed members have shapes of their own.
    Object(&'static [(&'static str, &'static Self)]),
    /// Replaced as a whole.
    Atomic,
    /// A list of scalars without duplicates.
    Set,
    /// A list of objects that are told apart by key fields.
    Keyed(&'static [Key], &'static Self),
}

/// A key field of a list's elements, with the value that stands in where an element leaves it out.
#[derive(Debug)]
pub(super) struct Key {
    /// The field.
    pub(super) name: &'static str,
    /// Its default.
    pub(super) default: Fallback,
}

/// What the schema puts in the place of a missing key field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fallback {
    /// A text, empty for most.
    Text(&'static str),
    /// Zero, for ports.
    Zero,
}

const fn key(name: &'static str) -> Key {
    Key { name, default: Fallback::Text("") }
}

const fn port(name: &'static str) -> Key {
    Key { name, default: Fallback::Zero }
}

const PROTOCOL: Key = Key { name: "protocol", default: Fallback::Text("TCP") };

impl Shape {
    /// The shape of the objects of a kind, whatever their version.
    pub(super) fn of(group: &str, kind: &str) -> &'static Self {
        match (group, kind) {
            ("", "Pod") => &POD,
            ("", "PodTemplate") => &POD_TEMPLATE_OBJECT,
            ("", "ReplicationController") => &REPLICATION_CONTROLLER,
            ("", "Service") => &SERVICE,
            ("", "ServiceAccount") => &SERVICE_ACCOUNT,
            ("", "PersistentVolume") => &PERSISTENT_VOLUME,
            ("", "PersistentVolumeClaim") => &CLAIM,
            ("", "Node") => &NODE,
            ("apps", "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet") => &WORKLOAD,
            ("batch", "Job") => &JOB,
            ("batch", "CronJob") => &CRON_JOB,
            ("networking.k8s.io", "Ingress") => &INGRESS,
            ("networking.k8s.io", "NetworkPolicy") => &NETWORK_POLICY,
            ("policy", "PodDisruptionBudget") => &DISRUPTION_BUDGET,
            ("autoscaling", "HorizontalPodAutoscaler") => &AUTOSCALER,
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => &ROLE_BINDING,
            ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
                &WEBHOOKS
            }
            ("storage.k8s.io", "CSIDriver") => &CSI_DRIVER,
            ("node.k8s.io", "RuntimeClass") => &RUNTIME_CLASS,
            _ => &OTHER,
        }
    }

    /// The shape of the member `name` of an object of this shape.
    pub(super) fn member(&self, name: &str) -> &'static Self {
        match self {
            Self::Object(members) => {
                members.iter().find(|(member, _)| *member == name).map_or(&Self::Plain, |(_, shape)| shape)
            }
            _ => &Self::Plain,
        }
    }
}

use Shape::{Atomic, Keyed, Object, Plain, Set};

static METADATA: Shape = Object(&[("finalizers", &Set), ("ownerReferences", &Keyed(&[key("uid")], &Atomic))]);
static CONDITIONS: Shape = Keyed(&[key("type")], &Plain);
static STATUS: Shape = Object(&[("conditions", &CONDITIONS)]);
static OTHER: Shape = Object(&[("metadata", &METADATA)]);

static ENV: Shape = Keyed(
    &[key("name")],
    &Object(&[(
        "valueFrom",
        &Object(&[
            ("configMapKeyRef", &Atomic),
            ("fieldRef", &Atomic),
            ("resourceFieldRef", &Atomic),
            ("secretKeyRef", &Atomic),
        ]),
    )]),
);
static RESOURCES: Shape = Object(&[("claims", &Keyed(&[key("name")], &Plain))]);
static PORTS: Shape = Keyed(&[port("containerPort"), PROTOCOL], &Plain);
static CONTAINERS: Shape = Keyed(
    &[key("name")],
    &Object(&[
        ("env", &ENV),
        ("ports", &PORTS),
        ("resources", &RESOURCES),
        ("volumeDevices", &Keyed(&[key("devicePath")], &Plain)),
        ("volumeMounts", &Keyed(&[key("mountPath")], &Plain)),
    ]),
);
static SECRET_OWNER: Shape = Object(&[("secretRef", &Atomic)]);
static VOLUMES: Shape = Keyed(
    &[key("name")],
    &Object(&[
        ("cephfs", &SECRET_OWNER),
        ("cinder", &SECRET_OWNER),
        ("csi", &Object(&[("nodePublishSecretRef", &Atomic)])),
        ("ephemeral", &Object(&[("volumeClaimTemplate", &CLAIM)])),
        ("flexVolume", &SECRET_OWNER),
        ("iscsi", &SECRET_OWNER),
        ("rbd", &SECRET_OWNER),
        ("scaleIO", &SECRET_OWNER),
        ("storageos", &SECRET_OWNER),
    ]),
);
static POD_SPEC: Shape = Object(&[
    ("affinity", &Object(&[("nodeAffinity", &Object(&[("requiredDuringSchedulingIgnoredDuringExecution", &Atomic)]))])),
    ("containers", &CONTAINERS),
    ("ephemeralContainers", &CONTAINERS),
    ("hostAliases", &Keyed(&[key("ip")], &Plain)),
    ("imagePullSecrets", &Keyed(&[key("name")], &Atomic)),
    ("initContainers", &CONTAINERS),
    ("nodeSelector", &Atomic),
    ("resourceClaims", &Keyed(&[key("name")], &Plain)),
    ("resources", &RESOURCES),
    ("schedulingGates", &Keyed(&[key("name")], &Plain)),
    (
        "topologySpreadConstraints",
        &Keyed(&[key("topologyKey"), key("whenUnsatisfiable")], &Object(&[("labelSelector", &Atomic)])),
    ),
    ("volumes", &VOLUMES),
]);
static POD: Shape = Object(&[
    ("metadata", &METADATA),
    ("spec", &POD_SPEC),
    ("status", &Object(&[("conditions", &CONDITIONS), ("podIPs", &Keyed(&[key("ip")], &Plain))])),
]);
static POD_TEMPLATE: Shape = Object(&[("metadata", &METADATA), ("spec", &POD_SPEC)]);
static POD_TEMPLATE_OBJECT: Shape = Object(&[("metadata", &METADATA), ("template", &POD_TEMPLATE)]);
static REPLICATION_CONTROLLER: Shape = Object(&[
    ("metadata", &METADATA),
    ("spec", &Object(&[("selector", &Atomic), ("template", &POD_TEMPLATE)])),
    ("status", &STATUS),
]);
static WORKLOAD_SPEC: Shape = Object(&[("selector", &Atomic), ("template", &POD_TEMPLATE)]);
static WORKLOAD: Shape = Object(&[("metadata", &METADATA), ("spec", &WORKLOAD_SPEC), ("status", &STATUS)]);
static JOB: Shape = Object(&[("metadata", &METADATA), ("spec", &WORKLOAD_SPEC)]);
static CRON_JOB: Shape = Object(&[("metadata", &METADATA), ("spec", &Object(&[("jobTemplate", &JOB)]))]);

static SERVICE: Shape = Object(&[
    ("metadata", &METADATA),
    ("spec", &Object(&[("ports", &Keyed(&[port("port"), PROTOCOL], &Plain)), ("selector", &Atomic)])),
    ("status", &STATUS),
]);
static SERVICE_ACCOUNT: Shape = Object(&[("metadata", &METADATA), ("secrets", &Keyed(&[key("name")], &Atomic))]);
static PERSISTENT_VOLUME: Shape = Object(&[
    ("metadata", &METADATA),
    (
        "spec",
        &Object(&[
            ("cephfs", &SECRET_OWNER),
            ("cinder", &SECRET_OWNER),
            ("claimRef", &Atomic),
            (
                "csi",
                &Object(&[
                    ("controllerExpandSecretRef", &Atomic),
                    ("controllerPublishSecretRef", &Atomic),
                    ("nodeExpandSecretRef", &Atomic),
                    ("nodePublishSecretRef", &Atomic),
                    ("nodeStageSecretRef", &Atomic),
                ]),
            ),
            ("flexVolume", &SECRET_OWNER),
            ("iscsi", &SECRET_OWNER),
            ("nodeAffinity", &Object(&[("required", &Atomic)])),
            ("rbd", &SECRET_OWNER),
            ("scaleIO", &SECRET_OWNER),
            ("storageos", &SECRET_OWNER),
        ]),
    ),
]);
static CLAIM: Shape = Object(&[
    ("metadata", &METADATA),
    ("spec", &Object(&[("dataSource", &Atomic), ("selector", &Atomic)])),
    ("status", &STATUS),
]);
static NODE: Shape = Object(&[
    ("metadata", &METADATA),
    ("spec", &Object(&[("podCIDRs", &Set)])),
    ("status", &Object(&[("addresses", &CONDITIONS), ("conditions", &CONDITIONS)])),
]);
static BACKEND: Shape = Object(&[("resource", &Atomic), ("service", &Object(&[("port", &Atomic)]))]);
static INGRESS: Shape = Object(&[("metadata", &METADATA), ("spec", &Object(&[("defaultBackend", &BACKEND)]))]);
static NETWORK_POLICY: Shape = Object(&[("metadata", &METADATA), ("spec", &Object(&[("podSelector", &Atomic)]))]);
static DISRUPTION_BUDGET: Shape =
    Object(&[("metadata", &METADATA), ("spec", &Object(&[("selector", &Atomic)])), ("status", &STATUS)]);
static AUTOSCALER: Shape = Object(&[("metadata", &METADATA), ("status", &STATUS)]);
static ROLE_BINDING: Shape = Object(&[("metadata", &METADATA), ("roleRef", &Atomic)]);
static WEBHOOKS: Shape = Object(&[
    ("metadata", &METADATA),
    (
        "webhooks",
        &Keyed(
            &[key("name")],
            &Object(&[
                ("matchConditions", &Keyed(&[key("name")], &Plain)),
                ("namespaceSelector", &Atomic),
                ("objectSelector", &Atomic),
            ]),
        ),
    ),
]);
static CSI_DRIVER: Shape = Object(&[("metadata", &METADATA), ("spec", &Object(&[("volumeLifecycleModes", &Set)]))]);
static RUNTIME_CLASS: Shape = Object(&[("metadata", &METADATA), ("scheduling", &Object(&[("nodeSelector", &Atomic)]))]);
