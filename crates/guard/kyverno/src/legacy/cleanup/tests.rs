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
fn schedules_give_the_next_moment() {
    let next = |schedule: &str, after: &str| {
        let next = Schedule::parse(schedule).unwrap().next_after(after.parse().unwrap());
        next.map(|moment| moment.to_string()).unwrap_or_default()
    };
    for (schedule, after, expected) in [
        ("*/15 * * * *", "2026-01-01T10:14:59Z", "2026-01-01T10:15:00Z"),
        ("*/15 * * * *", "2026-01-01T10:15:00Z", "2026-01-01T10:30:00Z"),
        ("0 3 * * MON-fri", "2026-01-02T03:00:00Z", "2026-01-05T03:00:00Z"),
        ("30 23 31 12 *", "2026-12-31T23:30:10Z", "2027-12-31T23:30:00Z"),
        ("0 0 13 * 5", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ("0 0 29 feb ?", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
        ("@monthly", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"),
        ("5/20 22-23 * * *", "2026-01-01T23:45:00Z", "2026-01-02T22:05:00Z"),
        ("0 0 31 2 *", "2026-01-01T00:00:00Z", ""),
    ] {
        assert_eq!(next(schedule, after), expected, "{schedule} after {after}");
    }
    for wrong in
        ["", "* * * *", "60 * * * *", "* * 0 * *", "* * * 13 *", "* * * * 7", "5-1 * * * *", "*/0 * * * *", "@every 1h"]
    {
        assert!(Schedule::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_label_gives_the_moment_of_removal() {
    let moment = |ttl: &str| {
        let object = json!({"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z", "labels": {TTL_LABEL: ttl}}});
        expiry(&object).map(|moment| moment.map(|moment| moment.to_string()).unwrap_or_default())
    };
    assert_eq!(moment("1h30m"), Ok("2026-01-01T01:30:00Z".to_owned()));
    assert_eq!(moment("2d"), Ok("2026-01-03T00:00:00Z".to_owned()));
    assert_eq!(moment("2030-01-31"), Ok("2030-01-31T00:00:00Z".to_owned()));
    assert_eq!(moment("2030-01-31T120000Z"), Ok("2030-01-31T12:00:00Z".to_owned()));
    assert!(moment("soon").is_err());
    assert_eq!(expiry(&json!({})), Ok(None));
}
