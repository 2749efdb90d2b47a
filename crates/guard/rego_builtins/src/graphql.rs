//! `graphql.*`: queries and schemas parsed into trees, and queries checked against schemas.
//!
//! Trees may be given instead of text.

#[cfg(test)]
mod tests;

use palisade_graphql::{GraphqlError, Schema, check, parse_query as query_tree, parse_schema as schema_tree, pruned};
use palisade_rego_value::Value;

use super::declare::{ARRAY, OBJECT, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const DOCUMENT: Type = Type::OneOf(&[Type::String, OBJECT]);

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("graphql.parse", &[DOCUMENT, DOCUMENT], ARRAY, parse),
    builtin("graphql.parse_and_verify", &[DOCUMENT, DOCUMENT], ARRAY, parse_and_verify),
    builtin("graphql.parse_query", &[Type::String], OBJECT, parse_query),
    builtin("graphql.parse_schema", &[Type::String], OBJECT, parse_schema),
    builtin("graphql.is_valid", &[DOCUMENT, DOCUMENT], Type::Boolean, is_valid),
    builtin("graphql.schema_is_valid", &[DOCUMENT], Type::Boolean, schema_is_valid),
];

fn failed(trouble: &GraphqlError) -> BuiltinError {
    let (line, column) = trouble.place;
    BuiltinError::Failed(format!("{} in GraphQL string at location {line}:{column}", trouble.message))
}

/// The tree of a document that is given as text or as a tree.
fn document(
    context: &mut Context<'_>,
    operands: &[Value],
    position: usize,
    read: fn(&str) -> Result<Value, GraphqlError>,
) -> Result<Value, BuiltinError> {
    match operands::any(operands, position)? {
        Value::String(text) => {
            context.grow(text.len().saturating_mul(32))?;
            read(text).map_err(|trouble| failed(&trouble))
        }
        tree @ Value::Object(_) => Ok(tree.clone()),
        other => Err(operands::wrong_type(position - 1, other, &["string", "object"])),
    }
}

fn read_schema(tree: &Value) -> Result<Schema, BuiltinError> {
    Schema::read(tree).map_err(|trouble| {
        let ((line, column), message) = (trouble.place, trouble.message);
        let what = "Error in gqlparser SchemaDocument to Schema conversion";
        BuiltinError::Failed(format!("{what}: input:{line}:{column}: {message}"))
    })
}

/// Both trees, if the query is one that the schema permits.
fn verified(context: &mut Context<'_>, operands: &[Value]) -> Result<[Value; 2], BuiltinError> {
    let query = document(context, operands, 1, query_tree)?;
    let tree = document(context, operands, 2, schema_tree)?;
    let schema = read_schema(&tree)?;
    let troubles = check(context.budget, &schema, &query)?;
    if let Some((line, column)) = troubles.first().map(|trouble| trouble.place) {
        let shown = |(number, trouble): (usize, &GraphqlError)| match (number, trouble.place) {
            (0, _) => format!("{}\n", trouble.message),
            (_, (line, column)) => format!("input:{line}:{column}: {}\n", trouble.message),
        };
        let lines = troubles.iter().enumerate().map(shown).collect::<Vec<_>>().concat();
        let lines = lines.strip_suffix(".\n").unwrap_or(&lines);
        return Err(BuiltinError::Failed(format!("{lines} in GraphQL string at location {line}:{column}")));
    }
    Ok([pruned(&query), pruned(&tree)])
}

/// What is wrong is an answer; a spent budget is not.
fn unless_halted<T>(outcome: Result<T, BuiltinError>) -> Result<Option<T>, BuiltinError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error @ BuiltinError::Halt(_)) => Err(error),
        Err(_) => Ok(None),
    }
}

fn parse(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    answer(Value::array(verified(context, operands)?.to_vec()))
}

fn parse_and_verify(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let trees = unless_halted(verified(context, operands))?;
    let valid = trees.is_some();
    let [query, schema] = trees.unwrap_or_else(|| [Value::object(Vec::new()), Value::object(Vec::new())]);
    answer(Value::array(vec![Value::from(valid), query, schema]))
}

fn is_valid(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    answer(unless_halted(verified(context, operands))?.is_some())
}

fn parse_query(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    operands::string(operands, 1)?;
    answer(pruned(&document(context, operands, 1, query_tree)?))
}

fn parse_schema(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    operands::string(operands, 1)?;
    answer(pruned(&document(context, operands, 1, schema_tree)?))
}

fn schema_is_valid(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let schema = document(context, operands, 1, schema_tree).and_then(|tree| read_schema(&tree));
    answer(unless_halted(schema)?.is_some())
}
