//! GeneratingPolicy: creates objects when something happens to another.
//!
//! Deliberately absent: keeping what was generated in step with its source, which is the server's business.

use palisade_cel::Type;
use palisade_cel::admission::{
    Compiler, Conditions, Dialect, Expression, MatchResources, Node, Purpose, Reader, Subject, codes,
};
use palisade_cel::library::kyverno::generator::Collector;
use palisade_model::{Map, Str, Value, Verdict};
use palisade_policy::{Effect, Environment, Phase, Policy, PolicyInfo, Request, RuleOutcome};

use super::exception::Exception;
use super::identity::Identity;
use super::judging::{self, Gate};
use super::kind::Kind;
use super::template::Template;

/// A loaded GeneratingPolicy.
#[derive(Debug)]
pub(super) struct GeneratingPolicy {
    identity: Identity,
    constraints: MatchResources,
    gate: Gate,
    generations: Vec<Generation>,
}

/// An entry of `generate`.
#[derive(Debug)]
enum Generation {
    /// An expression that hands objects over by `generator.Apply`.
    Expression(Expression),
    /// Objects written out.
    Template(Template),
}

impl GeneratingPolicy {
    pub(super) fn read(reader: &mut Reader<'_>, exceptions: Vec<Exception>) -> Option<Self> {
        let (identity, spec) = Identity::read(reader, Kind::Generating)?;
        let constraints = judging::constraints(reader, &spec);
        let mut compiler = Compiler::new(reader, identity.environment(Purpose::Generation));
        let conditions = Conditions::compile(&mut compiler, &spec, "matchConditions");
        compiler.declare_variables(&spec, "variables");
        let entries = compiler.reader.list(&spec, "generate");
        let generations = entries.iter().filter_map(|entry| Generation::compile(&mut compiler, entry)).collect();
        let gate = Gate { exceptions, conditions, variables: compiler.into_variables(), ignore_failures: false };
        let identity = identity.reaching(reader, constraints.reach());
        (!reader.failed()).then_some(Self { identity, constraints, gate, generations })
    }

    fn generate(&self, subject: &Subject<'_>, environment: &Environment<'_>) -> RuleOutcome {
        match self.objects(subject, environment) {
            Ok(objects) => {
                let outcome = self.identity.outcome(Verdict::Pass, "policy evaluated successfully");
                if objects.is_empty() { outcome } else { outcome.effect(Effect::Generated(objects)) }
            }
            Err(outcome) => *outcome,
        }
    }

    /// The objects that the policy creates, in order.
    fn objects(&self, subject: &Subject<'_>, environment: &Environment<'_>) -> Result<Vec<Value>, Box<RuleOutcome>> {
        let fail = |message: String| Box::new(self.identity.outcome(Verdict::Error, message));
        let collector = Collector::new();
        let namespace = self.identity.own_namespace().map(Str::from);
        let evaluation =
            self.gate.open(&self.identity, subject, environment)?.with("generator", collector.handle(namespace));
        let mut objects = Vec::new();
        for generation in &self.generations {
            match generation {
                Generation::Expression(expression) => {
                    expression.evaluate(&evaluation).map_err(|failure| fail(failure.to_string()))?;
                    objects.extend(collector.take().iter().map(as_new));
                }
                Generation::Template(template) => {
                    for object in template.render(&evaluation).map_err(fail)? {
                        objects.push(as_new(&self.placed(object).map_err(fail)?));
                    }
                }
            }
        }
        Ok(objects)
    }

    /// An object of a template in its namespace: a namespaced policy stays within its own.
    fn placed(&self, mut object: Value) -> Result<Value, String> {
        let Some(own) = self.identity.own_namespace() else { return Ok(object) };
        let written = object.dig(["metadata", "namespace"]).and_then(Value::as_str).unwrap_or_default();
        if !written.is_empty() && written != own {
            return Err(format!(
                "cross-namespace generation denied: a policy in namespace `{own}` cannot generate into `{written}`"
            ));
        }
        if let Some(members) = object.as_object_mut() {
            let metadata = members.entry("metadata");
            if metadata.as_object().is_none() {
                *metadata = Value::object(Map::new());
            }
            metadata.as_object_mut().map(|metadata| metadata.insert("namespace", own));
        }
        Ok(object)
    }
}

impl Generation {
    fn compile(compiler: &mut Compiler<'_, '_>, entry: &Node<'_>) -> Option<Self> {
        match (entry.get("expression"), entry.get("template")) {
            (Some(_), Some(_)) => {
                let message = "an entry has an `expression` and a `template`";
                compiler.reader.error(codes::UNKNOWN_NAME, &entry.path, message, "split it into two entries");
                None
            }
            (None, Some(_)) => Template::compile(compiler, entry).map(Self::Template),
            _ => compiler.required(entry, "expression", &[Type::Bool]).map(Self::Expression),
        }
    }
}

/// Fields that a server fills in, which a copy must not carry along.
const SERVER_FIELDS: [&str; 5] = ["uid", "resourceVersion", "creationTimestamp", "managedFields", "selfLink"];

/// A copy of an existing object as a new one.
fn as_new(object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = object.as_object_mut().and_then(|members| members.get_mut("metadata"));
    if let Some(metadata) = metadata.and_then(Value::as_object_mut) {
        metadata.retain(|key, _| !SERVER_FIELDS.contains(&&**key));
    }
    object
}

impl Policy for GeneratingPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.identity.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        request
            .as_admission()
            .is_some_and(|request| self.identity.reaches(request) && self.constraints.may_match(request))
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        let Some(request) = request.as_admission().filter(|_| phase == self.identity.phase()) else {
            return Vec::new();
        };
        let subject = Subject::admission(request, environment, Dialect::Kyverno);
        if !self.identity.reaches(request) {
            return Vec::new();
        }
        match judging::selects(&self.identity, &self.constraints, request, &subject) {
            Ok(true) => {}
            Ok(false) => return Vec::new(),
            Err(outcome) => return vec![*outcome],
        }
        let outcome = self.generate(&subject, environment);
        // Upstream has nothing to say where the conditions of a generating policy do not hold.
        let declined = outcome.verdict == Verdict::Skip && outcome.exceptions.is_empty();
        (!declined).then_some(outcome).into_iter().collect()
    }
}
