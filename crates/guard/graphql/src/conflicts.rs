//! Fields that would have the same name in the answer, but different values.
//!
//! Every pair of such fields of a selection and of its fragments is compared, and what they select again; each
//! comparison draws a step from the budget.

use std::collections::BTreeSet;

use palisade_model::Spent;
use palisade_rego_value::Value;

use crate::query::{Checker, Selection};
use crate::schema::{Definition, Schema};
use crate::tree::{is_required, items, named, pruned, text, type_name, type_text};

/// How deeply selections are compared.
const MAX_DEPTH: u32 = 60;

/// A field, and the type that it is selected of.
#[derive(Clone, Copy)]
struct Field<'a> {
    node: &'a Value,
    parent: Option<&'a Definition>,
}

impl<'a> Field<'a> {
    fn definition(self) -> Option<&'a Value> {
        self.parent.and_then(|parent| named(&parent.fields, text(self.node, "Name")))
    }

    fn type_of(self) -> Option<&'a Value> {
        self.definition()?.get_str("Type")
    }
}

/// Reports the conflicts within a selection.
pub(crate) fn report<'a>(
    checker: &mut Checker<'a, '_>,
    parent: Option<&'a Definition>,
    node: &'a Value,
) -> Result<(), Spent> {
    let mut fields = Vec::new();
    collect(checker, parent, node, &mut BTreeSet::new(), &mut fields);
    for (index, left) in fields.iter().enumerate() {
        for right in fields.iter().skip(index + 1) {
            if let Some(reason) = conflict(checker, *left, *right, false, 0)? {
                let name = text(left.node, "Alias");
                let hint = "Use different aliases on the fields to fetch both if this was intentional.";
                checker.report(right.node, format!("Fields {name:?} conflict because {reason}. {hint}"));
            }
        }
    }
    Ok(())
}

/// The fields of a selection and of the fragments in it.
fn collect<'a>(
    checker: &Checker<'a, '_>,
    parent: Option<&'a Definition>,
    node: &'a Value,
    walked: &mut BTreeSet<&'a str>,
    into: &mut Vec<Field<'a>>,
) {
    let schema: &'a Schema = checker.schema;
    for selection in items(node, "SelectionSet") {
        match Selection::of(selection) {
            Selection::Field => into.push(Field { node: selection, parent }),
            Selection::Inline => {
                let condition = text(selection, "TypeCondition");
                let parent = if condition.is_empty() { parent } else { schema.types.get(condition) };
                collect(checker, parent, selection, walked, into);
            }
            Selection::Spread(name) => {
                if let Some(fragment) = checker.fragments.get(name).copied().filter(|_| walked.insert(name)) {
                    collect(checker, schema.types.get(text(fragment, "TypeCondition")), fragment, walked, into);
                }
            }
        }
    }
}

/// Why two fields cannot be in one answer. `exclusive` fields are never in the same object.
fn conflict<'a>(
    checker: &mut Checker<'a, '_>,
    left: Field<'a>,
    right: Field<'a>,
    exclusive: bool,
    depth: u32,
) -> Result<Option<String>, Spent> {
    checker.budget.step(1)?;
    if text(left.node, "Alias") != text(right.node, "Alias") || std::ptr::eq(left.node, right.node) {
        return Ok(None);
    }
    let (Some(left_parent), Some(right_parent)) = (left.parent, right.parent) else { return Ok(None) };
    let (Some(left_type), Some(right_type)) = (left.type_of(), right.type_of()) else { return Ok(None) };
    let objects = left_parent.kind == "OBJECT" && right_parent.kind == "OBJECT";
    let exclusive = exclusive || (objects && left_parent.name != right_parent.name);
    if !exclusive {
        let (left_name, right_name) = (text(left.node, "Name"), text(right.node, "Name"));
        if left_name != right_name {
            return Ok(Some(format!("{left_name:?} and {right_name:?} are different fields")));
        }
        if !same_arguments(left.node, right.node) {
            return Ok(Some("they have differing arguments".to_owned()));
        }
    }
    let schema: &'a Schema = checker.schema;
    if types_conflict(schema, left_type, right_type) {
        let (left, right) = (type_text(left_type), type_text(right_type));
        return Ok(Some(format!("they return conflicting types {left:?} and {right:?}")));
    }
    if depth >= MAX_DEPTH {
        return Ok(None);
    }
    let (mut left_fields, mut right_fields) = (Vec::new(), Vec::new());
    let next = |kind| schema.types.get(type_name(kind));
    collect(checker, next(left_type), left.node, &mut BTreeSet::new(), &mut left_fields);
    collect(checker, next(right_type), right.node, &mut BTreeSet::new(), &mut right_fields);
    let mut reasons = Vec::new();
    for left in left_fields {
        for right in &right_fields {
            if let Some(reason) = conflict(checker, left, *right, exclusive, depth + 1)? {
                reasons.push(format!("subfields {:?} conflict because {reason}", text(left.node, "Alias")));
            }
        }
    }
    Ok((!reasons.is_empty()).then(|| reasons.join(" and ")))
}

fn same_arguments(left: &Value, right: &Value) -> bool {
    let (left, right) = (items(left, "Arguments"), items(right, "Arguments"));
    left.len() == right.len()
        && left
            .iter()
            .all(|argument| named(right, text(argument, "Name")).is_some_and(|other| pruned(argument) == pruned(other)))
}

fn types_conflict(schema: &Schema, left: &Value, right: &Value) -> bool {
    match (left.get_str("Elem"), right.get_str("Elem")) {
        (Some(left), Some(right)) => types_conflict(schema, left, right),
        (None, None) => {
            let is_leaf = |kind| schema.types.get(type_name(kind)).is_some_and(Definition::is_leaf);
            is_required(left) != is_required(right)
                || (is_leaf(left) && is_leaf(right) && type_name(left) != type_name(right))
        }
        _ => true,
    }
}
