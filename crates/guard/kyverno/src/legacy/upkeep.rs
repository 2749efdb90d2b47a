//! What rules ask for beyond answering: `synchronize`, `generateExisting` and their kin.
//!
//! Read from the document once a policy was loaded without complaint, so that nothing is reported here.

use palisade_kyverno_cel::upkeep::names_removal;
use palisade_model::{Resource, Value};
use palisade_policy::{RuleUpkeep, Upkeep};

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

/// `None` for rules that change the object of the request.
fn of_mutation(mutate: &Value, spec: &Value) -> Option<RuleUpkeep> {
    let targets = mutate.get("targets").and_then(Value::as_array).is_some_and(|targets| !targets.is_empty());
    let existing = flag(mutate, "mutateExistingOnPolicyUpdate").or_else(|| flag(spec, "mutateExistingOnPolicyUpdate"));
    targets.then(|| RuleUpkeep { existing: existing.unwrap_or(false), targets, ..RuleUpkeep::default() })
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
}
