//! ImageValidatingPolicy: judges the images of an object.
//!
//! What needs no registry is judged: which images there are, which the policy is about, whether they are pinned to a
//! digest, and validations over their names. What needs one, signatures and attestations, is an error that says so.

use palisade_cel::Type;
use palisade_cel::admission::binding::enforcement;
use palisade_cel::admission::{
    Compiler, Conditions, Decision, Dialect, Evaluation, Expression, Node, Purpose, Reader, Subject, Validations,
};
use palisade_cel::library::kyverno::images::extract;
use palisade_model::{Map, Str, Value, Verdict};
use palisade_policy::{
    AdmissionRequest, Enforcement, Environment, Payload, Phase, Policy, PolicyInfo, Request, RuleOutcome,
};

use super::autogen;
use super::exception::Exception;
use super::extraction::pod_requests;
use super::identity::Identity;
use super::image_pattern::ImagePattern;
use super::judging::{self, Gate};
use super::kind::Kind;
use super::rule::Rule;

/// A loaded ImageValidatingPolicy.
#[derive(Debug)]
pub(super) struct ImageValidatingPolicy {
    identity: Identity,
    enforcement: Enforcement,
    any_json: bool,
    rules: Vec<Rule<Check>>,
}

/// What a rule demands of images.
#[derive(Debug)]
struct Check {
    patterns: Vec<ImagePattern>,
    extractors: Vec<(Str, Expression)>,
    validations: Validations,
    attestors: Value,
    attestations: Value,
    needs_digest: bool,
    needs_verification: bool,
}

impl ImageValidatingPolicy {
    pub(super) fn read(reader: &mut Reader<'_>, exceptions: &[Exception], any_json: bool) -> Option<Self> {
        let (identity, spec) = Identity::read(reader, Kind::ImageValidating)?;
        let enforcement = enforcement(&reader.texts(&spec, "validationActions"));
        let compile = |reader: &mut Reader<'_>, spec: &Node<'_>| Check::compile(reader, &identity, spec, exceptions);
        let rules = if any_json {
            Rule::about_documents(compile(reader, &spec))
        } else {
            Rule::about_objects(reader, &spec, autogen::rewrite_spec, compile)
        };
        let identity = identity.reaching(reader, Rule::reach(&rules));
        (!reader.failed()).then_some(Self { identity, enforcement, any_json, rules })
    }

    fn judge_admission(
        &self,
        rule: &Rule<Check>,
        request: &AdmissionRequest,
        environment: &Environment<'_>,
    ) -> Option<RuleOutcome> {
        let subject = Subject::admission(request, environment, Dialect::Kyverno);
        match judging::selects(&self.identity, &rule.constraints, request, &subject) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(outcome) => return Some(*outcome),
        }
        if !rule.extracts {
            return self.judge(rule, Some(request), &subject, environment);
        }
        let pods = match pod_requests(request) {
            Ok(pods) => pods,
            Err(message) => return Some(self.identity.outcome(Verdict::Error, message)),
        };
        let outcomes = pods.iter().filter_map(|(_, pod)| {
            let subject = Subject::admission(pod, environment, Dialect::Kubernetes).carrying_objects();
            self.judge(rule, Some(pod), &subject, environment)
        });
        outcomes.max_by_key(|outcome| outcome.verdict)
    }

    /// `None` where the conditions do not hold: upstream then has nothing to say.
    fn judge(
        &self,
        rule: &Rule<Check>,
        request: Option<&AdmissionRequest>,
        subject: &Subject<'_>,
        environment: &Environment<'_>,
    ) -> Option<RuleOutcome> {
        let evaluation = match rule.gate.open_strictly(&self.identity, subject, environment) {
            Ok(evaluation) => evaluation?,
            Err(outcome) => return Some(*outcome),
        };
        let fail = |message: String| Some(self.identity.outcome(Verdict::Error, message));
        let check = &rule.work;
        let (images, names) = match check.images(request, &evaluation) {
            Ok(found) => found,
            Err(message) => return fail(message),
        };
        if check.needs_digest
            && let Some(name) = names.iter().find(|name| !name.contains('@'))
        {
            return Some(self.identity.outcome(Verdict::Fail, format!("image {name} does not have a digest")));
        }
        let evaluation = evaluation
            .with("images", Value::object(images))
            .with("attestors", check.attestors.clone())
            .with("attestations", check.attestations.clone());
        let outcome = match check.validations.decide(&evaluation) {
            Decision::Pass if check.needs_verification && !names.is_empty() => {
                let message = "no policy performed a signature or attestation check on it";
                self.identity.outcome(Verdict::Fail, format!("image {} is not verified: {message}", names.join(", ")))
            }
            Decision::Pass => self.identity.outcome(Verdict::Pass, "success"),
            Decision::Fail { message, paths, .. } => {
                RuleOutcome { paths, ..self.identity.outcome(Verdict::Fail, message) }
            }
            Decision::Error { message, .. } => return fail(message),
        };
        match check.validations.annotate(&evaluation) {
            Ok(annotations) => Some(outcome.annotated(annotations)),
            Err(message) => fail(message),
        }
    }
}

