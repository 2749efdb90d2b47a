use palisade_model::{GroupVersionKind, PolicyRef};
use palisade_policy::{
    Environment, FailurePolicy, Matched, Objects, Operation, Phase, Policy, PolicyInfo, PolicyMeta, Reach, Request,
    RuleInfo, RuleOutcome,
};

use super::*;
use crate::{Discovery, Kind, SubResource};

#[derive(Debug)]
struct Asks(PolicyInfo);

impl Policy for Asks {
    fn info(&self) -> &PolicyInfo {
        &self.0
    }

    fn may_apply(&self, _request: &Request) -> bool {
        true
    }

    fn evaluate(&self, _phase: Phase, _request: &Request, _environment: &Environment<'_>) -> Vec<RuleOutcome> {
        Vec::new()
    }
}

fn policy(phase: Phase, half: FailurePolicy, timeout: Option<u8>, matches: Vec<Matched>) -> Arc<dyn Policy> {
    let reference = PolicyRef { kind: "ClusterPolicy".into(), namespace: None, name: "asks".into(), digest: "".into() };
    let rule = RuleInfo { name: "rule".into(), phase, location: None };
    let reach = Reach {
        admission: true,
        background: true,
        failure_policy: half,
        timeout_seconds: timeout,
        matches,
        hidden_pods: false,
    };
    Arc::new(Asks(PolicyInfo::new(reference, PolicyMeta::default(), vec![rule]).reaching(reach)))
}

fn kind(group: &str, version: &str, kind: &str, sub: &str, operations: &[Operation]) -> Matched {
    let objects =
        Objects::Kind { group: group.into(), version: version.into(), kind: kind.into(), sub_resource: sub.into() };
    Matched { objects, operations: operations.to_vec() }
}

fn resources(groups: &[&str], resources: &[&str]) -> Matched {
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect();
    let objects = Objects::Resources { groups: list(groups), versions: list(&["v1"]), resources: list(resources) };
    Matched { objects, operations: vec![Operation::Create] }
}

fn discovery() -> Discovery {
    let of = |group: &str, version: &str, kind: &str, plural: &str, namespaced, subs: &[(&str, &str)]| Kind {
        gvk: GroupVersionKind { group: group.into(), version: version.into(), kind: kind.into() },
        plural: plural.into(),
        namespaced,
        verbs: ["create", "delete", "list", "update", "watch"].map(Into::into).to_vec(),
        sub_resources: subs
            .iter()
            .map(|(name, kind)| SubResource {
                name: (*name).into(),
                gvk: Some(GroupVersionKind { group: "".into(), version: "v1".into(), kind: (*kind).into() }),
            })
            .collect(),
        preferred: true,
    };
    let pods = [("ephemeralcontainers", "Pod"), ("exec", "PodExecOptions"), ("status", "Pod")];
    Discovery::new([
        of("", "v1", "Pod", "pods", true, &pods),
        of("", "v1", "Event", "events", true, &[]),
        of("", "v1", "Namespace", "namespaces", false, &[]),
        of("apps", "v1", "Deployment", "deployments", true, &[]),
        of("batch", "v1", "Job", "jobs", true, &[]),
        of("coordination.k8s.io", "v1", "Lease", "leases", true, &[]),
    ])
}

fn plan(policies: &[Arc<dyn Policy>]) -> Plan {
    Plan::of(policies, &discovery())
}

/// The rules of the half that refuses, each as `groups/versions resources operations scope`.
fn written(rules: &[Rule]) -> Vec<String> {
    let line = |rule: &Rule| {
        let Rule { groups, versions, resources, operations, scope } = rule;
        format!("{} {} {} {} {scope}", groups.join(","), versions.join(","), resources.join(","), operations.join(","))
    };
    rules.iter().map(line).collect()
}

fn validated(matches: Vec<Matched>) -> Vec<String> {
    let policies = [policy(Phase::Validate, FailurePolicy::Fail, None, matches)];
    written(plan(&policies).validate_rules(FailurePolicy::Fail))
}

const WRITE: &[Operation] = &[Operation::Create, Operation::Update];

#[test]
fn kinds_become_resources_and_rules_are_merged() {
    let matches = vec![
        kind("*", "*", "Pod", "", WRITE),
        kind("apps", "v1", "Deployment", "", WRITE),
        kind("batch", "v1", "Job", "", WRITE),
        kind("", "v1", "Namespace", "", &[]),
        kind("*", "*", "Pod", "exec", &[Operation::Connect]),
    ];
    assert_eq!(
        validated(matches),
        [
            " * pods,pods/ephemeralcontainers CREATE,UPDATE Namespaced",
            " * pods/exec CONNECT Namespaced",
            " v1 namespaces CONNECT,CREATE,DELETE,UPDATE Cluster",
            "apps v1 deployments CREATE,UPDATE Namespaced",
            "batch v1 jobs CREATE,UPDATE Namespaced",
        ]
    );
    assert_eq!(
        validated(vec![kind("*", "*", "PodExecOptions", "", &[Operation::Connect])]),
        [" * pods/exec CONNECT Namespaced"]
    );
    assert_eq!(
        validated(vec![resources(&["apps"], &["deployments"]), resources(&["batch"], &["deployments"])]),
        ["apps v1 deployments CREATE Namespaced", "batch v1 deployments CREATE *",]
    );
}

