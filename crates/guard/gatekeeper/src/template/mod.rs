//! ConstraintTemplate: the kind that it makes, the schema of its parameters, and the code that judges.
//!
//! A template may carry code for several engines. Gatekeeper prefers CEL (`K8sNativeValidation`) where it is given, and
//! so does this; tests choose, so that one is checked against the other.

mod cel;
mod rego;
#[cfg(test)]
mod tests;

use palisade_cel::admission::{Node, Reader};
use palisade_model::{Path, Resource, Str, Value};
use palisade_policy::{Operation, Reads};

use crate::codes;
use crate::review::Review;
use crate::schema::{Schema, SchemaReader, constraint_schema};

/// The target that every template has.
const TARGET: &str = "admission.k8s.gatekeeper.sh";
/// The engine of Rego as `code` names it.
const REGO: &str = "Rego";
/// The engine of CEL as `code` names it.
const CEL: &str = "K8sNativeValidation";

/// Which engine judges where a template has code for both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preference {
    /// CEL, as Gatekeeper chooses.
    #[default]
    Cel,
    /// Rego.
    Rego,
}

/// A loaded template.
#[derive(Debug)]
pub(crate) struct Template {
    /// The kind of its constraints.
    pub(crate) kind: Str,
    /// What it says of itself, for constraints that say nothing.
    pub(crate) meta: TemplateMeta,
    /// The digest of its content, which is part of the version of every constraint.
    pub(crate) digest: Str,
    /// What its answers depend on.
    pub(crate) reads: Reads,
    /// The schema of a whole constraint.
    pub(crate) schema: Schema,
    /// Operations that it is about at admission; all where empty.
    pub(crate) operations: Vec<Operation>,
    engine: Engine,
}

/// Annotations of a template, as the public library writes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct TemplateMeta {
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
}

impl TemplateMeta {
    fn of(document: &Resource) -> Self {
        let text = |key| {
            let text = document.object.dig(["metadata", "annotations", key]).and_then(Value::as_str);
            text.map(|text| text.trim().to_owned())
        };
        Self { title: text("metadata.gatekeeper.sh/title"), description: text("description") }
    }
}

#[derive(Debug)]
enum Engine {
    Rego(rego::RegoEngine),
    Cel(cel::CelEngine),
}

/// Something that a template's code has to say against an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Complaint {
    /// The object violates the constraint.
    Violation {
        /// The template's words.
        message: String,
        /// What the template adds.
        details: Value,
        /// The fields at fault, where the engine knows them.
        paths: Vec<Path>,
    },
    /// The code could not be evaluated.
    Failure {
        /// Why.
        message: String,
        /// Whether the template asks to let the object pass then.
        ignored: bool,
    },
}

/// What code reads of a constraint.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    /// The whole constraint, defaults filled in.
    pub(crate) constraint: Value,
    /// `spec.parameters`; `null` where there are none.
    pub(crate) value: Value,
}

impl Template {
    /// Reads a template; problems go to `reader`.
    pub(crate) fn read(reader: &mut Reader<'_>, preference: Preference) -> Option<Self> {
        let root = reader.root();
        let Some(spec) = reader.object(&root, "spec") else {
            reader.missing(&root, "spec");
            return None;
        };
        let (kind, schema) = crd(reader, &spec)?;
        check_name(reader, &kind);
        let target = target(reader, &spec)?;
        let operations = reader.operations(&target, "operations");
        let engine = engine(reader, &target, preference)?;
        if reader.failed() {
            return None;
        }
        let document = reader.document();
        Some(Self {
            kind,
            meta: TemplateMeta::of(document),
            digest: palisade_policy::digest(&document.object.to_canonical_json()),
            reads: reader.reads().clone(),
            schema: constraint_schema(schema),
            operations,
            engine,
        })
    }

    /// What the template has to say against the object under review.
    pub(crate) fn complaints(&self, parameters: &Parameters, review: &Review<'_>) -> Vec<Complaint> {
        match &self.engine {
            // The review is handed over whole, so that what it lacks has to be said before.
            Engine::Rego(_)
                if self.reads.namespace
                    && let Err(why) = review.namespace.object() =>
            {
                vec![Complaint::Failure {
                    message: format!("`review.namespaceObject` is not known: {why}"),
                    ignored: false,
                }]
            }
            Engine::Rego(engine) => engine.complaints(parameters, review),
            Engine::Cel(engine) => engine.complaints(parameters, review),
        }
    }