impl Check {
    fn compile(
        reader: &mut Reader<'_>,
        identity: &Identity,
        spec: &Node<'_>,
        exceptions: &[Exception],
    ) -> (Gate, Self) {
        let ignore_failures = judging::ignores_failures(reader, spec);
        let configuration = reader.object(spec, "validationConfigurations");
        let mut on = |key: &str| configuration.as_ref().and_then(|node| reader.flag(node, key)).unwrap_or(true);
        let (needs_digest, needs_verification) = (on("verifyDigest"), on("required"));
        let (attestors, attestations) = (names(reader, spec, "attestors"), names(reader, spec, "attestations"));

        let mut compiler = Compiler::new(reader, identity.environment(Purpose::Images));
        let conditions = Conditions::compile(&mut compiler, spec, "matchConditions");
        let nodes = compiler.reader.list(spec, "images");
        let extractors = nodes.iter().filter_map(|node| {
            let name = compiler.reader.required_text(node, "name")?;
            let results = [Type::list(Type::String), Type::list(Type::Dyn), Type::Dyn];
            Some((name, compiler.required(node, "expression", &results)?))
        });
        let extractors = extractors.collect();
        compiler.declare_variables(spec, "variables");
        let validations = Validations::compile(&mut compiler, spec, Dialect::Kyverno);
        let patterns = ImagePattern::compile(&mut compiler, spec);
        let (variables, exceptions) = (compiler.into_variables(), exceptions.to_vec());
        let gate = Gate { exceptions, conditions, variables, ignore_failures };
        let check =
            Self { patterns, extractors, validations, attestors, attestations, needs_digest, needs_verification };
        (gate, check)
    }

    /// The images that the policy is about, by where they were found, and all together.
    fn images(
        &self,
        request: Option<&AdmissionRequest>,
        evaluation: &Evaluation<'_>,
    ) -> Result<(Map, Vec<Str>), String> {
        let mut found = Map::new();
        if let Some(request) = request {
            let kind = &request.kind;
            let images = extract(&kind.group, &kind.version, &request.resource, request.subject());
            found = images.map_err(|error| format!("the images cannot be extracted: {error}"))?.unwrap_or_default();
        }
        for (name, expression) in &self.extractors {
            let value = expression.evaluate(evaluation).map_err(|failure| failure.to_string())?;
            let value = value.to_value().map_err(|error| expression.failure(error).to_string())?;
            found.insert(name.clone(), value);
        }
        let (mut images, mut names) = (Map::with_capacity(found.len()), Vec::new());
        for (list, found) in found.iter() {
            let mut kept = Vec::new();
            for image in found.as_array().unwrap_or_default() {
                let name = image.as_shared_str().ok_or_else(|| format!("an image in `{list}` is not text"))?;
                if ImagePattern::any_matches(&self.patterns, name, evaluation)? {
                    kept.push(image.clone());
                    names.push(name.clone());
                }
            }
            images.insert(list.clone(), kept);
        }
        Ok((images, names))
    }
}

/// The names of the entries at `key`, as an object that expressions look them up in.
fn names(reader: &mut Reader<'_>, spec: &Node<'_>, key: &str) -> Value {
    let mut names = Map::new();
    for node in reader.list(spec, key) {
        if let Some(name) = reader.required_text(&node, "name") {
            names.insert(name.clone(), name);
        }
    }
    Value::object(names)
}

impl Policy for ImageValidatingPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.identity.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        match request.payload() {
            Payload::Document(_) => self.any_json,
            Payload::Kubernetes(request) if !self.any_json => {
                self.identity.reaches(request) && self.rules.iter().any(|rule| rule.may_select(request))
            }
            _ => false,
        }
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        if phase != self.identity.phase() {
            return Vec::new();
        }
        let mut outcomes: Vec<RuleOutcome> = match request.payload() {
            Payload::Document(document) if self.any_json => {
                let subject = Subject::payload(document);
                self.rules.iter().filter_map(|rule| self.judge(rule, None, &subject, environment)).collect()
            }
            Payload::Kubernetes(request) if !self.any_json && self.identity.reaches(request) => {
                self.rules.iter().filter_map(|rule| self.judge_admission(rule, request, environment)).collect()
            }
            _ => Vec::new(),
        };
        for outcome in &mut outcomes {
            outcome.enforcement = self.enforcement;
        }
        outcomes
    }
}
