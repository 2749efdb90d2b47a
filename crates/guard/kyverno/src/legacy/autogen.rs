//! Autogen: rules for Pods, derived for the controllers that make Pods.
//!
//! Works on rules as written, before they are read into types: a derived rule is the Pod rule with its kinds replaced,
//! its patterns nested under the pod template, and every mention of the object's `spec` and `metadata` redirected.
//! Deliberately absent: Kyverno's CEL kinds, which have their own autogen.

use palisade_model::{Map, Str, Value};

/// The annotation that narrows or turns off autogen.
const CONTROLLERS_ANNOTATION: &str = "pod-policies.kyverno.io/autogen-controllers";

/// Controllers with a pod template, in the order in which Kyverno lists them, with the selectors of their kind. A cluster
/// hands a controller over in the version that it stores; a manifest may still have one that clusters have dropped, which
/// says nothing of its pods.
const CONTROLLERS: [(&str, &[&str]); 6] = [
    ("DaemonSet", &["apps/*/DaemonSet", "extensions/*/DaemonSet"]),
    ("Deployment", &["apps/*/Deployment", "extensions/*/Deployment"]),
    ("Job", &["batch/*/Job"]),
    ("ReplicaSet", &["apps/*/ReplicaSet", "extensions/*/ReplicaSet"]),
    ("ReplicationController", &["v1/ReplicationController"]),
    ("StatefulSet", &["apps/*/StatefulSet"]),
];
const CRON_JOB_SELECTOR: &str = "batch/*/CronJob";
const CRON_JOB: &str = "CronJob";

/// A rule's name may not be longer.
const MAX_NAME: usize = 63;

/// What autogen makes of a policy.
#[derive(Clone, Debug, Default)]
pub struct Derived {
    /// The derived rules, each with the index of its origin.
    pub rules: Vec<(usize, Value)>,
    /// The kinds for which validate rules are derived; others are judged by the written rules alone.
    pub kinds: Vec<Str>,
}

/// Derives rules from those that the policy `document` writes.
pub fn derive(document: &Value) -> Derived {
    let rules = document.dig(["spec", "rules"]).and_then(Value::as_array).unwrap_or_default();
    if !is_supported(rules) {
        return Derived::default();
    }
    let annotation = document.dig(["metadata", "annotations", CONTROLLERS_ANNOTATION]).and_then(Value::as_str);
    let every = || CONTROLLERS.iter().map(|(kind, _)| *kind).chain([CRON_JOB]).collect();
    let wanted: Vec<&str> = annotation.map_or_else(every, |text| text.split(',').collect());
    if wanted == ["none"] {
        return Derived::default();
    }
    let controllers: Vec<&str> = CONTROLLERS
        .iter()
        .filter(|(kind, _)| wanted.contains(kind))
        .flat_map(|(_, selectors)| *selectors)
        .copied()
        .collect();
    let cron = wanted.contains(&CRON_JOB);
    let mut derived = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        if !controllers.is_empty() {
            derived.extend(for_controllers(rule, &controllers).map(|rule| (index, redirected(&rule, TEMPLATE))));
        }
        if cron {
            derived.extend(for_cron_jobs(rule).map(|rule| (index, redirected(&rule, JOB_TEMPLATE))));
        }
    }
    Derived { rules: derived, kinds: wanted.into_iter().map(Str::from).collect() }
}

/// Whether every rule selects Pods in a way that carries over to their controllers, and one does.
fn is_supported(rules: &[Value]) -> bool {
    let mut needed = false;
    for rule in rules {
        let loops = rule.dig(["mutate", "foreach"]).and_then(Value::as_array).unwrap_or_default();
        let patched = |value: Option<&Value>| {
            value.and_then(|value| value.get("patchesJson6902")).and_then(Value::as_str).is_some_and(|t| !t.is_empty())
        };
        if present(rule, "generate") || patched(rule.get("mutate")) || loops.iter().any(|item| patched(Some(item))) {
            return false;
        }
        for block in ["match", "exclude"].iter().filter_map(|key| rule.get(key)) {
            for description in descriptions(block) {
                if !carries_over(description) {
                    return false;
                }
                let kinds = strings(description.get("kinds"));
                needed |= kinds.iter().any(|kind| {
                    matches!(*kind, "Pod" | CRON_JOB) || CONTROLLERS.iter().any(|(controller, _)| controller == kind)
                });
            }
        }
    }
    needed
}

