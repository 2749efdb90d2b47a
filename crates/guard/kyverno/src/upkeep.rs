//! What Kyverno's policies of both generations ask for beyond answering: `synchronize`, `generateExisting` and their kin.
//!
//! Read from the document once a policy was loaded without complaint, so that nothing is reported here.

use palisade_model::{Resource, Str, Value};
use palisade_policy::{RuleUpkeep, Schedule, Upkeep};

/// What the rules of a ClusterPolicy or Policy ask for. Settings of the whole policy, which are deprecated, hold for rules
/// that say nothing.
pub(crate) fn of_rules(document: &Resource) -> Upkeep {
    let spec = document.object.get("spec").unwrap_or(&Value::Null);
    let rules = spec.get("rules").and_then(Value::as_array).unwrap_or_default();
    let rules = rules.iter().filter_map(|rule| {
        let name = rule.get("name").and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let upkeep = match (rule.get("generate"), rule.get("mutate")) {
            (Some(generate), _) => of_generation(generate, spec),
            (None, Some(mutate)) => of_mutation(mutate, spec)?,
            _ => return None,
        };
        Some((name, RuleUpkeep { removals: names_removal(rule.get("match")), ..upkeep }))
    });
    Upkeep { rules: rules.collect(), ..Upkeep::default() }
}

fn flag(node: &Value, key: &str) -> Option<bool> {
    node.get(key).and_then(Value::as_bool)
}

fn of_generation(generate: &Value, spec: &Value) -> RuleUpkeep {
    let loops = generate.get("foreach").and_then(Value::as_array).unwrap_or_default();
    let clones = |node: &Value| node.get("clone").is_some() || node.get("cloneList").is_some();
    RuleUpkeep {
        existing: flag(generate, "generateExisting").or_else(|| flag(spec, "generateExisting")).unwrap_or(false),
        synchronize: flag(generate, "synchronize").unwrap_or(false),
        orphan: flag(generate, "orphanDownstreamOnPolicyDelete").unwrap_or(false),
        clones: clones(generate) || loops.iter().any(clones),
        takes_over: flag(spec, "useServerSideApply").unwrap_or(false),
        ..RuleUpkeep::default()
    }
}

/// Whether the selection of a rule or policy names the operation `DELETE`.
fn names_removal(selection: Option<&Value>) -> bool {
    match selection {
        Some(Value::Array(items)) => items.iter().any(|item| names_removal(Some(item))),
        Some(Value::Object(members)) => members.iter().any(|(key, value)| {
            let listed = || value.as_array().unwrap_or_default().iter().any(|item| item.as_str() == Some("DELETE"));
            if &**key == "operations" { listed() } else { names_removal(Some(value)) }
        }),
        _ => false,
    }
}

/// `None` for rules that change the object of the request.
fn of_mutation(mutate: &Value, spec: &Value) -> Option<RuleUpkeep> {
    let targets = mutate.get("targets").and_then(Value::as_array).is_some_and(|targets| !targets.is_empty());
    let existing = flag(mutate, "mutateExistingOnPolicyUpdate").or_else(|| flag(spec, "mutateExistingOnPolicyUpdate"));
    targets.then(|| RuleUpkeep { existing: existing.unwrap_or(false), targets, ..RuleUpkeep::default() })
}

/// What a policy of the CEL generation asks for.
pub(crate) fn of_cel_policy(document: &Resource, name: &Str) -> Upkeep {
    let spec = document.object.get("spec").unwrap_or(&Value::Null);
    let evaluation = spec.get("evaluation").unwrap_or(&Value::Null);
    let enabled = |key: &str| evaluation.get(key).and_then(|node| flag(node, "enabled")).unwrap_or(false);
    let text = |key: &str| spec.get(key).and_then(Value::as_str);
    let kind = document.kind();
    let removals = names_removal(spec.get("matchConstraints"));
    let rule = if kind.ends_with("GeneratingPolicy") {
        Some(RuleUpkeep {
            existing: enabled("generateExisting"),
            synchronize: enabled("synchronize"),
            orphan: enabled("orphanDownstreamOnPolicyDelete"),
            removals,
            ..RuleUpkeep::default()
        })
    } else if kind.ends_with("MutatingPolicy") && spec.get("targetMatchConstraints").is_some() {
        Some(RuleUpkeep { existing: enabled("mutateExisting"), targets: true, removals, ..RuleUpkeep::default() })
    } else {
        None
    };
    let schedule = text("schedule").filter(|_| kind.ends_with("DeletingPolicy"));
    Upkeep {
        schedule: schedule.and_then(|text| Schedule::parse(text).ok()),
        propagation: text("deletionPropagationPolicy").map(Str::from),
        rules: rule.map(|rule| (name.clone(), rule)).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn settings_of_rules_win_over_those_of_the_policy() {
        let document = Resource::in_memory(json!({"kind": "ClusterPolicy", "spec": {
            "generateExisting": true, "mutateExistingOnPolicyUpdate": true, "useServerSideApply": true,
            "rules": [
                {"name": "copy", "generate": {"synchronize": true, "generateExisting": false, "clone": {}}},
                {"name": "make", "generate": {"orphanDownstreamOnPolicyDelete": true, "data": {}}},
                {"name": "roll", "mutate": {"targets": [{}]}},
                {"name": "patch", "mutate": {}}
            ]
        }}));
        let upkeep = of_rules(&document);
        let copy = RuleUpkeep { synchronize: true, clones: true, takes_over: true, ..RuleUpkeep::default() };
        assert_eq!(upkeep.rule("copy"), Some(&copy));
        let make = RuleUpkeep { existing: true, orphan: true, takes_over: true, ..RuleUpkeep::default() };
        assert_eq!(upkeep.rule("make"), Some(&make));
        let roll = RuleUpkeep { existing: true, targets: true, ..RuleUpkeep::default() };
        assert_eq!(upkeep.rule("roll"), Some(&roll));
        assert_eq!(upkeep.rule("patch"), None);
    }

    #[test]
    fn cel_kinds_say_it_under_evaluation() {
        let generating = Resource::in_memory(json!({"kind": "NamespacedGeneratingPolicy", "spec": {
            "evaluation": {"synchronize": {"enabled": true}, "generateExisting": {"enabled": true}}
        }}));
        let rule = RuleUpkeep { existing: true, synchronize: true, ..RuleUpkeep::default() };
        assert_eq!(of_cel_policy(&generating, &"p".into()).rule("p"), Some(&rule));
        let deleting = Resource::in_memory(json!({"kind": "DeletingPolicy", "spec": {
            "schedule": "0 1 * * *", "deletionPropagationPolicy": "Orphan"
        }}));
        let upkeep = of_cel_policy(&deleting, &"p".into());
        assert_eq!(upkeep.schedule.map(|schedule| schedule.as_str().to_owned()), Some("0 1 * * *".to_owned()));
        assert_eq!(upkeep.propagation.as_deref(), Some("Orphan"));
    }
}
