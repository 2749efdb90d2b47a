//! What a developer reads: denials, warnings, the answer's bytes.

use palisade_admission::{Limits, Review, answer_failure, mutate, response};
use palisade_model::{Severity, Value, json};
use palisade_policy::{FailurePolicy, Operation};
use palisade_verdict::Ruleset;
use palisade_verdict::selection::{Mode, Override, Overrides, Selector};
use palisade_verdict::waiver::{Entry, Terms, Waivers};

use crate::material::{bytes, offline, policies, request_about, review, ruleset, validated};

const POLICIES: &str = r#"
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: images
  annotations:
    policies.kyverno.io/severity: high
    palisade.dev/remediation: give the image a version
spec:
  validationFailureAction: Enforce
  rules:
    - name: tag
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate:
        message: an image without a version changes under your feet
        pattern: {spec: {containers: [{image: "*:*"}]}}
    - name: owner
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate:
        failureAction: Audit
        message: nobody owns it
        pattern: {metadata: {labels: {owner: "?*"}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: host, annotations: {policies.kyverno.io/severity: critical}}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}]
  validations: [{expression: "!object.spec.hostNetwork", message: the host's network is not for pods}]
  auditAnnotations: [{key: network, valueExpression: "'host network: ' + string(object.spec.hostNetwork)"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: host}
spec: {policyName: host, validationActions: [Deny, Audit]}
---
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: team}
spec:
  validationActions: [Warn, Audit]
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations: [{expression: "has(object.metadata.labels)", message: give it labels}]
"#;

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"hostNetwork": true, "containers": [{"name": "app", "image": "nginx"}]}
    })
}

fn annotation<'d>(decision: &'d palisade_model::Decision, key: &str) -> &'d str {
    decision.annotations.iter().find(|(name, _)| &**name == key).map_or("", |(_, text)| text)
}

#[test]
fn a_denial_names_rule_field_message_and_fix_hardest_first() {
    let decision = validated(&ruleset(POLICIES), &pod(), Operation::Create);
    assert!(!decision.allowed);
    assert_eq!(
        decision.message,
        "Pod shop/web breaks 2 rules:\n\
         1. host at spec.hostNetwork: the host's network is not for pods.\n\
         2. images/tag at spec.containers[0].image: an image without a version changes under your feet. \
         Fix: give the image a version."
    );
    assert_eq!(decision.warnings, ["team at metadata.labels: give it labels"]);
    assert_eq!(annotation(&decision, "denied"), "images/tag, host");
    assert_eq!(annotation(&decision, "audited"), "images/owner");
    assert_eq!(annotation(&decision, "warned"), "team");
    assert_eq!(annotation(&decision, "host.network"), "host network: true");
    assert_eq!((decision.counts.fail, decision.counts.warn), (3, 1));
}

#[test]
fn overrides_and_waivers_settle_what_a_violation_leads_to() {
    let over = |policies: &str, namespace: &str, mode| Override {
        selector: Selector {
            policies: vec![policies.into()],
            namespaces: vec![namespace.into()],
            ..Selector::default()
        },
        mode: Some(mode),
        severity: Some(Severity::Low),
    };
    let overrides = Overrides(vec![
        over("host", "shop", Mode::Off),
        over("team", "elsewhere", Mode::Enforce),
        over("images/owner", "s*", Mode::Warn),
    ]);
    let waiver = |expires: &str| {
        let terms = Terms {
            policies: vec!["images/tag".into()],
            reason: Some("legacy".into()),
            owner: Some("shop".into()),
            expires: Some(expires.into()),
        };
        let (waiver, last_day) = terms.grant(None, false).unwrap();
        let selector = Selector { policies: terms.policies, ..Selector::default() };
        Entry { selector, waiver: waiver.into(), last_day }
    };
    let decide = |expires: &str| {
        let waivers = Waivers::new(vec![waiver(expires)]);
        let ruleset = Ruleset::new(policies(POLICIES), overrides.clone(), waivers, "");
        validated(&ruleset, &pod(), Operation::Create)
    };
    let waived = decide("1970-01-01");
    assert!(waived.allowed, "{}", waived.message);
    assert_eq!(annotation(&waived, "waived"), "images/tag");
    assert_eq!(
        waived.warnings,
        ["images/owner at metadata.labels: nobody owns it", "team at metadata.labels: give it labels"]
    );
    assert!(!decide("1969-12-31").allowed);
}

