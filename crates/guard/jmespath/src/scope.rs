//! Where an expression starts: the names that are known at its root.

use palisade_model::Value;

use super::QueryError;

/// The root of a search. A rule's context loads its entries when they are first asked for.
pub trait Scope {
    /// The value of a top-level name; `None` where there is no such name.
    fn get(&self, name: &str) -> Result<Option<Value>, QueryError>;

    /// Everything as one value, for expressions that mention the root itself (`@`, `*`).
    fn whole(&self) -> Result<Value, QueryError>;
}

impl Scope for Value {
    fn get(&self, name: &str) -> Result<Option<Value>, QueryError> {
        Ok(match self {
            Self::Object(map) => map.get(name).cloned(),
            // As anywhere in an expression: what is no object has null for every member.
            _ => Some(Self::Null),
        })
    }

    fn whole(&self) -> Result<Value, QueryError> {
        Ok(self.clone())
    }
}
