//! Every kind judged end to end.

use jiff::Timestamp;
use palisade_document::{Limits, parse};
use palisade_model::{Resource, Value, Verdict, json};
use palisade_policy::evaluate;
use palisade_policy::{
    AdmissionRequest, Effect, Enforcement, Environment, Loaded, Lookups, Offline, Operation, Payload, Phase, Reads,
    Request, RuleOutcome, Variables,
};

fn resources(yaml: &str) -> Vec<Resource> {
    let parsed = parse("policy.yaml", yaml.as_bytes(), &Limits::default());
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    parsed.documents.into_iter().map(palisade_document::Document::into_resource).collect()
}

fn load(yaml: &str) -> Loaded {
    super::load(&resources(yaml))
}

fn answer(yaml: &str, phase: Phase, request: &Request, lookups: &dyn Lookups) -> Vec<RuleOutcome> {
    let loaded = load(yaml);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let variables = Variables::default();
    let environment = Environment::new(Timestamp::UNIX_EPOCH, lookups, &variables);
    loaded.policies.iter().flat_map(|policy| evaluate(&**policy, phase, request, &environment)).collect()
}

fn ask(yaml: &str, phase: Phase, object: Value) -> Vec<RuleOutcome> {
    let request = AdmissionRequest::of(&Resource::in_memory(object), Operation::Create);
    answer(yaml, phase, &Request::admission(request), &Offline)
}

fn policy(kind: &str, spec: &str) -> String {
    let indented = spec.replace('\n', "\n  ");
    format!(
        "apiVersion: policies.kyverno.io/v1\nkind: {kind}\nmetadata: {{name: p}}\nspec:\n  matchConstraints:\n    \
         resourceRules:\n    - {{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods]}}\n  \
         {indented}\n"
    )
}

fn pod(image: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"},
        "spec": {"containers": [{"name": "a", "image": image}]},
    })
}

fn deployment(image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [{"name": "a", "image": image}]}}},
    })
}

const NO_LATEST: &str = "validationActions: [Audit]
validations:
- message: no latest
  expression: object.spec.containers.all(c, !c.image.endsWith(':latest'))";

#[test]
fn pod_rules_reach_what_makes_pods() {
    let policy = policy("ValidatingPolicy", NO_LATEST);
    for (object, path) in [
        (pod("x:latest"), "spec.containers[0].image"),
        (deployment("x:latest"), "spec.template.spec.containers[0].image"),
    ] {
        let outcomes = ask(&policy, Phase::Validate, object);
        assert_eq!((outcomes.len(), outcomes[0].verdict, &*outcomes[0].message), (1, Verdict::Fail, "no latest"));
        assert_eq!(outcomes[0].enforcement, Enforcement::Audit);
        assert_eq!(outcomes[0].paths[0].to_string(), path);
    }
    assert_eq!(ask(&policy, Phase::Validate, deployment("x:1"))[0].verdict, Verdict::Pass);
}

#[test]
fn custom_workloads_are_judged_by_their_pods() {
    let spec = format!("autogen: {{podControllers: {{controllers: [rollouts.v1.argoproj.io]}}}}\n{NO_LATEST}");
    let rollout = json!({
        "apiVersion": "argoproj.io/v1", "kind": "Rollout", "metadata": {"name": "r", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "x:latest"}]}}},
    });
    let outcomes = ask(&policy("ValidatingPolicy", &spec), Phase::Validate, rollout);
    assert_eq!(outcomes[0].message, "no latest (pod template at spec.template)");
    assert_eq!(outcomes[0].paths[0].to_string(), "spec.template.spec.containers[0].image");
    assert!(ask(&policy("ValidatingPolicy", &spec), Phase::Validate, deployment("x:latest")).is_empty());
}

