//! One change laid over one object, its variables replaced first.

use palisade_model::patch::{self, Dialect};
use palisade_model::{Resource, Str, Value};

use super::{json_patch, strategic_merge};
use crate::legacy::condition::Conditions;
use crate::legacy::context::RuleContext;
use crate::legacy::spec::{ContextEntry, EntrySource, Mutation, Patch, Rule, Target};
use crate::legacy::variables::{VariableError, substitute, substitute_at, substitute_text};

/// The changed object; `None` where nothing changes.
pub(super) type Change = Result<Option<Value>, String>;

/// Applies the change of a rule without loops. Every variable of the rule must then have a value, as upstream
/// replaces them all at once, those of conditions that were not reached included.
pub(super) fn apply_in_rule(
    rule: &Rule,
    mutation: &Mutation,
    patch: &Patch,
    object: &Value,
    context: &RuleContext<'_>,
) -> Change {
    resolves(rule, mutation, context).map_err(|error| format!("variable substitution failed: {error}"))?;
    apply(patch, "/mutate", object, context)
}

/// Applies a change; `base` is where it stands, for `{{@}}`.
pub(super) fn apply(patch: &Patch, base: &str, object: &Value, context: &RuleContext<'_>) -> Change {
    let unresolved = |error: VariableError| format!("variable substitution failed: {error}");
    let failed = |error: &dyn std::fmt::Display| format!("failed to patch resource: {error}");
    let patched = match patch {
        Patch::StrategicMerge(overlay) => {
            let overlay =
                substitute_at(overlay, &format!("{base}/patchStrategicMerge"), context).map_err(unresolved)?;
            strategic_merge(object, &overlay, context.steps()).map_err(|error| failed(&error))?
        }
        Patch::Json6902(text) => {
            let text = substitute_text(text, context).map_err(unresolved)?;
            let text = text.as_str().ok_or("empty mutate rule: patchesJson6902 must be a text")?;
            let operations = json_patch::operations(text)?;
            spend_on(&operations, context)?;
            patch::apply(object, &operations, Dialect::Kyverno).map_err(|error| failed(&error))?
        }
    };
    if patched == *object {
        return Ok(None);
    }
    if Resource::in_memory(patched.clone()).kind().is_empty() {
        return Err("failed to unmarshal patched resource: `kind` is missing".to_owned());
    }
    Ok(Some(patched))
}

fn spend_on(operations: &Value, context: &RuleContext<'_>) -> Result<(), String> {
    let count = operations.as_array().map_or(0, <[Value]>::len) as u64;
    context.spend(count).map_err(|error| error.to_string())
}

/// Whether everything beside the patch has a value.
fn resolves(rule: &Rule, mutation: &Mutation, context: &RuleContext<'_>) -> Result<(), VariableError> {
    let check = Check { context };
    check.conditions(rule.preconditions.as_ref())?;
    check.entries(&rule.context)?;
    rule.report_properties.iter().try_for_each(|(_, value)| check.text(value))?;
    mutation.targets.iter().try_for_each(|target| check.target(target))
}

struct Check<'c, 'a> {
    context: &'c RuleContext<'a>,
}

impl Check<'_, '_> {
    fn value(&self, value: &Value) -> Result<(), VariableError> {
        substitute(value, self.context).map(drop)
    }

    fn text(&self, text: &Str) -> Result<(), VariableError> {
        self.value(&Value::from(text.clone()))
    }

    fn conditions(&self, conditions: Option<&Conditions>) -> Result<(), VariableError> {
        conditions.into_iter().flat_map(Conditions::iter).try_for_each(|condition| {
            self.value(&condition.key)?;
            self.value(&condition.value)?;
            condition.message.iter().try_for_each(|message| self.text(message))
        })
    }

    fn entries(&self, entries: &[ContextEntry]) -> Result<(), VariableError> {
        entries.iter().try_for_each(|entry| match &entry.source {
            EntrySource::Variable { value, jmes_path, default } => {
                self.value(value)?;
                self.value(default)?;
                jmes_path.iter().try_for_each(|path| self.text(path))
            }
            EntrySource::ConfigMap { name, namespace } => self.text(name).and_then(|()| self.text(namespace)),
            EntrySource::ApiCall { call, jmes_path, default } => {
                self.value(call)?;
                self.value(default)?;
                jmes_path.iter().try_for_each(|path| self.text(path))
            }
            EntrySource::ImageRegistry { reference: text, jmes_path }
            | EntrySource::GlobalReference { name: text, jmes_path } => {
                self.text(text)?;
                jmes_path.iter().try_for_each(|path| self.text(path))
            }
        })
    }

    fn target(&self, target: &Target) -> Result<(), VariableError> {
        for text in [&target.api_version, &target.kind, &target.namespace, &target.name, &target.uid] {
            self.text(text)?;
        }
        self.value(&target.selector_source)?;
        self.entries(&target.context)?;
        self.conditions(target.preconditions.as_ref())
    }
}
