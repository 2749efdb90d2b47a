//! Which rules speak about which requests.

use palisade_model::{GroupVersionKind, Verdict};
use palisade_policy::{Enforcement, UserInfo};

use super::*;
use crate::legacy::spec::{KindSelector, LabelSelector};

fn rule(filter: &str, exclude: &str) -> Arc<dyn Policy> {
    let deny = format!(
        "  - name: r\n    match: {{any: [{filter}]}}\n    exclude: {{any: [{exclude}]}}\n    validate: {{deny: {{}}}}\n"
    );
    policy(&deny)
}

fn selects(filter: &str, request: AdmissionRequest) -> bool {
    !judge(&*rule(filter, ""), request, &Offline).is_empty()
}

#[test]
fn kind_selectors_take_groups_versions_and_subresources() {
    let kind = |text: &str| GroupVersionKind::new(text.rsplit_once('/').unwrap().0, text.rsplit_once('/').unwrap().1);
    for (selector, gvk, subresource, expected) in [
        ("Pod", "v1/Pod", "", true),
        ("Pod", "v1/Pod", "exec", false),
        ("Pod", "v1/Pod", "ephemeralcontainers", true),
        ("Pod/exec", "v1/Pod", "exec", true),
        ("Pod.exec", "v1/Pod", "exec", true),
        ("apps/v1/Deployment", "apps/v1/Deployment", "", true),
        ("apps/*/Deployment", "apps/v1beta1/Deployment", "", true),
        ("apps/v1/Deployment/scale", "apps/v1/Deployment", "scale", true),
        ("v1/Deployment", "apps/v1/Deployment", "", true),
        ("batch/v1/Job", "apps/v1/Job", "", false),
        ("*/*", "apps/v1/Deployment", "scale", true),
        ("*", "apps/v1/Deployment", "scale", false),
        ("*/scale", "apps/v1/Deployment", "scale", true),
        ("*Set", "apps/v1/DaemonSet", "", true),
        ("a/b/c/d/e", "v1/Pod", "", false),
    ] {
        assert_eq!(KindSelector::parse(selector).selects(&kind(gvk), subresource, true), expected, "{selector} {gvk}");
    }
}

