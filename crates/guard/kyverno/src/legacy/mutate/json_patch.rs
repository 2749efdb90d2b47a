//! The text of `patchesJson6902`: reading it, and what can be said of it before any variable has a value.

use palisade_document::Limits;
use palisade_model::{Str, Value};

use crate::legacy::variables::variables_of;

/// What stands for a variable while a patch is checked.
const PLACEHOLDER: &str = "variable";
/// Variables nest no deeper in what is checked.
const MAX_ROUNDS: usize = 32;

/// The operations of a patch: JSON where the text starts like a list, YAML otherwise.
pub(super) fn operations(text: &str) -> Result<Value, String> {
    if text.starts_with('[') {
        return Value::from_json(text).map_err(|error| format!("failed to decode patches: {error}"));
    }
    yaml(text)
}

fn yaml(text: &str) -> Result<Value, String> {
    let parsed = palisade_document::parse("patchesJson6902", text.as_bytes(), &Limits::default());
    match (parsed.documents.into_iter().next(), parsed.diagnostics.into_iter().next()) {
        (Some(document), None) => Ok(document.value),
        (_, Some(problem)) => Err(format!("failed to convert patchesJson6902 to JSON: {}", problem.message)),
        (None, None) => Err("patchesJson6902 is empty".to_owned()),
    }
}

/// What is wrong with the patch of a rule, whatever its variables give; Kyverno does not load such a policy.
pub(crate) fn problem(text: &Str) -> Option<String> {
    if yaml(text).is_ok_and(|operations| paths(&operations).any(|path| !variables_of(path).is_empty())) {
        return Some("a JSON patch of a rule cannot have variables in its paths; use foreach".to_owned());
    }
    let operations = match yaml(&without_variables(text)) {
        Ok(operations) => operations,
        Err(problem) => return Some(problem),
    };
    let Value::Array(operations) = operations else {
        return Some(format!("a JSON patch is a list of operations, not {}", operations.type_name()));
    };
    operations.iter().enumerate().find_map(|(index, operation)| {
        operation_problem(operation).map(|problem| format!("operation {index} of the JSON patch: {problem}"))
    })
}

fn paths(operations: &Value) -> impl Iterator<Item = &str> {
    operations.as_array().unwrap_or_default().iter().filter_map(|operation| operation.get("path")?.as_str())
}

fn operation_problem(operation: &Value) -> Option<String> {
    let text = |key: &str| operation.get(key).and_then(Value::as_str);
    let needs = |key: &str| Some(format!("`{key}` is missing"));
    match text("op").unwrap_or("unknown") {
        "add" | "replace" | "test" if operation.get("value").is_none() => return needs("value"),
        "move" | "copy" if text("from").is_none() => return needs("from"),
        "add" | "replace" | "test" | "move" | "copy" | "remove" => {}
        other => return Some(format!("unknown operation `{other}`")),
    }
    match text("path") {
        None => needs("path"),
        Some(path) if !path.starts_with('/') => Some(format!("path `{path}` must begin with a forward slash")),
        Some(_) => None,
    }
}

fn without_variables(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..MAX_ROUNDS {
        let round = text.clone();
        let variables = variables_of(&round);
        if variables.is_empty() {
            break;
        }
        for variable in variables {
            text = text.replacen(variable.braces(), PLACEHOLDER, 1);
        }
    }
    text
}