#[test]
fn exceptions_exempt_wholly_or_in_part() {
    let exception = |rest: &str| {
        format!(
            "{}---\napiVersion: policies.kyverno.io/v1\nkind: PolicyException\nmetadata: {{name: e, namespace: x}}\n\
             spec:\n  policyRefs: [{{kind: ValidatingPolicy, name: p}}]\n{rest}",
            policy(
                "ValidatingPolicy",
                "validations:\n- expression: object.spec.containers.all(c, c.image in exceptions.allowedImages)"
            )
        )
    };
    let outcomes = ask(&exception(""), Phase::Validate, pod("x"));
    assert_eq!((outcomes[0].verdict, &*outcomes[0].exceptions[0]), (Verdict::Skip, "x/e"));
    let outcomes = ask(&exception("  reportResult: pass\n"), Phase::Validate, pod("x"));
    assert_eq!(outcomes[0].verdict, Verdict::Pass);
    let partial = exception("  images: [x]\n");
    assert_eq!(ask(&partial, Phase::Validate, pod("x"))[0].verdict, Verdict::Pass);
    assert_eq!(ask(&partial, Phase::Validate, pod("z"))[0].verdict, Verdict::Fail);
    let expired = exception("  expiresAt: '1969-01-01T00:00:00Z'\n");
    assert_eq!(ask(&expired, Phase::Validate, pod("x"))[0].verdict, Verdict::Fail);
}

#[test]
fn namespaced_policies_stay_in_their_namespace() {
    let policy = policy("NamespacedValidatingPolicy", "validations: [{expression: 'false'}]");
    let in_namespace = |namespace: &str| policy.replace("{name: p}", &format!("{{name: p, namespace: {namespace}}}"));
    assert_eq!(ask(&in_namespace("shop"), Phase::Validate, pod("x"))[0].verdict, Verdict::Fail);
    assert!(ask(&in_namespace("other"), Phase::Validate, pod("x")).is_empty());
}

#[test]
fn documents_are_judged_in_json_mode() {
    let policy = "apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nmetadata: {name: p}\nspec:\n  \
                  evaluation: {mode: JSON}\n  validations: [{expression: object.size > 3}]\n";
    let verdict = |size: i64| {
        let request = Request::new(Payload::Document(json!({ "size": size })));
        answer(policy, Phase::Validate, &request, &Offline)[0].verdict
    };
    assert_eq!((verdict(4), verdict(2)), (Verdict::Pass, Verdict::Fail));
}

#[test]
fn mutations_follow_pods_into_their_templates() {
    let policy = policy(
        "MutatingPolicy",
        "mutations:\n- patchType: ApplyConfiguration\n  applyConfiguration:\n    expression: |\n      \
         Object{spec: Object.spec{hostNetwork: has(object.spec.hostNetwork)}}",
    );
    let patched = |object: Value| match ask(&policy, Phase::Mutate, object).remove(0).effect {
        Effect::Patched(object) => object,
        other => panic!("{other:?}"),
    };
    assert_eq!(patched(pod("x")).dig(["spec", "hostNetwork"]), Some(&Value::Bool(false)));
    let path = ["spec", "template", "spec", "hostNetwork"];
    assert_eq!(patched(deployment("x")).dig(path), Some(&Value::Bool(false)));
}

#[test]
fn objects_are_generated_by_expressions_and_templates() {
    let policy = policy(
        "GeneratingPolicy",
        "variables:\n- {name: app, expression: object.metadata.name}\ngenerate:\n- expression: >-\n    \
         generator.Apply(object.metadata.namespace, [{'apiVersion': 'v1', 'kind': 'Secret',\n    \
         'metadata': {'name': variables.app}}])\n- template:\n    interpolate: cel\n    value: |\n      \
         apiVersion: v1\n      kind: ConfigMap\n      metadata:\n        name: for-(( variables.app ))\n      \
         data: ((object.metadata))",
    );
    let outcomes = ask(&policy, Phase::Generate, pod("x"));
    let Effect::Generated(objects) = &outcomes[0].effect else { panic!("{outcomes:?}") };
    assert_eq!(objects[0].dig(["metadata", "namespace"]), Some(&Value::from("shop")));
    assert_eq!(objects[1].dig(["metadata", "name"]), Some(&Value::from("for-a")));
    assert_eq!(objects[1].dig(["data", "namespace"]), Some(&Value::from("shop")));
}

#[test]
fn deletion_is_decided_by_the_conditions() {
    let policy = policy(
        "DeletingPolicy",
        "schedule: '* * * * *'\nconditions: [{name: c, expression: object.metadata.name == 'a'}]",
    );
    let outcome = ask(&policy, Phase::Delete, pod("x")).remove(0);
    assert!(matches!((outcome.verdict, outcome.effect), (Verdict::Pass, Effect::Deleted)));
    let kept = ask(&policy.replace("'a'", "'b'"), Phase::Delete, pod("x")).remove(0);
    assert_eq!(kept.verdict, Verdict::Fail);
}

