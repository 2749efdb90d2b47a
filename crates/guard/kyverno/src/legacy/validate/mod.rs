//! Validate rules: judging one resource by one demand.
//!
//! A [`Demand`] is a rule's `validate` block made ready: patterns without variables and CEL expressions are compiled
//! once. Deliberately absent: selecting resources, the rule's own context and preconditions, and exceptions, which
//! come before.

mod blame;
mod cel;
mod foreach;
mod manifests;
mod pattern;
mod pod_security;

use palisade_model::{Path, Str, Value, Verdict};
use palisade_policy::{AdmissionRequest, Operation, Reads};

use super::condition::Conditions;
use super::context::RuleContext;
use super::exception::Exempted;
use super::spec::{Check, Rule, Validation};
use super::variables::{substitute, substitute_text};
use blame::Blame;
pub(crate) use cel::CelRule;
use foreach::Loop;
use pattern::PatternTemplate;

/// What a rule demands, ready to be judged by.
#[derive(Debug)]
pub(crate) enum Demand {
    Pattern(PatternTemplate),
    AnyPattern(PatternTemplate),
    Deny(Option<Conditions>),
    ForEach(Vec<Loop>),
    PodSecurity(pod_security::PodSecurityRule),
    Cel(Box<CelRule>),
    Manifests(Box<manifests::ManifestsRule>),
    /// What cannot be judged, and why.
    Unsupported(&'static str),
}

const ASSERT: &str = "`validate.assert` was withdrawn from Kyverno and is not evaluated";

impl Demand {
    pub(crate) fn compile(check: &Check, rule: &Rule, validation: &Validation) -> Self {
        match check {
            Check::Pattern(pattern) => Self::Pattern(PatternTemplate::single(pattern)),
            Check::AnyPattern(patterns) => Self::AnyPattern(PatternTemplate::list(patterns)),
            Check::Deny(conditions) => Self::Deny(conditions.clone()),
            Check::ForEach(loops) => {
                Self::ForEach(loops.iter().map(|item| Loop::compile(item, rule, validation)).collect())
            }
            Check::PodSecurity(spec) => Self::PodSecurity(pod_security::PodSecurityRule::compile(spec)),
            Check::Cel(check) => Self::Cel(Box::new(CelRule::compile(check, rule, validation))),
            Check::Manifests(spec) => Self::Manifests(Box::new(manifests::ManifestsRule::compile(spec))),
            Check::Assert(_) => Self::Unsupported(ASSERT),
        }
    }

    /// What the demand depends on, where the policy's texts and queries do not tell.
    pub(crate) fn reads(&self) -> Option<&Reads> {
        static ANYTHING: Reads = Reads::anything();
        match self {
            Self::Cel(rule) => Some(rule.reads()),
            // Signatures cover the object as a whole.
            Self::Manifests(_) => Some(&ANYTHING),
            _ => None,
        }
    }

    /// Problems of the demand's own expressions, for the policy's diagnostics.
    pub(crate) fn problems(&self) -> &[String] {
        match self {
            Self::Cel(rule) => rule.problems(),
            _ => &[],
        }
    }
}

/// What a demand came to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) message: String,
    pub(crate) paths: Vec<Path>,
    pub(crate) exceptions: Vec<Str>,
    pub(crate) properties: Vec<(Str, Str)>,
}

impl Answer {
    pub(crate) fn new(verdict: Verdict, message: impl Into<String>) -> Self {
        Self { verdict, message: message.into(), paths: Vec::new(), exceptions: Vec::new(), properties: Vec::new() }
    }

    fn error(what: &str, why: impl std::fmt::Display) -> Self {
        Self::new(Verdict::Error, format!("{what}: {why}"))
    }

    fn at(mut self, paths: Vec<Path>) -> Self {
        self.paths = paths;
        self
    }
}

/// A rule at work on a resource.
pub(crate) struct Judge<'c, 'a> {
    pub(crate) name: &'a str,
    pub(crate) validation: &'a Validation,
    pub(crate) demand: &'a Demand,
    pub(crate) admission: &'a AdmissionRequest,
    pub(crate) context: &'c RuleContext<'a>,
    /// Exceptions that let only some controls of a `podSecurity` rule pass.
    pub(crate) exempted: &'c [Exempted<'a>],
}

