//! Context entries of rules.

use palisade_model::image_reference::ImageReference;
use palisade_model::{Path, Value};

use super::{Checked, expressions};
use crate::legacy::codes;
use crate::legacy::spec::{Body, Check, ContextEntry, EntrySource, Reader, Rule};
use crate::legacy::variables::variables_of;

/// Names that requests and loops define.
const RESERVED: [&str; 6] =
    ["images", "request", "serviceAccountName", "serviceAccountNamespace", "element", "elementIndex"];

pub(super) fn rule(reader: &mut Reader<'_>, policy: &Checked<'_>, rule: &Rule, path: &Path) {
    let path = path.child("context");
    let is_cel = matches!(&rule.body, Body::Validate(validation) if matches!(validation.check, Check::Cel(_)));
    if is_cel && !rule.context.is_empty() {
        let message = "`context` has no effect on CEL expressions";
        reader.error(codes::INVALID_CONTEXT, &path, message, "use `validate.cel.variables` or `paramRef`");
    }
    for (index, entry) in rule.context.iter().enumerate() {
        entry_of(reader, policy, entry, &path.child(index));
    }
}

fn entry_of(reader: &mut Reader<'_>, policy: &Checked<'_>, entry: &ContextEntry, path: &Path) {
    let clash = RESERVED.iter().find(|name| {
        *entry.name == ***name || entry.name.strip_prefix(**name).is_some_and(|rest| rest.starts_with('.'))
    });
    if let Some(name) = clash {
        let message = format!("`{}` is in the way of the variable `{name}`", entry.name);
        reader.error(codes::INVALID_CONTEXT, path, message, "choose another name");
    }
    if let Some((message, help)) = problem(policy, &entry.source) {
        reader.error(codes::INVALID_CONTEXT, path, format!("context entry `{}` {message}", entry.name), help);
    }
    let queried = match &entry.source {
        EntrySource::Variable { jmes_path, .. }
        | EntrySource::ApiCall { jmes_path, .. }
        | EntrySource::ImageRegistry { jmes_path, .. }
        | EntrySource::GlobalReference { jmes_path, .. } => jmes_path.as_deref(),
        EntrySource::ConfigMap { .. } => None,
    };
    // What variables will make of a query is not known before they are replaced.
    for query in queried.into_iter().filter(|query| variables_of(query).is_empty()) {
        if let Some(message) = expressions::problem(query) {
            reader.error(codes::INVALID_VARIABLE, path, message, "correct the expression");
        }
    }
}

fn problem(policy: &Checked<'_>, source: &EntrySource) -> Option<(&'static str, &'static str)> {
    match source {
        EntrySource::Variable { value, jmes_path: None, default } => match (value.is_null(), default.is_null()) {
            (true, _) => Some(("has no value", "add `value` or `jmesPath`")),
            (false, false) => Some(("has a default that is never used", "remove `default`, or add `jmesPath`")),
            (false, true) => None,
        },
        EntrySource::ConfigMap { name, namespace } if name.is_empty() || namespace.is_empty() => {
            Some(("names no ConfigMap", "add `name` and `namespace`"))
        }
        EntrySource::ApiCall { call, .. } => {
            let both = call.get("urlPath").and_then(Value::as_str).is_some_and(|path| !path.is_empty())
                && call.get("service").is_some();
            both.then_some(("calls both the API server and a service", "remove `urlPath` or `service`"))
        }
        EntrySource::GlobalReference { .. } if policy.namespaced => {
            Some(("reads a GlobalContextEntry, which a namespaced Policy may not", "make it a ClusterPolicy"))
        }
        EntrySource::GlobalReference { name, .. } if name.is_empty() => Some(("names no entry", "add `name`")),
        EntrySource::ImageRegistry { reference, .. } => {
            let fixed = variables_of(reference).is_empty();
            (fixed && ImageReference::parse(reference).is_err()).then_some(("names no image", "correct `reference`"))
        }
        _ => None,
    }
}
