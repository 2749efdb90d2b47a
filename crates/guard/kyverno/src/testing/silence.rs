//! Whether a CEL policy that does not select an object is silent about it, or answers without outcomes.
//!
//! Upstream drops empty answers of policies whose constraints are one plain rule, so that a result about them fails;
//! those of others, derived ones (autogen) included, count as an exclusion, which passes.

use palisade_model::{Resource, Value};

/// Whether no empty answer of the policy or of what autogen derives from it is kept.
pub(super) fn is_silent(document: &Resource) -> bool {
    let constraints = document.object.dig(["spec", "matchConstraints"]).filter(|value| !value.is_null());
    constraints.and_then(only_rule).is_some_and(|rule| !selects_pods(rule) || derived_groups(document) < 2)
}

fn is_filled(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        _ => false,
    }
}

/// The one rule of constraints that select by nothing else.
fn only_rule(constraints: &Value) -> Option<&Value> {
    let selects = |selector: &str| {
        let selector = constraints.get(selector);
        ["matchLabels", "matchExpressions"].iter().any(|key| is_filled(selector.and_then(|value| value.get(key))))
    };
    let [rule] = constraints.get("resourceRules")?.as_array()? else { return None };
    let plain = !selects("namespaceSelector")
        && !selects("objectSelector")
        && !is_filled(constraints.get("excludeResourceRules"))
        && !is_filled(rule.get("resourceNames"));
    plain.then_some(rule)
}

fn selects_pods(rule: &Value) -> bool {
    let only = |key: &str, text: &str| {
        let items = rule.get(key).and_then(Value::as_array).unwrap_or_default();
        matches!(items, [item] if item.as_str() == Some(text))
    };
    only("apiGroups", "") && only("apiVersions", "v1") && only("resources", "pods")
}

/// How many API groups the rules that autogen derives for pod templates are about.
fn derived_groups(document: &Resource) -> usize {
    let controllers = document.object.dig(["spec", "autogen", "podControllers", "controllers"]);
    let Some(controllers) = controllers.and_then(Value::as_array) else { return 2 };
    let listed = |names: &[&str]| controllers.iter().filter_map(Value::as_str).any(|name| names.contains(&name));
    usize::from(listed(&["daemonsets", "deployments", "replicasets", "statefulsets"])) + usize::from(listed(&["jobs"]))
}
