//! What is to be registered for a set of policies. Pure.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_model::Value;
use palisade_policy::{FailurePolicy, Operation, Phase, Policy};
use serde_json::json;

use super::rules::{Requests, Rule};
use super::{NAME, exempt};
use crate::api::value;
use crate::{Discovery, KubernetesConfig};

/// How long the API server waits where no policy says so, in seconds: its own default.
const TIMEOUT: u8 = 10;

/// The longest that the API server can be told to wait, in seconds.
const LONGEST: u8 = 30;

/// What is to be registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    validate: [Webhook; 2],
    mutate: [Webhook; 2],
    /// Policies that ask for something that cannot be registered, a sentence each: their kind is not in the cluster (yet),
    /// or is exempt.
    pub unreachable: Vec<String>,
}

/// What one webhook is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Webhook {
    rules: Vec<Rule>,
    timeout: u8,
}

/// The two halves of the policies.
const HALVES: [(FailurePolicy, &str, &str); 2] =
    [(FailurePolicy::Fail, "Fail", "fail"), (FailurePolicy::Ignore, "Ignore", "ignore")];

impl Plan {
    /// For these policies, in a cluster with these kinds.
    pub fn of(policies: &[Arc<dyn Policy>], discovery: &Discovery) -> Self {
        let mut unreachable = Vec::new();
        let validate = [Operation::Create, Operation::Update, Operation::Delete, Operation::Connect];
        let mutate = [Operation::Create, Operation::Update];
        let mut halves = |phase, default: &[Operation]| {
            HALVES.map(|(half, ..)| webhook(policies, phase, half, default, discovery, &mut unreachable))
        };
        let (validate, mutate) = (halves(Phase::Validate, &validate), halves(Phase::Mutate, &mutate));
        Self { validate, mutate, unreachable }
    }

    /// Whether nothing is to be registered.
    pub fn is_empty(&self) -> bool {
        self.validate.iter().chain(&self.mutate).all(|webhook| webhook.rules.is_empty())
    }

    /// The rules of the validating webhook of one half.
    pub fn validate_rules(&self, half: FailurePolicy) -> &[Rule] {
        rules(&self.validate, half)
    }

    /// The rules of the mutating webhook of one half.
    pub fn mutate_rules(&self, half: FailurePolicy) -> &[Rule] {
        rules(&self.mutate, half)
    }

    /// The ValidatingWebhookConfiguration; `None` where there is nothing to ask about. `bundle` is PEM.
    pub fn validating(&self, config: &KubernetesConfig, bundle: &str) -> Option<Value> {
        configuration("Validating", "validate", &self.validate, config, bundle)
    }

    /// The MutatingWebhookConfiguration; `None` where there is nothing to ask about. `bundle` is PEM.
    pub fn mutating(&self, config: &KubernetesConfig, bundle: &str) -> Option<Value> {
        configuration("Mutating", "mutate", &self.mutate, config, bundle)
    }
}

fn rules(webhooks: &[Webhook; 2], half: FailurePolicy) -> &[Rule] {
    let [fail, ignore] = webhooks;
    match half {
        FailurePolicy::Fail => &fail.rules,
        FailurePolicy::Ignore => &ignore.rules,
    }
}

fn webhook(
    policies: &[Arc<dyn Policy>],
    phase: Phase,
    half: FailurePolicy,
    default: &[Operation],
    discovery: &Discovery,
    unreachable: &mut Vec<String>,
) -> Webhook {
    let mut requests = Requests::default();
    let mut timeout = None;
    for policy in policies {
        let info = policy.info();
        let reach = &info.reach;
        if !info.has_phase(phase) || !reach.admission || reach.failure_policy != half {
            continue;
        }
        let mut any = reach.matches.is_empty();
        for matched in &reach.matches {
            any |= requests.add(matched, default, discovery);
        }
        if !any {
            unreachable.push(format!("{} matches nothing that can be asked about in this cluster", info.reference));
        }
        timeout = timeout.max(reach.timeout_seconds);
    }
    Webhook { rules: requests.rules(), timeout: timeout.unwrap_or(TIMEOUT).clamp(1, LONGEST) }
}

fn configuration(
    kind: &str,
    path: &str,
    webhooks: &[Webhook; 2],
    config: &KubernetesConfig,
    bundle: &str,
) -> Option<Value> {
    let asked = HALVES.iter().zip(webhooks).filter(|(_, webhook)| !webhook.rules.is_empty());
    let webhooks: Vec<_> = asked
        .map(|((_, policy, half), webhook)| {
            let mut json = json!({
                "name": format!("{path}-{half}.palisade.dev"),
                "admissionReviewVersions": ["v1"],
                "clientConfig": client(config, &format!("/{path}/{half}"), bundle),
                "failurePolicy": policy,
                "matchPolicy": "Equivalent",
                "sideEffects": "NoneOnDryRun",
                "timeoutSeconds": webhook.timeout,
                "namespaceSelector": namespaces(config),
                "matchConditions": conditions(config, &webhook.rules),
                "rules": webhook.rules.iter().map(Rule::to_json).collect::<Vec<_>>(),
            });
            if kind == "Mutating"
                && let Some(members) = json.as_object_mut()
            {
                members.insert("reinvocationPolicy".into(), "IfNeeded".into());
            }
            json
        })
        .collect();
    (!webhooks.is_empty()).then(|| {
        value(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": format!("{kind}WebhookConfiguration"),
            "metadata": {"name": NAME, "labels": {"app.kubernetes.io/managed-by": "palisade"}},
            "webhooks": webhooks,
        }))
    })
}

fn client(config: &KubernetesConfig, path: &str, bundle: &str) -> serde_json::Value {
    let bundle = STANDARD.encode(bundle);
    match &config.webhook_url {
        Some(url) => json!({"url": format!("{}{path}", url.trim_end_matches('/')), "caBundle": bundle}),
        None => json!({
            "service": {
                "namespace": config.namespace,
                "name": config.service,
                "port": config.service_port,
                "path": path,
            },
            "caBundle": bundle,
        }),
    }
}

/// All namespaces but our own and the excluded ones.
fn namespaces(config: &KubernetesConfig) -> serde_json::Value {
    let mut excluded: Vec<_> = config.excluded_namespaces.iter().chain([&config.namespace]).collect();
    excluded.sort();
    excluded.dedup();
    json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": excluded}]})
}

fn conditions(config: &KubernetesConfig, rules: &[Rule]) -> Vec<serde_json::Value> {
    let ours = format!("request.userInfo.username != '{}'", config.user());
    let mut conditions = vec![json!({"name": "not-palisade", "expression": ours})];
    if rules.iter().any(Rule::has_wildcards) {
        conditions.push(json!({"name": "not-exempt", "expression": exempt::condition()}));
    }
    conditions
}
