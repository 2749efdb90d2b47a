//! Loading legacy policy documents: reading, deriving, checking, making ready.

use std::sync::Arc;

use palisade_cel::admission::{Compiler, Conditions as MatchConditions, Dialect, Purpose, environment};
use palisade_model::{Diagnostic, Path, Resource, Segment, Str, Value};
use palisade_policy::{PolicyInfo, RuleInfo, reference_of};

use super::autogen::{self, Derived};
use super::check;
use super::codes;
use super::exception::Exception;
use super::policy::{Kinds, LegacyPolicy, ReadyRule};
use super::reach;
use super::reads;
use super::spec::{Body, Node, PolicySpec, Reader, Rule};
use super::upkeep;
use super::validate::Demand;
use super::variables::Queries;

/// The annotation that turns violations into warnings.
const SCORED_ANNOTATION: &str = "policies.kyverno.io/scored";

/// Reads a PolicyException.
pub(super) fn exception(document: &Resource, diagnostics: &mut Vec<Diagnostic>) -> Option<Exception> {
    let mut reader = Reader::with_codes(document, codes::READER);
    let exception = Exception::read(&mut reader, document);
    diagnostics.extend(reader.into_diagnostics());
    exception
}

/// Reads a ClusterPolicy or Policy and makes it ready; `None` where a diagnostic says why it cannot be used.
pub(super) fn policy(
    document: &Resource,
    exceptions: &[Arc<Exception>],
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<LegacyPolicy> {
    let mut reader = Reader::with_codes(document, codes::READER);
    let policy = read(&mut reader, document, exceptions);
    let failed = reader.failed();
    diagnostics.extend(reader.into_diagnostics());
    policy.filter(|_| !failed)
}

fn read(reader: &mut Reader<'_>, document: &Resource, exceptions: &[Arc<Exception>]) -> Option<LegacyPolicy> {
    let root = reader.root();
    reader.known_fields(&root, &["apiVersion", "kind", "metadata", "spec", "status"]);
    let Some(node) = root.get("spec") else {
        reader.error(codes::INVALID_POLICY, &Path::root(), "the policy has no `spec`", "add `spec` with rules");
        return None;
    };
    let spec = PolicySpec::read(reader, &node);
    let written = read_rules(reader, &node);
    let derived = autogen::derive(&document.object);
    check::policy(reader, document, &spec, &written);
    if reader.failed() {
        return None;
    }
    let match_conditions = match_conditions(reader, &node);
    let (queries, rules) = make_ready(reader, document, written, &derived, exceptions);
    reads::of_document(node.value, &queries, reader.reads());
    let infos = rules.iter().map(|(origin, ready)| info(document, *origin, ready)).collect();
    let rules: Vec<ReadyRule> = rules.into_iter().map(|(_, ready)| ready).collect();
    let annotation = |key: &str| document.object.dig(["metadata", "annotations", key]).and_then(Value::as_str);
    Some(LegacyPolicy {
        info: PolicyInfo::of(document, infos)
            .keeping(upkeep::of_rules(document))
            .reaching(reach::of(document, &spec, &rules))
            .reading(reader.reads().clone()),
        spec,
        namespaced: document.kind() == "Policy",
        scored: annotation(SCORED_ANNOTATION) != Some("false"),
        kinds: Kinds::of(rules.iter().map(|ready| &ready.rule)),
        rules,
        derived_kinds: derived.kinds,
        match_conditions,
        queries,
    })
}

/// The rules as written, each with its index.
fn read_rules(reader: &mut Reader<'_>, spec: &Node<'_>) -> Vec<(usize, Rule)> {
    let nodes = reader.list(spec, "rules");
    if nodes.is_empty() {
        reader.error(codes::INVALID_POLICY, &spec.path, "the policy has no rules", "add `rules`");
    }
    nodes.iter().enumerate().filter_map(|(index, node)| Some((index, Rule::read(reader, node)?))).collect()
}

/// Derived rules are made from rules that were read without complaint, so reading them finds nothing new.
fn read_derived(derived: &Derived) -> Vec<(usize, Rule)> {
    let read = |(origin, rule): &(usize, Value)| {
        let document = Resource::in_memory(rule.clone());
        let mut reader = Reader::with_codes(&document, codes::READER);
        let root = reader.root();
        Some((*origin, Rule::read(&mut reader, &root)?))
    };
    derived.rules.iter().filter_map(read).collect()
}

fn make_ready(
    reader: &mut Reader<'_>,
    document: &Resource,
    written: Vec<(usize, Rule)>,
    derived: &Derived,
    exceptions: &[Arc<Exception>],
) -> (Queries, Vec<(usize, ReadyRule)>) {
    let mut queries = Queries::default();
    queries.add_all(document.object.get("spec").unwrap_or(&Value::Null));
    derived.rules.iter().for_each(|(_, rule)| queries.add_all(rule));
    let policy = reference_of(document).to_string();
    let mut ready = Vec::new();
    let all =
        written.into_iter().map(|rule| (false, rule)).chain(read_derived(derived).into_iter().map(|rule| (true, rule)));
    for (is_derived, (origin, rule)) in all {
        for list in rule.lists() {
            // What does not parse was reported by the check of the policy.
            let _ = queries.add(list);
        }
        let demand = match &rule.body {
            Body::Validate(validation) => Some(Demand::compile(&validation.check, &rule, validation)),
            _ => None,
        };
        if !is_derived {
            report_problems(reader, origin, demand.as_ref());
        }
        let named: Vec<_> =
            exceptions.iter().filter(|exception| exception.names(&policy, &rule.name)).cloned().collect();
        let parts = named.iter().map(|exception| &exception.reads).chain(demand.as_ref().and_then(Demand::reads));
        parts.for_each(|part| reader.reads().absorb(part));
        if matches!(rule.body, Body::VerifyImages(_)) {
            reader.reads().look_up_anything();
        }
        let phase = ReadyRule::phase_of(&rule);
        ready.push((origin, ReadyRule { phase, derived: is_derived, demand, exceptions: named, rule }));
    }
    (queries, ready)
}

/// Expressions that do not compile leave the policy loaded, as in Kyverno: their rule fails whatever it judges.
fn report_problems(reader: &mut Reader<'_>, origin: usize, demand: Option<&Demand>) {
    for problem in demand.map(Demand::problems).unwrap_or_default() {
        let diagnostic = Diagnostic::warning(codes::INVALID_CEL, problem.clone())
            .help("the rule fails for every resource until the expression compiles");
        reader.report_at(&rule_path(origin).child("validate"), diagnostic);
    }
}

fn match_conditions(reader: &mut Reader<'_>, spec: &Node<'_>) -> MatchConditions {
    let Some(webhook) = spec.get("webhookConfiguration") else { return MatchConditions::default() };
    let document = Resource::in_memory(webhook.value.clone());
    let mut cel = Reader::new(&document);
    let mut compiler = Compiler::new(&mut cel, environment(Dialect::Kubernetes, Purpose::Validation));
    let root = compiler.reader.root();
    let conditions = MatchConditions::compile(&mut compiler, &root, "matchConditions");
    reader.reads().absorb(cel.reads());
    for diagnostic in cel.into_diagnostics() {
        reader.error(codes::INVALID_CEL, &webhook.path, diagnostic.message, "correct the expression");
    }
    conditions
}

fn rule_path(index: usize) -> Path {
    Path(vec![Segment::from("spec"), Segment::from("rules"), Segment::Index(index)])
}

fn info(document: &Resource, origin: usize, ready: &ReadyRule) -> RuleInfo {
    let location = document.locate(&rule_path(origin).child("name"));
    RuleInfo { name: Str::clone(&ready.rule.name), phase: ready.phase, location }
}
