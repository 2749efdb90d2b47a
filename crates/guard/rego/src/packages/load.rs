//! From files to packages that judge.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_model::{Diagnostic, Level, Location, PolicyRef, Source, Str};
use palisade_policy::{
    Language, Loaded, Matched, Objects, Operation, Phase, Policy, PolicyDocument, PolicyInfo, PolicyMeta, Programs,
    Reach, RuleInfo, digest,
};
use palisade_rego_value::Value;

use super::engine::{Check, Engine, Package, Seen};
use super::package::PackagePolicy;
use super::{CheckKind, meta};
use crate::compile::{CompileOptions, compile};
use crate::plan::{Program, Rule, RuleKind};
use crate::reads;
use crate::syntax::ast::{HeadKind, Module, Term, TermKind, Version};
use crate::syntax::codes::KEYWORD;
use crate::syntax::parse;

/// Rego packages by Conftest's conventions.
pub const LANGUAGE: &dyn Language = &Rego;

#[derive(Debug)]
struct Rego;

impl Language for Rego {
    fn id(&self) -> &'static str {
        "rego"
    }

    fn summary(&self) -> &'static str {
        "Rego packages with deny, violation and warn rules, as Conftest and OPA run them (v0 and v1)"
    }

    fn claims(&self, _document: &PolicyDocument) -> bool {
        false
    }

    fn load(&self, _documents: &[PolicyDocument], _others: &[PolicyDocument]) -> Loaded {
        Loaded::default()
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["rego"]
    }

    fn load_programs(&self, programs: &Programs) -> Loaded {
        let (modules, diagnostics) = modules(&programs.modules);
        if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
            return Loaded { policies: Vec::new(), diagnostics };
        }
        let diagnostics: Vec<_> = diagnostics.into_iter().chain(modules.iter().flat_map(objects)).collect();
        match compile(&modules, &[], CompileOptions::default()) {
            Ok(program) => {
                let policies = policies(program, modules, programs);
                Loaded { policies, diagnostics }
            }
            Err(errors) => {
                Loaded { policies: Vec::new(), diagnostics: diagnostics.into_iter().chain(errors).collect() }
            }
        }
    }
}

/// Parses files, each by the newest generation of the language that understands it. Where none does, the errors are
/// those of the newest.
pub fn modules(sources: &[Arc<Source>]) -> (Vec<Module>, Vec<Diagnostic>) {
    let mut modules = Vec::with_capacity(sources.len());
    let mut diagnostics = Vec::new();
    for source in sources {
        let sound = |diagnostics: &[Diagnostic]| diagnostics.iter().all(|entry| entry.level != Level::Error);
        let (mut module, mut trouble) = parse(Arc::clone(source), Version::V1);
        if !sound(&trouble) {
            let (older, with_older) = parse(Arc::clone(source), Version::V0);
            if sound(&with_older) {
                (module, trouble) = (older, with_older);
            }
        }
        modules.extend(module);
        diagnostics.extend(trouble);
    }
    (modules, diagnostics)
}

/// Warnings about members of objects that are called like checks, which never say anything: `deny["text"] if ..`.
fn objects(module: &Module) -> impl Iterator<Item = Diagnostic> + '_ {
    module.rules.iter().filter_map(|rule| {
        let ([Term { kind: TermKind::Variable(name), .. }, _], HeadKind::Value(None)) =
            (rule.head.reference.as_slice(), &rule.head.kind)
        else {
            return None;
        };
        CheckKind::of(name)?;
        let location = Location { source: Arc::clone(&module.source), span: rule.head.span };
        let message = format!("`{}` makes an object, whose members are no violations", rule.head);
        let help = format!("write `{name} contains .. if`");
        Some(Diagnostic::warning(KEYWORD, message).at(location, "").help(help))
    })
}

