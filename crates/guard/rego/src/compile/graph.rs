//! What rules refer to: recursion, and what each rule reads.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::codes::RECURSION;
use super::report::Report;
use super::resolve::Resolved;
use super::resolved::{Expression, Function, Head, Kind, Replaced, Term, TermKind, every_condition};
use super::tree::{Tree, show};
use crate::plan::{NodeId, Reads, RuleId};

/// References between rules.
#[derive(Debug)]
pub(super) struct Graph {
    edges: Vec<BTreeSet<RuleId>>,
    reads: Vec<Reads>,
    order: Vec<RuleId>,
}

impl Graph {
    /// The graph of all definitions, by rule.
    pub(super) fn new(tree: &Tree, definitions: &[Vec<&Resolved>]) -> Self {
        let mut edges = vec![BTreeSet::new(); tree.groups.len()];
        let mut reads = vec![Reads::default(); tree.groups.len()];
        for (rule, definitions) in definitions.iter().enumerate() {
            let (Some(edges), Some(reads)) = (edges.get_mut(rule), reads.get_mut(rule)) else { continue };
            let mut collector = Collector { tree, edges, reads };
            for branch in definitions.iter().flat_map(|definition| &definition.branches) {
                every_condition(&branch.body, &mut |expression| collector.expression(expression));
                branch.gives.terms().into_iter().for_each(|term| collector.term(term));
            }
        }
        for (hidden, group) in tree.groups.iter().enumerate() {
            if let Some(edges) = group.hidden_in.and_then(|object| edges.get_mut(object as usize)) {
                edges.insert(hidden as RuleId);
            }
        }
        let order = finishing_order(&edges);
        Self { edges, reads, order }
    }

    /// All rules, those referred to before those that refer to them, as far as there is such an order.
    pub(super) fn order(&self) -> &[RuleId] {
        &self.order
    }

    /// Reports rules that need themselves.
    pub(super) fn check(&self, tree: &Tree, places: &[(usize, palisade_model::Span)], report: &mut Report) {
        for circle in self.circles() {
            for rule in circle.iter().take(10) {
                let path = self.way_back(*rule, &circle);
                let names: Vec<String> =
                    path.iter().filter_map(|rule| tree.group(*rule)).map(|group| show(&group.path)).collect();
                let Some(place) = places.get(*rule as usize) else { continue };
                let name = names.first().cloned().unwrap_or_default();
                let message = format!("rule {name} is recursive: {}", names.join(" -> "));
                report.error(RECURSION, *place, message, "use `walk` or `graph.reachable` to go through nested data");
            }
        }
    }

    /// What each rule reads, through all it refers to.
    pub(super) fn reads(mut self) -> Vec<Reads> {
        for rule in self.order {
            let Some(edges) = self.edges.get(rule as usize) else { continue };
            let below: Vec<Reads> = edges.iter().filter_map(|edge| self.reads.get(*edge as usize).copied()).collect();
            let Some(reads) = self.reads.get_mut(rule as usize) else { continue };
            for other in below {
                reads.input |= other.input;
                reads.data |= other.data;
                reads.functions |= other.functions;
                reads.nondeterministic |= other.nondeterministic;
            }
        }
        self.reads
    }

    /// Groups of rules that need one another.
    fn circles(&self) -> Vec<BTreeSet<RuleId>> {
        let mut callers: Vec<Vec<RuleId>> = vec![Vec::new(); self.edges.len()];
        for (rule, edges) in self.edges.iter().enumerate() {
            for edge in edges {
                if let Some(callers) = callers.get_mut(*edge as usize) {
                    callers.push(rule as RuleId);
                }
            }
        }
        let mut seen = vec![false; self.edges.len()];
        let mut circles = Vec::new();
        for start in self.order.iter().rev() {
            let mut circle = BTreeSet::new();
            let mut open = vec![*start];
            while let Some(rule) = open.pop() {
                let Some(seen) = seen.get_mut(rule as usize) else { continue };
                if !std::mem::replace(seen, true) {
                    circle.insert(rule);
                    open.extend(callers.get(rule as usize).into_iter().flatten());
                }
            }
            let own = self.edges.get(*start as usize).is_some_and(|edges| edges.contains(start));
            if circle.len() > 1 || (circle.len() == 1 && own) {
                circles.push(circle);
            }
        }
        circles
    }

