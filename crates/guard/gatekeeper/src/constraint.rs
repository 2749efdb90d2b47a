//! A constraint: a template with parameters, the objects that it is about, and what a violation leads to.

use std::sync::Arc;

use palisade_cel::admission::Reader;
use palisade_model::{GroupVersionKind, Map, Path, Resource, Value, Verdict, facts};
use palisade_policy::{
    Enforcement, Environment, Phase, Policy, PolicyInfo, Reach, Reads, Request, RuleInfo, RuleOutcome, digest,
};

use crate::blame;
use crate::codes;
use crate::config::{Exemptions, Process};
use crate::enforcement::{AUDIT, Enforcements};
use crate::expansion::{Expansions, Resultant};
use crate::kinds::CONSTRAINTS;
use crate::matching::{Criteria, Origin};
use crate::reach;
use crate::review::Review;
use crate::template::{Complaint, Parameters, Template};

/// A constraint that has been checked against its template.
#[derive(Debug)]
pub(crate) struct Constraint {
    pub(crate) template: Arc<Template>,
    pub(crate) criteria: Criteria,
    pub(crate) enforcements: Enforcements,
    parameters: Parameters,
    /// What its answers depend on, by its own text and its template's.
    reads: Reads,
}

impl Constraint {
    /// Reads a constraint; problems go to `reader`.
    pub(crate) fn read(reader: &mut Reader<'_>, template: Arc<Template>) -> Option<Self> {
        check_identity(reader);
        let filled = template.schema.with_defaults(&with_spec(&reader.document().object));
        check_schema(reader, &template, &filled);
        if reader.failed() {
            return None;
        }
        let root = reader.root();
        let empty = Value::object(Map::new());
        let spec = reader.object(&root, "spec");
        let spec = spec.unwrap_or(palisade_cel::admission::Node { value: &empty, path: root.path.child("spec") });
        let parameters = filled.dig(["spec", "parameters"]).cloned().unwrap_or_default();
        let criteria = Criteria::read(reader, &spec);
        reader.reads().absorb(&template.reads);
        let constraint = Self {
            reads: reader.reads().clone(),
            criteria,
            enforcements: Enforcements::read(reader, &spec),
            parameters: Parameters { value: parameters, constraint: filled },
            template,
        };
        (!reader.failed()).then_some(constraint)
    }

    /// Whether the constraint is about the object under review: the new or the old one, whichever fits.
    pub(crate) fn selects(&self, review: &Review<'_>) -> Result<bool, String> {
        review.targets().try_fold(false, |selected, target| Ok(selected || self.criteria.matches(&target)?))
    }

    /// What the constraint has to say against the object; `None` where it is not about it.
    pub(crate) fn complaints(&self, review: &Review<'_>) -> Option<Vec<Complaint>> {
        match self.selects(review) {
            Ok(false) => None,
            Ok(true) => Some(self.template.complaints(&self.parameters, review)),
            Err(message) => Some(vec![Complaint::Failure { message, ignored: false }]),
        }
    }
}

/// The constraint with an empty `spec` where it has none, so that defaults have their place.
fn with_spec(object: &Value) -> Value {
    let Some(map) = object.as_object().filter(|map| map.get("spec").is_none()) else {
        return object.clone();
    };
    let mut map = map.clone();
    map.insert("spec", Map::new());
    Value::object(map)
}

