//! `{{ variables }}` and `$(references)` in policies, replaced while a rule runs.
//!
//! A text that is one variable becomes the variable's value, of whatever type; a variable within a text becomes text.
//! Replacement repeats until no variable is left, innermost first, so variables may nest; what came out of a
//! substituted object is searched again, as Kyverno does. Deliberately absent: where values come from, which is the
//! context's business.

mod reference;
mod scan;

use std::collections::HashMap;

use palisade_jmespath::{ParseError, Query, QueryError};
use palisade_model::{Map, Str, Value};

use crate::legacy::context::RuleContext;

pub use palisade_gotext::go_json::to_string as go_json;
pub use scan::{Variable, variables_of};

/// Why variables could not be replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// A variable has no value.
    #[error("failed to resolve {variable} at path {path}: {source}")]
    Unresolved {
        /// The expression.
        variable: String,
        /// Where it stands in the policy.
        path: String,
        /// Why.
        source: QueryError,
    },
    /// A reference leads nowhere or to something that is not a text.
    #[error("failed to resolve {reference} at path {path}: {reason}")]
    Reference {
        /// The reference.
        reference: String,
        /// Where it stands in the policy.
        path: String,
        /// Why.
        reason: String,
    },
    /// A variable in a key gave something that is not a text.
    #[error("expected string after substituting variables in key \"{0}\"")]
    Key(String),
    /// Values nest too deeply.
    #[error("variables nest more than {MAX_DEPTH} levels deep")]
    Depth,
}

/// How deep a document may nest.
const MAX_DEPTH: usize = 256;

impl VariableError {
    /// Whether a key that does not exist is the reason.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Unresolved { source: QueryError::NotFound { .. }, .. })
    }
}

/// Expressions that were parsed when the policy was loaded, by their text.
#[derive(Clone, Debug, Default)]
pub struct Queries(HashMap<Box<str>, Query>);

impl Queries {
    /// The parsed expression with this text.
    pub fn get(&self, text: &str) -> Option<&Query> {
        self.0.get(text)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Query> {
        self.0.values()
    }

    /// Parses an expression and keeps it.
    pub fn add(&mut self, text: &str) -> Result<(), ParseError> {
        let text = text.trim();
        if !self.0.contains_key(text) {
            self.0.insert(text.into(), Query::parse(text)?);
        }
        Ok(())
    }

    /// Parses every variable in the texts of `document` that does not itself hold variables.
    pub fn add_all(&mut self, document: &Value) {
        match document {
            Value::String(text) => {
                for variable in variables_of(text) {
                    // What does not parse is reported when the policy is checked.
                    let _ = self.add(&variable.expression());
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_all(item)),
            Value::Object(map) => map.iter().for_each(|(key, value)| {
                self.add_all(&Value::String(key.clone()));
                self.add_all(value);
            }),
            _ => {}
        }
    }
}

/// Whether a document holds anything that [`substitute`] would change.
pub fn is_dynamic(document: &Value) -> bool {
    let dynamic = |text: &str| text.contains("{{") || text.contains("$(");
    match document {
        Value::String(text) => dynamic(text),
        Value::Array(items) => items.iter().any(is_dynamic),
        Value::Object(map) => map.iter().any(|(key, value)| dynamic(key) || is_dynamic(value)),
        _ => false,
    }
}

/// Replaces references and variables in `document`.
pub fn substitute(document: &Value, context: &RuleContext<'_>) -> Result<Value, VariableError> {
    substitute_at(document, "", context)
}

/// Replaces references and variables in a part of a document that stands at `base`, such as
/// `/mutate/patchStrategicMerge`; `{{@}}` is resolved by where it stands.
pub fn substitute_at(document: &Value, base: &str, context: &RuleContext<'_>) -> Result<Value, VariableError> {
    if !is_dynamic(document) {
        return Ok(document.clone());
    }
    let resolved = reference::resolve_all(document)?;
    let mut substitution = Substitution { context, path: base.to_owned() };
    substitution.value(&resolved, 0)
}

/// Whether every reference in a document leads somewhere.
pub fn references_resolve(document: &Value) -> Result<(), VariableError> {
    reference::resolve_all(document).map(|_| ())
}

/// Replaces variables in a text that must stay one, such as a message.
pub fn substitute_text(text: &Str, context: &RuleContext<'_>) -> Result<Value, VariableError> {
    substitute(&Value::String(text.clone()), context)
}

struct Substitution<'c, 'a> {
    context: &'c RuleContext<'a>,
    path: String,
}

impl Substitution<'_, '_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<Value, VariableError> {
        if depth > MAX_DEPTH {
            return Err(VariableError::Depth);
        }
        match value {
            Value::String(text) if text.contains("{{") => match self.text(text)? {
                text @ Value::String(_) => Ok(text),
                // Kyverno goes on into what a variable gave.
                other if is_dynamic(&other) => self.value(&other, depth + 1),
                other => Ok(other),
            },
            Value::Array(items) => self.array(items, depth),
            Value::Object(map) => self.object(map, depth),
            other => Ok(other.clone()),
        }
    }

    fn array(&mut self, items: &[Value], depth: usize) -> Result<Value, VariableError> {
        let mut out = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let length = self.enter(&index.to_string());
            out.push(self.value(item, depth + 1)?);
            self.path.truncate(length);
        }
        Ok(Value::array(out))
    }

