//! Comparison operators as functions, over Rego's total order of values.

use palisade_model::Relation;
use palisade_rego_value::Value;

use super::declare::builtin;
use super::{Answer, Builtin, answer, operands};
use crate::types::Type;

const TWO: &[Type] = &[Type::Any, Type::Any];

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    // Unification and assignment are steps of a plan; as functions of two values they compare.
    builtin("assign", TWO, Type::Boolean, |_, operands| compare(operands, Relation::Equal)),
    builtin("eq", TWO, Type::Boolean, |_, operands| compare(operands, Relation::Equal)),
    builtin("equal", TWO, Type::Boolean, |_, operands| compare(operands, Relation::Equal)),
    builtin("neq", TWO, Type::Boolean, |_, operands| compare(operands, Relation::NotEqual)),
    builtin("lt", TWO, Type::Boolean, |_, operands| compare(operands, Relation::Less)),
    builtin("lte", TWO, Type::Boolean, |_, operands| compare(operands, Relation::LessOrEqual)),
    builtin("gt", TWO, Type::Boolean, |_, operands| compare(operands, Relation::Greater)),
    builtin("gte", TWO, Type::Boolean, |_, operands| compare(operands, Relation::GreaterOrEqual)),
];

fn compare(operands: &[Value], relation: Relation) -> Answer {
    answer(relation.holds(operands::any(operands, 1)?.cmp(operands::any(operands, 2)?)))
}
