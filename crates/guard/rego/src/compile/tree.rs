//! What the modules define: all heads grouped to rules, and the tree of names below `data`.
//!
//! Definitions whose references overlap (`p[x].y := 1`, `p.q contains 2`) are one object at the shortest prefix that one
//! of them leaves open. A single value within such an object (`p.q := 3`) is a hidden rule of its own, so that its
//! definitions are judged together, and one member of the object. Deliberately absent: bodies.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use palisade_model::{Span, Str};

use super::codes::CONFLICT;
use super::report::Report;
use crate::plan::{Node, NodeId, RuleId, RuleKind};
use crate::syntax::ast::{Head, HeadKind, Module, Rule, Term, TermKind};

/// A path below `data`.
pub(super) type Path = Vec<Str>;

/// All rules and names.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) groups: Vec<Group>,
    by_path: HashMap<Path, RuleId>,
    /// Names that rules of a package start with.
    names: HashMap<Path, BTreeSet<Str>>,
}

/// All definitions of one name.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) path: Path,
    pub(super) kind: RuleKind,
    pub(super) members: Vec<Member>,
    /// For a hidden rule, the object of which it is a member.
    pub(super) hidden_in: Option<RuleId>,
    /// Whether hidden rules are members of this object.
    pub(super) has_hidden: bool,
}

/// A definition, by its place in the modules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) module: usize,
    pub(super) rule: usize,
}

/// How a definition names what it defines.
struct Definition<'a> {
    at: Member,
    /// Package and constant parts.
    prefix: Path,
    /// Whether parts follow that are not constant.
    open: bool,
    rule: &'a Rule,
}

impl Definition<'_> {
    fn place(&self) -> (usize, Span) {
        (self.at.module, self.rule.head.span)
    }

    fn arity(&self) -> usize {
        match &self.rule.head.kind {
            HeadKind::Function(parameters, _) => parameters.len(),
            _ => 0,
        }
    }

    fn is_function(&self) -> bool {
        matches!(self.rule.head.kind, HeadKind::Function(..))
    }

    fn is_set(&self) -> bool {
        matches!(self.rule.head.kind, HeadKind::Contains(_))
    }
}

/// The name that a part of a head adds to the path, if it is constant.
fn constant_part(at: usize, part: &Term) -> Option<&Str> {
    match &part.kind {
        TermKind::Variable(name) if at == 0 => Some(name),
        TermKind::Scalar(value) => value.as_shared_str(),
        _ => None,
    }
}

/// The constant parts that a head starts with.
pub(super) fn constant_parts(head: &Head) -> Vec<Str> {
    head.reference.iter().enumerate().map_while(|(at, part)| constant_part(at, part)).cloned().collect()
}

/// As it is written in messages.
pub(super) fn show(path: &[Str]) -> String {
    path.iter().fold("data".to_owned(), |text, part| text + "." + part)
}

impl Tree {
    /// Groups the definitions of all modules and reports those that exclude each other.
    pub(super) fn new(modules: &[Module], report: &mut Report) -> Self {
        let mut tree = Self { nodes: vec![Node::default()], ..Self::default() };
        let definitions = definitions(modules);
        for definition in &definitions {
            let Some(module) = modules.get(definition.at.module) else { continue };
            let name = definition.prefix.get(module.package.len()).cloned();
            tree.names.entry(module.package.clone()).or_default().extend(name);
        }
        let roots = open_roots(&definitions);
        let mut groups: BTreeMap<Path, Vec<&Definition<'_>>> = BTreeMap::new();
        let mut order = Vec::new();
        for definition in &definitions {
            let root = root_of(&roots, definition);
            let path = root.unwrap_or(&definition.prefix);
            if !groups.contains_key(path) {
                order.push(path.clone());
            }
            groups.entry(path.clone()).or_default().push(definition);
        }
        for path in order {
            let Some(members) = groups.get(&path) else { continue };
            tree.add_group(&path, members, report);
        }
        for module in modules {
            tree.node(&module.package);
        }
        check_nesting(&groups, &roots, report);
        check_packages(modules, &groups, report);
        tree
    }