    /// The shortest way from a rule back to itself.
    fn way_back(&self, start: RuleId, circle: &BTreeSet<RuleId>) -> Vec<RuleId> {
        let mut from: HashMap<RuleId, RuleId> = HashMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(rule) = open.pop_front() {
            for edge in self.edges.get(rule as usize).into_iter().flatten().filter(|edge| circle.contains(edge)) {
                if *edge == start {
                    let mut path = vec![start, rule];
                    let mut at = rule;
                    while at != start {
                        let Some(before) = from.get(&at) else { break };
                        at = *before;
                        path.push(at);
                    }
                    if rule == start {
                        path.pop();
                        path.push(start);
                    }
                    path.reverse();
                    return path;
                }
                if !from.contains_key(edge) {
                    from.insert(*edge, rule);
                    open.push_back(*edge);
                }
            }
        }
        vec![start, start]
    }
}

/// Rules in the order in which a search that goes deep first leaves them.
fn finishing_order(edges: &[BTreeSet<RuleId>]) -> Vec<RuleId> {
    let mut seen = vec![false; edges.len()];
    let mut order = Vec::new();
    for start in 0..edges.len() as RuleId {
        let mut open = vec![(start, false)];
        while let Some((rule, done)) = open.pop() {
            if done {
                order.push(rule);
                continue;
            }
            let Some(seen) = seen.get_mut(rule as usize) else { continue };
            if !std::mem::replace(seen, true) {
                open.push((rule, true));
                open.extend(edges.get(rule as usize).into_iter().flatten().map(|edge| (*edge, false)));
            }
        }
    }
    order
}

struct Collector<'a> {
    tree: &'a Tree,
    edges: &'a mut BTreeSet<RuleId>,
    reads: &'a mut Reads,
}

impl Collector<'_> {
    fn expression(&mut self, expression: &Expression) {
        if let Kind::Call(function, _) = &expression.kind {
            self.function(*function);
        }
        for with in expression.with.iter().flat_map(|with| with.iter()) {
            if let Replaced::Function(function) = with.value {
                self.function(function);
            }
        }
        expression.terms().into_iter().chain(expression.with_terms()).for_each(|term| self.term(term));
    }

    fn function(&mut self, function: Function) {
        self.reads.functions = true;
        match function {
            Function::Builtin(builtin) => self.reads.nondeterministic |= builtin.nondeterministic,
            Function::Rule { rule, .. } => _ = self.edges.insert(rule),
        }
    }

    fn term(&mut self, term: &Term) {
        term.walk(&mut |term| {
            match &term.kind {
                TermKind::Reference(Head::Input, _) => self.reads.input = true,
                TermKind::Reference(Head::Data, parts) => {
                    self.reads.data = true;
                    targets(self.tree, parts, self.edges);
                }
                TermKind::Comprehension(comprehension) => {
                    comprehension.key.iter().chain([&comprehension.value]).for_each(|part| self.term(part));
                }
                _ => {}
            }
            true
        });
    }
}

/// The rules that a reference below `data` may mean.
fn targets(tree: &Tree, parts: &[Term], found: &mut BTreeSet<RuleId>) {
    let mut nodes: Vec<NodeId> = vec![0];
    for part in parts {
        let mut next = Vec::new();
        for node in nodes.iter().filter_map(|node| tree.nodes.get(*node as usize)) {
            match (node.rule, &part.kind) {
                (Some(rule), _) => _ = found.insert(rule),
                (None, TermKind::Constant(_)) => {
                    next.extend(part.as_name().and_then(|name| node.children.get(name)));
                }
                (None, _) => next.extend(node.children.values()),
            }
        }
        nodes = next;
    }
    while let Some(node) = nodes.pop().and_then(|node| tree.nodes.get(node as usize)) {
        found.extend(node.rule);
        nodes.extend(node.children.values());
    }
}
