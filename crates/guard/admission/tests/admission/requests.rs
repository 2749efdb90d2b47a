//! Connections, subresources and deletions before each engine, as the engines' own webhooks see them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use palisade_admission::{Review, roles_of, validate};
use palisade_model::{Value, json};
use palisade_policy::{Effect, Environment, FailurePolicy, Operation, Phase, Request, Stop};

use crate::material::{created, offline, request_about, review, ruleset, validated};

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"containers": [{"name": "app", "image": "nginx"}]}
    })
}

/// `kubectl exec` into a pod.
fn exec() -> Review {
    let options = json!({"apiVersion": "v1", "kind": "PodExecOptions", "container": "app", "command": ["sh"]});
    let mut request = request_about(&options, Operation::Connect);
    let map = request.as_object_mut().unwrap();
    map.insert("resource", json!({"group": "", "version": "v1", "resource": "pods"}));
    map.insert("requestResource", json!({"group": "", "version": "v1", "resource": "pods"}));
    map.insert("subResource", "exec");
    map.insert("requestSubResource", "exec");
    map.insert("name", "web");
    map.insert("namespace", "shop");
    review(&request)
}

/// `kubectl scale` of a deployment, whose request is of another group than the deployment.
fn scale() -> Review {
    let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 9}});
    let mut request = request_about(&scale, Operation::Update);
    let map = request.as_object_mut().unwrap();
    map.insert("resource", json!({"group": "apps", "version": "v1", "resource": "deployments"}));
    map.insert("oldObject", json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 1}}));
    map.insert("subResource", "scale");
    review(&request)
}

fn denied(policy: &str, review: &Review) -> bool {
    offline(|environment| !validate(&ruleset(policy), review, environment).allowed)
}

fn kyverno(kinds: &str, deny: &str) -> String {
    format!(
        "{{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {{name: p}}, spec: {{validationFailureAction: \
         Enforce, background: false, rules: [{{name: r, match: {{any: [{{resources: {{kinds: [{kinds}]}}}}]}}, \
         validate: {{message: stop, {deny}}}}}]}}}}"
    )
}

fn cel(group: &str, resource: &str, operation: &str, expression: &str) -> String {
    format!(
        "{{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {{name: p}}, spec: \
         {{matchConstraints: {{resourceRules: [{{apiGroups: ['{group}'], apiVersions: [v1], operations: [{operation}], \
         resources: ['{resource}']}}]}}, validations: [{{expression: \"{expression}\"}}]}}}}"
    )
}

fn gatekeeper(kind: &str, operations: &str) -> String {
    format!(
        r#"
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {{name: k8snone}}
spec:
  crd: {{spec: {{names: {{kind: K8sNone}}}}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      {operations}
      rego: |
        package k8snone
        violation[{{"msg": "no"}}] {{ input.review.kind.kind == "{kind}" }}
---
{{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sNone, metadata: {{name: none}},
  spec: {{match: {{kinds: [{{apiGroups: ["*"], kinds: [{kind}]}}]}}}}}}
"#
    )
}

#[test]
fn connections_are_judged_by_policies_that_name_them() {
    let in_production = "deny: {conditions: {any: [{key: '{{ request.namespace }}', operator: Equals, value: shop}]}}";
    assert!(denied(&kyverno("Pod/exec", in_production), &exec()));
    assert!(!denied(&kyverno("Pod", in_production), &exec()));
    assert!(!denied(&kyverno("Pod/attach", in_production), &exec()));
    assert!(denied(&kyverno("PodExecOptions, 'Pod/*'", in_production), &exec()));
    assert!(denied(&cel("", "pods/exec", "CONNECT", "object.container != 'app'"), &exec()));
    assert!(!denied(&cel("", "pods", "'*'", "false"), &exec()));
    assert!(!denied(&cel("", "pods/exec", "CREATE", "false"), &exec()));
    assert!(denied(&gatekeeper("PodExecOptions", ""), &exec()));
    let decision =
        offline(|environment| validate(&ruleset(&cel("", "pods/exec", "CONNECT", "false")), &exec(), environment));
    assert!(decision.message.starts_with("pods/exec shop/web breaks p"), "{}", decision.message);
}

#[test]
fn a_subresource_goes_by_the_group_of_its_resource() {
    assert!(denied(&cel("apps", "deployments/scale", "UPDATE", "object.spec.replicas < 5"), &scale()));
    assert!(!denied(&cel("autoscaling", "deployments/scale", "UPDATE", "false"), &scale()));
    assert!(!denied(&cel("apps", "deployments", "UPDATE", "false"), &scale()));
    let few = "pattern: {spec: {replicas: '<5'}}";
    assert!(denied(&kyverno("Deployment/scale", few), &scale()));
    assert!(!denied(&kyverno("Deployment", few), &scale()));
    assert!(denied(&gatekeeper("Scale", ""), &scale()));
}

#[test]
fn deletions_are_judged_by_policies_that_look_at_what_goes() {
    let delete = |policy: &str| validated(&ruleset(policy), &pod(), Operation::Delete);
    // A pattern is about what an object is to look like, which says nothing against taking it away.
    assert!(delete(&kyverno("Pod", "pattern: {metadata: {labels: {a: b}}}")).allowed);
    let deny = "deny: {conditions: {all: [{key: '{{ request.operation }}', operator: Equals, value: DELETE}]}}";
    assert!(!delete(&kyverno("Pod", deny)).allowed);
    assert!(!delete(&cel("", "pods", "DELETE", "oldObject.metadata.name != 'web'")).allowed);
    assert!(!delete(&cel("", "pods", "DELETE", "object != null")).allowed);
    // Gatekeeper's webhooks leave deletions out, unless a template asks for them.
    assert!(delete(&gatekeeper("Pod", "")).allowed);
    assert!(!delete(&gatekeeper("Pod", "operations: [DELETE]")).allowed);
    let name = &delete(&kyverno("Pod", deny)).message;
    assert!(name.starts_with("Pod shop/web breaks p/r"), "{name}");
}

#[test]
fn roles_of_the_user_are_what_kyverno_selects_by() {
    let policy = "{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {validationFailureAction: \
        Enforce, background: false, rules: [{name: r, match: {all: [{resources: {kinds: [Pod]}}]}, exclude: {any: \
        [{clusterRoles: [cluster-admin]}]}, validate: {message: stop, deny: {}}}]}}";
    let mut asked = review(&request_about(&pod(), Operation::Create));
    assert!(denied(policy, &asked));
    let binding = json!({"roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": "jane"}]});
    let roles = roles_of(&asked.request.user, [], [&binding]);
    (asked.request.roles, asked.request.cluster_roles) = (roles.roles, roles.cluster_roles);
    assert!(!denied(policy, &asked));
}

