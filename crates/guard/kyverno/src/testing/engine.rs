//! Judging the objects of a test, policy by policy, in the order and with the requests that upstream simulates.

use std::cell::RefCell;

use jiff::Timestamp;
use palisade_model::{GroupVersionKind, Resource, Value, Verdict};
use palisade_policy::evaluate;
use palisade_policy::{
    AdmissionRequest, Effect, Environment, Operation, Payload, Phase, Policy, Request, RuleOutcome, Variables,
};

use super::manifest::Manifest;
use super::material::{Material, TestPolicy};
use super::objects::{Key, TestObject};
use super::silence::is_silent;

/// The variable by which values choose the operation.
const OPERATION: &str = "request.operation";
/// The annotation that turns violations into warnings.
const SCORED: &str = "policies.kyverno.io/scored";

/// What one policy answered about one object. A policy that was asked and has nothing to say answers without outcomes.
#[derive(Debug)]
pub(super) struct Response {
    /// Index of the policy.
    pub(super) policy: usize,
    pub(super) outcomes: Vec<RuleOutcome>,
    /// The object after the policy's mutations; null for answers about targets.
    pub(super) patched: Value,
}

/// An object with all answers about it.
#[derive(Debug)]
pub(super) struct Trigger {
    pub(super) key: Key,
    pub(super) responses: Vec<Response>,
}

/// A target with an answer that changed it.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) key: Key,
    /// Index of the policy.
    pub(super) policy: usize,
    pub(super) outcome: RuleOutcome,
    pub(super) patched: Value,
}

/// All answers of a test.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The answers by operation; `None` is the one that the values choose.
    pub(super) runs: Vec<(Option<Operation>, Vec<Trigger>)>,
    pub(super) changes: Vec<Change>,
}

impl Session {
    /// Judges every object once by default, and once more for every operation that a result asks for.
    pub(super) fn judge(manifest: &Manifest, material: &Material, now: Timestamp) -> Self {
        let mut operations = vec![None];
        for expectation in &manifest.expectations {
            if !operations.contains(&expectation.operation) {
                operations.push(expectation.operation);
            }
        }
        let mut session = Self::default();
        for operation in operations {
            let run = Run::new(material, operation, now);
            let objects = material.objects.iter().map(|object| run.object(object));
            let payloads = material.payloads.iter().filter(|_| operation.is_none());
            let triggers = objects.chain(payloads.map(|(key, payload)| run.payload(key, payload))).collect();
            session.runs.push((operation, triggers));
        }
        session.collect_changes(material);
        session
    }

    /// The answers of the run for `operation`.
    pub(super) fn run(&self, operation: Option<Operation>) -> &[Trigger] {
        let found = self.runs.iter().find(|(own, _)| *own == operation);
        found.map_or(&[], |(_, triggers)| triggers)
    }

    fn collect_changes(&mut self, material: &Material) {
        let triggers = || self.runs.iter().flat_map(|(_, triggers)| triggers);
        let mut changes = Vec::new();
        for target in &material.targets {
            for response in triggers().flat_map(|trigger| &trigger.responses) {
                changes.extend(change(response, &target.key));
            }
        }
        self.changes = changes;
    }
}

/// The first outcome of a response that changed the object `key`.
fn change(response: &Response, key: &Key) -> Option<Change> {
    response.outcomes.iter().find_map(|outcome| {
        let Effect::PatchedTargets(patched) = &outcome.effect else { return None };
        let patched = patched.iter().find(|patched| Key::of(patched) == *key)?.clone();
        Some(Change { key: key.clone(), policy: response.policy, outcome: outcome.clone(), patched })
    })
}

/// How a kind of policy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Legacy,
    ValidatingAdmission,
    MutatingAdmission,
    Validating,
    Mutating,
    Generating,
    Deleting,
    ImageValidating,
    Other,
}

impl Class {
    fn of(policy: &dyn Policy) -> Self {
        let kind = &policy.reference().kind;
        match kind.strip_prefix("Namespaced").unwrap_or(kind) {
            "ClusterPolicy" | "Policy" => Self::Legacy,
            "ValidatingAdmissionPolicy" => Self::ValidatingAdmission,
            "MutatingAdmissionPolicy" => Self::MutatingAdmission,
            "ValidatingPolicy" => Self::Validating,
            "MutatingPolicy" => Self::Mutating,
            "GeneratingPolicy" => Self::Generating,
            "DeletingPolicy" => Self::Deleting,
            "ImageValidatingPolicy" => Self::ImageValidating,
            _ => Self::Other,
        }
    }
}