    /// The name of the engine that judges.
    pub(crate) fn engine_name(&self) -> &'static str {
        match &self.engine {
            Engine::Rego(_) => REGO,
            Engine::Cel(_) => CEL,
        }
    }
}

/// The kind that a template makes and the schema of its parameters.
fn crd(reader: &mut Reader<'_>, spec: &Node<'_>) -> Option<(Str, Option<Schema>)> {
    let crd = reader.object(spec, "crd").and_then(|crd| reader.object(&crd, "spec"));
    let names = crd.as_ref().and_then(|crd| reader.object(crd, "names"));
    let kind = names.and_then(|names| reader.text(&names, "kind")).filter(|kind| !kind.is_empty());
    if kind.is_none() {
        reader.missing(spec, "crd.spec.names.kind");
    }
    // Templates of the older versions come from the time before structural schemas.
    let version = reader.document().gvk().map(|gvk| gvk.version).unwrap_or_default();
    let validation = crd.and_then(|crd| reader.object(&crd, "validation"));
    let legacy = validation.as_ref().and_then(|node| reader.flag(node, "legacySchema")).unwrap_or(&*version != "v1");
    let declared = validation.and_then(|node| reader.object(&node, "openAPIV3Schema"));
    let schema = match declared {
        Some(node) => Some(SchemaReader { reader, legacy }.read(&node)),
        None => legacy.then(Schema::anything),
    };
    Some((kind?, schema))
}

fn check_name(reader: &mut Reader<'_>, kind: &str) {
    let name = reader.document().object.dig(["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
    if name != kind.to_lowercase() {
        let message = format!("the template's name `{name}` is not the lower-case form of its kind `{kind}`");
        let help = format!("name it `{}`", kind.to_lowercase());
        reader.error(codes::INVALID_TEMPLATE, &Path::from_pointer("/metadata/name"), message, &help);
    }
}

/// The one target of a template.
fn target<'d>(reader: &mut Reader<'d>, spec: &Node<'d>) -> Option<Node<'d>> {
    let mut targets = reader.list(spec, "targets");
    if targets.len() != 1 {
        let message = format!("a template has exactly one target, not {}", targets.len());
        reader.error(codes::INVALID_TEMPLATE, &spec.path.child("targets"), message, "keep one");
        return None;
    }
    let target = targets.pop()?;
    let name = reader.required_text(&target, "target")?;
    if &*name != TARGET {
        let help = format!("write `{TARGET}`");
        reader.error(codes::INVALID_TEMPLATE, &target.path, format!("target `{name}` is not known"), &help);
        return None;
    }
    Some(target)
}

/// The code that judges: the preferred engine's where there is a choice.
fn engine(reader: &mut Reader<'_>, target: &Node<'_>, preference: Preference) -> Option<Engine> {
    let mut sources = Vec::new();
    for code in reader.list(target, "code") {
        let engine = reader.required_text(&code, "engine");
        let source = reader.object(&code, "source");
        if source.is_none() {
            reader.missing(&code, "source");
        }
        sources.extend(engine.zip(source));
    }
    // The field from the time before engines had names counts before the list.
    if target.get("rego").is_some_and(|rego| rego.value.as_str() != Some("")) {
        sources.insert(0, (REGO.into(), target.clone()));
    }
    let order = match preference {
        Preference::Cel => [CEL, REGO],
        Preference::Rego => [REGO, CEL],
    };
    let source = |wanted: &str| sources.iter().find(|(engine, _)| &**engine == wanted).map(|(_, source)| source);
    match order.into_iter().find_map(|engine| Some((engine, source(engine)?))) {
        Some((CEL, source)) => cel::CelEngine::read(reader, source).map(Engine::Cel),
        Some((_, source)) => rego::RegoEngine::read(reader, source).map(Engine::Rego),
        None => {
            let named: Vec<_> = sources.iter().map(|(engine, _)| format!("`{engine}`")).collect();
            let message = match &named[..] {
                [] => "the template has no code".to_owned(),
                _ => format!("the template has code for {} only", named.join(", ")),
            };
            let help = format!("add `code` for the engine `{REGO}` or `{CEL}`");
            reader.error(codes::INVALID_TEMPLATE, &target.path, message, &help);
            None
        }
    }
}
