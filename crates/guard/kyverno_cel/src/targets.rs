//! Existing objects that a MutatingPolicy changes when something happens to another: `targetMatchConstraints`.

use palisade_cel::Type;
use palisade_cel::admission::{
    Compiler, Conditions, Dialect, Evaluation, Expression, MatchResources, NamespaceView, Node, Subject, Variables,
};
use palisade_model::{Resource, Str, Value};
use palisade_policy::{AdmissionRequest, Environment, ObjectQuery, Operation};

/// Which existing objects a policy changes.
#[derive(Debug)]
pub(super) struct Targets {
    selection: Selection,
    conditions: Conditions,
}

#[derive(Debug)]
enum Selection {
    /// Objects that these select, whatever happens to them.
    Constraints(MatchResources),
    /// The object, or the list of objects, that this computes.
    Expression(Expression),
}

impl Targets {
    /// Reads `targetMatchConstraints` and `targetMatchConditions`; `None` where the policy changes the request's own
    /// object.
    pub(super) fn compile(compiler: &mut Compiler<'_, '_>, spec: &Node<'_>) -> Option<Self> {
        let node = compiler.reader.object(spec, "targetMatchConstraints")?;
        let results = [Type::map(Type::String, Type::Dyn)];
        let selection = if let Some(expression) = compiler.optional(&node, "expression", &results) {
            Selection::Expression(expression)
        } else {
            let constraints = MatchResources::read(compiler.reader, &node);
            if constraints.rules.is_empty() {
                return None;
            }
            let patterns = constraints.rules.iter().flat_map(|rule| &rule.resources);
            patterns.for_each(|pattern| compiler.reader.reads().look_up(pattern.resource()));
            Selection::Constraints(constraints.for_any_operation())
        };
        let conditions = Conditions::compile(compiler, spec, "targetMatchConditions");
        Some(Self { selection, conditions })
    }

    /// The objects to change. `trigger` is what happened.
    pub(super) fn find(&self, trigger: &Evaluation<'_>, environment: &Environment<'_>) -> Result<Vec<Value>, String> {
        match &self.selection {
            Selection::Constraints(constraints) => list(constraints, environment),
            Selection::Expression(expression) => {
                let value = expression.evaluate(trigger).map_err(|failure| failure.to_string())?;
                let value = value.to_value().map_err(|error| expression.failure(error).to_string())?;
                Ok(match value.get("items").and_then(Value::as_array) {
                    Some(items) => items.to_vec(),
                    None => vec![value],
                })
            }
        }
    }

    /// Whether the conditions on the target hold.
    pub(super) fn hold(
        &self,
        subject: &Subject<'_>,
        variables: &Variables,
        environment: &Environment<'_>,
    ) -> Result<bool, String> {
        self.conditions.hold(&Evaluation::new(subject, environment, variables))
    }
}

fn list(constraints: &MatchResources, environment: &Environment<'_>) -> Result<Vec<Value>, String> {
    let mut found: Vec<Value> = Vec::new();
    for query in queries(constraints) {
        let objects = environment.lookups.list(&query);
        for object in objects.map_err(|error| format!("the targets cannot be listed: {error}"))? {
            let request = AdmissionRequest::of(&Resource::in_memory(object.clone()), Operation::Update);
            let namespace = NamespaceView::new(&request.namespace, environment);
            if constraints.matches(&request, &namespace)? && !found.contains(&object) {
                found.push(object);
            }
        }
    }
    Ok(found)
}

fn queries(constraints: &MatchResources) -> Vec<ObjectQuery> {
    let mut queries = Vec::new();
    for rule in &constraints.rules {
        for (group, version) in rule.groups.iter().flat_map(|group| rule.versions.iter().map(move |v| (group, v))) {
            for pattern in &rule.resources {
                queries.push(ObjectQuery {
                    group: group.clone(),
                    version: version.clone(),
                    resource: Str::from(pattern.resource()),
                    ..ObjectQuery::default()
                });
            }
        }
    }
    queries
}

/// A target as the policy's expressions see it: the object is the target, the request is the trigger's.
pub(super) fn subject_of<'a>(
    target: &Value,
    trigger: &'a AdmissionRequest,
    environment: &'a Environment<'a>,
) -> Subject<'a> {
    let request = Subject::admission(trigger, environment, Dialect::Kyverno);
    request.about(target).without_old_object()
}