/// The element that a loop is at.
#[derive(Clone, Default)]
struct Scope {
    /// How many loops are around.
    nesting: usize,
    /// The element that patterns are about; the resource where absent.
    element: Option<Value>,
    /// Where the element is in the resource, where that is known.
    path: Option<Path>,
}

impl<'a> Judge<'_, 'a> {
    /// Judges the request; `None` where the rule has nothing to say about it.
    pub(crate) fn judge(&self) -> Option<Answer> {
        self.check(self.demand, &Scope::default())
    }

    /// Whether the object that an update replaces violates the rule, too; `None` where the rule does not select it.
    /// The caller puts the old object in the place of the new one.
    pub(crate) fn is_update(admission: &AdmissionRequest) -> bool {
        admission.operation == Operation::Update || !(admission.object.is_null() || admission.old_object.is_null())
    }

    fn check(&self, demand: &'a Demand, scope: &Scope) -> Option<Answer> {
        match demand {
            Demand::Deny(conditions) => Some(self.deny(conditions.as_ref(), scope)),
            Demand::Pattern(template) => self.pattern(template, scope),
            Demand::AnyPattern(template) => self.any_pattern(template, scope),
            Demand::ForEach(loops) => self.for_each(loops, scope),
            Demand::PodSecurity(rule) => self.pod_security(rule),
            Demand::Cel(rule) => Some(rule.judge(self)),
            Demand::Manifests(rule) => self.manifests(rule),
            Demand::Unsupported(why) => Some(Answer::new(Verdict::Error, *why)),
        }
    }

    fn deny(&self, conditions: Option<&Conditions>, scope: &Scope) -> Answer {
        let mut blame = Blame::default();
        let (met, message) = match conditions {
            None => (true, String::new()),
            Some(conditions) => match blame.evaluate(conditions, self.context) {
                Ok(outcome) => (outcome.met, outcome.message),
                Err(error) => return Answer::error("failed to check deny conditions", error),
            },
        };
        if !met {
            return Answer::new(Verdict::Pass, self.passed());
        }
        let paths = blame.paths(conditions, self.context, scope.path.as_ref());
        Answer::new(Verdict::Fail, self.deny_message(&message)).at(paths)
    }

    fn passed(&self) -> String {
        format!("validation rule '{}' passed.", self.name)
    }

    fn deny_message(&self, of_condition: &str) -> String {
        let parts: Vec<&str> =
            [&*self.validation.message, of_condition].into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return format!("validation error: rule {} failed", self.name);
        }
        match substitute_text(&parts.join("; ").into(), self.context) {
            Ok(Value::String(text)) => text.to_string(),
            Ok(_) => "the produced message didn't resolve to a string, check your policy definition.".into(),
            Err(_) => of_condition.into(),
        }
    }

    /// The rule's message with its variables replaced; `None` where there is none.
    fn message(&self) -> Option<Result<String, ()>> {
        (!self.validation.message.is_empty()).then(|| match substitute_text(&self.validation.message, self.context) {
            Ok(Value::String(text)) => Ok(text.to_string()),
            Ok(other) => Ok(super::variables::go_json(&other)),
            Err(_) => Err(()),
        })
    }

    /// What patterns are about: the loop's element, or the resource; `None` where it goes away.
    fn subject(&self, scope: &Scope) -> Option<Value> {
        match &scope.element {
            Some(element) => Some(element.clone()),
            None if self.context.is_delete() => None,
            None => Some(self.context.object()),
        }
    }
}

/// Conditions over a context.
pub(crate) fn evaluate(
    conditions: &Conditions,
    context: &RuleContext<'_>,
) -> Result<super::condition::Outcome, String> {
    let mut replace = |value: &Value| substitute(value, context).map_err(|error| error.to_string());
    conditions.evaluate(&mut replace, context.steps())
}
