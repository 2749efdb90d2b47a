//! CleanupPolicy and ClusterCleanupPolicy: which existing objects are to be removed when a schedule comes round.
//!
//! Asked about an object, a policy answers at once; when it is to be asked is its [`Schedule`], read for whoever runs
//! it. Deliberately absent: removing anything, and remembering when the policy last ran.

#[cfg(test)]
mod tests;

use palisade_model::{Diagnostic, Path, Resource, Segment, Str, Value, Verdict};
use palisade_policy::{
    AdmissionRequest, Effect, Environment, Phase, Policy, PolicyInfo, Reach, Request, RuleInfo, RuleOutcome, Schedule,
    Upkeep,
};

use super::check::expressions;
use super::codes;
use super::condition::Conditions;
use super::context::{Names, RuleContext};
use super::matching::{Subjects, selected};
use super::reach;
use super::reads;
use super::spec::{ContextEntry, EntrySource, MatchBlock, Node, Reader, conditions};
use super::validate::evaluate as conditions_met;
use super::variables::Queries;

/// A loaded cleanup policy.
#[derive(Debug)]
pub struct CleanupPolicy {
    info: PolicyInfo,
    queries: Queries,
    spec: CleanupSpec,
}

/// What a cleanup policy says.
#[derive(Debug)]
pub struct CleanupSpec {
    /// Which objects it looks at.
    pub matches: MatchBlock,
    /// Which of them it leaves out.
    pub exclude: Option<MatchBlock>,
    /// Named values.
    pub context: Vec<ContextEntry>,
    /// What must hold for an object to be removed.
    pub conditions: Option<Conditions>,
    /// When it is asked.
    pub schedule: Schedule,
    /// How dependents are treated: `Foreground`, `Background` or `Orphan`.
    pub propagation: Option<Str>,
}

/// Whether a document is a cleanup policy.
pub fn claims(document: &Resource) -> bool {
    matches!(document.kind(), "CleanupPolicy" | "ClusterCleanupPolicy")
        && document.gvk().is_some_and(|gvk| &*gvk.group == "kyverno.io")
}

/// Loads a cleanup policy; `None` where a diagnostic says why it cannot be used.
pub fn policy(document: &Resource, diagnostics: &mut Vec<Diagnostic>) -> Option<CleanupPolicy> {
    let mut reader = Reader::with_codes(document, codes::READER);
    let spec = CleanupSpec::read(&mut reader);
    let failed = reader.failed();
    let mut reads = reader.reads().clone();
    diagnostics.extend(reader.into_diagnostics());
    let name = document.object.dig(["metadata", "name"]).and_then(Value::as_shared_str).cloned().unwrap_or_default();
    let location = document.locate(&["spec"].into_iter().collect());
    let rule = RuleInfo { name, phase: Phase::Delete, location };
    let mut queries = Queries::default();
    queries.add_all(document.object.get("spec").unwrap_or(&Value::Null));
    reads::of_document(document.object.get("spec").unwrap_or(&Value::Null), &queries, &mut reads);
    let spec = spec.filter(|_| !failed)?;
    let upkeep =
        Upkeep { schedule: Some(spec.schedule.clone()), propagation: spec.propagation.clone(), ..Upkeep::default() };
    let matches = reach::of_block(&spec.matches, &[]);
    let reach = Reach { admission: false, background: false, ..Reach::of(matches, document) };
    let info = PolicyInfo::of(document, vec![rule]).keeping(upkeep).reaching(reach).reading(reads);
    Some(CleanupPolicy { info, queries, spec })
}

