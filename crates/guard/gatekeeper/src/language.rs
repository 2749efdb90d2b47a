//! The language entry: from documents to policies.

use std::collections::HashMap;
use std::sync::Arc;

use palisade_cel::admission::Reader;
use palisade_model::{Diagnostic, Path, Resource, Str, Value};
use palisade_policy::{Language, Loaded, Policy, PolicyDocument};

use crate::codes;
use crate::config::Exemptions;
use crate::constraint::{Constraint, ConstraintPolicy, Surroundings};
use crate::expansion::Expansions;
use crate::kinds::{Kind, kind_of};
use crate::mutation::{self, MutatorPolicy};
use crate::template::{Preference, Template};

/// Gatekeeper's templates, constraints, expansion templates and mutators.
pub const LANGUAGE: &dyn Language = &Gatekeeper;

#[derive(Debug)]
struct Gatekeeper;

impl Language for Gatekeeper {
    fn id(&self) -> &'static str {
        "gatekeeper"
    }

    fn summary(&self) -> &'static str {
        "OPA Gatekeeper's constraint templates, constraints, expansion templates and mutators"
    }

    fn claims(&self, document: &PolicyDocument) -> bool {
        kind_of(document).is_some()
    }

    fn load(&self, documents: &[PolicyDocument], _others: &[PolicyDocument]) -> Loaded {
        load(documents, Preference::default())
    }
}

/// Compiles documents of Gatekeeper, with a choice of engine: mutators in the order in which they are applied, then
/// constraints in the order of their documents.
pub fn load(documents: &[PolicyDocument], preference: Preference) -> Loaded {
    let mut loaded = Loaded::default();
    let of = |wanted: fn(Kind) -> bool| documents.iter().filter(move |document| kind_of(document).is_some_and(wanted));
    let mut exemptions = Exemptions::default();
    for document in of(|kind| kind == Kind::Config) {
        let mut reader = Reader::with_codes(document, codes::READER);
        exemptions.read(&mut reader);
        loaded.diagnostics.extend(reader.into_diagnostics());
    }
    let exemptions = Arc::new(exemptions);
    let mutators = of(|kind| matches!(kind, Kind::Mutator(_)));
    let system = Arc::new(mutation::load(mutators, &mut loaded.diagnostics));
    loaded.policies.extend(MutatorPolicy::all(&system, &exemptions).map(|policy| Arc::new(policy) as Arc<dyn Policy>));
    let expansions = Expansions::load(of(|kind| kind == Kind::Expansion), system, &mut loaded.diagnostics);
    let templates = templates(of(|kind| kind == Kind::Template), preference, &mut loaded.diagnostics);
    let surroundings = Surroundings { expansions: Arc::new(expansions), exemptions };
    for document in of(|kind| kind == Kind::Constraint) {
        let constraint = constraint(document, &templates, &mut loaded.diagnostics);
        let policy = constraint.map(|constraint| ConstraintPolicy::new(document, constraint, surroundings.clone()));
        loaded.policies.extend(policy.map(|policy| Arc::new(policy) as Arc<dyn Policy>));
    }
    loaded
}

/// Templates by the kind that they make; `None` for one that cannot be used, which has been reported.
pub(crate) type Templates = HashMap<Str, Option<Arc<Template>>>;

/// Reads templates.
pub(crate) fn templates<'d>(
    documents: impl Iterator<Item = &'d Resource>,
    preference: Preference,
    diagnostics: &mut Vec<Diagnostic>,
) -> Templates {
    let mut templates = Templates::new();
    let mut seen: HashMap<Str, &Value> = HashMap::new();
    for document in documents {
        let mut reader = Reader::with_codes(document, codes::READER);
        let template = Template::read(&mut reader, preference);
        let names = ["spec", "crd", "spec", "names", "kind"];
        let kind = document.object.dig(names).and_then(Value::as_shared_str);
        if let Some(kind) = kind {
            // The same template in two files is no mistake; folders of samples bring their templates along.
            let other = seen.insert(kind.clone(), &document.object);
            if other.is_some_and(|other| other.get("spec") != document.object.get("spec")) {
                let message = format!("there is more than one template of the kind `{kind}`");
                let path = Path::from_pointer("/metadata/name");
                reader.error(codes::DUPLICATE, &path, message, "remove one of them");
            }
            templates.insert(kind.clone(), template.map(Arc::new));
        }
        diagnostics.extend(reader.into_diagnostics());
    }
    templates
}

/// Reads a constraint against its template.
pub(crate) fn constraint(
    document: &Resource,
    templates: &Templates,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Constraint> {
    let mut reader = Reader::with_codes(document, codes::READER);
    let kind = document.kind();
    let constraint = match templates.get(kind) {
        Some(Some(template)) => Constraint::read(&mut reader, template.clone()),
        // What is wrong with the template has been said.
        Some(None) => None,
        None => {
            let message = format!("no constraint template makes the kind `{kind}`");
            let help = "load the template's file too, or correct the kind";
            reader.error(codes::NO_TEMPLATE, &Path::from_pointer("/kind"), message, help);
            None
        }
    };
    diagnostics.extend(reader.into_diagnostics());
    constraint
}