#[test]
fn label_selectors_take_wildcards_in_match_labels() {
    let labels = palisade_model::json!({"app.kubernetes.io/name": "web", "tier": "front"});
    let selects = |text: &str| LabelSelector::of(&Value::from_json(text).unwrap()).selects(labels.as_object());
    assert!(selects(r#"{"matchLabels":{"app.kubernetes.io/*":"w?b","tier":"front"}}"#));
    assert!(!selects(r#"{"matchLabels":{"app.kubernetes.io/*":"db"}}"#));
    assert!(selects(r#"{"matchExpressions":[{"key":"gone","operator":"NotIn","values":["x"]}]}"#));
    assert!(!selects(r#"{"matchExpressions":[{"key":"tier","operator":"DoesNotExist"}]}"#));
    assert!(selects(r#"{"matchExpressions":[{"key":"tier","operator":"In","values":["back","front"]}]}"#));
}

#[test]
fn filters_combine_their_parts() {
    let create = || request(&pod("{}"), Operation::Create);
    for (filter, expected) in [
        ("{resources: {kinds: [Pod], names: ['w*']}}", true),
        ("{resources: {kinds: [Pod], names: ['x*']}}", false),
        ("{resources: {kinds: [Pod], namespaces: [shop]}}", true),
        ("{resources: {kinds: [Pod], operations: [UPDATE, DELETE]}}", false),
        ("{resources: {kinds: [Pod], selector: {matchLabels: {app: web}}}}", true),
        ("{resources: {kinds: [Pod], annotations: {'a/*': '*'}}}", false),
        // Nobody is known to ask, so what the filter says of users does not count.
        ("{resources: {kinds: [Pod]}, subjects: [{kind: User, name: eve}]}", true),
    ] {
        assert_eq!(selects(filter, create()), expected, "{filter}");
    }
}

#[test]
fn users_groups_and_service_accounts_are_told_apart() {
    let by = |username: &str| {
        let user = UserInfo { username: username.into(), groups: vec!["devs".into()], ..UserInfo::default() };
        AdmissionRequest { user, ..request(&pod("{}"), Operation::Create) }
    };
    let filter = |subject: &str| format!("{{resources: {{kinds: [Pod]}}, subjects: [{subject}]}}");
    assert!(selects(&filter("{kind: User, name: 'al*'}"), by("alice")));
    assert!(!selects(&filter("{kind: User, name: bob}"), by("alice")));
    assert!(selects(&filter("{kind: Group, name: devs}"), by("alice")));
    let account = "{kind: ServiceAccount, namespace: ci, name: '*'}";
    assert!(selects(&filter(account), by("system:serviceaccount:ci:builder")));
    assert!(!selects(&filter(account), by("system:serviceaccount:cd:builder")));
}

#[test]
fn excluded_resources_and_deleted_objects() {
    let all = "{resources: {kinds: [Pod]}}";
    let excluding = rule(all, "{resources: {namespaces: [shop]}}");
    assert!(verdicts(&*excluding, &pod("{}")).is_empty());
    let delete = request(&pod("{}"), Operation::Delete);
    assert_eq!(judge(&*rule(all, ""), delete, &Offline)[0].verdict, Verdict::Fail);
}

#[test]
fn an_exclusion_that_nobody_can_tell_of_excuses_nothing() {
    let labelled = "{resources: {namespaceSelector: {matchLabels: {kind: ci}}}}";
    let pods = "{resources: {kinds: [Pod]}}";
    assert_eq!(verdicts(&*rule(pods, labelled), &pod("{}")), ["r: fail"]);
    // What is selected by it is not known, and nothing is changed that may be excluded.
    let selected = "{resources: {kinds: [Pod], namespaceSelector: {matchLabels: {kind: ci}}}}";
    assert_eq!(verdicts(&*rule(selected, ""), &pod("{}")), ["r: error"]);
    let changing = format!(
        "  - name: r\n    match: {{any: [{pods}]}}\n    exclude: {{any: [{labelled}]}}\n    mutate: \
         {{patchStrategicMerge: {{metadata: {{labels: {{a: b}}}}}}}}\n"
    );
    let variables = Variables::default();
    let environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
    let request = Request::admission(request(&pod("{}"), Operation::Create));
    let outcomes = policy(&changing).evaluate(Phase::Mutate, &request, &environment);
    assert_eq!(outcomes.first().map(|outcome| outcome.verdict), Some(Verdict::Error));
}

#[test]
fn namespaced_policies_judge_their_own_namespace() {
    let text = "apiVersion: kyverno.io/v1\nkind: Policy\nmetadata: {name: p, namespace: shop}\nspec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {deny: {}}}]}\n";
    let (policy, diagnostics) = load(text);
    let policy = policy.unwrap_or_else(|| panic!("{diagnostics:?}"));
    assert_eq!(verdicts(&*policy, &pod("{}")), ["r: fail"]);
    assert!(verdicts(&*policy, &pod("{}").replace("namespace: shop", "namespace: bank")).is_empty());
    assert!(verdicts(&*policy, &pod("{}").replace(", namespace: shop", "")).is_empty());
}

#[test]
fn policies_that_cannot_be_about_a_kind_are_not_asked() {
    let service = request("apiVersion: v1\nkind: Service\nmetadata: {name: s}\n", Operation::Create);
    let narrow = rule("{resources: {kinds: [Pod]}}", "");
    assert!(!narrow.may_apply(&Request::admission(service.clone())));
    assert!(narrow.may_apply(&Request::admission(request(&pod("{}"), Operation::Create))));
    assert!(rule("{resources: {kinds: ['*/*']}}", "").may_apply(&Request::admission(service)));
}

#[test]
fn exceptions_let_rules_off_where_their_conditions_hold() {
    let exception = r#"
---
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: ours, namespace: ops}
spec:
  match: {any: [{resources: {kinds: [Pod], namespaces: [shop]}}]}
  conditions: {all: [{key: "{{ request.object.spec.free || `false` }}", operator: Equals, value: true}]}
  exceptions: [{policyName: test, ruleNames: ['r*']}]
"#;
    let text = "  - name: r1\n    match: {any: [{resources: {kinds: [Pod]}}]}\n    validate: {deny: {}}\n";
    let policy = policy(&format!("{text}{exception}"));
    let outcome = only(&*policy, &pod("{free: true}"));
    assert_eq!(outcome.verdict, Verdict::Skip);
    assert_eq!(outcome.exceptions.iter().map(|key| &**key).collect::<Vec<_>>(), ["ops/ours"]);
    assert_eq!(only(&*policy, &pod("{free: false}")).verdict, Verdict::Fail);
    assert_eq!(only(&*policy, &pod("{}").replace("namespace: shop", "namespace: bank")).verdict, Verdict::Fail);
}

#[test]
fn the_first_rule_that_applies_may_end_the_policy_and_namespaces_may_have_their_own_action() {
    let text = r"
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: test}
spec:
  applyRules: One
  validationFailureAction: Audit
  validationFailureActionOverrides: [{action: Enforce, namespaces: ['sh*']}]
  rules:
  - {name: a, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {deny: {}}}
  - {name: b, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {deny: {}}}
";
    let (policy, diagnostics) = load(text);
    let policy = policy.unwrap_or_else(|| panic!("{diagnostics:?}"));
    assert_eq!(verdicts(&*policy, &pod("{}")), ["a: fail"]);
    assert_eq!(only(&*policy, &pod("{}")).enforcement, Enforcement::Enforce);
    let elsewhere = pod("{}").replace("namespace: shop", "namespace: bank");
    assert_eq!(only(&*policy, &elsewhere).enforcement, Enforcement::Audit);
}

#[test]
fn a_namespace_that_nobody_knows_is_an_error_where_it_decides() {
    let pods = |more: &str| format!("{{resources: {{kinds: [Pod]{more}}}}}");
    let selector = |label: &str| format!(", namespaceSelector: {{matchLabels: {{{label}}}}}");
    let in_prod = pods(&selector("env: prod"));
    for (filter, exclude, expected) in [
        (in_prod.clone(), String::new(), Some(Verdict::Error)),
        // An exclusion that nobody can tell of excuses nothing.
        (pods(""), in_prod.clone(), Some(Verdict::Fail)),
        // What the rest decides needs no labels.
        (format!("{in_prod}, {}", pods(", names: [web]")), String::new(), Some(Verdict::Fail)),
        (pods(&format!(", names: [other]{}", selector("env: prod"))), String::new(), None),
        (in_prod.clone(), pods(""), None),
        (pods(&selector("kubernetes.io/metadata.name: shop")), String::new(), Some(Verdict::Fail)),
        (pods(&selector("kubernetes.io/metadata.name: other, env: prod")), String::new(), None),
    ] {
        let outcomes = judge(&*rule(&filter, &exclude), request(&pod("{}"), Operation::Create), &Offline);
        assert_eq!(outcomes.first().map(|outcome| outcome.verdict), expected, "{filter} but {exclude}: {outcomes:?}");
        if expected == Some(Verdict::Error) {
            assert!(outcomes[0].message.contains("namespace `shop`"), "{}", outcomes[0].message);
        }
    }
}

#[test]
fn the_strictest_action_holds_where_the_namespace_of_an_override_is_not_known() {
    let auditing = "  - name: r\n    match: {any: [{resources: {kinds: [Pod]}}]}\n    validate:\n      failureAction: Audit\n      \
                    failureActionOverrides:\n      - {action: Audit, namespaceSelector: {matchLabels: {env: test}}}\n      deny: {}\n";
    let outcome = only(&*policy(auditing), &pod("{}"));
    assert_eq!(outcome.enforcement, Enforcement::Enforce);
}

#[test]
fn expressions_about_a_namespace_that_nobody_knows_have_no_verdict() {
    let judged = |expression: &str| {
        only(&*policy(&format!(
            "  - name: r\n    match: {{any: [{{resources: {{kinds: [Pod]}}}}]}}\n    validate:\n      cel:\n        \
             expressions: [{{expression: \"{expression}\"}}]\n"
        )), &pod("{}")).verdict
    };
    assert_eq!(judged("!has(namespaceObject.metadata.labels)"), Verdict::Fail);
    assert_eq!(
        judged("has(namespaceObject.metadata.labels.env)"),
        Verdict::Fail,
        "Kubernetes denies what it cannot tell"
    );
    assert_eq!(judged("object.metadata.name == 'web'"), Verdict::Pass);
}
