//! What Kyverno's admission of policies rejects: problems that only show when the parts of a policy are seen together.
//!
//! A policy with such a problem is not loaded. Deliberately absent: what needs a cluster, such as whether a kind
//! exists or Kyverno's service accounts may write it.

mod additions;
mod blocks;
mod bodies;
mod conditions;
mod context;
pub(super) mod expressions;
mod variables;

use palisade_model::{Path, Resource, Segment, Str, Value};

use super::codes;
use super::spec::{Body, FailureAction, FailureActionOverride, PolicySpec, Reader, Rule};

/// A policy that is checked.
pub(super) struct Checked<'a> {
    pub(super) document: &'a Resource,
    pub(super) spec: &'a PolicySpec,
    pub(super) namespaced: bool,
    pub(super) rules: &'a [(usize, Rule)],
}

/// The longest name of a policy or rule.
const MAX_NAME: usize = 63;

/// Reports what keeps the policy from being loaded.
pub(super) fn policy(reader: &mut Reader<'_>, document: &Resource, spec: &PolicySpec, rules: &[(usize, Rule)]) {
    let policy = Checked { document, spec, namespaced: document.kind() == "Policy", rules };
    policy.names(reader);
    policy.settings(reader);
    policy.overrides(reader);
    variables::policy(reader, &policy);
    for (index, rule) in rules {
        let path = rule_path(*index);
        let written = path.resolve(&document.object).unwrap_or(&Value::Null);
        blocks::rule(reader, &policy, rule, &path);
        conditions::rule(reader, rule, &path);
        context::rule(reader, &policy, rule, &path);
        bodies::rule(reader, &policy, rule, &path);
        variables::rule(reader, &policy, rule, written, &path);
    }
}

impl Checked<'_> {
    fn names(&self, reader: &mut Reader<'_>) {
        let name = Path::from_pointer("/metadata/name");
        match self.document.object.dig(["metadata", "name"]).and_then(Value::as_str) {
            None | Some("") => {
                reader.error(codes::INVALID_POLICY, &Path::root(), "the policy has no name", "add `metadata.name`");
            }
            Some(text) if text.len() > MAX_NAME => {
                let message = format!("the policy's name has more than {MAX_NAME} characters");
                reader.error(codes::INVALID_POLICY, &name, message, "shorten it");
            }
            Some(_) => {}
        }
        let mut seen: Vec<&Str> = Vec::new();
        for (index, rule) in self.rules {
            let path = rule_path(*index).child("name");
            if seen.contains(&&rule.name) {
                let message = format!("another rule is called `{}`, too", rule.name);
                reader.error(codes::INVALID_RULE, &path, message, "give every rule a name of its own");
            }
            if rule.name.is_empty() || rule.name.len() > MAX_NAME {
                let message = format!("a rule needs a name of at most {MAX_NAME} characters");
                reader.error(codes::INVALID_RULE, &path, message, "name the rule after what it demands");
            }
            seen.push(&rule.name);
        }
    }

    fn settings(&self, reader: &mut Reader<'_>) {
        let spec = Path(vec![Segment::from("spec")]);
        if self.document.kind() == "ClusterPolicy" && !self.document.namespace().is_empty() {
            let path = Path::from_pointer("/metadata/namespace");
            let message = "a ClusterPolicy is in no namespace";
            reader.error(codes::INVALID_POLICY, &path, message, "remove the namespace, or make it a Policy");
        }
        let annotations = self.document.object.dig(["metadata", "annotations"]);
        let key = "pod-policies.kyverno.io/autogen-controllers";
        if annotations.and_then(|annotations| annotations.get(key)).and_then(Value::as_str) == Some("all") {
            let path = Path::from_pointer("/metadata/annotations").child(key);
            let message = "the value `all` of the autogen annotation is no longer supported";
            reader.error(codes::INVALID_POLICY, &path, message, "remove the annotation");
        }
        if !self.spec.admission && !self.spec.background {
            let message = "`admission` and `background` cannot both be off";
            reader.error(codes::INVALID_POLICY, &spec, message, "turn one of them on");
        }
        if !self.spec.admission && self.rules.iter().any(|(_, rule)| !matches!(rule.body, Body::Validate(_))) {
            let message = "`admission: false` is for policies with nothing but validate rules";
            reader.error(codes::INVALID_POLICY, &spec.child("admission"), message, "move the other rules elsewhere");
        }
        let given = |keys: [&str; 2]| self.document.object.get("spec").and_then(|spec| spec.dig(keys)).is_some();
        for (old, new) in [("webhookTimeoutSeconds", "timeoutSeconds"), ("failurePolicy", "failurePolicy")] {
            if self.document.object.dig(["spec", old]).is_some() && given(["webhookConfiguration", new]) {
                let message = format!("`{old}` and `webhookConfiguration.{new}` say the same");
                reader.error(codes::INVALID_POLICY, &spec.child(old), message, "remove the first, which is deprecated");
            }
        }
        for pointer in ["/spec/webhookTimeoutSeconds", "/spec/webhookConfiguration/timeoutSeconds"] {
            let path = Path::from_pointer(pointer);
            let seconds = path.resolve(&self.document.object).filter(|seconds| !seconds.is_null());
            if seconds.is_some_and(|seconds| !seconds.as_i64().is_some_and(|seconds| (1..=30).contains(&seconds))) {
                let message = "a webhook's timeout is between 1 and 30 seconds";
                reader.error(codes::INVALID_POLICY, &path, message, "correct the number");
            }
        }
        if self.document.object.dig(["spec", "generateExistingOnPolicyUpdate"]).is_some() {
            let path = spec.child("generateExistingOnPolicyUpdate");
            let message = "`generateExistingOnPolicyUpdate` is no longer supported";
            reader.error(codes::INVALID_POLICY, &path, message, "set `generateExisting` in the rule's generate block");
        }
    }

    fn overrides(&self, reader: &mut Reader<'_>) {
        let path = Path::from_pointer("/spec/validationFailureActionOverrides");
        if self.namespaced && !self.spec.failure_action_overrides.is_empty() {
            let message = "`validationFailureActionOverrides` is for ClusterPolicies";
            reader.error(codes::INVALID_POLICY, &path, message, "set the action itself");
        }
        if self.namespaced {
            return;
        }
        conflicting(reader, &self.spec.failure_action_overrides, &path);
        for (index, rule) in self.rules {
            if let Body::Validate(validation) = &rule.body {
                let path = rule_path(*index).child("validate").child("failureActionOverrides");
                conflicting(reader, &validation.failure_action_overrides, &path);
            }
        }
    }
}

/// Reports namespaces for which overrides demand both actions.
fn conflicting(reader: &mut Reader<'_>, overrides: &[FailureActionOverride], path: &Path) {
    let of = |action| overrides.iter().filter(move |item| item.action == action).flat_map(|item| &item.namespaces);
    let meets = |a: &str, b: &str| palisade_model::wildcard::matches(a, b) || palisade_model::wildcard::matches(b, a);
    for enforced in of(FailureAction::Enforce) {
        if of(FailureAction::Audit).any(|audited| meets(enforced, audited)) {
            let message = format!("namespace `{enforced}` is to be both enforced and audited");
            reader.error(codes::INVALID_POLICY, path, message, "name every namespace under one action");
            return;
        }
    }
}

fn rule_path(index: usize) -> Path {
    Path(vec![Segment::from("spec"), Segment::from("rules"), Segment::Index(index)])
}
