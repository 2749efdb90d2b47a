//! Preconditions and deny conditions.

use palisade_model::{Path, Value};

use crate::legacy::codes;
use crate::legacy::condition::{Condition, Conditions, Operator};
use crate::legacy::spec::{Body, Check, ForEachMutation, ForEachValidation, Reader, Rule};

const OPERATIONS: [&str; 4] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

pub(super) fn rule(reader: &mut Reader<'_>, rule: &Rule, path: &Path) {
    strict(reader, rule.preconditions.as_ref(), &path.child("preconditions"));
    match &rule.body {
        Body::Validate(validation) => match &validation.check {
            Check::Deny(conditions) => strict(reader, conditions.as_ref(), &path.child("validate").child("deny")),
            Check::ForEach(loops) => validation_loops(reader, loops, &path.child("validate").child("foreach")),
            _ => {}
        },
        Body::Mutate(mutation) => mutation_loops(reader, &mutation.foreach, &path.child("mutate").child("foreach")),
        _ => {}
    }
}

fn validation_loops(reader: &mut Reader<'_>, loops: &[ForEachValidation], path: &Path) {
    for (index, item) in loops.iter().enumerate() {
        let path = path.child(index);
        operators(reader, item.preconditions.as_ref(), &path);
        match &item.check {
            Some(Check::Deny(conditions)) => operators(reader, conditions.as_ref(), &path.child("deny")),
            Some(Check::ForEach(loops)) => validation_loops(reader, loops, &path.child("foreach")),
            _ => {}
        }
    }
}

fn mutation_loops(reader: &mut Reader<'_>, loops: &[ForEachMutation], path: &Path) {
    for (index, item) in loops.iter().enumerate() {
        operators(reader, item.preconditions.as_ref(), &path.child(index));
        mutation_loops(reader, &item.foreach, &path.child(index).child("foreach"));
    }
}

/// Key, operator and value must be there and fit.
fn strict(reader: &mut Reader<'_>, conditions: Option<&Conditions>, path: &Path) {
    for condition in conditions.into_iter().flat_map(Conditions::iter) {
        if condition.key.is_null() || condition.value.is_null() || condition.operator.is_empty() {
            let message = "a condition needs `key`, `operator` and `value`";
            reader.error(codes::INVALID_CONDITION, path, message, "complete the condition");
        }
        if is_operation(&condition.key) {
            operation_values(reader, condition, path);
        }
    }
    operators(reader, conditions, path);
}

fn operators(reader: &mut Reader<'_>, conditions: Option<&Conditions>, path: &Path) {
    for condition in conditions.into_iter().flat_map(Conditions::iter) {
        if !Operator::is_name(&condition.operator) {
            let message = format!("unknown condition operator `{}`", condition.operator);
            let help = "one of Equals, NotEquals, AnyIn, AllIn, AnyNotIn, AllNotIn, GreaterThan, GreaterThanOrEquals, \
                        LessThan, LessThanOrEquals";
            reader.error(codes::INVALID_CONDITION, path, message, help);
        }
    }
}

fn is_operation(key: &Value) -> bool {
    key.as_str().is_some_and(|text| text.replace(' ', "") == "{{request.operation}}")
}

fn operation_values(reader: &mut Reader<'_>, condition: &Condition, path: &Path) {
    let known = |value: &Value| value.as_str().is_some_and(|text| OPERATIONS.contains(&text));
    let fits = match &condition.value {
        Value::String(text) if text.starts_with("{{") && text.ends_with("}}") => true,
        Value::Array(items) => items.iter().all(known),
        other => known(other),
    };
    if !fits {
        let message = format!("`{}` is no admission operation", condition.value);
        reader.error(codes::INVALID_CONDITION, path, message, "one of CREATE, UPDATE, DELETE, CONNECT");
    }
}
