//! What Palisade may do in a cluster, and why: the one table that roles are rendered from.
//!
//! No verb is a wildcard. Reading the objects that policies match and look up is the one thing that depends on the
//! policies: the built-in workload kinds are in the table, and a ClusterRole that carries the label [`AGGREGATION_LABEL`]
//! adds further ones, since the rendered role gathers all roles with it. A kind that cannot be read is reported by the scan
//! and fails look-ups; it is never taken for an empty one.

use palisade_model::Value;
use serde_json::{Value as Json, json};

use crate::KubernetesConfig;
use crate::api::value;

/// The label of ClusterRole objects that are added to Palisade's own role.
pub const AGGREGATION_LABEL: &str = "rbac.palisade.dev/aggregate-to-palisade";

/// Something that Palisade may do.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    /// API group; empty for core.
    pub group: &'static str,
    /// Resources, with subresources behind a slash.
    pub resources: &'static [&'static str],
    /// Only objects of these names; any where empty.
    pub names: &'static [&'static str],
    /// What may be done.
    pub verbs: &'static [&'static str],
    /// In Palisade's own namespace only.
    pub own_namespace: bool,
    /// What for, one sentence.
    pub reason: &'static str,
}

const FOLLOW: &[&str] = &["get", "list", "watch"];

const fn cluster(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    reason: &'static str,
) -> Permission {
    Permission { group, resources, names: &[], verbs, own_namespace: false, reason }
}