/// A policy for each package with checks, of those that `programs` asks for.
fn policies(program: Program, modules: Vec<Module>, programs: &Programs) -> Vec<Arc<dyn Policy>> {
    let wanted = |path: &[Str]| programs.namespaces.is_empty() || programs.namespaces.contains(&path.join("."));
    let mut names: BTreeMap<&[Str], Vec<&Module>> = BTreeMap::new();
    for module in modules.iter().filter(|module| wanted(&module.package)) {
        names.entry(&module.package).or_default().push(module);
    }
    let mut packages = Vec::new();
    let mut checks = Vec::new();
    let mut infos = Vec::new();
    for (path, written) in names {
        let meta = meta::of_package(path, &modules);
        let own = checks_of(&program, path, &written, &meta, packages.len());
        if own.is_empty() {
            continue;
        }
        let rules = own.iter().map(rule_info).collect();
        let objects: &[&[&str]] = match seen(path) {
            Seen::Document => &[&[]],
            Seen::Review => &[&["request", "object"], &["request", "oldObject"]],
        };
        let mut info = PolicyInfo::new(reference(path, &written), meta, rules);
        info.judges_written |= seen(path) == Seen::Document;
        infos.push(info.reaching(reach(seen(path))).reading(reads::of(&modules, objects)));
        packages.push(Package {
            seen: seen(path),
            checks: checks.len()..checks.len() + own.len(),
            exception: rule_named(&program, path, "exception"),
        });
        checks.extend(own);
    }
    let engine = Arc::new(Engine::new(program, modules, Value::from(&programs.data), packages, checks));
    let policy =
        |(number, info)| Arc::new(PackagePolicy { info, engine: Arc::clone(&engine), number }) as Arc<dyn Policy>;
    infos.into_iter().enumerate().map(policy).collect()
}

/// Every definition of every check of a package.
fn checks_of(program: &Program, path: &[Str], modules: &[&Module], meta: &PolicyMeta, package: usize) -> Vec<Check> {
    let mut checks = Vec::new();
    for (rule, plan) in (0..).zip(&program.rules) {
        let Some((kind, suffix)) = name_below(path, plan).and_then(CheckKind::of) else { continue };
        if !matches!(plan.kind, RuleKind::Set | RuleKind::Complete | RuleKind::Object) {
            continue;
        }
        for (index, definition) in plan.definitions.iter().enumerate() {
            let written =
                program.location(definition.place).and_then(|place| Some((written_at(modules, &place)?, place)));
            let Some(((module, at), location)) = written else { continue };
            let name = meta::id_of_rule(module, at).unwrap_or_else(|| plan.path.last().cloned().unwrap_or_default());
            checks.push(Check {
                package,
                rule,
                definition: index,
                kind,
                suffix: suffix.into(),
                name,
                meta: meta::of_rule(module, at, meta, location),
            });
        }
    }
    checks
}

/// The name of a rule that is directly in the package at `path`.
fn name_below<'a>(path: &[Str], rule: &'a Rule) -> Option<&'a str> {
    match rule.path.strip_prefix(path)? {
        [name] => Some(name),
        _ => None,
    }
}

/// The path of the rule `name` of a package, where it has one.
fn rule_named(program: &Program, path: &[Str], name: &str) -> Option<Vec<Str>> {
    program.rules.iter().find(|rule| name_below(path, rule) == Some(name)).map(|rule| rule.path.clone())
}

/// The rule that is written at a place: its module and its index there.
fn written_at<'a>(modules: &[&'a Module], place: &Location) -> Option<(&'a Module, usize)> {
    let module = modules.iter().find(|module| Arc::ptr_eq(&module.source, &place.source))?;
    // Rules are in the order of the text.
    let index = module.rules.partition_point(|rule| rule.span.start <= place.span.start).checked_sub(1)?;
    Some((module, index))
}

fn rule_info(check: &Check) -> RuleInfo {
    RuleInfo { name: check.name.clone(), phase: Phase::Validate, location: check.meta.location.clone() }
}

/// OPA's webhook hands packages below `kubernetes.admission` the whole review.
fn seen(path: &[Str]) -> Seen {
    let [first, second, ..] = path else { return Seen::Document };
    if &**first == "kubernetes" && &**second == "admission" { Seen::Review } else { Seen::Document }
}

/// Packages that see the request may be about any. The others know objects only, not what happens to them: they are asked
/// about what comes to exist, never about what goes away.
fn reach(seen: Seen) -> Reach {
    if seen == Seen::Review {
        return Reach::default();
    }
    let any = || vec![Str::from("*")];
    let resources = vec!["*".into(), "pods/ephemeralcontainers".into()];
    let objects = Objects::Resources { groups: any(), versions: any(), resources };
    let matched = Matched { objects, operations: vec![Operation::Create, Operation::Update] };
    Reach { matches: vec![matched], ..Reach::default() }
}

/// A package is known by its name and by the text of all of its files.
fn reference(path: &[Str], modules: &[&Module]) -> PolicyRef {
    let text: String = modules.iter().map(|module| &**module.source.text()).collect();
    PolicyRef { kind: "RegoPackage".into(), namespace: None, name: path.join(".").into(), digest: digest(&text) }
}
