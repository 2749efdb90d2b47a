#![expect(clippy::needless_pass_by_value, reason = "literals read better without a borrow")]

use palisade_model::json;
use palisade_policy::{Offline, Operation, Variables};

use super::*;

fn load(spec: Value) -> Result<CleanupPolicy, Vec<String>> {
    let document = Resource::in_memory(json!({
        "apiVersion": "kyverno.io/v2", "kind": "ClusterCleanupPolicy", "metadata": {"name": "tidy"}, "spec": spec
    }));
    assert!(claims(&document));
    let mut diagnostics = Vec::new();
    policy(&document, &mut diagnostics)
        .ok_or_else(|| diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect())
}

fn spec() -> Value {
    json!({
        "schedule": "*/5 * * * *",
        "deletionPropagationPolicy": "Orphan",
        "match": {"any": [{"resources": {"kinds": ["Deployment"]}}]},
        "exclude": {"any": [{"resources": {"selector": {"matchLabels": {"keep": "true"}}}}]},
        "conditions": {"any": [{"key": "{{ target.spec.replicas }}", "operator": "Equals", "value": 0}]}
    })
}

fn outcomes(object: Value) -> Vec<RuleOutcome> {
    let policy = load(spec()).unwrap();
    let variables = Variables::default();
    let environment = Environment::new(jiff::Timestamp::UNIX_EPOCH, &Offline, &variables);
    let request = Request::admission(AdmissionRequest::of(&Resource::in_memory(object), Operation::Create));
    assert_eq!(policy.evaluate(Phase::Validate, &request, &environment).len(), 0);
    policy.evaluate(Phase::Delete, &request, &environment)
}

fn deployment(replicas: Value, labels: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": labels}, "spec": {"replicas": replicas}})
}

#[test]
fn objects_that_meet_the_conditions_are_removed() {
    let [outcome] = outcomes(deployment(json!(0), json!({}))).try_into().unwrap();
    assert_eq!(outcome.verdict, Verdict::Pass);
    assert!(matches!(outcome.effect, Effect::Deleted));
    assert_eq!(outcome.properties, [("deletionPropagationPolicy".into(), "Orphan".into())]);
    let [outcome] = outcomes(deployment(json!(2), json!({}))).try_into().unwrap();
    assert_eq!(outcome.verdict, Verdict::Fail);
    assert!(matches!(outcome.effect, Effect::None));
}

#[test]
fn other_objects_are_not_looked_at_and_unset_variables_are_errors() {
    assert_eq!(outcomes(deployment(json!(0), json!({"keep": "true"}))).len(), 0);
    assert_eq!(outcomes(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}})).len(), 0);
    let without = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {}});
    assert_eq!(outcomes(without)[0].verdict, Verdict::Error);
}

#[test]
fn what_cannot_run_is_reported() {
    let with = |key: &str, value: Value| {
        let mut spec = spec();
        spec.as_object_mut().unwrap().insert(key, value);
        load(spec).unwrap_err()
    };
    assert_eq!(
        with("schedule", json!("often")),
        ["`often` is not a schedule: it needs 5 fields, it has 1 (at `spec.schedule`)"]
    );
    assert_eq!(
        with("deletionPropagationPolicy", json!("No")),
        ["unknown propagation `No` (at `spec.deletionPropagationPolicy`)"]
    );
    assert_eq!(with("match", json!({})), ["a cleanup policy needs kinds (at `spec.match`)"]);
    let users = json!({"any": [{"subjects": [{"kind": "User", "name": "a"}], "resources": {"kinds": ["Pod"]}}]});
    assert_eq!(with("match", users).len(), 1);
}

#[test]
fn calls_of_a_cleanup_policy_are_checked_when_it_is_loaded() {
    let with = |key: &str| {
        let mut spec = spec();
        let condition = json!({"any": [{"key": key, "operator": "DurationGreaterThan", "value": "1m"}]});
        spec.as_object_mut().unwrap().insert("conditions", condition);
        load(spec).map(|_| ()).map_err(|messages| messages.join("; "))
    };
    assert_eq!(with("{{ time_since('', target.metadata.creationTimestamp, '') }}"), Ok(()));
    let told = with("{{ time_since(target.metadata.creationTimestamp) }}").unwrap_err();
    assert!(told.contains("function `time_since` takes 3 arguments, not 1"), "{told}");
    assert!(with("{{ target.metadata[ }}").unwrap_err().contains("is no JMESPath expression"));
}
