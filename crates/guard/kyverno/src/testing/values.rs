//! Values files (kind `Values`): variables that stand in for what policies would look up.

use palisade_model::{Diagnostic, Map, Path, Resource, Str, Value};
use palisade_policy::Variables;

use super::fields::Fields;

const SPEC_FIELDS: &[&str] = &["globalValues", "policies", "namespaceSelector", "namespaces", "subresources"];
const FILE_FIELDS: &[&str] =
    &["apiVersion", "kind", "metadata", "globalValues", "policies", "namespaceSelector", "namespaces", "subresources"];

/// Adds what a values file says to `variables`. An error among the diagnostics means that it cannot be trusted.
pub fn read(document: &Resource, variables: &mut Variables) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut fields = Fields::new(document, Path::root(), FILE_FIELDS, &mut diagnostics);
    fields.identify("Values");
    read_fields(&mut fields, variables);
    diagnostics
}

/// Adds the values that stand in a test itself, under `values`.
pub(super) fn read_inline(test: &Resource, variables: &mut Variables, diagnostics: &mut Vec<Diagnostic>) {
    read_fields(&mut Fields::new(test, Path::root().child("values"), SPEC_FIELDS, diagnostics), variables);
}

fn read_fields(fields: &mut Fields<'_, '_>, variables: &mut Variables) {
    for (key, value) in fields.object("globalValues") {
        variables.globals.insert(key, value);
    }
    for (path, _) in fields.list("policies") {
        let policy = &mut fields.below(path, &["name", "resources", "rules"]);
        let name: Str = policy.text("name").unwrap_or_default().into();
        for (path, _) in policy.list("resources") {
            let resource = &mut policy.below(path, &["name", "values"]);
            let key = (name.clone(), resource.text("name").unwrap_or_default().into());
            extend(variables.resources.entry(key).or_default(), resource.object("values"));
        }
        for (path, _) in policy.list("rules") {
            let rule = &mut policy.below(path, &["name", "values", "foreachValues"]);
            let key: (Str, Str) = (name.clone(), rule.text("name").unwrap_or_default().into());
            let (values, rounds) = (rule.object("values"), rule.object("foreachValues"));
            if !values.is_empty() {
                extend(variables.rules.entry(key.clone()).or_default(), values);
            }
            if !rounds.is_empty() {
                extend(variables.foreach.entry(key).or_default(), rounds);
            }
        }
    }
    for (path, _) in fields.list("namespaceSelector") {
        let namespace = &mut fields.below(path, &["name", "labels"]);
        let name = namespace.text("name").unwrap_or_default();
        variables.namespace_labels.insert(name.into(), namespace.object("labels"));
    }
    // Whole namespaces win over mere labels.
    for (_, namespace) in fields.list("namespaces") {
        let name = namespace.dig(["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
        let labels = namespace.dig(["metadata", "labels"]).and_then(Value::as_object);
        variables.namespace_labels.insert(name.into(), labels.cloned().unwrap_or_default());
    }
    variables.subresources.extend(fields.list("subresources").into_iter().map(|(_, value)| value.clone()));
}

fn extend(map: &mut Map, more: Map) {
    for (key, value) in more {
        map.insert(key, value);
    }
}