impl CleanupSpec {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let root = reader.root();
        reader.known_fields(&root, &["apiVersion", "kind", "metadata", "spec", "status"]);
        let Some(node) = root.get("spec") else {
            reader.error(
                codes::INVALID_POLICY,
                &Path::root(),
                "the policy has no `spec`",
                "add `spec` with a schedule",
            );
            return None;
        };
        let known = ["context", "match", "exclude", "schedule", "conditions", "deletionPropagationPolicy"];
        reader.known_fields(&node, &known);
        let block = |reader: &mut Reader<'_>, key: &str| node.get(key).map(|node| MatchBlock::read(reader, &node));
        let spec = Self {
            matches: block(reader, "match").unwrap_or_default(),
            exclude: block(reader, "exclude"),
            context: ContextEntry::read_all(reader, &node),
            conditions: conditions(reader, &node, "conditions"),
            schedule: read_schedule(reader, &node)?,
            propagation: read_propagation(reader, &node),
        };
        spec.check(reader, &node);
        expressions::document(reader, node.value, &node.path);
        Some(spec)
    }

    fn check(&self, reader: &mut Reader<'_>, node: &Node<'_>) {
        if self.matches.kinds().next().is_none() {
            let help = "name the kinds that may be removed";
            reader.error(codes::INVALID_POLICY, &node.path.child("match"), "a cleanup policy needs kinds", help);
        }
        for filter in [Some(&self.matches), self.exclude.as_ref()].into_iter().flatten().flat_map(MatchBlock::filters) {
            if filter.names_users() {
                let message = "a cleanup policy cannot select by user: nobody asks for what a schedule does";
                reader.error(codes::INVALID_POLICY, &node.path, message, "leave out subjects, roles and clusterRoles");
            }
        }
        for (index, entry) in self.context.iter().enumerate() {
            if matches!(entry.source, EntrySource::ConfigMap { .. } | EntrySource::ImageRegistry { .. }) {
                let path = node.path.child("context").child(Segment::Index(index));
                let message = format!("context entry `{}` has a source that cleanup policies may not use", entry.name);
                reader.error(codes::INVALID_CONTEXT, &path, message, "use apiCall, variable or globalReference");
            }
        }
    }
}

fn read_schedule(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Schedule> {
    let text = reader.text(node, "schedule").unwrap_or_default();
    match Schedule::parse(&text) {
        Ok(schedule) => Some(schedule),
        Err(message) => {
            let help = "write minute, hour, day of month, month and day of week, such as `0 3 * * 1-5`";
            reader.error(codes::INVALID_POLICY, &node.path.child("schedule"), message, help);
            None
        }
    }
}

fn read_propagation(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Str> {
    let propagation = reader.text(node, "deletionPropagationPolicy");
    if let Some(other) = propagation.as_deref().filter(|text| !matches!(*text, "Foreground" | "Background" | "Orphan"))
    {
        let path = node.path.child("deletionPropagationPolicy");
        let message = format!("unknown propagation `{other}`");
        reader.error(codes::UNKNOWN_NAME, &path, message, "one of Foreground, Background, Orphan");
    }
    propagation
}

impl CleanupPolicy {
    /// What the policy says.
    pub fn spec(&self) -> &CleanupSpec {
        &self.spec
    }

    fn namespace(&self) -> &str {
        self.info.reference.namespace.as_deref().unwrap_or_default()
    }

    /// A namespaced policy looks at its own namespace only.
    fn reaches(&self, object: &Value) -> bool {
        let namespace = object.dig(["metadata", "namespace"]).and_then(Value::as_str).unwrap_or_default();
        self.namespace().is_empty() || self.namespace() == namespace
    }

    fn judge(&self, request: &AdmissionRequest, environment: &Environment<'_>) -> (Verdict, String) {
        let Some(conditions) = &self.spec.conditions else { return removed() };
        let name = &self.info.reference.name;
        let names = Names { policy: name, namespace: self.namespace(), rule: name };
        let context = RuleContext::new(names, request, environment, &self.queries);
        context.add_entries(&self.spec.context);
        context.bind("target", request.subject().clone());
        match conditions_met(conditions, &context) {
            Ok(outcome) if outcome.met => removed(),
            Ok(_) => (Verdict::Fail, "the object is kept: it does not meet the conditions".to_owned()),
            Err(error) => (Verdict::Error, format!("failed to evaluate conditions: {error}")),
        }
    }
}

fn removed() -> (Verdict, String) {
    (Verdict::Pass, "the object is to be removed".to_owned())
}

impl Policy for CleanupPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        let Some(request) = request.as_admission() else { return false };
        self.spec.matches.kinds().any(|selector| selector.selects(&request.kind, &request.sub_resource, false))
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        let Some(request) = request.as_admission().filter(|_| phase == Phase::Delete) else { return Vec::new() };
        let subject = Subjects::of(request, request.subject(), environment);
        if !self.reaches(subject.object) {
            return Vec::new();
        }
        let (verdict, message) = match selected(&self.spec.matches, self.spec.exclude.as_ref(), &subject) {
            Ok(true) => self.judge(request, environment),
            Ok(false) => return Vec::new(),
            Err(why) => (Verdict::Error, why),
        };
        let mut outcome = RuleOutcome::new(self.info.reference.name.clone(), Phase::Delete, verdict, message);
        if verdict == Verdict::Pass {
            outcome.effect = Effect::Deleted;
            outcome
                .properties
                .extend(self.spec.propagation.clone().map(|text| ("deletionPropagationPolicy".into(), text)));
        }
        vec![outcome]
    }
}
