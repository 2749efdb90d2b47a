//! Conditions of legacy rules: `key`, `operator` and `value`, alone or in `any` and `all` blocks.
//!
//! Used by preconditions, deny conditions, cleanup policies, exceptions and image attestations alike. Deliberately
//! absent: finding variables in keys and values; the caller substitutes them when a condition is reached, so that a
//! condition that is never reached cannot fail. Whole numbers and doubles are told apart as in Go, which matters
//! where values are compared as printed: numbers that come out of variables are doubles.

mod equality;
mod membership;
mod operator;
mod size;

use palisade_model::{Map, Str, Value};
use palisade_policy::steps::Steps;

pub use operator::{Operator, evaluate};

/// One comparison, as written.
#[derive(Clone, Debug)]
pub struct Condition {
    /// What is compared, variables included.
    pub key: Value,
    /// The operator's name.
    pub operator: Str,
    /// What it is compared with, variables included.
    pub value: Value,
    /// What to say of it.
    pub message: Option<Str>,
}

/// A block of conditions: any of the first and all of the second.
#[derive(Clone, Debug, Default)]
pub struct AnyAll {
    /// At least one must hold, where given; an empty list never holds.
    pub any: Option<Vec<Condition>>,
    /// All must hold.
    pub all: Vec<Condition>,
}

/// Conditions in any of the forms that policies use.
#[derive(Clone, Debug)]
pub enum Conditions {
    /// The old form: a bare list, all of which must hold.
    List(Vec<Condition>),
    /// One `any`/`all` block.
    Block(AnyAll),
    /// Several blocks, all of which must hold: the form of image attestations.
    Blocks(Vec<AnyAll>),
}

/// What conditions came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether they hold.
    pub met: bool,
    /// The messages of the conditions that decided, joined; empty where none has one.
    pub message: String,
}

/// Substitutes the variables of a key or value.
pub type Substitute<'s> = dyn FnMut(&Value) -> Result<Value, String> + 's;

impl Condition {
    fn parse(source: &Value) -> Result<Self, String> {
        let Value::Object(map) = source else {
            return Err(format!(
                "a condition is a mapping of `key`, `operator` and `value`, not a {}",
                source.type_name()
            ));
        };
        let text = |name: &str| match map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(format!("`{name}` of a condition is a string, not a {}", other.type_name())),
        };
        let operator = text("operator")?.unwrap_or_else(|| "".into());
        let value = |name: &str| map.get(name).map(literal).unwrap_or_default();
        Ok(Self { key: value("key"), operator, value: value("value"), message: text("message")? })
    }

    fn evaluate(&self, substitute: &mut Substitute<'_>, steps: &Steps<'_>) -> Result<bool, String> {
        let key = substitute(&self.key)
            .map_err(|error| format!("failed to substitute variables in condition key: {error}"))?;
        let value = substitute(&self.value)
            .map_err(|error| format!("failed to substitute variables in condition value: {error}"))?;
        let operator = Operator::parse(&self.operator).ok_or_else(|| {
            format!("unknown condition operator `{}`; use one such as `Equals` or `AnyIn`", self.operator)
        })?;
        evaluate(&key, operator, &value, steps)
    }

    fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }
}

/// A key or value as Kyverno decodes it from the policy: a lone whole number becomes a double, and only those inside
/// lists and mappings stay whole.
fn literal(value: &Value) -> Value {
    match value {
        Value::Int(number) => Value::Float(*number as f64),
        other => other.clone(),
    }
}

fn parse_list(source: &Value) -> Result<Vec<Condition>, String> {
    match source {
        Value::Array(items) => items.iter().map(Condition::parse).collect(),
        other => Err(format!("conditions are a list, not a {}", other.type_name())),
    }
}

impl AnyAll {
    fn parse(map: &Map) -> Result<Self, String> {
        let list = |name: &str| match map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(list) => parse_list(list).map(Some),
        };
        Ok(Self { any: list("any")?, all: list("all")?.unwrap_or_default() })
    }

    fn evaluate(&self, substitute: &mut Substitute<'_>, steps: &Steps<'_>) -> Result<Outcome, String> {
        let (mut held, mut failed) = (Vec::new(), Vec::new());
        let mut any = self.any.is_none();
        for condition in self.any.iter().flatten() {
            any = condition.evaluate(substitute, steps)?;
            if any {
                held.push(condition.message());
                break;
            }
            failed.push(condition.message());
        }
        // Kyverno evaluates `all` even where `any` has already failed, so an error in it counts.
        let mut all = true;
        for condition in &self.all {
            all = condition.evaluate(substitute, steps)?;
            if !all {
                failed.push(condition.message());
                break;
            }
            held.push(condition.message());
        }
        let met = any && all;
        Ok(Outcome { met, message: join(if met { &held } else { &failed }, "; ") })
    }
}

impl Conditions {
    /// Reads the conditions of a rule: a bare list or one block. `null` is an empty block, which holds.
    pub fn parse(source: &Value) -> Result<Self, String> {
        match source {
            Value::Null => Ok(Self::Block(AnyAll::default())),
            Value::Object(map) => AnyAll::parse(map).map(Self::Block),
            list => parse_list(list).map(Self::List),
        }
    }

    /// Reads a list of blocks.
    pub fn parse_blocks(source: &Value) -> Result<Self, String> {
        let Value::Array(items) = source else { return Self::parse(source) };
        let block = |item: &Value| match item {
            Value::Object(map) => AnyAll::parse(map),
            other => Err(format!("conditions are mappings with `any` and `all`, not a {}", other.type_name())),
        };
        items.iter().map(block).collect::<Result<_, _>>().map(Self::Blocks)
    }

    /// Every condition, in the order of evaluation.
    pub fn iter(&self) -> impl Iterator<Item = &Condition> {
        let (list, blocks) = match self {
            Self::List(list) => (list.as_slice(), [].as_slice()),
            Self::Block(block) => ([].as_slice(), std::slice::from_ref(block)),
            Self::Blocks(blocks) => ([].as_slice(), blocks.as_slice()),
        };
        list.iter().chain(blocks.iter().flat_map(|block| block.any.iter().flatten().chain(&block.all)))
    }

    /// Evaluates the conditions in Kyverno's order, substituting each key and value when it is reached; `steps` is
    /// the rule's budget and counts down.
    pub fn evaluate(&self, substitute: &mut Substitute<'_>, steps: &Steps<'_>) -> Result<Outcome, String> {
        let mut messages = Vec::new();
        match self {
            Self::Block(block) => return block.evaluate(substitute, steps),
            Self::List(list) => {
                for condition in list {
                    if !condition.evaluate(substitute, steps)? {
                        return Ok(Outcome { met: false, message: condition.message().to_owned() });
                    }
                    messages.push(condition.message().to_owned());
                }
            }
            Self::Blocks(blocks) => {
                for block in blocks {
                    let outcome = block.evaluate(substitute, steps)?;
                    if !outcome.met {
                        return Ok(outcome);
                    }
                    messages.push(outcome.message);
                }
            }
        }
        Ok(Outcome { met: true, message: join(&messages, ";") })
    }
}

fn join<S: AsRef<str>>(messages: &[S], separator: &str) -> String {
    let spoken: Vec<&str> = messages.iter().map(AsRef::as_ref).filter(|message| !message.is_empty()).collect();
    spoken.join(separator)
}

#[cfg(test)]
mod tests;