#[test]
fn what_a_wider_rule_says_is_not_said_again() {
    let all = Matched {
        objects: Objects::Resources {
            groups: vec!["*".into()],
            versions: vec!["*".into()],
            resources: vec!["*/*".into()],
        },
        operations: WRITE.to_vec(),
    };
    let matches =
        vec![all, kind("*", "*", "Pod", "", WRITE), kind("apps", "v1", "Deployment", "", &[Operation::Delete])];
    assert_eq!(validated(matches), ["* * */* CREATE,UPDATE *", "apps v1 deployments DELETE Namespaced"]);
    assert_eq!(
        validated(vec![resources(&[""], &["pods/*", "pods", "pods/exec"])]),
        [" v1 pods,pods/* CREATE Namespaced"]
    );
}

#[test]
fn the_machinery_of_the_cluster_is_never_asked_about() {
    assert!(
        validated(vec![kind("*", "*", "Lease", "", WRITE), resources(&[""], &["events", "nodes/status"])]).is_empty()
    );
    let policies = [policy(Phase::Validate, FailurePolicy::Fail, None, vec![kind("*", "*", "Lease", "", &[])])];
    assert_eq!(plan(&policies).unreachable.len(), 1, "and it is said");
    let policies = [policy(Phase::Validate, FailurePolicy::Fail, None, Reach::default().matches)];
    let wide = plan(&policies).validating(&KubernetesConfig::default(), "PEM").unwrap();
    let conditions = wide.get("webhooks").and_then(|all| all.at(0)?.get("matchConditions")).unwrap();
    assert_eq!(conditions.as_array().unwrap().len(), 2);
    assert!(conditions.to_json().contains("request.resource.resource == 'leases'"), "{conditions}");
}

#[test]
fn halves_phases_and_checkpoints_are_kept_apart() {
    let pods = || vec![kind("*", "*", "Pod", "", &[])];
    let policies = [
        policy(Phase::Validate, FailurePolicy::Ignore, Some(3), pods()),
        policy(Phase::Validate, FailurePolicy::Ignore, Some(60), pods()),
        policy(Phase::Mutate, FailurePolicy::Fail, None, pods()),
        policy(Phase::Generate, FailurePolicy::Fail, None, Reach::default().matches),
    ];
    let plan = plan(&policies);
    assert!(plan.validate_rules(FailurePolicy::Fail).is_empty());
    assert_eq!(
        written(plan.mutate_rules(FailurePolicy::Fail)),
        [" * pods,pods/ephemeralcontainers CREATE,UPDATE Namespaced"]
    );
    let config = KubernetesConfig::default();
    let webhooks = plan.validating(&config, "PEM").unwrap();
    let webhook = webhooks.get("webhooks").and_then(|all| all.at(0)).unwrap();
    let text = |keys: [&str; 3]| webhook.dig(keys).map(Value::to_json).unwrap_or_default();
    assert_eq!(webhook.get("name").and_then(Value::as_str), Some("validate-ignore.palisade.dev"));
    assert_eq!(webhook.get("timeoutSeconds").and_then(Value::as_i64), Some(30));
    assert_eq!(text(["clientConfig", "service", "path"]), r#""/validate/ignore""#);
    assert!(webhook.get("namespaceSelector").unwrap().to_json().contains(r#"["kube-system","palisade"]"#));
    assert!(webhook.get("reinvocationPolicy").is_none());
    assert!(plan.mutating(&config, "PEM").unwrap().to_json().contains(r#""reinvocationPolicy":"IfNeeded""#));
}

#[test]
fn without_policies_nothing_is_registered() {
    let plan = plan(&[]);
    assert!(plan.is_empty() && plan.validating(&KubernetesConfig::default(), "PEM").is_none());
}

#[test]
fn defaults_that_the_api_server_adds_are_no_change() {
    let json = |text| Value::from_json(text).unwrap();
    assert!(holds(&json(r#"{"a":[{"b":1,"scope":"*"}],"c":2}"#), &json(r#"{"a":[{"b":1}]}"#)));
    assert!(!holds(&json(r#"{"a":[{"b":1},{"b":2}]}"#), &json(r#"{"a":[{"b":1}]}"#)));
    assert!(!holds(&json(r#"{"a":1}"#), &json(r#"{"a":2}"#)));
}
