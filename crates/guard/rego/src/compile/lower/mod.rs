//! Ordered conditions to steps.
//!
//! A [`Lowerer`] writes the branches of one definition. A variable is whatever operand holds its value: naming a constant
//! or another register costs no step, and what was looked up is not looked up again. What a closure binds is forgotten behind it. Deliberately absent: names, order.

mod call;
mod condition;
mod pool;
mod reference;
mod unify;

use std::collections::HashMap;

use palisade_model::Span;
use palisade_rego_value::Value;

use super::codes::COMPILE;
use super::report::Report;
use super::resolve::{Branch, Gives, Resolved};
use super::resolved::{Body, Comprehension, Head, Term, TermKind, Var};
use crate::plan::{Block, Collect, Definition, Emit, Operand, Place, Register, RuleId, Step};

pub(super) use pool::Pool;

/// Writes steps.
pub(super) struct Lowerer<'p, 't> {
    pool: &'p mut Pool<'t>,
    source: u32,
    /// What holds the value of each variable, where it has one.
    bindings: Vec<Option<Operand>>,
    /// Variables in the order in which they got their values.
    trail: Vec<Var>,
    /// Which variables are wildcards: nothing else refers to them.
    wildcards: Vec<bool>,
    registers: Register,
    steps: Vec<Step>,
    places: Vec<Place>,
    place: Place,
    /// Registers that hold what was looked up already.
    found: HashMap<Lookup, Register>,
    /// Look-ups in the order in which they were made.
    looked_up: Vec<Lookup>,
    /// Where a condition is that could not be written; a mistake of this compiler.
    failed: Option<Span>,
}

/// What can be looked up once for all that follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Lookup {
    Path(Operand, Vec<Operand>),
    Rule(RuleId),
}

impl Lookup {
    /// Whether a `with` may change the answer.
    fn is_replaceable(&self) -> bool {
        matches!(self, Self::Rule(_) | Self::Path(Operand::Input | Operand::Data, _))
    }
}

/// Lowers a definition.
pub(super) fn lower(definition: &Resolved, pool: &mut Pool<'_>, report: &mut Report) -> Definition {
    let place = Place { source: definition.source as u32, span: definition.span };
    let mut registers = 0;
    let mut branches = Vec::new();
    for branch in &definition.branches {
        let mut lowerer = Lowerer::new(branch, place, pool);
        let block = lowerer.branch(branch);
        registers = registers.max(lowerer.registers);
        if let Some(span) = lowerer.failed {
            let message = "this expression is beyond the compiler";
            let help = "split it into several conditions, and report the policy to Palisade";
            report.error(COMPILE, (definition.source, span), message, help);
        }
        branches.push(block);
    }
    Definition { registers, branches, place }
}

impl<'p, 't> Lowerer<'p, 't> {
    fn new(branch: &Branch, place: Place, pool: &'p mut Pool<'t>) -> Self {
        let mut bindings = vec![None; branch.variables.len()];
        for (register, parameter) in branch.parameters.iter().enumerate() {
            if let Some(binding) = bindings.get_mut(*parameter as usize) {
                *binding = Some(Operand::Register(register as Register));
            }
        }
        let wildcard = |name: &str| name.starts_with('$');
        Self {
            pool,
            source: place.source,
            bindings,
            trail: Vec::new(),
            wildcards: branch.variables.iter().map(|it| it.name.as_deref().is_some_and(wildcard)).collect(),
            registers: branch.parameters.len() as Register,
            steps: Vec::new(),
            places: Vec::new(),
            place,
            found: HashMap::new(),
            looked_up: Vec::new(),
            failed: None,
        }
    }

    fn branch(&mut self, branch: &Branch) -> Block {
        self.body(&branch.body);
        self.place = Place { source: self.source, span: branch.span };
        let emit = match &branch.gives {
            Gives::Value(value) => Emit::Value(self.operand(value)),
            Gives::Element(element) => Emit::Element(self.operand(element)),
            Gives::Member(path, value) => Emit::Member(self.operands(path), self.operand(value)),
            Gives::Nested(path, element) => Emit::Nested(self.operands(path), self.operand(element)),
            Gives::Bindings(bindings) => {
                let mut members = Vec::new();
                for (name, var) in bindings {
                    let key = self.constant(Value::String(name.clone()));
                    let value = self.binding(*var);
                    members.push((key, value));
                }
                let to = self.register();
                self.step(Step::Object { members, to });
                Emit::Element(Operand::Register(to))
            }
        };
        self.block(emit)
    }

