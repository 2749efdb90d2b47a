//! PolicyExceptions: which rules they let off which resources.
//!
//! An exception is read once and attached to every rule that it names. Deliberately absent: exceptions of Kyverno's
//! CEL kinds, which are another kind of object.

use palisade_model::wildcard;
use palisade_model::{Path, Resource, Str};
use palisade_pod_security::Exclusion;
use palisade_policy::Reads;

use super::codes;
use super::condition::Conditions;
use super::context::RuleContext;
use super::matching::{self, Subjects};
use super::reads;
use super::spec::{MatchBlock, Reader, ResourceFilter, conditions, exclusion};
use super::validate::evaluate;
use super::variables::Queries;

/// A PolicyException of `kyverno.io`.
#[derive(Clone, Debug)]
pub struct Exception {
    /// `namespace/name`.
    pub key: Str,
    /// Which resources are let off.
    pub matches: MatchBlock,
    /// What must hold beside.
    pub conditions: Option<Conditions>,
    /// Policies, as `name` or `namespace/name`, with the rules concerned; rule names take wildcards.
    pub rules: Vec<(Str, Vec<Str>)>,
    /// What it depends on.
    pub reads: Reads,
    /// Controls that are let pass; where there are any, a `podSecurity` rule is still judged by the others.
    pub pod_security: Vec<Exclusion>,
}

/// An exception that applies to a resource.
#[derive(Clone, Debug)]
pub struct Exempted<'a> {
    /// The exception.
    pub key: Str,
    /// The controls that it lets pass; empty where it lets the rule off altogether.
    pub pod_security: &'a [Exclusion],
}

impl Exception {
    /// Reads an exception; what is wrong with it goes to `reader`.
    pub fn read(reader: &mut Reader<'_>, document: &Resource) -> Option<Self> {
        let root = reader.root();
        reader.known_fields(&root, &["apiVersion", "kind", "metadata", "spec", "status"]);
        let Some(spec) = root.get("spec") else {
            reader.error(codes::INVALID_EXCEPTION, &Path::root(), "the exception has no `spec`", "add `spec`");
            return None;
        };
        reader.known_fields(&spec, &["background", "match", "conditions", "exceptions", "podSecurity"]);
        let mut rules = Vec::new();
        for node in reader.list(&spec, "exceptions") {
            reader.known_fields(&node, &["policyName", "ruleNames"]);
            let policy = reader.text(&node, "policyName").unwrap_or_default();
            if policy.is_empty() {
                let message = "an exception needs `policyName`";
                reader.error(codes::INVALID_EXCEPTION, &node.path, message, "name the policy");
            }
            rules.push((policy, reader.texts(&node, "ruleNames")));
        }
        let matches = spec.get("match").map(|node| MatchBlock::read(reader, &node)).unwrap_or_default();
        if reader.flag(&spec, "background").unwrap_or(true) && matches.filters().any(ResourceFilter::names_users) {
            let message = "an exception with `background: true` cannot match subjects, roles or clusterRoles";
            reader.error(codes::INVALID_EXCEPTION, &spec.path, message, "set `background: false`");
        }
        let controls = reader.list(&spec, "podSecurity");
        let mut queries = Queries::default();
        queries.add_all(spec.value);
        let conditions = conditions(reader, &spec, "conditions");
        reads::of_document(spec.value, &queries, reader.reads());
        let exception = Self {
            reads: reader.reads().clone(),
            key: key(document),
            matches,
            conditions,
            rules,
            pod_security: controls.iter().map(|node| exclusion(reader, node)).collect(),
        };
        (!reader.failed()).then_some(exception)
    }

    /// Whether the exception names a rule of the policy.
    pub fn names(&self, policy: &str, rule: &str) -> bool {
        self.rules
            .iter()
            .any(|(named, rules)| **named == *policy && rules.iter().any(|pattern| wildcard::matches(pattern, rule)))
    }

    /// Whether the exception lets the subject off. Conditions that cannot be evaluated let nothing off; where nobody can
    /// tell whether it is meant, the rule has no verdict.
    pub(super) fn applies(&self, subject: &Subjects<'_>, context: &RuleContext<'_>) -> bool {
        let excepted = matching::excepts(&self.matches, subject).unwrap_or_else(|why| {
            context.set_unavailable(&format!("policy exception {}: {why}", self.key));
            false
        });
        excepted
            && self
                .conditions
                .as_ref()
                .is_none_or(|conditions| evaluate(conditions, context).is_ok_and(|outcome| outcome.met))
    }
}

fn key(document: &Resource) -> Str {
    match document.namespace() {
        "" => document.name().into(),
        namespace => format!("{namespace}/{}", document.name()).into(),
    }
}
