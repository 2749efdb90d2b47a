//! `cel`: expressions as Kubernetes' ValidatingAdmissionPolicy evaluates them, with their preconditions.
//!
//! The block is read as the `spec` of a ValidatingAdmissionPolicy by the crate that judges those.

use palisade_cel::Type;
use palisade_cel::admission::params::{ParamKind, ParamRef};
use palisade_cel::admission::{
    Compiler, Conditions, Decision, Dialect, Evaluation, Node, Purpose, Reader, Subject, Validations, Variables,
    environment,
};
use palisade_model::{Map, Path, Resource, Str, Value, Verdict};
use palisade_policy::Reads;

use super::{Answer, Judge};
use crate::legacy::spec::{CelCheck, NamedExpression, Rule, Validation};

/// A `cel` block with the rule's CEL preconditions, compiled.
#[derive(Debug)]
pub(crate) struct CelRule {
    preconditions: Conditions,
    validations: Validations,
    variables: Variables,
    params: Option<(ParamKind, ParamRef)>,
    /// What expressions and parameters depend on.
    reads: Reads,
    problems: Vec<String>,
}

impl CelRule {
    pub(super) fn compile(check: &CelCheck, rule: &Rule, validation: &Validation) -> Self {
        let document = Resource::in_memory(as_admission_policy(check, rule, validation));
        let mut reader = Reader::new(&document);
        let spec = Node { value: &document.object, path: Path::root() };
        let params = ParamKind::read(&mut reader, &spec).zip(ParamRef::read(&mut reader, &spec));
        let mut compiler = Compiler::new(&mut reader, environment(Dialect::Kubernetes, Purpose::Validation));
        if params.is_some() {
            compiler.declare("params", Type::Dyn);
        }
        // As in Kubernetes, conditions are judged before any variable exists.
        let preconditions = Conditions::compile(&mut compiler, &spec, "matchConditions");
        compiler.declare_variables(&spec, "variables");
        let validations = Validations::compile(&mut compiler, &spec, Dialect::Kubernetes);
        let variables = compiler.into_variables();
        let reads = reader.reads().clone();
        let problems = reader.into_diagnostics().iter().map(|diagnostic| diagnostic.message.clone()).collect();
        Self { preconditions, validations, variables, params, reads, problems }
    }

    pub(super) const fn reads(&self) -> &Reads {
        &self.reads
    }

    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    pub(super) fn judge(&self, judge: &Judge<'_, '_>) -> Answer {
        // An expression that does not compile denies, as one that cannot be evaluated does.
        if let Some(problem) = self.problems.first() {
            return Answer::new(Verdict::Fail, format!("compilation error: {problem}"));
        }
        let environment = judge.context.environment();
        let subject = Subject::admission(judge.admission, environment, Dialect::Kubernetes);
        let params = match &self.params {
            None => Ok(Some(vec![Value::Null])),
            Some((kind, reference)) => reference.resolve(kind, &judge.admission.namespace, &[], environment),
        };
        let params = match params {
            Ok(params) => params.unwrap_or_default(),
            Err(error) => return Answer::error("error in parameterized resource", error),
        };
        let mut properties = Vec::new();
        for param in &params {
            let evaluation = Evaluation::new(&subject, environment, &self.variables);
            let evaluation = if self.params.is_some() { evaluation.with("params", param) } else { evaluation };
            if let Some(answer) = self.decide(&evaluation) {
                return answer;
            }
            properties.extend(self.validations.annotate(&evaluation).unwrap_or_default());
        }
        let pass = Answer::new(Verdict::Pass, format!("Validation rule '{}' passed.", judge.name));
        Answer { properties, ..pass }
    }

    /// The answer under one parameter; `None` where it passes.
    fn decide(&self, evaluation: &Evaluation<'_>) -> Option<Answer> {
        match self.preconditions.hold(evaluation) {
            Ok(true) => {}
            Ok(false) => return Some(Answer::new(Verdict::Skip, "cel preconditions not met")),
            Err(error) => return Some(Answer::new(Verdict::Fail, error)),
        }
        match self.validations.decide(evaluation) {
            Decision::Pass => None,
            // Kubernetes denies what it cannot evaluate, and Kyverno reports that as a violation.
            Decision::Error { message, .. } => Some(Answer::new(Verdict::Fail, message)),
            Decision::Fail { message, paths, .. } => Some(Answer::new(Verdict::Fail, message).at(paths)),
        }
    }
}

/// The block as the `spec` of a ValidatingAdmissionPolicy.
fn as_admission_policy(check: &CelCheck, rule: &Rule, validation: &Validation) -> Value {
    let object = |members: &[(&str, &Str)]| {
        let given = members.iter().filter(|(_, text)| !text.is_empty());
        Value::object(given.map(|(key, text)| (Str::from(*key), Value::from(Str::clone(text)))).collect::<Map>())
    };
    let named = |items: &[NamedExpression], name: &str, expression: &str| {
        let item = |item: &NamedExpression| object(&[(name, &item.name), (expression, &item.expression)]);
        Value::array(items.iter().map(item).collect::<Vec<_>>())
    };
    let validations = check.expressions.iter().map(|item| {
        let message = if item.message.is_empty() { &validation.message } else { &item.message };
        object(&[
            ("expression", &item.expression),
            ("message", message),
            ("messageExpression", &item.message_expression),
        ])
    });
    let mut spec = Map::new();
    spec.insert("validations", validations.collect::<Vec<_>>());
    spec.insert("variables", named(&check.variables, "name", "expression"));
    spec.insert("matchConditions", named(&rule.cel_preconditions, "name", "expression"));
    spec.insert("auditAnnotations", named(&check.audit_annotations, "key", "valueExpression"));
    if let Some((api_version, kind)) = &check.param_kind {
        spec.insert("paramKind", object(&[("apiVersion", api_version), ("kind", kind)]));
        spec.insert("paramRef", check.param_ref.clone());
    }
    Value::object(spec)
}
