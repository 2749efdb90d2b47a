//! What a rule answers.

use std::sync::Arc;

use palisade_model::{Path, Str, Value, Verdict};

use crate::PolicyMeta;

/// The order in which a checkpoint asks: changes first, then judgement of the changed object, then what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Rules that change the object (or existing targets).
    Mutate,
    /// Rules that judge it, image verification included.
    Validate,
    /// Rules that create other objects.
    Generate,
    /// Rules that say whether an existing object is to be removed.
    Delete,
}

/// What a violation leads to at admission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Enforcement {
    /// The request is denied.
    #[default]
    Enforce,
    /// The request passes and the violation is reported.
    Audit,
    /// The request passes with a warning to the user.
    Warn,
}

/// What a rule did besides judging.
#[derive(Clone, Debug, Default)]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// The object now looks like this.
    Patched(Value),
    /// Existing objects that now look like this.
    PatchedTargets(Vec<Value>),
    /// Objects to be created or kept in step.
    Generated(Vec<Value>),
    /// The object is to be removed.
    Deleted,
}

/// The answer of one rule about one request.
#[derive(Clone, Debug)]
pub struct RuleOutcome {
    /// The rule's name, with `autogen-` where it was derived; the policy's name for languages without rules.
    pub rule: Str,
    /// When it was asked.
    pub phase: Phase,
    /// The verdict.
    pub verdict: Verdict,
    /// The policy's words, or why it could not be evaluated.
    pub message: String,
    /// The offending fields, most telling first; empty where the rule names none.
    pub paths: Vec<Path>,
    /// Which of its several checks speaks, where the rule has several: two violations in one field are two where their
    /// voices differ. Words of the policy, in which the value of the field does not count.
    pub voice: Str,
    /// What a violation leads to.
    pub enforcement: Enforcement,
    /// What it changed or made.
    pub effect: Effect,
    /// Exceptions that turned a violation into a skip.
    pub exceptions: Vec<Str>,
    /// Facts for reports, such as audit annotations.
    pub properties: Vec<(Str, Str)>,
    /// What the policy wants in the audit log of the API server; among the properties too.
    pub annotations: Vec<(Str, Str)>,
    /// What the rule says of itself, where its policy does not speak for it (Rego's metadata of a rule).
    pub meta: Option<Arc<PolicyMeta>>,
}

impl RuleOutcome {
    /// A plain answer.
    pub fn new(rule: impl Into<Str>, phase: Phase, verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            phase,
            verdict,
            message: message.into(),
            paths: Vec::new(),
            voice: Str::default(),
            enforcement: Enforcement::default(),
            effect: Effect::None,
            exceptions: Vec::new(),
            properties: Vec::new(),
            annotations: Vec::new(),
            meta: None,
        }
    }

    /// Adds an offending field.
    #[must_use]
    pub fn at(mut self, path: Path) -> Self {
        self.paths.push(path);
        self
    }

    /// Adds what the policy wants in the audit log.
    #[must_use]
    pub fn annotated(mut self, annotations: Vec<(Str, Str)>) -> Self {
        self.properties.extend(annotations.iter().cloned());
        self.annotations = annotations;
        self
    }

    /// Sets what the rule changed or made.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }
}