#[test]
fn images_are_judged_without_a_registry_and_signatures_are_not() {
    let policy = |expression: &str| {
        let spec = format!(
            "failurePolicy: Fail\nvalidationConfigurations: {{required: false}}\n\
             matchImageReferences: [{{glob: 'ghcr.io/*'}}]\nattestors: [{{name: key}}]\n\
             validations: [{{expression: \"{expression}\"}}]"
        );
        policy("ImageValidatingPolicy", &spec)
    };
    let verdict = |expression: &str, image: &str| {
        let outcomes = ask(&policy(expression), Phase::Validate, pod(image));
        (outcomes[0].verdict, outcomes[0].message.clone())
    };
    let digest = format!("ghcr.io/a/b@sha256:{}", "a".repeat(64));
    let names = "images.containers.all(i, i.startsWith('ghcr.io/a/'))";
    assert_eq!(verdict(names, &digest).0, Verdict::Pass);
    assert_eq!(verdict(names, "ghcr.io/a/b:1"), (Verdict::Fail, "image ghcr.io/a/b:1 does not have a digest".into()));
    assert_eq!(verdict(names, "quay.io/x:1").0, Verdict::Pass);
    let signed = "images.containers.all(i, verifyImageSignatures(i, [attestors.key]) > 0)";
    let (outcome, message) = verdict(signed, &digest);
    assert_eq!(outcome, Verdict::Error);
    assert!(message.contains("later release"), "{message}");
}

#[test]
fn gateways_are_answered() {
    let policy = |mode: &str, expression: &str| {
        format!(
            "apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nmetadata: {{name: p}}\nspec:\n  \
             evaluation: {{mode: {mode}}}\n  validations: [{{expression: \"{expression}\"}}]\n"
        )
    };
    let http = policy("HTTP", "object.attributes.Header('x-a') == ['b'] ? http.Allowed().Response() : null");
    let ask = |policy: &str, payload: Payload| {
        answer(policy, Phase::Validate, &Request::new(payload), &Offline).remove(0).verdict
    };
    let headers = json!({"attributes": {"header": {"X-A": ["b"]}}});
    assert_eq!(ask(&http, Payload::Http(headers)), Verdict::Pass);
    assert_eq!(ask(&http, Payload::Http(json!({}))), Verdict::Skip);
    let envoy = policy("Envoy", "envoy.Denied(403).WithHeader('a', 'b').WithBody('no').Response()");
    assert_eq!(ask(&envoy, Payload::Envoy(json!({}))), Verdict::Fail);
}

#[test]
fn broken_policies_are_told_of_with_their_place() {
    let loaded = load(&policy("ValidatingPolicy", "validations:\n- expression: object.spec == undefined"));
    assert!(loaded.policies.is_empty());
    let shown = loaded.diagnostics[0].to_string();
    assert!(shown.starts_with("policy.yaml:9:32: error[PAL-C0003]"), "{shown}");
    let without = "apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nmetadata: {name: p}\nspec: {}\n";
    assert!(load(without).diagnostics[0].to_string().contains("matchConstraints"));
}

#[test]
fn a_namespace_that_nobody_knows_is_an_error_for_every_kind_that_selects_by_it() {
    let selector = "namespaceSelector: {matchLabels: {env: prod}}\n    resourceRules:";
    let of_kind = |kind: &str, spec: &str| policy(kind, spec).replacen("resourceRules:", selector, 1);
    for (kind, phase, spec) in [
        ("ValidatingPolicy", Phase::Validate, "validations: [{expression: 'true'}]"),
        ("DeletingPolicy", Phase::Delete, "schedule: '0 3 * * *'\nconditions: [{name: a, expression: 'true'}]"),
        (
            "MutatingPolicy",
            Phase::Mutate,
            "mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{}'}}]",
        ),
    ] {
        let outcomes = ask(&of_kind(kind, spec), phase, pod("a:1"));
        let outcome = outcomes.first().unwrap_or_else(|| panic!("{kind} says nothing"));
        assert_eq!(outcome.verdict, Verdict::Error, "{kind}");
        assert!(outcome.message.contains("namespace `shop`"), "{kind}: {}", outcome.message);
    }
}

