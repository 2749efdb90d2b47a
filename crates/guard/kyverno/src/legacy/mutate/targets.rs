//! `mutate.targets`: changing objects that exist already.

use palisade_model::wildcard;
use palisade_model::{Resource, Str, Value};
use palisade_policy::{Effect, LookupError, ObjectQuery};

use super::{Mutated, check, outcome};
use crate::legacy::context::RuleContext;
use crate::legacy::spec::{KindSelector, LabelSelector, Mutation, Rule, Target};
use crate::legacy::variables::substitute_text;
use crate::legacy::variables::{VariableError, substitute};

/// Applies the rule to each target; the resource that triggered it stays as it is.
pub(super) fn apply<'a>(rule: &'a Rule, mutation: &'a Mutation, context: &RuleContext<'a>) -> Vec<Mutated> {
    let mut loaded = Vec::new();
    let mut problems = Vec::new();
    for (index, target) in mutation.targets.iter().enumerate() {
        match load(target, context) {
            Ok(objects) => loaded.extend(objects.into_iter().map(|object| (target, object))),
            Err(error) => problems.push(format!("target {index}: {error}")),
        }
    }
    let mut outcomes = Vec::new();
    if !problems.is_empty() {
        outcomes.push(Mutated::error(format!("failed to load targets: {}", problems.join("; "))));
    }
    for (target, object) in loaded {
        context.checkpoint();
        outcomes.push(change(rule, mutation, target, &object, context));
        context.restore();
    }
    outcomes
}

fn change<'a>(
    rule: &'a Rule,
    mutation: &'a Mutation,
    target: &'a Target,
    object: &Value,
    context: &RuleContext<'a>,
) -> Mutated {
    context.bind("target", object.clone());
    context.add_entries(&target.context);
    match check(target.preconditions.as_ref(), context) {
        Err(error) => return Mutated::error(format!("failed to evaluate preconditions: {error}")),
        Ok(outcome) if !outcome.met => {
            let separator = if outcome.message.is_empty() { "" } else { "; " };
            return Mutated::skip(format!("preconditions not met{separator}{}", outcome.message));
        }
        Ok(_) => {}
    }
    let before = context.object();
    let outcome = outcome(rule, mutation, object, context, |object| Effect::PatchedTargets(vec![object]));
    context.set_object(before);
    outcome
}

/// Why targets could not be loaded.
#[derive(Debug, thiserror::Error)]
enum TargetError {
    #[error("failed to substitute variables: {0}")]
    Variables(#[from] VariableError),
    #[error("`{field}` must be a text, not {found}")]
    NotText { field: &'static str, found: &'static str },
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

/// The objects that a target means, in the cluster's order.
fn load(target: &Target, context: &RuleContext<'_>) -> Result<Vec<Value>, TargetError> {
    let text = |field: &'static str, text: &Str| match substitute_text(text, context)? {
        Value::String(text) => Ok(text),
        other => Err(TargetError::NotText { field, found: other.type_name() }),
    };
    let api_version = text("apiVersion", &target.api_version)?;
    let kind = KindSelector::parse(&format!("{api_version}/{}", text("kind", &target.kind)?));
    let own = context.names().namespace;
    // A namespaced policy reaches its own namespace only.
    let namespace = if own.is_empty() { text("namespace", &target.namespace)? } else { Str::from(own) };
    let name = text("name", &target.name)?;
    let selector = match &target.selector {
        Some(_) => Some(LabelSelector::of(&substitute(&target.selector_source, context)?)),
        None => None,
    };
    let group = if api_version.contains('/') { kind.group } else { Str::from("") };
    let query = ObjectQuery {
        group,
        version: kind.version,
        resource: kind.kind,
        namespace: exact(&namespace),
        name: exact(&name),
    };
    let lookups = context.environment().lookups;
    if !query.namespace.is_empty() && !query.name.is_empty() {
        return Ok(vec![lookups.get(&query)?]);
    }
    let objects = lookups.list(&ObjectQuery { name: Str::from(""), ..query })?;
    Ok(objects.into_iter().filter(|object| is_meant(object, &namespace, &name, selector.as_ref())).collect())
}

/// A text that is no pattern; empty otherwise.
fn exact(text: &Str) -> Str {
    if wildcard::contains_wildcard(text) { Str::from("") } else { text.clone() }
}

fn is_meant(object: &Value, namespace: &str, name: &str, selector: Option<&LabelSelector>) -> bool {
    let resource = Resource::in_memory(object.clone());
    let fits = |pattern: &str, text: &str| pattern.is_empty() || wildcard::matches(pattern, text);
    fits(namespace, resource.namespace())
        && fits(name, resource.name())
        && selector
            .is_none_or(|selector| selector.selects(object.dig(["metadata", "labels"]).and_then(Value::as_object)))
}