#[test]
fn what_cannot_be_evaluated_follows_the_failure_policy() {
    let broken = |failure_policy: &str| {
        let policy = POLICIES
            .split("---")
            .nth(1)
            .unwrap()
            .replace("failurePolicy: Fail", &format!("failurePolicy: {failure_policy}"))
            .replace("!object.spec.hostNetwork", "object.spec.missing");
        validated(&ruleset(&policy), &pod(), Operation::Create)
    };
    let refused = broken("Fail");
    assert!(!refused.allowed);
    assert!(
        refused.message.starts_with("Pod shop/web is refused: host could not be evaluated: "),
        "{}",
        refused.message
    );
    let review = review(&request_about(&pod(), Operation::Create));
    let answer = Value::from_json(&String::from_utf8(response(&refused, &review)).unwrap()).unwrap();
    assert_eq!(answer.dig(["response", "status", "code"]), Some(&Value::Int(500)));
    let ignored = broken("Ignore");
    assert!(ignored.allowed);
    assert!(
        ignored.warnings.iter().any(|warning| warning.contains("could not be evaluated")),
        "{:?}",
        ignored.warnings
    );
}

#[test]
fn answers_are_reviews_of_their_own() {
    let request = request_about(&pod(), Operation::Create);
    let read = |bytes: Vec<u8>| Value::from_json(&String::from_utf8(bytes).unwrap()).unwrap();
    let answer = |decision: &palisade_model::Decision| read(response(decision, &review(&request)));
    let denied = answer(&validated(&ruleset(POLICIES), &pod(), Operation::Create));
    assert_eq!(denied.dig(["response", "uid"]), request.get("uid"));
    assert_eq!(denied.dig(["response", "status", "code"]), Some(&Value::Int(403)));
    assert_eq!(denied.dig(["response", "allowed"]), Some(&Value::Bool(false)));

    let mutating = ruleset(
        "{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: label}, spec: {rules: [{name: add, \
         match: {any: [{resources: {kinds: [Pod]}}]}, \
         mutate: {patchStrategicMerge: {metadata: {labels: {+(team): shop}}}}}]}}",
    );
    let changed = answer(&offline(|environment| mutate(&mutating, &review(&request), environment)));
    assert_eq!(changed.dig(["response", "patchType"]), Some(&Value::from("JSONPatch")));
    let patch = "W3sib3AiOiJhZGQiLCJwYXRoIjoiL21ldGFkYXRhL2xhYmVscyIsInZhbHVlIjp7InRlYW0iOiJzaG9wIn19XQ==";
    assert_eq!(changed.dig(["response", "patch"]).and_then(Value::as_str), Some(patch));

    let failed = read(answer_failure("7", FailurePolicy::Fail, 400, "no JSON"));
    assert_eq!(failed.dig(["response", "status", "reason"]), Some(&Value::from("BadRequest")));
    let ignored = read(answer_failure("7", FailurePolicy::Ignore, 500, "no time"));
    assert_eq!(ignored.dig(["response", "warnings"]), Some(&json!(["not judged: no time"])));
    assert_eq!(ignored.dig(["response", "allowed"]), Some(&Value::Bool(true)));
}

#[test]
fn what_is_no_review_is_refused_with_the_place_and_the_uid() {
    let whole = bytes(&request_about(&pod(), Operation::Create));
    let read = |bytes: &[u8]| Review::read(bytes, &Limits::default()).unwrap_err();
    let text = String::from_utf8(whole.clone()).unwrap();
    for (changed, message) in [
        (text.replace("admission.k8s.io/v1", "admission.k8s.io/v1beta1"), "`apiVersion` is `admission.k8s.io/v1beta1`"),
        (text.replace("\"CREATE\"", "\"MAKE\""), "`request.operation` is `MAKE`"),
        (text.replace("\"dryRun\":false", "\"dryRun\":7"), "`request.dryRun` is no boolean but number"),
        (text.replace("\"AdmissionReview\"", "\"Pod\""), "`kind` is `Pod`"),
        (text.replace("705ab4f5", "\\ud83d\\u0001705ab4f5").replace("},\"kind\"", "}},\"kind\""), "expected"),
    ] {
        let error = read(changed.as_bytes()).to_string();
        assert!(error.contains(message), "{error}");
    }
    // Cut anywhere, the uid is known as soon as it was there.
    let known_from = text.find("\"uid\"").unwrap() + "\"uid\":\"705ab4f5-6393-11e8-b7cc-42010a800002\"".len();
    for end in 0..whole.len() {
        let error = read(&whole[..end]);
        assert_eq!(!error.uid.is_empty(), end >= known_from, "{end}: {error}");
    }
    let long = Limits { bytes: 1_000, ..Limits::default() };
    let padded = format!("{}{}", text, " ".repeat(2_000));
    let error = Review::read(padded.as_bytes(), &long).unwrap_err();
    assert_eq!((error.uid.is_empty(), error.to_string().contains("more than 1000")), (false, true));
}
