//! The CEL engine of templates, `K8sNativeValidation`: the body of a ValidatingAdmissionPolicy over `variables.params`
//! and `variables.anyObject`.

use std::borrow::Cow;

use palisade_cel::admission::{
    Compiler, Conditions, Decision, Dialect, Evaluation, Node, Purpose, Reader, Subject, Validations, Variables,
    environment,
};
use palisade_cel::{Type, Val};
use palisade_model::Value;
use palisade_policy::{AdmissionRequest, Operation};

use super::{Complaint, Parameters};
use crate::codes;
use crate::review::Review;

/// Names that templates may not take for their own variables and conditions.
const RESERVED: &str = "gatekeeper_internal_";
const PARAMS: &str = "variables.params";
const ANY_OBJECT: &str = "variables.anyObject";

/// Compiled CEL code of a template.
#[derive(Debug)]
pub(super) struct CelEngine {
    conditions: Conditions,
    variables: Variables,
    validations: Validations,
    /// Whether an object passes where the code cannot be evaluated.
    ignores_failures: bool,
}

impl CelEngine {
    /// Reads the `source` of the engine; problems go to `reader`.
    pub(super) fn read(reader: &mut Reader<'_>, source: &Node<'_>) -> Option<Self> {
        // `matchConditions`, as admission policies call it, is not among them: Gatekeeper does not read it either.
        let known = ["validations", "variables", "failurePolicy", "matchCondition", "generateVAP"];
        reader.known_fields(source, &known);
        check_names(reader, source);
        let policies = [("Fail", false), ("Ignore", true)];
        let ignores_failures = reader.word(source, "failurePolicy", &policies).unwrap_or_default();
        let mut compiler = Compiler::new(reader, environment(Dialect::Kubernetes, Purpose::Validation));
        for name in [PARAMS, ANY_OBJECT, "params"] {
            compiler.declare(name, Type::Dyn);
        }
        compiler.declare_variables(source, "variables");
        let conditions = Conditions::compile(&mut compiler, source, "matchCondition");
        let validations = Validations::compile(&mut compiler, source, Dialect::Kubernetes);
        let variables = compiler.into_variables();
        (!reader.failed()).then_some(Self { conditions, variables, validations, ignores_failures })
    }

    /// What the code has to say against the object: every validation that does not hold.
    pub(super) fn complaints(&self, parameters: &Parameters, review: &Review<'_>) -> Vec<Complaint> {
        let request = as_kubernetes_sends_it(review);
        let environment = review.environment;
        let subject = Subject::admission(&request, environment, Dialect::Kubernetes);
        let any_object = if request.object.is_null() { &request.old_object } else { &request.object };
        let mut evaluation = Evaluation::new(&subject, environment, &self.variables)
            .with(PARAMS, &parameters.value)
            .with(ANY_OBJECT, any_object)
            .with("params", &parameters.constraint);
        if !review.has_operation() {
            evaluation = evaluation.with("request", Val::from(&review.request_value()));
        }
        match self.conditions.hold(&evaluation) {
            Ok(true) => {}
            Ok(false) => return Vec::new(),
            Err(message) => return vec![self.failure(message)],
        }
        let complaint = |decision| match decision {
            Decision::Pass => None,
            Decision::Fail { message, paths, .. } => {
                Some(Complaint::Violation { message, details: Value::Null, paths })
            }
            Decision::Error { message, .. } => Some(self.failure(message)),
        };
        self.validations.decisions(&evaluation).filter_map(complaint).collect()
    }

    fn failure(&self, message: String) -> Complaint {
        Complaint::Failure { message, ignored: self.ignores_failures }
    }
}

/// Gatekeeper shows an object that is deleted as the new one too; Kubernetes does not, and CEL follows Kubernetes.
fn as_kubernetes_sends_it<'r>(review: &Review<'r>) -> Cow<'r, AdmissionRequest> {
    let mut request = Cow::Borrowed(review.admission);
    if review.has_operation() && request.operation == Operation::Delete && !request.object.is_null() {
        request.to_mut().object = Value::Null;
    }
    request
}

fn check_names(reader: &mut Reader<'_>, source: &Node<'_>) {
    for (list, taken) in [("variables", &["params", "anyObject"][..]), ("matchCondition", &[])] {
        for node in reader.list(source, list) {
            let Some(name) = reader.text(&node, "name") else { continue };
            if name.starts_with(RESERVED) || taken.contains(&&*name) {
                let message = format!("the name `{name}` is reserved");
                reader.error(codes::INVALID_TEMPLATE, &node.path.child("name"), message, "choose another name");
            }
        }
    }
}
