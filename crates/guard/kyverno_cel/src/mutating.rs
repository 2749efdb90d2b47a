//! MutatingPolicy: changes objects on their way in, and existing ones when something happens to another.

use palisade_cel::admission::{Compiler, Conditions, Dialect, Evaluation, Mutations, Node, Purpose, Reader, Subject};
use palisade_model::{Map, Value, Verdict};
use palisade_policy::{
    AdmissionRequest, Effect, Environment, Payload, Phase, Policy, PolicyInfo, Request, RuleOutcome,
};

use super::autogen::{self, Shape};
use super::exception::Exception;
use super::identity::Identity;
use super::judging::{self, Gate};
use super::kind::Kind;
use super::rule::Rule;
use super::targets::{self, Targets};

/// A loaded MutatingPolicy.
#[derive(Debug)]
pub(super) struct MutatingPolicy {
    identity: Identity,
    rules: Vec<Rule<Changes>>,
}

/// What a rule changes.
#[derive(Debug)]
struct Changes {
    mutations: Mutations,
    targets: Option<Targets>,
}

impl MutatingPolicy {
    pub(super) fn read(reader: &mut Reader<'_>, exceptions: &[Exception]) -> Option<Self> {
        let (identity, spec) = Identity::read(reader, Kind::Mutating)?;
        let compile = |reader: &mut Reader<'_>, spec: &Node<'_>| Changes::compile(reader, &identity, spec, exceptions);
        let rules = Rule::about_objects(reader, &spec, rewrite, compile);
        let identity = identity.reaching(reader, Rule::reach(&rules));
        (!reader.failed()).then_some(Self { identity, rules })
    }

    fn mutate(
        &self,
        rule: &Rule<Changes>,
        request: &AdmissionRequest,
        object: &Value,
        environment: &Environment<'_>,
    ) -> Option<RuleOutcome> {
        let subject = Subject::admission(request, environment, Dialect::Kyverno).about(object);
        match judging::selects(&self.identity, &rule.constraints, request, &subject) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(outcome) => return Some(*outcome),
        }
        if rule.extracts {
            let message = "mutation of the pods inside custom workloads is not supported: mutate the workload itself";
            return Some(self.identity.outcome(Verdict::Skip, message));
        }
        if let Some(targets) = &rule.work.targets {
            return Some(self.mutate_targets(rule, targets, request, &subject, environment));
        }
        Some(match self.apply(rule, &subject, object, environment) {
            Ok(changed) if changed == *object => {
                self.identity.outcome(Verdict::Pass, "the object is already as the mutation wants it")
            }
            Ok(changed) => self.identity.outcome(Verdict::Pass, "success").effect(Effect::Patched(changed)),
            Err(outcome) => *outcome,
        })
    }

    fn apply(
        &self,
        rule: &Rule<Changes>,
        subject: &Subject<'_>,
        object: &Value,
        environment: &Environment<'_>,
    ) -> Result<Value, Box<RuleOutcome>> {
        let evaluation = rule.gate.open(&self.identity, subject, environment)?;
        rule.work.mutate(evaluation, object).map_err(|message| Box::new(self.identity.outcome(Verdict::Error, message)))
    }

    /// Changes what the policy targets. The request's own object stays as it is.
    fn mutate_targets(
        &self,
        rule: &Rule<Changes>,
        targets: &Targets,
        request: &AdmissionRequest,
        trigger: &Subject<'_>,
        environment: &Environment<'_>,
    ) -> RuleOutcome {
        let changed = || -> Result<Vec<Value>, Box<RuleOutcome>> {
            let fail = |message: String| Box::new(self.identity.outcome(Verdict::Error, message));
            let evaluation = rule.gate.open(&self.identity, trigger, environment)?;
            let mut changed = Vec::new();
            for target in targets.find(&evaluation, environment).map_err(fail)? {
                let subject = targets::subject_of(&target, request, environment);
                if targets.hold(&subject, &rule.gate.variables, environment).map_err(fail)? {
                    let evaluation = Evaluation::new(&subject, environment, &rule.gate.variables);
                    changed.push(rule.work.mutate(evaluation, &target).map_err(fail)?);
                }
            }
            Ok(changed)
        };
        match changed() {
            Ok(changed) => self.identity.outcome(Verdict::Pass, "success").effect(Effect::PatchedTargets(changed)),
            Err(outcome) => *outcome,
        }
    }
}

impl Changes {
    fn compile(
        reader: &mut Reader<'_>,
        identity: &Identity,
        spec: &Node<'_>,
        exceptions: &[Exception],
    ) -> (Gate, Self) {
        let evaluation = spec.get("evaluation");
        let replace_atomics = evaluation.is_some_and(|node| reader.flag(&node, "useServerSideApply") == Some(true));
        let mut compiler = Compiler::new(reader, identity.environment(Purpose::Mutation));
        compiler.declare_variables(spec, "variables");
        let conditions = Conditions::compile(&mut compiler, spec, "matchConditions");
        let mutations = Mutations::compile(&mut compiler, spec, replace_atomics);
        let targets = Targets::compile(&mut compiler, spec);
        let gate = Gate {
            exceptions: exceptions.to_vec(),
            conditions,
            variables: compiler.into_variables(),
            ignore_failures: false,
        };
        (gate, Self { mutations, targets })
    }

    /// Each mutation sees the object as the one before left it; variables keep the values they had first.
    fn mutate(&self, mut evaluation: Evaluation<'_>, object: &Value) -> Result<Value, String> {
        let mut object = object.clone();
        for step in self.mutations.iter() {
            object = step.apply(&object, &evaluation)?;
            evaluation.set_object(&object);
        }
        Ok(object)
    }
}

/// The spec of a variant: conditions and apply configurations are rewritten, patches and variables are not.
fn rewrite(spec: &Value, shape: Shape) -> Value {
    let rewrite_at = |node: &mut Value, keys: &[&str]| {
        let target = keys.iter().try_fold(node, |node, key| node.as_object_mut()?.get_mut(key));
        if let Some(target) = target
            && let Some(text) = target.as_str()
        {
            *target = Value::from(autogen::rewrite_mutation(text, shape));
        }
    };
    let mut spec = spec.clone();
    for (list, keys) in
        [("matchConditions", ["expression"].as_slice()), ("mutations", ["applyConfiguration", "expression"].as_slice())]
    {
        let entries = spec.as_object_mut().and_then(|spec| spec.get_mut(list)).and_then(Value::as_array_mut);
        for entry in entries.into_iter().flatten() {
            rewrite_at(entry, keys);
        }
    }
    spec
}

impl Policy for MutatingPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.identity.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        match request.payload() {
            Payload::Kubernetes(request) => {
                self.identity.reaches(request) && self.rules.iter().any(|rule| rule.may_select(request))
            }
            _ => false,
        }
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        let Some(request) = request.as_admission().filter(|_| phase == self.identity.phase()) else {
            return Vec::new();
        };
        // What is deleted has no new state: expressions see an empty object, and there is nothing to patch.
        let deleting = request.object.is_null();
        let mut object = if deleting { Value::object(Map::new()) } else { request.object.clone() };
        let mut outcomes = Vec::new();
        for rule in &self.rules {
            let Some(mut outcome) = self.mutate(rule, request, &object, environment) else { continue };
            if deleting {
                outcome.effect = Effect::None;
            }
            if let Effect::Patched(changed) = &outcome.effect {
                object = changed.clone();
            }
            outcomes.push(outcome);
        }
        outcomes
    }
}