    fn add_group(&mut self, path: &Path, members: &[&Definition<'_>], report: &mut Report) {
        check_kinds(path, members, report);
        let open = members.iter().any(|member| member.open && !member.is_function());
        let kind = match members.first() {
            _ if open => RuleKind::Object,
            Some(first) if first.is_function() => RuleKind::Function { arity: first.arity() as u32 },
            Some(first) if first.is_set() => RuleKind::Set,
            _ => RuleKind::Complete,
        };
        let id = self.groups.len() as RuleId;
        let hidden = |member: &&Definition<'_>| open && !member.open && !member.is_set();
        self.groups.push(Group {
            path: path.clone(),
            kind,
            members: members.iter().filter(|member| !hidden(member)).map(|member| member.at).collect(),
            hidden_in: None,
            has_hidden: members.iter().any(hidden),
        });
        self.by_path.insert(path.clone(), id);
        let node = self.node(path);
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.rule = Some(id);
        }
        let mut values: BTreeMap<Path, Vec<Member>> = BTreeMap::new();
        for member in members.iter().filter(|member| hidden(member)) {
            values.entry(member.prefix.clone()).or_default().push(member.at);
        }
        for (path, members) in values {
            self.groups.push(Group { path, kind: RuleKind::Complete, members, hidden_in: Some(id), has_hidden: false });
        }
    }

    /// The node of a path, with those above it.
    fn node(&mut self, path: &[Str]) -> NodeId {
        let mut at: NodeId = 0;
        for (depth, name) in path.iter().enumerate() {
            let next = self.nodes.len() as NodeId;
            let Some(node) = self.nodes.get_mut(at as usize) else { return 0 };
            if node.rule.is_some() {
                return at;
            }
            let child = *node.children.entry(name.clone()).or_insert(next);
            if child == next {
                let path = path.get(..=depth).unwrap_or_default().to_vec();
                self.nodes.push(Node { path, ..Node::default() });
            }
            at = child;
        }
        at
    }

    /// The rule at exactly this path.
    pub(super) fn rule_at(&self, path: &[Str]) -> Option<RuleId> {
        self.by_path.get(path).copied()
    }

    pub(super) fn group(&self, rule: RuleId) -> Option<&Group> {
        self.groups.get(rule as usize)
    }

    /// Whether a rule of the package starts with the name.
    pub(super) fn is_rule_name(&self, package: &[Str], name: &str) -> bool {
        self.names.get(package).is_some_and(|names| names.contains(name))
    }

    /// Paths of all functions, for suggestions.
    pub(super) fn functions(&self) -> impl Iterator<Item = &Path> {
        self.groups.iter().filter(|group| matches!(group.kind, RuleKind::Function { .. })).map(|group| &group.path)
    }
}

fn definitions(modules: &[Module]) -> Vec<Definition<'_>> {
    let mut found = Vec::new();
    for (index, module) in modules.iter().enumerate() {
        for (at, rule) in module.rules.iter().enumerate() {
            let parts = constant_parts(&rule.head);
            let open = parts.len() < rule.head.reference.len();
            let prefix = module.package.iter().cloned().chain(parts).collect();
            found.push(Definition { at: Member { module: index, rule: at }, prefix, open, rule });
        }
    }
    found
}

