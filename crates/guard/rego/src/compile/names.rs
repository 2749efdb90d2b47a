//! What a name in a module stands for when it is not a variable: an import, a rule of the package, a root document.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use palisade_model::Str;
use palisade_rego_builtins::Builtin;

use super::resolved::Function;
use super::tree::{Path, Tree};

use crate::builtins;
use crate::plan::RuleKind;
use crate::syntax::ast::{Module, Term, TermKind};

/// A path that a name stands for; the first part is `input` or `data`.
pub(super) type Global = Vec<Str>;

/// The names of one module.
#[derive(Debug, Default)]
pub(super) struct Names {
    package: Path,
    imports: HashMap<Str, Global>,
    /// Imports that something refers to, for strict mode.
    pub(super) used: RefCell<BTreeSet<Str>>,
}

impl Names {
    pub(super) fn new(module: &Module) -> Self {
        let roots = ["data", "input"];
        let imports = module
            .imports
            .iter()
            .filter(|import| import.path.first().is_some_and(|root| roots.contains(&&**root)))
            .map(|import| (import.name.clone(), import.path.clone()))
            .collect();
        Self { package: module.package.clone(), imports, used: RefCell::default() }
    }

    /// What the name stands for, if it is an import or a rule.
    pub(super) fn global(&self, tree: &Tree, name: &str) -> Option<Global> {
        if let Some((name, path)) = self.imports.get_key_value(name) {
            self.used.borrow_mut().insert(name.clone());
            return Some(path.clone());
        }
        let data = || std::iter::once(Str::from("data"));
        tree.is_rule_name(&self.package, name)
            .then(|| data().chain(self.package.iter().cloned()).chain([Str::from(name)]).collect())
    }

    /// The path of a call's operator, where it is one; `is_variable` tells which names are variables here.
    pub(super) fn operator(&self, tree: &Tree, operator: &Term) -> Option<Path> {
        let (first, rest) = match &operator.kind {
            TermKind::Variable(name) => (name, &[] as &[Term]),
            TermKind::Reference(head, parts) => match &head.kind {
                TermKind::Variable(name) => (name, parts.as_slice()),
                _ => return None,
            },
            _ => return None,
        };
        let mut path = self.global(tree, first).unwrap_or_else(|| vec![first.clone()]);
        for part in rest {
            match &part.kind {
                TermKind::Scalar(value) => path.push(value.as_shared_str()?.clone()),
                _ => return None,
            }
        }
        Some(path)
    }
}

/// What a path names as a function.
pub(super) fn function(tree: &Tree, path: &[Str]) -> Option<Function> {
    if let [first, rest @ ..] = path
        && &**first == "data"
    {
        let rule = tree.rule_at(rest)?;
        return match tree.group(rule)?.kind {
            RuleKind::Function { arity } => Some(Function::Rule { rule, arity }),
            _ => None,
        };
    }
    builtin(&path.join(".")).map(Function::Builtin)
}

/// The builtin of a name.
pub(super) fn builtin(name: &str) -> Option<&'static Builtin> {
    builtins::find(name)
}

/// A known function whose name is near.
pub(super) fn suggestion(tree: &Tree, path: &[Str]) -> Option<String> {
    let wanted = path.join(".");
    let rules = tree.functions().map(|path| super::tree::show(path));
    let builtins = builtins::all().map(|builtin| builtin.name.to_owned());
    let limit = (wanted.chars().count() / 3).max(1);
    rules
        .chain(builtins)
        .filter(|name| !name.starts_with("internal."))
        .map(|name| (distance(&wanted, &name, limit), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// How many letters have to be changed, as far as the limit.
fn distance(left: &str, right: &str, limit: usize) -> usize {
    let right: Vec<char> = right.chars().collect();
    if left.chars().count().abs_diff(right.len()) > limit {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut next = vec![line + 1];
        for (column, other) in right.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&row, column) + usize::from(letter != *other);
            next.push(changed.min(at(&row, column + 1) + 1).min(at(&next, column) + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