/// What a policy with these variables and this expression states that it reads.
fn reads(variables: &str, expression: &str) -> Reads {
    let spec = format!("variables: [{variables}]\nvalidations:\n- expression: >-\n    {expression}");
    let loaded = load(&policy("ValidatingPolicy", &spec));
    assert!(
        loaded.diagnostics.iter().all(|found| found.level != palisade_model::Level::Error),
        "{:?}",
        loaded.diagnostics
    );
    loaded.policies[0].info().reads.clone()
}

#[test]
fn a_policy_states_which_other_objects_it_looks_up() {
    for plain in [
        "object.spec.containers.all(c, c.image != '')",
        "has(object.metadata) && object.metadata.?labels.orValue({}).size() > 0",
        "oldObject == null || object.spec == oldObject.spec",
    ] {
        assert_eq!(reads("", plain), Reads::nothing(), "{plain}");
    }
    for (variables, expression, kind) in [
        ("", "resource.Get('v1', 'configmaps', 'shop', 'a').data.x == 'y'", "ConfigMap"),
        ("", "resource.list('v1', 'secrets', 'shop').items.size() > 0", "Secret"),
        (
            "{name: kind, expression: \"'secrets'\"}",
            "resource.Get('v1', variables.kind, 'a', 'b').size() > 0",
            "Secret",
        ),
        ("", "globalContext.Get('manifests', 'networkpolicies/' + request.namespace).size() > 0", "NetworkPolicy"),
        (
            "",
            "['jobs', 'pods'].exists(k, globalContext.Get('manifests', k + '/' + request.namespace).size() > 0)",
            "Job",
        ),
    ] {
        let reads = reads(variables, expression);
        assert!(reads.names(kind) && !reads.looks_up("Ingress"), "{expression}: {reads:?}");
    }
    for unknown in [
        "resource.Get('v1', object.metadata.name, 'a', 'b').size() > 0",
        "http.Get('https://a.example').ok == true",
        "http.get('https://a.example').ok == true",
        "image.GetMetadata('a:1').config.user == 'root'",
        "globalContext.Get('entry', '').size() > 0",
    ] {
        assert!(reads("", unknown).looks_up("Ingress"), "{unknown}");
    }
}

#[test]
fn a_policy_states_what_it_reads_of_the_object_and_its_namespace() {
    assert!(reads("", "namespaceObject.metadata.name != 'x'").namespace);
    assert!(reads("", "has(object.status) && object.spec.size() > 0").status);
    assert!(reads("{name: o, expression: object}", "variables.o.size() > 0").status, "the whole object");
    assert!(reads("", "object.metadata == oldObject.metadata").server_fields);
    assert!(reads("", "object.metadata['generation'] > 1").server_fields);
    let selecting = policy("ValidatingPolicy", "validations: [{expression: 'true'}]").replacen(
        "resourceRules:",
        "namespaceSelector: {matchLabels: {a: b}}\n    resourceRules:",
        1,
    );
    assert!(load(&selecting).policies[0].info().reads.namespace);
}

#[test]
fn a_message_that_cannot_be_computed_falls_back_to_the_fixed_one() {
    let said = |validation: &str| {
        let spec = format!("validations:\n- expression: 'false'\n  {validation}");
        ask(&policy("ValidatingPolicy", &spec), Phase::Validate, pod("a:1")).remove(0).message
    };
    assert_eq!(said("messageExpression: \"'is ' + object.metadata.name\""), "is a");
    assert_eq!(said("message: fixed\n  messageExpression: string(object.nowhere)"), "fixed");
    assert_eq!(said("message: fixed\n  messageExpression: \"''\""), "fixed");
    assert!(said("messageExpression: string(object.nowhere)").starts_with("failed to evaluate message expression"));
}

#[test]
fn messages_of_derived_rules_name_the_workload() {
    let spec = "validations:\n- expression: object.spec.containers.all(c, c.image == 'a')\n  \
                messageExpression: object.kind + ' ' + object.metadata.name + ' of ' + object.metadata.namespace";
    let outcomes = ask(&policy("ValidatingPolicy", spec), Phase::Validate, deployment("b"));
    assert_eq!(outcomes[0].message, "Deployment d of shop");
}