/// The shortest prefixes that definitions leave open.
fn open_roots(definitions: &[Definition<'_>]) -> BTreeSet<Path> {
    let all: BTreeSet<&Path> =
        definitions.iter().filter(|it| it.open && !it.is_function()).map(|it| &it.prefix).collect();
    let covered =
        |path: &Path| (0..path.len()).any(|length| path.get(..length).is_some_and(|it| all.contains(&it.to_vec())));
    all.iter().filter(|path| !covered(path)).map(|path| (*path).clone()).collect()
}

fn root_of<'a>(roots: &'a BTreeSet<Path>, definition: &Definition<'_>) -> Option<&'a Path> {
    if definition.is_function() || roots.is_empty() {
        return None;
    }
    (0..=definition.prefix.len()).find_map(|length| roots.get(definition.prefix.get(..length)?))
}

/// One name makes one kind of document.
fn check_kinds(path: &Path, members: &[&Definition<'_>], report: &mut Report) {
    let Some(first) = members.first() else { return };
    let kind = |it: &Definition<'_>| (it.is_set(), it.is_function().then(|| it.arity()), it.open);
    let here: Vec<_> = members.iter().filter(|member| member.prefix == *path).collect();
    if let Some(other) = here.first().and_then(|first| here.iter().find(|other| kind(other) != kind(first))) {
        let sets_only = here.iter().all(|it| it.open) && here.iter().all(|it| !it.is_function());
        if !sets_only {
            let message = format!("conflicting rules {} found", show(path));
            report.error(CONFLICT, other.place(), message, different(first));
        }
    }
    let mut defaults: HashMap<(&Path, bool), usize> = HashMap::new();
    for member in members.iter().filter(|member| member.rule.default && !member.open) {
        let count = defaults.entry((&member.prefix, true)).or_default();
        *count += 1;
        if *count > 1 {
            let message = format!("multiple default rules {} found", show(&member.prefix));
            report.error(CONFLICT, member.place(), message, "keep one of the defaults");
        }
    }
}

fn different(first: &Definition<'_>) -> String {
    let kind = match &first.rule.head.kind {
        HeadKind::Function(parameters, _) => format!("a function of {}", parameters.len()),
        HeadKind::Contains(_) => "a set".to_owned(),
        HeadKind::Value(_) if first.open => "an object".to_owned(),
        HeadKind::Value(_) => "a value".to_owned(),
    };
    format!("the first definition makes {kind}; rename the others or give them the same form")
}

/// Nothing may be defined below a value, set or function.
fn check_nesting(groups: &BTreeMap<Path, Vec<&Definition<'_>>>, roots: &BTreeSet<Path>, report: &mut Report) {
    let mut inner: Vec<(&Path, &Definition<'_>)> =
        groups.iter().filter_map(|(path, members)| Some((path, *members.first()?))).collect();
    // Values within an open object are checked against what lies within them.
    for (root, members) in groups.iter().filter(|(path, _)| roots.contains(*path)) {
        inner.extend(
            members.iter().filter(|member| member.prefix.len() > root.len()).map(|member| (&member.prefix, *member)),
        );
    }
    let closed: BTreeMap<&Path, &Definition<'_>> =
        inner.iter().filter(|(path, it)| !it.open && !roots.contains(*path)).map(|(path, it)| (*path, *it)).collect();
    let mut told = BTreeSet::new();
    for (path, _) in &inner {
        let above = (0..path.len()).find_map(|length| closed.get_key_value(&path.get(..length)?.to_vec()));
        let Some((outer, definition)) = above else { continue };
        if told.insert((*outer).clone()) {
            let message = format!("rule {} conflicts with [{}]", show(outer), show(path));
            report.error(
                CONFLICT,
                definition.place(),
                message,
                "rename one of them: a value cannot have rules below it",
            );
        }
    }
}

fn check_packages(modules: &[Module], groups: &BTreeMap<Path, Vec<&Definition<'_>>>, report: &mut Report) {
    for (index, module) in modules.iter().enumerate() {
        let Some(members) = groups.get(&module.package) else { continue };
        let Some(rule) = members.iter().find(|member| !member.open && member.at.module != index) else { continue };
        let message = format!("package {} conflicts with rule {}", module.package.join("."), show(&rule.prefix));
        report.error(CONFLICT, (index, module.package_span), message, "rename the package or the rule");
    }
}
