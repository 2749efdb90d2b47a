//! `validations` and `auditAnnotations`: what must hold, and what is said about it.

use palisade_model::{Path, Str};

use super::document::Node;
use super::evaluation::Evaluation;
use super::expression::{Compiler, Expression};
use super::subject::Dialect;
use super::unknown::Settled;
use crate::{Type, Val};

/// The expressions that must all hold, with their messages, and the annotations for reports.
#[derive(Clone, Debug)]
pub struct Validations {
    rules: Vec<Validation>,
    annotations: Vec<(Str, Expression)>,
    dialect: Dialect,
}

#[derive(Clone, Debug)]
struct Validation {
    expression: Expression,
    message: Option<Str>,
    message_expression: Option<Expression>,
}

/// What the validations say of a request.
#[derive(Clone, Debug)]
pub enum Decision {
    /// All hold.
    Pass,
    /// One does not hold.
    Fail {
        /// Its position.
        index: usize,
        /// The policy's words.
        message: String,
        /// The fields at fault, most telling first.
        paths: Vec<Path>,
    },
    /// One could not be evaluated.
    Error {
        /// Its position.
        index: usize,
        /// Which, and why.
        message: String,
    },
}

impl Decision {
    /// The voice of the validation at this position; the first one needs none.
    pub fn voice(index: usize) -> Str {
        if index == 0 { Str::default() } else { index.to_string().into() }
    }
}

/// The longest message that an expression may compute, in bytes; longer ones are not used.
const MAX_MESSAGE: usize = 5 * 1024;

impl Validations {
    /// Reads and compiles `validations` and `auditAnnotations` of `parent`.
    pub fn compile(compiler: &mut Compiler<'_, '_>, parent: &Node<'_>, dialect: Dialect) -> Self {
        let nodes = compiler.reader.list(parent, "validations");
        let rules = nodes.iter().filter_map(|node| Validation::compile(compiler, node)).collect();
        let nodes = compiler.reader.list(parent, "auditAnnotations");
        let annotations = nodes.iter().filter_map(|node| {
            let key = compiler.reader.required_text(node, "key")?;
            let expression = compiler.required(node, "valueExpression", &[Type::String, Type::Null])?;
            Some((key, expression))
        });
        Self { annotations: annotations.collect(), rules, dialect }
    }

    /// The first validation that is violated decides; where none is, the first that cannot be evaluated.
    pub fn decide(&self, evaluation: &Evaluation<'_>) -> Decision {
        let mut unknown = None;
        for decision in self.decisions(evaluation) {
            match decision {
                Decision::Pass => {}
                Decision::Fail { .. } => return decision,
                Decision::Error { .. } => _ = unknown.get_or_insert(decision),
            }
        }
        unknown.unwrap_or(Decision::Pass)
    }

    /// Like [`Validations::decide`] where values may be filled in later. `Err` says which of them the answer waits for.
    ///
    /// # Errors
    /// Nothing is violated, and something may be.
    pub fn settle(&self, evaluation: &Evaluation<'_>) -> Result<Decision, String> {
        if !evaluation.environment().filled_in_later {
            return Ok(self.decide(evaluation));
        }
        let (mut unknown, mut waiting) = (None, None);
        for (decision, rule) in self.decisions(evaluation).zip(&self.rules) {
            if matches!(decision, Decision::Pass) {
                continue;
            }
            match rule.expression.settle(evaluation) {
                Settled::Stands if matches!(decision, Decision::Fail { .. }) => return Ok(decision),
                Settled::Stands => _ = unknown.get_or_insert(decision),
                Settled::Holds => {}
                Settled::Unknown(path) => waiting = waiting.or(Some(path)),
            }
        }
        let told = unknown.unwrap_or(Decision::Pass);
        waiting.map_or(Ok(told), |path| Err(format!("`{path}` is filled in later: what it will be is not known here")))
    }

    /// What each validation says, in order, for kinds that report every violation.
    pub fn decisions<'a>(&'a self, evaluation: &'a Evaluation<'_>) -> impl Iterator<Item = Decision> + 'a {
        self.rules.iter().enumerate().map(|(index, rule)| match rule.expression.decide(evaluation) {
            Ok(true) => Decision::Pass,
            Ok(false) => {
                let message = match self.dialect {
                    Dialect::Kubernetes => rule.kubernetes_message(evaluation),
                    Dialect::Kyverno => rule.kyverno_message(index, evaluation),
                };
                Decision::Fail { index, message, paths: rule.expression.offending_paths(evaluation) }
            }
            Err(failure) => Decision::Error { index, message: failure.to_string() },
        })
    }

    /// The annotations that have a value; `Err` says which could not be evaluated.
    pub fn annotate(&self, evaluation: &Evaluation<'_>) -> Result<Vec<(Str, Str)>, String> {
        let mut annotations = Vec::new();
        for (key, expression) in &self.annotations {
            match expression.evaluate(evaluation).map_err(|failure| failure.to_string())? {
                Val::String(text) if text.trim().is_empty() => {}
                Val::String(text) => annotations.push((key.clone(), text)),
                Val::Null => {}
                other => {
                    return Err(format!("audit annotation `{key}` must be text or null, not {}", other.type_name()));
                }
            }
        }
        Ok(annotations)
    }
}

impl Validation {
    fn compile(compiler: &mut Compiler<'_, '_>, node: &Node<'_>) -> Option<Self> {
        let message = compiler.reader.text(node, "message");
        let message_expression = compiler.optional(node, "messageExpression", &[Type::String]);
        let expression = compiler.required(node, "expression", &[Type::Bool])?;
        Some(Self { expression, message, message_expression })
    }

    /// Kubernetes falls back step by step: computed text on one line, fixed text, the expression itself.
    fn kubernetes_message(&self, evaluation: &Evaluation<'_>) -> String {
        let computed = self.message_expression.as_ref().and_then(|expression| expression.evaluate(evaluation).ok());
        let computed = computed.as_ref().and_then(Val::as_str).map(str::trim).unwrap_or_default();
        if !computed.is_empty() && computed.len() <= MAX_MESSAGE && !computed.contains('\n') {
            return computed.to_owned();
        }
        match self.message.as_deref().map(str::trim) {
            Some(message) if !message.is_empty() => message.to_owned(),
            _ => format!("failed expression: {}", self.expression.source().trim()),
        }
    }

    /// Kyverno takes the computed text as it is. Where there is none, the fixed text stands in, and only without that is it
    /// told why.
    fn kyverno_message(&self, index: usize, evaluation: &Evaluation<'_>) -> String {
        let fixed = self.message.as_deref().filter(|message| !message.is_empty());
        let computed = self.message_expression.as_ref().map(|expression| match expression.evaluate(evaluation) {
            Ok(Val::String(text)) => Ok(text.to_string()),
            Ok(other) => {
                Err(format!("failed to convert message expression to string: it is of type {}", other.type_name()))
            }
            Err(failure) => Err(format!("failed to evaluate message expression: {}", failure.error)),
        });
        match (computed, fixed) {
            (Some(Ok(text)), _) if !text.is_empty() => text,
            (_, Some(fixed)) => fixed.to_owned(),
            (Some(Err(why)), None) => why,
            (_, None) => format!("CEL expression validation failed at index {index}"),
        }
    }
}