    fn block(&mut self, emit: Emit) -> Block {
        Block { steps: std::mem::take(&mut self.steps), places: std::mem::take(&mut self.places), emit }
    }

    /// Writes a block of its own; variables that it binds have no value behind it.
    fn nested(&mut self, write: impl FnOnce(&mut Self) -> Emit) -> Block {
        let steps = std::mem::take(&mut self.steps);
        let places = std::mem::take(&mut self.places);
        let (mark, place, lookups) = (self.trail.len(), self.place, self.looked_up.len());
        let emit = write(self);
        self.forget(lookups);
        let block = self.block(emit);
        (self.steps, self.places, self.place) = (steps, places, place);
        for var in self.trail.split_off(mark) {
            if let Some(binding) = self.bindings.get_mut(var as usize) {
                *binding = None;
            }
        }
        block
    }

    /// Looks something up, unless an earlier step of this block or of those around it did.
    fn lookup(&mut self, lookup: Lookup) -> Operand {
        if let Some(register) = self.found.get(&lookup) {
            return Operand::Register(*register);
        }
        let to = self.register();
        self.step(match lookup.clone() {
            Lookup::Path(source, path) => Step::Get { source, path, to },
            Lookup::Rule(rule) => Step::Rule { rule, to },
        });
        self.found.insert(lookup.clone(), to);
        self.looked_up.push(lookup);
        Operand::Register(to)
    }

    /// Forgets look-ups behind a mark.
    fn forget(&mut self, mark: usize) {
        for lookup in self.looked_up.split_off(mark.min(self.looked_up.len())) {
            self.found.remove(&lookup);
        }
    }

    fn step(&mut self, step: Step) {
        self.steps.push(step);
        self.places.push(self.place);
    }

    /// Ends the solution.
    fn fail(&mut self) {
        let no = self.constant(Value::Bool(false));
        self.step(Step::Truthy(no));
    }

    fn register(&mut self) -> Register {
        self.registers += 1;
        self.registers - 1
    }

    fn constant(&mut self, value: Value) -> Operand {
        self.pool.constant(value)
    }

    fn is_bound(&self, var: Var) -> bool {
        self.bindings.get(var as usize).is_some_and(Option::is_some)
    }

    fn is_wildcard(&self, var: Var) -> bool {
        self.wildcards.get(var as usize).is_some_and(|wildcard| *wildcard)
    }

    fn binding(&mut self, var: Var) -> Operand {
        match self.bindings.get(var as usize).copied().flatten() {
            Some(operand) => operand,
            None => self.impossible(),
        }
    }

    /// Gives a variable its value. `input` and `data` may be undefined, so they are looked up now.
    fn bind(&mut self, var: Var, operand: Operand) {
        let operand = match operand {
            Operand::Input | Operand::Data => {
                let to = self.register();
                self.step(Step::Copy { from: operand, to });
                Operand::Register(to)
            }
            Operand::Register(_) | Operand::Constant(_) => operand,
        };
        if let Some(binding) = self.bindings.get_mut(var as usize) {
            *binding = Some(operand);
            self.trail.push(var);
        }
    }

    /// A term for a value that an operand holds.
    fn held(&mut self, operand: Operand, span: Span) -> Term {
        self.bindings.push(None);
        self.wildcards.push(false);
        let var = (self.bindings.len() - 1) as Var;
        self.bind(var, operand);
        Term::var(var, span)
    }

    /// What safety should have excluded; reported with the place.
    fn impossible(&mut self) -> Operand {
        self.failed.get_or_insert(self.place.span);
        self.constant(Value::Null)
    }

    fn operands(&mut self, terms: &[Term]) -> Vec<Operand> {
        if terms.iter().all(|term| self.is_ready(term)) {
            return terms.iter().map(|term| self.operand(term)).collect();
        }
        let terms = self.grounded(terms);
        terms.iter().map(|term| self.operand(term)).collect()
    }