fn check_identity(reader: &mut Reader<'_>) {
    let document = reader.document();
    let gvk = document.gvk().unwrap_or_default();
    if !matches!(&*gvk.version, "v1beta1" | "v1alpha1") {
        let message = format!("constraints have no version `{}`", gvk.version);
        let help = format!("write `apiVersion: {CONSTRAINTS}/v1beta1`");
        reader.error(codes::UNKNOWN_NAME, &Path::from_pointer("/apiVersion"), message, &help);
    }
    let name = document.object.dig(["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
    if !is_subdomain(name) {
        let message = format!("`{name}` is not a name that a constraint may have");
        let help = "use lower-case letters, digits, `-` and `.`";
        reader.error(codes::WRONG_TYPE, &Path::from_pointer("/metadata/name"), message, help);
    }
}

/// Whether a text is a DNS subdomain as Kubernetes wants names of objects.
fn is_subdomain(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let label =
        |label: &str| label.starts_with(inner) && label.ends_with(inner) && label.chars().all(|c| inner(c) || c == '-');
    name.len() <= 253 && name.split('.').all(label)
}

fn check_schema(reader: &mut Reader<'_>, template: &Template, filled: &Value) {
    for breach in template.schema.breaches(filled, &Path::root()) {
        let help = format!("the schema is in the template of `{}`", template.kind);
        reader.error(codes::SCHEMA, &breach.path, breach.message, &help);
    }
    for path in template.schema.unknown_fields(filled, &Path::root()) {
        let message = format!("the template of `{}` has no field `{path}`", template.kind);
        reader.error(codes::UNKNOWN_FIELD, &path, message, "correct its name or remove it");
    }
}

/// What the policies of one folder share.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) expansions: Arc<Expansions>,
    pub(crate) exemptions: Arc<Exemptions>,
}

/// A constraint as a policy.
#[derive(Debug)]
pub(crate) struct ConstraintPolicy {
    info: PolicyInfo,
    constraint: Constraint,
    surroundings: Surroundings,
    /// What a violation leads to; `None` where the constraint has no say at any point that is known here.
    enforcement: Option<Enforcement>,
}

impl ConstraintPolicy {
    pub(crate) fn new(document: &Resource, constraint: Constraint, surroundings: Surroundings) -> Self {
        let location = document.locate(&Path::from_pointer("/metadata/name"));
        let rule = RuleInfo { name: document.name().into(), phase: Phase::Validate, location };
        let mut info = PolicyInfo::of(document, vec![rule]);
        // A constraint judges by the code of its template, so that both make its version.
        let template = &constraint.template;
        info.reference.digest = digest(&format!("{}\n{}", info.reference.digest, template.digest));
        info.reads = constraint.reads.clone();
        // What is expanded may be changed by mutators, which select by namespace.
        info.reads.namespace |= !surroundings.expansions.is_empty();
        info.meta.title = info.meta.title.or_else(|| template.meta.title.clone());
        info.meta.description = info.meta.description.or_else(|| template.meta.description.clone());
        info.reach = reach_of(document, &constraint, &surroundings);
        Self { info, enforcement: constraint.enforcements.at_admission(), constraint, surroundings }
    }

    fn outcome(&self, verdict: Verdict, message: impl Into<String>, enforcement: Enforcement) -> RuleOutcome {
        let mut outcome = RuleOutcome::new(self.info.reference.name.clone(), Phase::Validate, verdict, message);
        outcome.enforcement = enforcement;
        outcome.properties.push(("engine".into(), self.constraint.template.engine_name().into()));
        outcome
    }

    /// Whether the constraint's template is asked about the operation at all, and no namespace is exempt.
    fn is_asked(&self, review: &Review<'_>) -> bool {
        let operations = &self.constraint.template.operations;
        let exempt = |target| self.surroundings.exemptions.exempt(Process::Webhook, &target);
        (operations.is_empty() || operations.contains(&review.admission.operation)) && !review.targets().any(exempt)
    }

    /// The outcome of a complaint about an object of which `object` is the whole.
    fn complain(&self, complaint: Complaint, object: &Value, enforcement: Enforcement) -> RuleOutcome {
        match complaint {
            Complaint::Violation { message, details, paths } => {
                let paths = blame::fields(object, &message, &details, paths);
                let voice = message.as_str().into();
                let mut outcome = self.outcome(Verdict::Fail, message, enforcement);
                if !details.is_null() {
                    outcome.properties.extend(facts::of("details", &details));
                }
                RuleOutcome { paths, voice, ..outcome }
            }
            Complaint::Failure { message, ignored } => {
                let enforcement = if ignored { Enforcement::Audit } else { enforcement };
                self.outcome(Verdict::Error, message, enforcement)
            }
        }
    }

    /// What the constraint says of the object itself; `None` where it is not about it.
    fn judge(&self, request: &Request, environment: &Environment<'_>, origin: Origin) -> Option<Vec<Complaint>> {
        let review = Review::new(request, environment, origin).filter(|review| self.is_asked(review))?;
        self.constraint.complaints(&review)
    }

    /// What the constraint says of an object that would be made of the one that is judged.
    fn judge_resultant(&self, resultant: &Resultant, environment: &Environment<'_>) -> Option<Vec<RuleOutcome>> {
        let complaints = self.judge(&resultant.request, environment, Origin::Generated)?;
        let enforcement = resultant.enforcement.or(self.enforcement)?;
        let object = resultant.request.as_admission().map(|request| &request.object)?;
        let implied = |complaint| {
            let mut outcome = self.complain(complaint, object, enforcement);
            outcome.message = resultant.implied(&outcome.message);
            outcome.paths = outcome.paths.iter().map(|path| resultant.in_parent(path)).collect();
            outcome
        };
        Some(complaints.into_iter().map(implied).collect())
    }
}

/// Where a constraint is asked: about what it selects, and about what expands into that.
fn reach_of(document: &Resource, constraint: &Constraint, surroundings: &Surroundings) -> Reach {
    let operations = &constraint.template.operations;
    let mut matches = reach::of(&constraint.criteria, operations);
    let parents = surroundings.expansions.leading_to(|gvk| constraint.criteria.may_match(gvk));
    matches.extend(parents.iter().map(|gvk| reach::matched(reach::object(&gvk.group, &gvk.kind, ""), operations)));
    Reach {
        admission: constraint.enforcements.acts_at_admission(),
        background: constraint.enforcements.acts_at(AUDIT),
        ..Reach::of(matches, document)
    }
}

impl Policy for ConstraintPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        let Some(admission) = request.as_admission().filter(|_| self.enforcement.is_some()) else { return false };
        let criteria = &self.constraint.criteria;
        let expansions = &self.surroundings.expansions;
        criteria.may_match(&admission.kind) || expansions.yields(&admission.kind, |gvk| criteria.may_match(gvk))
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        let (Phase::Validate, Some(enforcement), Some(admission)) = (phase, self.enforcement, request.as_admission())
        else {
            return Vec::new();
        };
        let own = self.judge(request, environment, Origin::Original);
        let mut judged = own.is_some();
        let complain = |complaint| self.complain(complaint, admission.subject(), enforcement);
        let mut outcomes: Vec<RuleOutcome> = own.into_iter().flatten().map(complain).collect();
        if self.surroundings.expansions.applies_to(&admission.kind) {
            let expanded = self.surroundings.expansions.expanded(request, environment);
            for resultant in expanded.resultants() {
                let implied = self.judge_resultant(resultant, environment);
                judged |= implied.is_some();
                outcomes.extend(implied.into_iter().flatten());
            }
            let concerned = |gvk: &GroupVersionKind| self.constraint.criteria.may_match(gvk);
            if let Some(message) = expanded.failure()
                && self.surroundings.expansions.yields(&admission.kind, concerned)
            {
                judged = true;
                outcomes.push(self.outcome(Verdict::Error, message, enforcement));
            }
        }
        if judged && outcomes.is_empty() {
            outcomes.push(self.outcome(Verdict::Pass, "", enforcement));
        }
        outcomes
    }
}