#[test]
fn a_webhook_asks_policies_of_its_failure_policy_only() {
    let policy = kyverno("Pod", "deny: {}").replace("spec: {", "spec: {failurePolicy: Ignore, ");
    let mut asked = review(&request_about(&pod(), Operation::Create));
    for (only, expected) in [(None, true), (Some(FailurePolicy::Ignore), true), (Some(FailurePolicy::Fail), false)] {
        asked.asked = only;
        assert_eq!(denied(&policy, &asked), expected, "{only:?}");
    }
}

#[test]
fn policies_that_are_not_for_a_checkpoint_are_not_asked_there() {
    let scanned = |policy: &str| offline(|environment| ruleset(policy).scan(&created(&pod()), environment).counts.fail);
    let both = kyverno("Pod", "pattern: {metadata: {labels: {a: b}}}").replace("background: false, ", "");
    assert_eq!(scanned(&both), 1);
    assert_eq!(scanned(&kyverno("Pod", "pattern: {metadata: {labels: {a: b}}}")), 0);
    let background_only = both.replace("spec: {", "spec: {admission: false, ");
    assert!(validated(&ruleset(&background_only), &pod(), Operation::Create).allowed);
    assert_eq!(scanned(&background_only), 1);
}

#[test]
fn what_controllers_act_on_is_answered_apart() {
    let rules = ruleset(
        "{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: g}, spec: {rules: [{name: quota, match: {any: \
         [{resources: {kinds: [Namespace]}}]}, generate: {apiVersion: v1, kind: ResourceQuota, name: q, namespace: \
         '{{ request.object.metadata.name }}', data: {spec: {hard: {cpu: '4'}}}}}]}}",
    );
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let asked = review(&request_about(&namespace, Operation::Create));
    let request = Request::admission(asked.request.clone());
    let answers = offline(|environment| rules.answers(Phase::Generate, &request, environment));
    let Effect::Generated(objects) = &answers[0].outcome.effect else { panic!("{answers:?}") };
    assert_eq!(objects[0].dig(["metadata", "namespace"]), Some(&Value::from("shop")));
    let decision = offline(|environment| validate(&rules, &asked, environment));
    assert!(decision.allowed && decision.counts == palisade_model::VerdictCounts::default());
}

#[test]
fn an_evaluation_ends_when_nobody_waits_any_more() {
    let flag = AtomicBool::new(true);
    let policy = cel("", "pods", "CREATE", "true");
    let asked = review(&request_about(&pod(), Operation::Create));
    let decision = offline(|environment| {
        let environment = Environment { stop: Some(&flag), ..*environment };
        validate(&ruleset(&policy), &asked, &environment)
    });
    assert!(!decision.allowed && decision.message.contains("the time for the request is over"), "{}", decision.message);
}

/// Patience for so many questions.
struct Patience(AtomicUsize);

impl Stop for Patience {
    fn is_requested(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) >= 3
    }
}

#[test]
fn engines_ask_while_they_work_and_end_when_told_to() {
    let tens = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let loops = ["a", "b", "c", "d", "e", "f"].iter().rev();
    let expression = loops.fold("true".to_owned(), |body, name| format!("{tens}.all({name}, {body})"));
    let rego = gatekeeper("Pod", "").replace(
        "input.review.kind.kind ==",
        "count([1 | numbers.range(1, 1000)[_]; numbers.range(1, 1000)[_]]) > 0; input.review.kind.kind ==",
    );
    let asked = review(&request_about(&pod(), Operation::Create));
    for policy in [cel("", "pods", "CREATE", &expression), rego] {
        let patience = Patience(AtomicUsize::new(0));
        let decision = offline(|environment| {
            let environment = Environment { stop: Some(&patience), ..*environment };
            validate(&ruleset(&policy), &asked, &environment)
        });
        assert!(decision.message.contains("the time for the request is over"), "{}", decision.message);
        let questions = patience.0.load(Ordering::Relaxed);
        assert!((4..20).contains(&questions), "{questions}");
    }
}