fn present(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(|value| !value.is_null())
}

/// The resource descriptions of a block: the direct one and those of its filters.
fn descriptions(block: &Value) -> impl Iterator<Item = &Value> {
    let filters =
        ["any", "all"].into_iter().flat_map(|key| block.get(key).and_then(Value::as_array).unwrap_or_default());
    std::iter::once(block).chain(filters).filter_map(|filter| filter.get("resources"))
}

fn carries_over(description: &Value) -> bool {
    let kinds = strings(description.get("kinds"));
    let named = description.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty())
        || description.get("names").and_then(Value::as_array).is_some_and(|names| !names.is_empty());
    let mixed = kinds.len() > 1 && contains_kind(&kinds, "Pod");
    !(named || mixed || present(description, "selector") || present(description, "annotations"))
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).unwrap_or_default().iter().filter_map(Value::as_str).collect()
}

/// Whether one of the selectors is for `kind`, whatever group, version and subresource it names.
fn contains_kind(selectors: &[&str], kind: &str) -> bool {
    selectors.iter().any(|selector| &*super::spec::KindSelector::parse(selector).kind == kind)
}

fn is_derived_name(rule: &Value) -> bool {
    rule.get("name").and_then(Value::as_str).is_some_and(|name| name.starts_with("autogen-"))
}

fn kinds_of(block: Option<&Value>) -> Vec<&str> {
    block.into_iter().flat_map(descriptions).flat_map(|description| strings(description.get("kinds"))).collect()
}

fn for_controllers(rule: &Value, kinds: &[&str]) -> Option<Value> {
    if is_derived_name(rule) {
        return None;
    }
    let excluded = kinds_of(rule.get("exclude"));
    if !contains_kind(&kinds_of(rule.get("match")), "Pod") || !(excluded.is_empty() || contains_kind(&excluded, "Pod"))
    {
        return None;
    }
    let is_for_pods = |filter: &Value| contains_kind(&strings(filter.dig(["resources", "kinds"])), "Pod");
    generate(rule, "autogen", "template", kinds, &is_for_pods)
}

fn for_cron_jobs(rule: &Value) -> Option<Value> {
    let name = rule.get("name").cloned().unwrap_or_default();
    let mut nested = for_controllers(rule, &[CRON_JOB_SELECTOR])?;
    set(&mut nested, "name", name);
    generate(&nested, "autogen-cronjob", "jobTemplate", &[CRON_JOB_SELECTOR], &|_| true)
}

fn generate(
    rule: &Value,
    prefix: &str,
    template: &str,
    kinds: &[&str],
    replaced: &dyn Fn(&Value) -> bool,
) -> Option<Value> {
    let mut out = rule.clone();
    out.as_object_mut()?.retain(|key, _| &**key != "imageExtractors");
    let name = rule.get("name").and_then(Value::as_str).unwrap_or_default();
    set(&mut out, "name", Value::from(cut(&format!("{prefix}-{name}"))));
    let kinds = Value::array(kinds.iter().map(|kind| Value::from(*kind)).collect::<Vec<_>>());
    if let Some(block) = rule.get("match") {
        set(&mut out, "match", with_kinds(block, &kinds, replaced, true));
    }
    if let Some(block) = rule.get("exclude").filter(|block| !block.is_null()) {
        set(&mut out, "exclude", with_kinds(block, &kinds, replaced, false));
    }
    if let Some(mutate) = rule.get("mutate").filter(|mutate| !mutate.is_null()) {
        set(&mut out, "mutate", mutation(mutate, template)?);
        return Some(out);
    }
    if let Some(validate) = rule.get("validate").filter(|validate| !validate.is_null()) {
        set(&mut out, "validate", validation(validate, template)?);
        return Some(out);
    }
    present(rule, "verifyImages").then_some(out)
}