/// What a policy judges, by `spec.evaluation.mode`.
fn mode(document: &Resource) -> &str {
    document.object.dig(["spec", "evaluation", "mode"]).and_then(Value::as_str).unwrap_or("Kubernetes")
}

/// One run over objects with one operation.
struct Run<'a> {
    material: &'a Material,
    operation: Option<Operation>,
    variables: Variables,
    now: Timestamp,
}

impl<'a> Run<'a> {
    fn new(material: &'a Material, operation: Option<Operation>, now: Timestamp) -> Self {
        let mut variables = material.variables.clone();
        // An operation that a result asks for wins over the values.
        if let Some(operation) = operation {
            variables.resources.values_mut().for_each(|values| drop(values.remove(OPERATION)));
            variables.globals.insert(OPERATION, operation.as_str());
        }
        Self { material, operation, variables, now }
    }

    fn environment(&self) -> Environment<'_> {
        Environment::new(self.now, &self.material.surroundings, &self.variables)
    }

    /// The operation under which a policy of `class` sees an object.
    fn operation_for(&self, class: Class, policy: &str, object: &str) -> Operation {
        let given = match class {
            // Native policies are always asked about a creation.
            Class::ValidatingAdmission | Class::MutatingAdmission => return Operation::Create,
            Class::Legacy => {
                self.variables.resources.get(&(policy.into(), object.into())).and_then(|v| v.get(OPERATION))
            }
            _ => None,
        };
        let given = given.or_else(|| self.variables.globals.get(OPERATION)).and_then(Value::as_str);
        match given {
            Some("UPDATE") => Operation::Update,
            Some("DELETE") => Operation::Delete,
            _ => Operation::Create,
        }
    }

    /// The request that brings `object` about, or removes it.
    fn request(&self, object: &Value, operation: Operation) -> Request {
        let mut request = AdmissionRequest::of(&Resource::in_memory(object.clone()), operation);
        if let Some((parent, name)) = self.parent_of(&request.kind) {
            request.kind = parent;
            request.sub_resource = name.into();
        }
        // Upstream's command says of no update what it replaces: the object itself, which it changes in nothing.
        if operation == Operation::Update {
            request.old_object = object.clone();
        }
        request.resource = self.material.surroundings.plural(&request.kind.kind);
        let requester = &self.material.requester;
        request.user = requester.user.clone();
        request.roles.clone_from(&requester.roles);
        request.cluster_roles.clone_from(&requester.cluster_roles);
        Request::admission(request)
    }

    /// The parent of a kind that the values declare to be a subresource, and the subresource's name.
    fn parent_of(&self, kind: &GroupVersionKind) -> Option<(GroupVersionKind, &str)> {
        if self.material.surroundings.live {
            return None;
        }
        let gvk = |value: &Value| {
            let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
            GroupVersionKind { group: text("group").into(), version: text("version").into(), kind: text("kind").into() }
        };
        self.variables.subresources.iter().find_map(|entry| {
            let subresource = entry.get("subresource").filter(|value| gvk(value) == *kind)?;
            let (_, name) = subresource.get("name")?.as_str()?.split_once('/')?;
            Some((gvk(entry.get("parentResource")?), name))
        })
    }

    fn policies(&self, class: Class) -> impl Iterator<Item = (usize, &'a TestPolicy)> {
        self.material.policies.iter().enumerate().filter(move |(_, entry)| Class::of(&*entry.policy) == class)
    }

    fn ask(&self, entry: &TestPolicy, phase: Phase, request: &Request) -> Vec<RuleOutcome> {
        let mut outcomes = evaluate(&*entry.policy, phase, request, &self.environment());
        let scored = entry.document.object.dig(["metadata", "annotations", SCORED]).and_then(Value::as_str);
        for outcome in outcomes.iter_mut().filter(|_| scored == Some("false")) {
            if outcome.verdict == Verdict::Fail {
                outcome.verdict = Verdict::Warn;
            }
        }
        outcomes
    }

    /// Everything that the policies answer about an object, in upstream's order.
    fn object(&self, object: &TestObject) -> Trigger {
        let asking = Asking {
            run: self,
            object,
            current: RefCell::new(object.resource.object.clone()),
            responses: RefCell::default(),
        };
        asking.legacy(Phase::Mutate);
        asking.legacy(Phase::Validate);
        asking.modern(Class::MutatingAdmission, Phase::Mutate);
        asking.modern(Class::Mutating, Phase::Mutate);
        asking.modern(Class::Validating, Phase::Validate);
        asking.modern(Class::Generating, Phase::Generate);
        asking.legacy(Phase::Generate);
        asking.modern(Class::ValidatingAdmission, Phase::Validate);
        asking.modern(Class::ImageValidating, Phase::Validate);
        // Deleting policies are not about requests, so that only the default run asks them.
        if self.operation.is_none() {
            asking.modern(Class::Deleting, Phase::Delete);
        }
        Trigger { key: object.key.clone(), responses: asking.responses.into_inner() }
    }

    /// Everything that the policies answer about another payload.
    fn payload(&self, key: &Key, payload: &Payload) -> Trigger {
        let request = Request::new(payload.clone());
        let mut responses = Vec::new();
        for (index, entry) in self.material.policies.iter().enumerate() {
            let class = Class::of(&*entry.policy);
            let (phase, asked) = match (payload, class) {
                (Payload::Document(_), Class::Validating) => (Phase::Validate, mode(&entry.document) == "JSON"),
                (Payload::Document(_), Class::Legacy | Class::ImageValidating) => (Phase::Validate, true),
                (Payload::Document(_), Class::Deleting) => (Phase::Delete, true),
                (Payload::Http(_), Class::Validating) => (Phase::Validate, mode(&entry.document) == "HTTP"),
                (Payload::Envoy(_), Class::Validating) => (Phase::Validate, mode(&entry.document) == "Envoy"),
                _ => (Phase::Validate, false),
            };
            if asked {
                let outcomes = self.ask(entry, phase, &request);
                if class != Class::Deleting || !outcomes.is_empty() {
                    responses.push(Response { policy: index, outcomes, patched: Value::Null });
                }
            }
        }
        Trigger { key: key.clone(), responses }
    }
}