    fn object(&mut self, map: &Map, depth: usize) -> Result<Value, VariableError> {
        let mut out = Map::with_capacity(map.len());
        for (key, value) in map.iter() {
            let new_key = if key.contains("{{") {
                match self.text(key)? {
                    Value::String(text) => text,
                    Value::Null => key.clone(),
                    _ => return Err(VariableError::Key(key.to_string())),
                }
            } else {
                key.clone()
            };
            let length = self.enter(key);
            out.insert(new_key, self.value(value, depth + 1)?);
            self.path.truncate(length);
        }
        Ok(Value::object(out))
    }

    fn enter(&mut self, key: &str) -> usize {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&key.replace('/', "\\/"));
        length
    }

    /// Replaces the variables of one text.
    fn text(&self, text: &Str) -> Result<Value, VariableError> {
        let mut current = text.to_string();
        loop {
            let round = current.clone();
            let variables = variables_of(&round);
            let mut shallow = false;
            for variable in &variables {
                shallow = variable.is_shallow();
                let value = self.resolve(variable)?;
                if variable.braces() == round {
                    return Ok(value);
                }
                let mut inserted = match value {
                    Value::String(text) => text.to_string(),
                    other => go_json(&other),
                };
                if shallow {
                    inserted = inserted.replace("{{", "\\{{");
                }
                self.spend(variable, current.len() + inserted.len())?;
                let (from, to) = (variable.with_prefix(), format!("{}{inserted}", variable.prefix()));
                current = current.replacen(from, &to, 1);
            }
            if shallow || variables.is_empty() {
                return Ok(Value::from(current.replace("\\{{", "{{")));
            }
        }
    }

    fn spend(&self, variable: &Variable<'_>, steps: usize) -> Result<(), VariableError> {
        self.context.spend(steps as u64).map_err(|source| self.unresolved(variable.expression(), source))
    }

    fn resolve(&self, variable: &Variable<'_>) -> Result<Value, VariableError> {
        let mut expression = variable.expression();
        if expression == "@" {
            expression = self.own_place();
        }
        if self.context.is_delete() {
            expression = expression.replace("request.object", "request.oldObject");
        }
        self.context.query(&expression).map_err(|source| self.unresolved(expression, source))
    }

    fn unresolved(&self, variable: String, source: QueryError) -> VariableError {
        VariableError::Unresolved { variable, path: self.path.clone(), source }
    }

    /// What `{{@}}` stands for: the place of the target or resource that this place of the policy describes.
    fn own_place(&self) -> String {
        let root: &[&str] = if self.context.has_target() { &["target"] } else { &["request", "object"] };
        scan::place_in_resource(&self.path, root)
    }
}

#[cfg(test)]
mod tests;
