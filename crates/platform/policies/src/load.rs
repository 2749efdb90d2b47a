//! From documents and programs to policies: each language compiles what it claims.

use std::path::PathBuf;
use std::sync::Arc;

use palisade_document::Document;
use palisade_intake::{documents, has_errors};
use palisade_model::{Diagnostic, Resource};
use palisade_policy::{Loaded, Policy};

use crate::languages::{self, LANGUAGES};
use crate::programs::{Files, ProgramOptions, is_bundle, programs};
use crate::strangers;

/// Policies ready to judge.
#[derive(Debug, Default)]
pub struct Policies {
    /// The policies.
    pub policies: Vec<Arc<dyn Policy>>,
    /// What was wrong with policy files; an error here means that a policy is missing.
    pub diagnostics: Vec<Diagnostic>,
}

/// Loads the policies `built_in` and every policy below `paths`; documents that no language claims
/// and that were meant for one are reported.
pub fn policies(paths: &[PathBuf], built_in: Vec<Resource>, programs: &ProgramOptions, jobs: usize) -> Policies {
    let of_objects = |path: &PathBuf| !is_bundle(path) && !languages::is_program(path);
    let objects: Vec<_> = paths.iter().filter(|path| of_objects(path)).cloned().collect();
    let (documents, diagnostics) = documents(&objects, jobs);
    let resources: Vec<_> = built_in.into_iter().chain(documents.into_iter().map(Document::into_resource)).collect();
    let mut loaded = load(&resources);
    loaded.diagnostics.splice(0..0, diagnostics);
    let unclaimed = resources.iter().filter(|document| !LANGUAGES.iter().any(|language| language.claims(document)));
    loaded.diagnostics.extend(unclaimed.filter_map(strangers::doubt));
    load_programs(paths, programs, &mut loaded);
    loaded
}

/// Adds the policies that are programs, language by language.
fn load_programs(paths: &[PathBuf], options: &ProgramOptions, loaded: &mut Policies) {
    for language in LANGUAGES.iter().filter(|language| !language.extensions().is_empty()) {
        let (programs, diagnostics) = programs(paths, options, language.extensions(), Files::Policies);
        loaded.diagnostics.extend(diagnostics);
        if programs.modules.is_empty() {
            continue;
        }
        let mut more = language.load_programs(&programs);
        loaded.diagnostics.extend(unknown_packages(&options.namespaces, &more));
        loaded.policies.append(&mut more.policies);
        loaded.diagnostics.extend(more.diagnostics);
    }
}

/// Compiles policy documents with the languages that claim them.
pub fn load(documents: &[Resource]) -> Policies {
    let mut policies = Vec::new();
    let mut diagnostics = Vec::new();
    let claimed_by = |document: &Resource| LANGUAGES.iter().position(|language| language.claims(document));
    let claims: Vec<_> = documents.iter().map(claimed_by).collect();
    let of = |wanted: Option<usize>| -> Vec<Resource> {
        documents
            .iter()
            .zip(&claims)
            .filter(|(_, claim)| **claim == wanted)
            .map(|(document, _)| document.clone())
            .collect()
    };
    let others = of(None);
    for (index, language) in LANGUAGES.iter().enumerate() {
        let own = of(Some(index));
        if own.is_empty() {
            continue;
        }
        let loaded = language.load(&own, &others);
        policies.extend(loaded.policies);
        diagnostics.extend(loaded.diagnostics);
    }
    Policies { policies, diagnostics }
}

/// What `--namespace` names and no program defines: a typing mistake there would switch every check off.
fn unknown_packages(asked: &[String], found: &Loaded) -> Vec<Diagnostic> {
    let is_known = |name: &&String| found.policies.iter().any(|policy| *policy.reference().name == ***name);
    // Where programs could not be loaded, that is the trouble.
    let asked = asked.iter().filter(|_| !has_errors(&found.diagnostics));
    asked
        .filter(|name| !is_known(name))
        .map(|name| {
            Diagnostic::error("PAL-P0004", format!("no package with deny, warn or violation rules is called `{name}`"))
                .help("without --namespace every such package judges; `palisade list policies -p PATH` shows them")
        })
        .collect()
}