/// One object while the policies are asked about it, each seeing what those before it changed.
struct Asking<'r, 'a> {
    run: &'r Run<'a>,
    object: &'r TestObject,
    current: RefCell<Value>,
    responses: RefCell<Vec<Response>>,
}

impl Asking<'_, '_> {
    fn request(&self, class: Class, policy: &dyn Policy) -> Request {
        let operation = self.run.operation_for(class, &policy.reference().name, self.object.resource.name());
        self.run.request(&self.current.borrow(), operation)
    }

    fn answer(&self, policy: usize, outcomes: Vec<RuleOutcome>) {
        for outcome in &outcomes {
            if let Effect::Patched(patched) = &outcome.effect {
                *self.current.borrow_mut() = patched.clone();
            }
        }
        let patched = self.current.borrow().clone();
        self.responses.borrow_mut().push(Response { policy, outcomes, patched });
    }

    /// Legacy policies answer for every phase that they have rules of, though generation without outcomes is silent.
    fn legacy(&self, phase: Phase) {
        for (index, entry) in self.run.policies(Class::Legacy) {
            if entry.policy.info().has_phase(phase) {
                let outcomes = self.run.ask(entry, phase, &self.request(Class::Legacy, &*entry.policy));
                if phase != Phase::Generate || !outcomes.is_empty() {
                    self.answer(index, outcomes);
                }
            }
        }
    }

    fn modern(&self, class: Class, phase: Phase) {
        for (index, entry) in self.run.policies(class) {
            let json = class == Class::Validating && mode(&entry.document) == "JSON";
            let request = match (class, mode(&entry.document)) {
                (Class::Validating, "HTTP" | "Envoy") => continue,
                _ if json => Request::new(Payload::Document(self.current.borrow().clone())),
                _ => self.request(class, &*entry.policy),
            };
            let outcomes = self.run.ask(entry, phase, &request);
            let silent = match class {
                Class::Validating if json => true,
                Class::Validating | Class::Mutating => is_silent(&entry.document),
                Class::MutatingAdmission | Class::Generating | Class::Deleting => true,
                _ => false,
            };
            if !silent || !outcomes.is_empty() {
                let (outcomes, targets) = about_targets(index, outcomes);
                self.answer(index, outcomes);
                self.responses.borrow_mut().extend(targets);
            }
        }
    }
}

/// Upstream answers about the object itself first, and then once more for each existing object that was changed.
fn about_targets(policy: usize, mut outcomes: Vec<RuleOutcome>) -> (Vec<RuleOutcome>, Vec<Response>) {
    let mut responses = Vec::new();
    for outcome in &mut outcomes {
        if !matches!(outcome.effect, Effect::PatchedTargets(_)) {
            continue;
        }
        let Effect::PatchedTargets(targets) = std::mem::take(&mut outcome.effect) else { continue };
        for target in targets {
            let outcomes = vec![outcome.clone().effect(Effect::PatchedTargets(vec![target]))];
            responses.push(Response { policy, outcomes, patched: Value::Null });
        }
    }
    (outcomes, responses)
}
