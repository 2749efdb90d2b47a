//! GraphQL: queries and schemas parsed into trees, and queries checked against schemas.
//!
//! Trees are values in the shape that OPA shows them in, and messages are in its words, because its builtins give both to
//! policies. Deliberately absent: execution.

mod conflicts;
mod definitions;
mod lexer;
mod parser;
mod query;
mod schema;
mod suggestions;
mod tree;
mod values;

use palisade_rego_value::Value;

pub use parser::GraphqlError;
pub use query::check;
pub use schema::Schema;
pub use tree::pruned;

/// The tree of a query.
pub fn parse_query(text: &str) -> Result<Value, GraphqlError> {
    parser::Parser::new(text).query_document()
}

/// The tree of a schema.
pub fn parse_schema(text: &str) -> Result<Value, GraphqlError> {
    parser::Parser::new(text).schema_document()
}
