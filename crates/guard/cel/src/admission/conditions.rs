//! Conditions that all must hold before a policy judges a request: `matchConditions` and their kin.

use palisade_model::Str;

use super::document::Node;
use super::evaluation::Evaluation;
use super::expression::{Compiler, Expression};
use crate::Type;

/// A list of named conditions.
#[derive(Clone, Debug, Default)]
pub struct Conditions(Vec<Condition>);

#[derive(Clone, Debug)]
struct Condition {
    name: Str,
    expression: Expression,
}

impl Conditions {
    /// Reads and compiles the conditions at `key`.
    pub fn compile(compiler: &mut Compiler<'_, '_>, parent: &Node<'_>, key: &str) -> Self {
        let nodes = compiler.reader.list(parent, key);
        let conditions = nodes.iter().filter_map(|node| {
            let name = compiler.reader.text(node, "name").unwrap_or_default();
            let expression = compiler.required(node, "expression", &[Type::Bool])?;
            Some(Condition { name, expression })
        });
        Self(conditions.collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all hold. One that is false decides, whatever the others could not answer; otherwise `Err` says what
    /// could not be evaluated.
    pub fn hold(&self, evaluation: &Evaluation<'_>) -> Result<bool, String> {
        let mut failures = Vec::new();
        for condition in &self.0 {
            match condition.expression.decide(evaluation) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(failure) => failures.push(format!("condition `{}`: {failure}", condition.name)),
            }
        }
        if failures.is_empty() { Ok(true) } else { Err(failures.join("; ")) }
    }
}