/// Everything that Palisade does in a cluster.
pub const PERMISSIONS: &[Permission] = &[
    cluster("apiextensions.k8s.io", &["customresourcedefinitions"], FOLLOW, "notice kinds that come and go"),
    cluster("apiregistration.k8s.io", &["apiservices"], FOLLOW, "notice kinds that come and go"),
    cluster(
        "apiextensions.k8s.io",
        &["customresourcedefinitions"],
        &["create", "patch"],
        "define the constraints of a ConstraintTemplate where Gatekeeper is not installed",
    ),
    cluster(
        "admissionregistration.k8s.io",
        &["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
        &["get", "list", "watch", "create"],
        "register the admission webhooks, and notice when somebody changes them",
    ),
    Permission {
        group: "admissionregistration.k8s.io",
        resources: &["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
        names: &["palisade"],
        verbs: &["update", "patch", "delete"],
        own_namespace: false,
        reason: "keep our own webhook configurations in step with the policies, and remove them",
    },
    cluster(
        "admissionregistration.k8s.io",
        &[
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
        ],
        FOLLOW,
        "judge existing objects by the policies that the API server enforces",
    ),
    cluster(
        "kyverno.io",
        &[
            "clusterpolicies",
            "policies",
            "policyexceptions",
            "clustercleanuppolicies",
            "cleanuppolicies",
            "globalcontextentries",
        ],
        FOLLOW,
        "read policies",
    ),
    cluster(
        "kyverno.io",
        &[
            "clusterpolicies/status",
            "policies/status",
            "clustercleanuppolicies/status",
            "cleanuppolicies/status",
            "globalcontextentries/status",
        ],
        &["patch"],
        "say on a policy how loading it went",
    ),
    cluster(
        "policies.kyverno.io",
        &[
            "validatingpolicies",
            "mutatingpolicies",
            "generatingpolicies",
            "deletingpolicies",
            "imagevalidatingpolicies",
            "namespacedvalidatingpolicies",
            "namespacedmutatingpolicies",
            "namespacedgeneratingpolicies",
            "namespaceddeletingpolicies",
            "namespacedimagevalidatingpolicies",
            "policyexceptions",
        ],
        FOLLOW,
        "read policies",
    ),
    cluster(
        "policies.kyverno.io",
        &[
            "validatingpolicies/status",
            "mutatingpolicies/status",
            "generatingpolicies/status",
            "deletingpolicies/status",
            "imagevalidatingpolicies/status",
            "namespacedvalidatingpolicies/status",
            "namespacedmutatingpolicies/status",
            "namespacedgeneratingpolicies/status",
            "namespaceddeletingpolicies/status",
            "namespacedimagevalidatingpolicies/status",
        ],
        &["patch"],
        "say on a policy how loading it went",
    ),
    cluster("templates.gatekeeper.sh", &["constrainttemplates"], FOLLOW, "read policies"),
    cluster(
        "templates.gatekeeper.sh",
        &["constrainttemplates/status"],
        &["patch"],
        "say on a policy how loading it went",
    ),
    cluster("config.gatekeeper.sh", &["configs"], FOLLOW, "read what makes up the inventory"),
    cluster("syncset.gatekeeper.sh", &["syncsets"], FOLLOW, "read what makes up the inventory"),
    cluster("expansion.gatekeeper.sh", &["expansiontemplate"], FOLLOW, "read policies"),
    cluster(
        "expansion.gatekeeper.sh",
        &["expansiontemplate/status"],
        &["patch"],
        "say on a policy how loading it went",
    ),
    cluster(
        "mutations.gatekeeper.sh",
        &["assign", "assignimage", "assignmetadata", "modifyset"],
        FOLLOW,
        "read policies",
    ),
    cluster(
        "mutations.gatekeeper.sh",
        &["assign/status", "assignimage/status", "assignmetadata/status", "modifyset/status"],
        &["patch"],
        "say on a policy how loading it went",
    ),
    // Constraints have a kind each, made by their templates; RBAC cannot name kinds to come but by a wildcard.
    cluster(
        "constraints.gatekeeper.sh",
        &["*"],
        &["get", "list", "watch", "patch"],
        "read constraints, and say on each how loading it went",
    ),
    cluster("", &["events"], &["create"], "say about a policy that has no status of its own how loading it went"),
    cluster("", &["namespaces"], FOLLOW, "select by the labels of namespaces"),
    cluster(
        "",
        &[
            "configmaps",
            "endpoints",
            "limitranges",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "podtemplates",
            "replicationcontrollers",
            "resourcequotas",
            "serviceaccounts",
            "services",
        ],
        FOLLOW,
        "scan existing objects and answer look-ups of policies",
    ),
    cluster(
        "apps",
        &["daemonsets", "deployments", "replicasets", "statefulsets"],
        FOLLOW,
        "scan existing objects and answer look-ups of policies",
    ),
    cluster("batch", &["cronjobs", "jobs"], FOLLOW, "scan existing objects and answer look-ups of policies"),
    cluster(
        "autoscaling",
        &["horizontalpodautoscalers"],
        FOLLOW,
        "scan existing objects and answer look-ups of policies",
    ),
    cluster("policy", &["poddisruptionbudgets"], FOLLOW, "scan existing objects and answer look-ups of policies"),
    cluster(
        "networking.k8s.io",
        &["ingressclasses", "ingresses", "networkpolicies"],
        FOLLOW,
        "scan existing objects and answer look-ups of policies",
    ),
    cluster(
        "rbac.authorization.k8s.io",
        &["clusterrolebindings", "clusterroles", "rolebindings", "roles"],
        FOLLOW,
        "scan existing objects and answer look-ups of policies",
    ),
    cluster("storage.k8s.io", &["storageclasses"], FOLLOW, "scan existing objects and answer look-ups of policies"),
    cluster(
        "authorization.k8s.io",
        &["subjectaccessreviews"],
        &["create"],
        "answer policies that ask what a user may do",
    ),
    cluster(
        "wgpolicyk8s.io",
        &["policyreports", "clusterpolicyreports"],
        &["get", "list", "watch", "create", "update", "patch", "delete"],
        "write the results of the scan",
    ),
    cluster(
        "openreports.io",
        &["reports", "clusterreports"],
        &["get", "list", "watch", "create", "update", "patch", "delete"],
        "write the results of the scan",
    ),
    Permission {
        group: "",
        resources: &["secrets"],
        names: &[],
        verbs: &["create"],
        own_namespace: true,
        reason: "keep the certificate of the webhooks where all replicas find it",
    },
    Permission {
        group: "",
        resources: &["secrets"],
        names: &[CERTIFICATE_SECRET],
        verbs: &["get", "update"],
        own_namespace: true,
        reason: "share and renew the certificate of the webhooks",
    },
];

/// The Secret that holds the certificate of the webhooks.
pub const CERTIFICATE_SECRET: &str = "palisade-certificates";

impl Permission {
    fn rule(&self) -> Json {
        let mut rule = json!({"apiGroups": [self.group], "resources": self.resources, "verbs": self.verbs});
        if !self.names.is_empty()
            && let Some(rule) = rule.as_object_mut()
        {
            rule.insert("resourceNames".into(), json!(self.names));
        }
        rule
    }
}

/// The roles and bindings of Palisade's service account: a ClusterRole that gathers the table's own and all labelled ones,
/// and a Role in its namespace.
pub fn roles(config: &KubernetesConfig) -> Vec<Value> {
    let rules = |own: bool| -> Vec<Json> {
        PERMISSIONS.iter().filter(|one| one.own_namespace == own).map(Permission::rule).collect()
    };
    let subject = json!([{
        "kind": "ServiceAccount",
        "name": config.service_account,
        "namespace": config.namespace,
    }]);
    let rbac = "rbac.authorization.k8s.io";
    let object = |kind: &str, metadata: Json, rest: Json| {
        let mut object = json!({"apiVersion": format!("{rbac}/v1"), "kind": kind, "metadata": metadata});
        if let (Some(object), Json::Object(rest)) = (object.as_object_mut(), rest) {
            object.extend(rest);
        }
        value(&object)
    };
    let reference = |kind: &str| json!({"apiGroup": rbac, "kind": kind, "name": "palisade"});
    vec![
        object(
            "ClusterRole",
            json!({"name": "palisade"}),
            json!({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {AGGREGATION_LABEL: "true"}}]}, "rules": []}),
        ),
        object(
            "ClusterRole",
            json!({"name": "palisade-controller", "labels": {AGGREGATION_LABEL: "true"}}),
            json!({"rules": rules(false)}),
        ),
        object(
            "ClusterRoleBinding",
            json!({"name": "palisade"}),
            json!({"roleRef": reference("ClusterRole"), "subjects": subject}),
        ),
        object("Role", json!({"name": "palisade", "namespace": config.namespace}), json!({"rules": rules(true)})),
        object(
            "RoleBinding",
            json!({"name": "palisade", "namespace": config.namespace}),
            json!({"roleRef": reference("Role"), "subjects": subject}),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_permitted_without_need() {
        for permission in PERMISSIONS {
            assert!(!permission.verbs.contains(&"*") && !permission.reason.is_empty() && permission.group != "*");
            let writes = permission.verbs.iter().any(|verb| !FOLLOW.contains(verb));
            assert!(!(writes && permission.resources.contains(&"secrets")) || permission.own_namespace);
            if permission.resources.contains(&"*") {
                assert_eq!(permission.group, "constraints.gatekeeper.sh");
            }
        }
    }
}
