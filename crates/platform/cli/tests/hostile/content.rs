//! Texts that several cases share.

/// A Pod that the policies of [`policy`] select.
pub(crate) const POD: &str = "apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: a, image: 'nginx:1.25'}]}
";

/// A policy that [`POD`] passes.
pub(crate) fn harmless() -> String {
    policy("validate: {message: m, pattern: {metadata: {name: '?*'}}}")
}

/// A policy of one rule about Pods; `body` is what the rule does.
pub(crate) fn policy(body: &str) -> String {
    let body = body.replace('\n', "\n      ");
    format!(
        "apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: hostile}}
spec:
  rules:
    - name: r
      match: {{any: [{{resources: {{kinds: [Pod]}}}}]}}
      {body}
"
    )
}

/// A ValidatingPolicy of one expression about Pods.
pub(crate) fn validating_policy(expression: &str) -> String {
    format!(
        "apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {{name: hostile}}
spec:
  matchConstraints:
    resourceRules: [{{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}}]
  validations:
    - message: m
      expression: {expression:?}
"
    )
}

/// A Pod with this value in an annotation.
pub(crate) fn pod_with(annotation: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web, annotations: {{long: {annotation:?}}}}}\nspec: {{}}\n")
}
