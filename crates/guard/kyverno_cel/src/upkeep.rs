//! What policies ask for beyond answering: `synchronize`, `generateExisting` and their kin, which the CEL kinds say under
//! `evaluation`.
//!
//! Read from the document once a policy was loaded without complaint, so that nothing is reported here.

use palisade_model::{Resource, Str, Value};
use palisade_policy::{RuleUpkeep, Schedule, Upkeep};

/// What a policy asks for.
pub(crate) fn of(document: &Resource, name: &Str) -> Upkeep {
    let spec = document.object.get("spec").unwrap_or(&Value::Null);
    let evaluation = spec.get("evaluation").unwrap_or(&Value::Null);
    let enabled = |key: &str| evaluation.dig([key, "enabled"]).and_then(Value::as_bool).unwrap_or(false);
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

/// Whether the selection of a policy, or of a rule of the older generation, names the operation `DELETE`.
pub fn names_removal(selection: Option<&Value>) -> bool {
    match selection {
        Some(Value::Array(items)) => items.iter().any(|item| names_removal(Some(item))),
        Some(Value::Object(members)) => members.iter().any(|(key, value)| {
            let listed = || value.as_array().unwrap_or_default().iter().any(|item| item.as_str() == Some("DELETE"));
            if &**key == "operations" { listed() } else { names_removal(Some(value)) }
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn cel_kinds_say_it_under_evaluation() {
        let generating = Resource::in_memory(json!({"kind": "NamespacedGeneratingPolicy", "spec": {
            "evaluation": {"synchronize": {"enabled": true}, "generateExisting": {"enabled": true}}
        }}));
        let rule = RuleUpkeep { existing: true, synchronize: true, ..RuleUpkeep::default() };
        assert_eq!(of(&generating, &"p".into()).rule("p"), Some(&rule));
        let deleting = Resource::in_memory(json!({"kind": "DeletingPolicy", "spec": {
            "schedule": "0 1 * * *", "deletionPropagationPolicy": "Orphan"
        }}));
        let upkeep = of(&deleting, &"p".into());
        assert_eq!(upkeep.schedule.map(|schedule| schedule.as_str().to_owned()), Some("0 1 * * *".to_owned()));
        assert_eq!(upkeep.propagation.as_deref(), Some("Orphan"));
    }
}
