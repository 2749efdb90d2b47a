//! Modules to plan: names resolved, conditions ordered, unification taken apart.
//!
//! The stages, a file or folder each: `tree` groups definitions to rules, `resolve` gives names their meaning and makes
//! calls conditions of their own, `safety` orders conditions, `graph` finds recursion, `types` finds calls that can never
//! work, `lower` writes steps. Every stage sees all modules, so that one run shows every mistake. Deliberately absent:
//! parsing, evaluation.

mod codes;
mod graph;
mod lower;
mod metadata;
mod module;
mod names;
mod outputs;
mod report;
mod resolve;
mod resolved;
mod safety;
mod shape;
#[cfg(test)]
mod tests;
mod tree;
mod types;

use std::collections::BTreeSet;

use palisade_model::{Diagnostic, Source, Span};
use palisade_rego_value::Value;

pub use codes::CODES;

use crate::plan::{Definition, Emit, Operand, Place, Program, Rule, RuleId, RuleKind, Step};
use crate::syntax::ast::{HeadKind, Module, Version};
use lower::Pool;
use names::Names;
use report::Report;
use resolve::{Resolved, Written};
use resolved::{Function, Target, every_condition};
use tree::{Group, Member, Tree};

/// How modules are compiled.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompileOptions {
    /// Unused imports, arguments and variables, shadowed names and deprecated builtins are errors (`opa check --strict`).
    pub strict: bool,
    /// Marks expressions for coverage and traces.
    pub instrument: bool,
}

/// More definitions than anybody writes.
const MAX_DEFINITIONS: usize = 200_000;

/// Compiles modules that see one another, and queries over them (each becomes one of [`Program::queries`]).
pub fn compile(modules: &[Module], queries: &[&str], options: CompileOptions) -> Result<Program, Vec<Diagnostic>> {
    let mut report =
        Report { sources: modules.iter().map(|module| module.source.clone()).collect(), found: Vec::new() };
    if modules.iter().map(|module| module.rules.len()).sum::<usize>() > MAX_DEFINITIONS {
        let message = format!("there are more than {MAX_DEFINITIONS} rules");
        report.error(codes::LIMIT, (0, Span::default()), message, "move tables of constants into data documents");
        return Err(report.found);
    }
    let tree = Tree::new(modules, &mut report);
    let mut definitions = resolve_rules(modules, &tree, options, &mut report);
    let mut queries = resolve_queries(modules, &tree, queries, &mut report);
    for definition in definitions.iter_mut().flat_map(Definitions::iter_mut).chain(&mut queries) {
        for branch in &mut definition.branches {
            safety::order(branch, definition.source, &mut report);
        }
    }
    let graph = graph::Graph::new(&tree, &definitions.iter().map(|it| it.iter().collect()).collect::<Vec<_>>());
    let places: Vec<_> = tree.groups.iter().map(|group| place_of(modules, group)).collect();
    graph.check(&tree, &places, &mut report);
    check_types(&tree, &graph, &definitions, &queries, &mut report);
    if !report.is_clean() {
        return Err(sorted(report));
    }
    let replaced = replaced_builtins(definitions.iter().flat_map(Definitions::iter).chain(&queries));
    let mut pool = Pool::new(&tree, replaced, options.instrument);
    let mut rules = Vec::new();
    for (((group, definitions), reads), place) in tree.groups.iter().zip(&definitions).zip(graph.reads()).zip(&places) {
        let place = Place { source: place.0 as u32, span: place.1 };
        let rule = Rule {
            path: group.path.clone(),
            kind: group.kind,
            default: definitions.default.as_ref().map(|it| lower::lower(it, &mut pool, &mut report)),
            definitions: definitions.others.iter().map(|it| lower::lower(it, &mut pool, &mut report)).collect(),
            place,
            reads,
        };
        rules.push(rule);
    }
    show_hidden(&tree, &mut rules, &mut pool);
    let queries = queries.iter().map(|query| lower::lower(query, &mut pool, &mut report)).collect();
    if !report.is_clean() {
        return Err(sorted(report));
    }
    let Pool { constants, builtins, expressions, .. } = pool;
    Ok(Program { constants, rules, builtins, queries, sources: report.sources, expressions, nodes: tree.nodes })
}

/// The resolved definitions of one rule.
#[derive(Debug, Default)]
struct Definitions {
    default: Option<Resolved>,
    others: Vec<Resolved>,
}