    /// Evaluates a term.
    fn operand(&mut self, term: &Term) -> Operand {
        match &term.kind {
            TermKind::Constant(value) => self.constant(value.clone()),
            TermKind::Var(var) => self.binding(*var),
            TermKind::Reference(head, parts) => self.reference(*head, parts),
            TermKind::Array(items) => {
                let items = self.operands(items);
                self.made(|to| Step::Array { items, to })
            }
            TermKind::Set(items) => {
                let items = self.operands(items);
                self.made(|to| Step::Set { items, to })
            }
            TermKind::Object(members) => {
                let flat: Vec<Term> = members.iter().flat_map(|(key, value)| [key, value]).cloned().collect();
                let flat = self.operands(&flat);
                let pairs = flat.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
                let members = pairs.collect();
                self.made(|to| Step::Object { members, to })
            }
            TermKind::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    /// A step that fills a new register.
    fn made(&mut self, step: impl FnOnce(Register) -> Step) -> Operand {
        let to = self.register();
        self.step(step(to));
        Operand::Register(to)
    }

    fn comprehension(&mut self, comprehension: &Comprehension) -> Operand {
        let Comprehension { collect, key, value, body } = comprehension;
        let block = self.nested(|lowerer| {
            lowerer.body(body);
            match (collect, key) {
                (Collect::Object, Some(key)) => Emit::Member(vec![lowerer.operand(key)], lowerer.operand(value)),
                _ => Emit::Element(lowerer.operand(value)),
            }
        });
        self.made(|to| Step::Comprehension { collect: *collect, block: Box::new(block), to })
    }

    /// Whether a term can be evaluated: its variables have values, or get them from its references.
    fn is_ready(&self, term: &Term) -> bool {
        match &term.kind {
            TermKind::Var(var) | TermKind::Reference(Head::Var(var), _) => self.is_bound(*var),
            TermKind::Constant(_) | TermKind::Comprehension(_) | TermKind::Reference(..) => true,
            TermKind::Array(items) | TermKind::Set(items) => items.iter().all(|item| self.is_ready(item)),
            TermKind::Object(members) => members.iter().all(|(key, value)| self.is_ready(key) && self.is_ready(value)),
        }
    }

    /// The terms with every reference looked up that gives values to variables which others of them need:
    /// `[i, input.list[i]]`. Those whose own start is given by another wait for it.
    pub(super) fn grounded(&mut self, terms: &[Term]) -> Vec<Term> {
        let mut terms = terms.to_vec();
        loop {
            let before = self.trail.len();
            terms = terms.iter().map(|term| self.with_references(term)).collect();
            if self.trail.len() == before || terms.iter().all(|term| self.is_ready(term)) {
                return terms;
            }
        }
    }

    fn with_references(&mut self, term: &Term) -> Term {
        let kind = match &term.kind {
            TermKind::Reference(..) if self.can_be_followed(term) => {
                let operand = self.operand(term);
                return self.held(operand, term.span);
            }
            TermKind::Array(items) => TermKind::Array(items.iter().map(|item| self.with_references(item)).collect()),
            TermKind::Set(items) => TermKind::Set(items.iter().map(|item| self.with_references(item)).collect()),
            TermKind::Object(members) => TermKind::Object(
                members.iter().map(|(key, value)| (self.with_references(key), self.with_references(value))).collect(),
            ),
            _ => return term.clone(),
        };
        Term::new(kind, term.span)
    }

    /// Whether every reference within a term starts with something that has a value.
    fn can_be_followed(&self, term: &Term) -> bool {
        let mut possible = true;
        term.walk(&mut |term| {
            if let TermKind::Reference(Head::Var(var), _) = term.kind {
                possible &= self.is_bound(var);
            }
            possible
        });
        possible
    }

    fn body(&mut self, body: &Body) {
        let mut rest = body.as_slice();
        while let Some(first) = rest.first() {
            // Conditions under the same replacements share them.
            let same = |other: &&super::resolved::Expression| match (&first.with, &other.with) {
                (None, None) => true,
                (Some(a), Some(b)) => std::rc::Rc::ptr_eq(a, b),
                _ => false,
            };
            let count = rest.iter().take_while(same).count();
            let (together, others) = rest.split_at(count);
            self.replaced(first.with.as_deref(), together);
            rest = others;
        }
    }
}