fn cut(name: &str) -> &str {
    let end = (0..=MAX_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name.get(..end).unwrap_or_default()
}

fn set(value: &mut Value, key: &str, new: Value) {
    if let Some(map) = value.as_object_mut() {
        map.insert(key, new);
    }
}

/// A block with the kinds of its filters replaced. The direct description of an `exclude` block keeps having no kinds.
fn with_kinds(block: &Value, kinds: &Value, replaced: &dyn Fn(&Value) -> bool, is_match: bool) -> Value {
    let mut out = block.clone();
    for key in ["any", "all"] {
        let filters = block.get(key).and_then(Value::as_array).unwrap_or_default();
        if filters.is_empty() {
            continue;
        }
        let changed =
            filters.iter().map(|filter| if replaced(filter) { filter_for(filter, kinds) } else { filter.clone() });
        set(&mut out, key, Value::array(changed.collect::<Vec<_>>()));
        return out;
    }
    let has_kinds = !strings(block.dig(["resources", "kinds"])).is_empty();
    if is_match || has_kinds { filter_for(&out, kinds) } else { out }
}

fn filter_for(filter: &Value, kinds: &Value) -> Value {
    let mut out = filter.clone();
    let mut resources = filter.get("resources").cloned().unwrap_or_else(|| Value::object(Map::new()));
    set(&mut resources, "kinds", kinds.clone());
    set(&mut out, "resources", resources);
    out
}

fn under(template: &str, pattern: &Value) -> Value {
    let inner: Map = [(Str::from(template), pattern.clone())].into_iter().collect();
    Value::object([(Str::from("spec"), Value::object(inner))].into_iter().collect())
}

/// `mutate` with its patches under the template; what else it says is dropped, as in Kyverno.
fn mutation(mutate: &Value, template: &str) -> Option<Value> {
    let mut out = Map::new();
    if let Some(patch) = mutate.get("patchStrategicMerge").filter(|patch| !patch.is_null()) {
        out.insert("patchStrategicMerge", under(template, patch));
        return Some(Value::object(out));
    }
    let loops = mutate.get("foreach").and_then(Value::as_array).filter(|loops| !loops.is_empty())?;
    let round = |item: &Value| {
        let kept = ["list", "context", "preconditions"];
        let mut round: Map = kept.iter().filter_map(|key| Some((Str::from(*key), item.get(key)?.clone()))).collect();
        round.insert("patchStrategicMerge", under(template, item.get("patchStrategicMerge").unwrap_or(&Value::Null)));
        Value::object(round)
    };
    out.insert("foreach", loops.iter().map(round).collect::<Vec<_>>());
    Some(Value::object(out))
}

fn validation(validate: &Value, template: &str) -> Option<Value> {
    let mut out = validate.clone();
    if let Some(pattern) = validate.get("pattern").filter(|pattern| !pattern.is_null()) {
        set(&mut out, "pattern", under(template, pattern));
    } else if let Some(patterns) = validate.get("anyPattern").and_then(Value::as_array) {
        let patterns: Vec<_> = patterns.iter().map(|pattern| under(template, pattern)).collect();
        set(&mut out, "anyPattern", Value::array(patterns));
    } else if !["deny", "podSecurity", "foreach", "cel"].iter().any(|key| present(validate, key)) {
        return None;
    }
    Some(out)
}

/// Where the pod template is.
const TEMPLATE: &str = "spec.template.";
const JOB_TEMPLATE: &str = "spec.jobTemplate.spec.template.";

/// The rule with every mention of the object's `spec` and `metadata` redirected to the template's.
fn redirected(rule: &Value, template: &str) -> Value {
    // CEL names the object without `request.`, too.
    let cel = rule.dig(["validate", "cel"]).is_some_and(|cel| !cel.is_null());
    let objects: [&str; 2] = if cel { ["object.", "oldObject."] } else { ["request.object.", "request.oldObject."] };
    let replacements: Vec<(String, String)> = ["spec", "metadata"]
        .iter()
        .flat_map(|part| objects.map(|object| (format!("{object}{part}"), format!("{object}{template}{part}"))))
        .collect();
    replace_all(rule, &replacements)
}

fn replace_all(value: &Value, replacements: &[(String, String)]) -> Value {
    let text =
        |text: &str| replacements.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from.as_str(), to));
    match value {
        Value::String(found) => Value::from(text(found)),
        Value::Array(items) => {
            Value::array(items.iter().map(|item| replace_all(item, replacements)).collect::<Vec<_>>())
        }
        Value::Object(map) => Value::object(
            map.iter().map(|(key, value)| (Str::from(text(key)), replace_all(value, replacements))).collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    fn policy(annotations: &Value, rule: &Value) -> Value {
        let text = format!(r#"{{"metadata":{{"annotations":{annotations}}},"spec":{{"rules":[{rule}]}}}}"#);
        Value::from_json(&text).unwrap()
    }

    fn pod_rule(validate: &str) -> Value {
        let text =
            format!(r#"{{"name":"r","match":{{"any":[{{"resources":{{"kinds":["Pod"]}}}}]}},"validate":{validate}}}"#);
        Value::from_json(&text).unwrap()
    }

    #[test]
    fn patterns_move_under_the_template_and_cron_jobs_one_deeper() {
        let derived = derive(&policy(&json!({}), &pod_rule(r#"{"pattern":{"spec":{"hostNetwork":false}}}"#)));
        let names: Vec<_> = derived.rules.iter().map(|(_, rule)| rule.get("name").cloned().unwrap()).collect();
        assert_eq!(names, [json!("autogen-r"), json!("autogen-cronjob-r")]);
        let pattern = |at: usize| derived.rules[at].1.dig(["validate", "pattern"]).cloned().unwrap();
        assert_eq!(pattern(0), json!({"spec": {"template": {"spec": {"hostNetwork": false}}}}));
        let nested = json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": {"hostNetwork": false}}}}}});
        assert_eq!(pattern(1), nested);
    }

    #[test]
    fn variables_and_cel_expressions_are_redirected() {
        let deny = r#"{"message":"{{request.object.metadata.name}}","deny":{"conditions":[{"key":"{{request.object.spec.x}}"}]}}"#;
        let derived = derive(&policy(&json!({}), &pod_rule(deny)));
        let text = derived.rules[0].1.to_json();
        assert!(text.contains("{{request.object.spec.template.spec.x}}"), "{text}");
        assert!(text.contains("{{request.object.spec.template.metadata.name}}"), "{text}");
        let derived =
            derive(&policy(&json!({}), &pod_rule(r#"{"cel":{"expressions":[{"expression":"object.spec.x"}]}}"#)));
        assert!(derived.rules[1].1.to_json().contains("object.spec.jobTemplate.spec.template.spec.x"));
    }

    #[test]
    fn the_annotation_narrows_and_some_rules_have_no_counterpart() {
        let narrowed = json!({"pod-policies.kyverno.io/autogen-controllers": "Deployment,Job"});
        let derived = derive(&policy(&narrowed, &pod_rule(r#"{"pattern":{}}"#)));
        assert_eq!(derived.rules.len(), 1);
        assert_eq!(
            kinds_of(derived.rules[0].1.get("match")),
            ["apps/*/Deployment", "extensions/*/Deployment", "batch/*/Job"]
        );
        let narrowed = json!({"pod-policies.kyverno.io/autogen-controllers": "CronJob"});
        let derived = derive(&policy(&narrowed, &pod_rule(r#"{"pattern":{}}"#)));
        assert_eq!(kinds_of(derived.rules[0].1.get("match")), ["batch/*/CronJob"]);
        let none = json!({"pod-policies.kyverno.io/autogen-controllers": "none"});
        assert!(derive(&policy(&none, &pod_rule(r#"{"pattern":{}}"#))).rules.is_empty());
        let named =
            json!({"name": "r", "match": {"resources": {"kinds": ["Pod"], "name": "x"}}, "validate": {"pattern": {}}});
        assert!(derive(&policy(&json!({}), &named)).rules.is_empty());
        let mixed =
            json!({"name": "r", "match": {"resources": {"kinds": ["Pod", "Job"]}}, "validate": {"pattern": {}}});
        assert!(derive(&policy(&json!({}), &mixed)).rules.is_empty());
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(cut(&"é".repeat(40)).len(), 62);
        assert_eq!(cut("short"), "short");
    }
}