impl Definitions {
    fn iter(&self) -> impl Iterator<Item = &Resolved> {
        self.default.iter().chain(&self.others)
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Resolved> {
        self.default.iter_mut().chain(&mut self.others)
    }
}

fn check_types(
    tree: &Tree,
    graph: &graph::Graph,
    definitions: &[Definitions],
    queries: &[Resolved],
    report: &mut Report,
) {
    let mut shapes = vec![None; definitions.len()];
    for rule in graph.order() {
        let Some(definitions) = definitions.get(*rule as usize) else { continue };
        let shape = types::check_rule(tree, *rule, definitions.iter(), &shapes, report);
        if let Some(known) = shapes.get_mut(*rule as usize) {
            *known = Some(shape);
        }
    }
    for query in queries {
        for branch in &query.branches {
            types::check_branch(tree, branch, query.source, &shapes, report);
        }
    }
}

fn resolve_rules(modules: &[Module], tree: &Tree, options: CompileOptions, report: &mut Report) -> Vec<Definitions> {
    let names: Vec<Names> = modules.iter().map(Names::new).collect();
    let mut all = Vec::new();
    for group in &tree.groups {
        let mut definitions = Definitions::default();
        for member in &group.members {
            let Some((module, names)) = modules.get(member.module).zip(names.get(member.module)) else { continue };
            let Some(rule) = module.rules.get(member.rule) else { continue };
            let covered = group.path.len().saturating_sub(module.package.len());
            let annotations = metadata::of_rule(modules, module, member.rule, rule);
            let modern = options.strict || module.version == Version::V1;
            let context = resolve::Module { tree, names, source: member.module, strict: options.strict, modern };
            let resolved = context.definition(Written { rule, covered, annotations: &annotations }, report);
            if rule.default && matches!(rule.head.kind, HeadKind::Value(_) | HeadKind::Function(..)) {
                definitions.default = Some(resolved);
            } else {
                definitions.others.push(resolved);
            }
        }
        all.push(definitions);
    }
    for (source, (module, names)) in modules.iter().zip(&names).enumerate() {
        module::check(module, source, options.strict, report);
        if options.strict {
            module::check_unused(module, names, source, report);
        }
    }
    all
}

fn resolve_queries(modules: &[Module], tree: &Tree, queries: &[&str], report: &mut Report) -> Vec<Resolved> {
    let names = Names::default();
    let mut resolved = Vec::new();
    for query in queries {
        let source = Source::new("<query>", *query);
        let number = report.sources.len();
        report.sources.push(source.clone());
        let span = Span::new(0..query.len());
        match crate::syntax::parse_query(&source) {
            Ok(body) => {
                let context = resolve::Module { tree, names: &names, source: number, strict: false, modern: false };
                resolved.push(context.query(&body, span, report));
            }
            Err(found) => report.found.extend(found),
        }
    }
    debug_assert!(report.sources.len() == modules.len() + queries.len());
    resolved
}

/// Where a rule is first defined.
fn place_of(modules: &[Module], group: &Group) -> (usize, Span) {
    let Some(Member { module, rule }) = group.members.first().copied() else { return (0, Span::default()) };
    let span = modules.get(module).and_then(|module| module.rules.get(rule)).map_or(Span::default(), |it| it.head.span);
    (module, span)
}

/// Builtins that some `with` replaces.
fn replaced_builtins<'a>(definitions: impl Iterator<Item = &'a Resolved>) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for branch in definitions.flat_map(|definition| &definition.branches) {
        every_condition(&branch.body, &mut |expression| {
            for with in expression.with.iter().flat_map(|with| with.iter()) {
                if let Target::Function(Function::Builtin(builtin)) = with.target {
                    found.insert(builtin.name);
                }
            }
        });
    }
    found
}

/// Makes the values of hidden rules members of the objects in which they are defined.
fn show_hidden(tree: &Tree, rules: &mut [Rule], pool: &mut Pool<'_>) {
    for (hidden, group) in tree.groups.iter().enumerate() {
        let Some(object) = group.hidden_in else { continue };
        let Some(rule) = rules.get_mut(hidden) else { continue };
        // As in OPA, a value within an object of open keys has no default.
        rule.default = None;
        let place = rule.place;
        let Some(object) = rules.get_mut(object as usize) else { continue };
        debug_assert_eq!(object.kind, RuleKind::Object);
        let names = group.path.get(object.path.len()..).unwrap_or_default();
        let path = names.iter().map(|name| pool.constant(Value::String(name.clone()))).collect();
        let emit = Emit::Member(path, Operand::Register(0));
        let steps = vec![Step::Rule { rule: hidden as RuleId, to: 0 }];
        let block = crate::plan::Block { steps, places: vec![place], emit };
        object.definitions.push(Definition { registers: 1, branches: vec![block], place });
    }
}

/// Diagnostics in order of the sources.
fn sorted(report: Report) -> Vec<Diagnostic> {
    let Report { sources, mut found } = report;
    let number = |diagnostic: &Diagnostic| {
        let location = diagnostic.labels.first().map(|label| &label.location);
        let source =
            location.and_then(|at| sources.iter().position(|source| std::sync::Arc::ptr_eq(source, &at.source)));
        (source, location.map(|at| at.span))
    };
    found.sort_by_cached_key(number);
    found.dedup_by(|a, b| a.message == b.message && number(a) == number(b));
    found
}
