//! Which fields may differ from the signed manifest: what a cluster fills in, and what the rule names.
//!
//! A field is ignored where its dotted path *contains* a pattern as Kyverno understands patterns: `*` stands for any
//! text, a dot for any character, and more may follow. That is loose, and kept, so that both judge alike.

use std::sync::LazyLock;

use palisade_gotext::go_regex;
use palisade_model::{GroupVersionKind, Value};
use regex::Regex;

use super::signed::namespace;
use crate::legacy::spec::{FieldBinding, ObjectReference};

/// What clusters and Kyverno fill in: kinds (all where empty), an API group, and fields.
const FILLED_IN: [(&[&str], &str, &[&str]); 9] = [
    (
        &[],
        "",
        &[
            "metadata.namespace",
            "metadata.managedFields.*",
            "metadata.resourceVersion",
            "metadata.selfLink",
            "metadata.creationTimestamp",
            "metadata.generation",
            "metadata.uid",
            "metadata.finalizers",
            "metadata.labels.app.kubernetes.io/instance",
            "metadata.annotations.namespace",
            "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
            "metadata.annotations.control-plane.alpha.kubernetes.io/leader",
            "metadata.annotations.deployment.kubernetes.io/revision",
            "metadata.annotations.deprecated.daemonset.template.generation",
            "spec.containers.*.imagePullPolicy",
            "spec.containers.*.terminationMessagePath",
            "spec.containers.*.terminationMessagePolicy",
            "spec.dnsPolicy",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.terminationGracePeriodSeconds",
            "status",
        ],
    ),
    (&["*"], "", &SIGNATURES),
    (
        &["Pod"],
        "",
        &[
            "spec.volumes.*.name",
            "spec.volumes.*.projected.*",
            "spec.volumes.*.configMap.defaultMode",
            "spec.containers.*.volumeMounts.*",
            "spec.tolerations.*",
            "spec.enableServiceLinks",
            "spec.preemptionPolicy",
            "spec.priority",
            "spec.serviceAccount",
        ],
    ),
    (
        &["Deployment"],
        "",
        &[
            "spec.progressDeadlineSeconds",
            "spec.revisionHistoryLimit",
            "spec.strategy.*",
            "spec.template.metadata.creationTimestamp",
            "spec.containers.*.ports.*.protocol",
            "spec.containers.*.resources",
            "spec.securityContext",
        ],
    ),
    (&["CustomResourceDefinition"], "", &["spec.conversion.strategy", "spec.names.listKind"]),
    (
        &["Service"],
        "",
        &[
            "spec.ports.*.nodePort",
            "spec.clusterIP",
            "spec.clusterIPs.0",
            "spec.sessionAffinity",
            "spec.type",
            "spec.ipFamilies.*",
            "spec.ipFamilyPolicy",
            "spec.internalTrafficPolicy",
        ],
    ),
    (
        &["ClusterPolicy", "Policy"],
        "",
        &[
            "metadata.annotations.pod-policies.kyverno.io/autogen-controllers",
            "spec.failurePolicy",
            "spec.background",
            "spec.validationFailureAction",
        ],
    ),
    (&["ServiceAccount"], "", &["secrets.*.name", "imagePullSecrets.*.name"]),
    (&["Route"], "route.openshift.io", &["spec.host"]),
];

/// The annotations that carry a signature in the default domain.
const SIGNATURES: [&str; 5] = [
    "metadata.annotations.cosign.sigstore.dev/resourceBundleRef",
    "metadata.annotations.cosign.sigstore.dev/signature",
    "metadata.annotations.cosign.sigstore.dev/message",
    "metadata.annotations.cosign.sigstore.dev/certificate",
    "metadata.annotations.cosign.sigstore.dev/bundle",
];

static DEFAULTS: LazyLock<Vec<Binding>> = LazyLock::new(|| FILLED_IN.iter().map(Binding::filled_in).collect());

/// Fields that are ignored in some objects.
#[derive(Debug)]
struct Binding {
    objects: Vec<ObjectReference>,
    patterns: Vec<Regex>,
}

impl Binding {
    fn filled_in((kinds, group, fields): &(&[&str], &str, &[&str])) -> Self {
        let object = |kind: &&str| ObjectReference {
            kind: (*kind).into(),
            group: (*group).into(),
            ..ObjectReference::default()
        };
        Self::new(kinds.iter().map(object).collect(), fields.iter().copied())
    }

    fn new<'f>(objects: Vec<ObjectReference>, fields: impl Iterator<Item = &'f str>) -> Self {
        let pattern = |field: &str| go_regex::compile(&format!("{field}*").replace('*', ".*")).ok();
        Self { objects, patterns: fields.filter_map(pattern).collect() }
    }

    fn concerns(&self, object: &Identity<'_>) -> bool {
        self.objects.is_empty() || self.objects.iter().any(|reference| object.is(reference))
    }
}

/// The fields that a rule ignores.
#[derive(Debug)]
pub(super) struct IgnoredFields {
    own: Vec<Binding>,
}

impl IgnoredFields {
    pub(super) fn compile(bindings: &[FieldBinding], domain: &str) -> Self {
        let annotations = SIGNATURES.iter().map(|field| field.replace(super::DOMAIN, domain)).collect::<Vec<_>>();
        let of_domain = Binding::new(Vec::new(), annotations.iter().map(String::as_str));
        let of_rule = bindings
            .iter()
            .map(|binding| Binding::new(binding.objects.clone(), binding.fields.iter().map(|field| &**field)));
        Self { own: std::iter::once(of_domain).chain(of_rule).collect() }
    }

    /// The patterns that concern an object.
    pub(super) fn of(&self, object: &Value) -> Vec<&Regex> {
        let identity = Identity::of(object);
        let bindings = DEFAULTS.iter().chain(&self.own).filter(|binding| binding.concerns(&identity));
        bindings.flat_map(|binding| &binding.patterns).collect()
    }
}

/// What object references are about.
struct Identity<'a> {
    kind: GroupVersionKind,
    name: &'a str,
    namespace: &'a str,
}

impl<'a> Identity<'a> {
    fn of(object: &'a Value) -> Self {
        let name = object.dig(["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
        Self { kind: GroupVersionKind::of(object).unwrap_or_default(), name, namespace: namespace(object) }
    }

    fn is(&self, reference: &ObjectReference) -> bool {
        matches(&reference.group, &self.kind.group)
            && matches(&reference.version, &self.kind.version)
            && matches(&reference.kind, &self.kind.kind)
            && matches(&reference.name, self.name)
            && matches(&reference.namespace, self.namespace)
    }
}

/// Whether a text matches a pattern: empty for any, `-` for none, a prefix before `*`, or several behind commas.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern.trim();
    if let Some(prefix) = pattern.strip_suffix('*') {
        return text.starts_with(prefix.trim_end_matches('*'));
    }
    let one_of = || pattern.contains(',') && pattern.split(',').any(|part| matches(part, text));
    pattern.is_empty() || pattern == text || (pattern == "-" && text.is_empty()) || one_of()
}
