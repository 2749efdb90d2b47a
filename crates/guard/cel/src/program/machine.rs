//! Walks a node tree and yields a term, spending one unit for every step.

use std::cell::OnceCell;

use palisade_model::Str;

use super::node::{BinaryOperator, Item, Node};
use super::term::{Term, View};
use super::{Parts, arithmetic};
use crate::{Bindings, Budget, Entries, EvalError, Key, Scope, Val};

pub(super) type Evaluated<'a> = Result<Term<'a>, EvalError>;

/// A variable of the scope, once it has been asked for.
type Slot = OnceCell<Option<Result<Val, EvalError>>>;

/// The value of a variable of a loop or of `cel.bind`.
#[derive(Clone, Debug, Default)]
pub(super) enum Register<'a> {
    #[default]
    Empty,
    /// Computed when it is first read.
    Pending(&'a Node),
    Ready(Term<'a>),
}

/// One evaluation.
pub(super) struct Machine<'a, 'b> {
    pub(super) scope: &'a dyn Scope,
    pub(super) budget: &'b mut Budget,
    pub(super) registers: &'b mut [Register<'a>],
    pub(super) strict: bool,
    variables: &'a [Str],
    slots: &'a [Slot],
}

/// Evaluates a compiled expression.
pub(super) fn evaluate(program: &Parts, scope: &dyn Scope, budget: &mut Budget) -> Result<Val, EvalError> {
    let few: [Slot; 4];
    let many: Vec<Slot>;
    let slots: &[Slot] = if program.variables.len() <= 4 {
        few = [const { OnceCell::new() }; 4];
        &few
    } else {
        many = program.variables.iter().map(|_| OnceCell::new()).collect();
        &many
    };
    let mut few_registers: [Register<'_>; 4];
    let mut many_registers: Vec<Register<'_>>;
    let registers: &mut [Register<'_>] = if program.registers <= 4 {
        few_registers = [const { Register::Empty }; 4];
        &mut few_registers
    } else {
        many_registers = vec![Register::Empty; program.registers];
        &mut many_registers
    };
    let strict = program.strict;
    let mut machine = Machine { scope, budget, registers, strict, variables: &program.variables, slots };
    machine.eval(&program.root).map(Term::into_val)
}

/// The most that computing a constant while compiling may cost.
const FOLD_LIMIT: u64 = 1_000;

/// The constant that an operation on constants yields; operations that fail are left to fail when they are reached.
pub(crate) fn fold_constant(node: Node) -> Node {
    if !is_constant_operation(&node) {
        return node;
    }
    evaluate_constant(&node).map_or(node, Node::Constant)
}

/// Why an operation on constants fails, other than for its cost.
pub(crate) fn constant_error(node: &Node) -> Option<EvalError> {
    evaluate_constant(node).err().filter(|error| !error.is_fatal())
}

fn evaluate_constant(node: &Node) -> Result<Val, EvalError> {
    let mut budget = Budget::new(FOLD_LIMIT);
    let scope = Bindings::new();
    let mut machine =
        Machine { scope: &scope, budget: &mut budget, registers: &mut [], strict: true, variables: &[], slots: &[] };
    machine.eval(node).map(Term::into_val)
}

fn is_constant_operation(node: &Node) -> bool {
    let constant = |node: &Node| matches!(node, Node::Constant(_));
    let all = |nodes: &[Node]| nodes.iter().all(constant);
    match node {
        Node::Select(operand, _)
        | Node::SelectOptional(operand, _)
        | Node::Has(operand, _)
        | Node::Not(operand)
        | Node::Negate(operand)
        | Node::HasValue(operand)
        | Node::InConstants(operand, _) => constant(operand),
        Node::Index(parts)
        | Node::IndexOptional(parts)
        | Node::Binary(_, parts)
        | Node::In(parts)
        | Node::OptionalOr(parts)
        | Node::OptionalOrValue(parts)
        | Node::OrValueLenient(parts) => all(parts.as_slice()),
        Node::And(operands) | Node::Or(operands) => all(operands),
        Node::Conditional(parts) => all(parts.as_slice()),
        Node::List(items) => items.iter().all(|item| constant(&item.value)),
        Node::Map(entries) => entries.iter().all(|(key, item)| constant(key) && constant(&item.value)),
        Node::Call(call) => call.overloads.iter().all(|overload| overload.constant) && all(&call.args),
        _ => false,
    }
}

impl<'a> Machine<'a, '_> {
    pub(super) fn eval(&mut self, node: &'a Node) -> Evaluated<'a> {
        self.budget.spend(1)?;
        match node {
            Node::Constant(value) => Ok(Term::Val(value)),
            Node::Fail(error) => Err(error.clone()),
            Node::Local(register) => self.local(*register),
            Node::Variable(slot) => self.variable(*slot),
            Node::Candidates(slots, otherwise) => self.candidates(slots, otherwise),
            Node::Select(operand, field) => self.select(operand, field),
            Node::SelectOptional(..) | Node::IndexOptional(_) => self.optional_part(node).map(Term::optional),
            Node::Has(operand, field) => self.has(operand, field),
            Node::Index(parts) => self.index(parts),
            Node::Not(operand) => self.not(operand),
            Node::Negate(operand) => arithmetic::negate(&self.eval(operand)?).map(Term::Own),
            Node::Binary(operator, parts) => self.binary(*operator, parts),
            Node::In(parts) => self.contains(parts),
            Node::InConstants(needle, constants) => {
                let needle = self.eval(needle)?;
                self.contains_constant(needle, &constants.0, &constants.1)
            }
            Node::And(operands) => self.logical(operands, false),
            Node::Or(operands) => self.logical(operands, true),
            Node::Conditional(parts) => self.conditional(parts),
            Node::OptionalOr(parts) => self.optional_or(parts),
            Node::OptionalOrValue(parts) => self.or_value(parts),
            Node::OrValueLenient(parts) => self.or_value_lenient(parts),
            Node::HasValue(operand) => self.has_value(operand),
            Node::Some(operand) => Ok(Term::optional(Some(self.eval(operand)?))),
            Node::Call(call) => self.call(call),
            Node::List(items) => self.list(items),
            Node::Map(entries) => self.map(entries),
            Node::Struct(construction) => self.construct(construction),
            Node::Loop(parts) => self.run(parts),
            Node::Bind(register, parts) => {
                let [value, body] = &**parts;
                self.set(*register, Register::Pending(value));
                self.eval(body)
            }
        }
    }

    pub(super) fn set(&mut self, register: usize, value: Register<'a>) {
        if let Some(slot) = self.registers.get_mut(register) {
            *slot = value;
        }
    }

    fn local(&mut self, register: usize) -> Evaluated<'a> {
        match self.registers.get(register) {
            Some(Register::Ready(term)) => Ok(term.clone()),
            Some(Register::Pending(node)) => {
                let node = *node;
                let term = self.eval(node)?;
                self.set(register, Register::Ready(term.clone()));
                Ok(term)
            }
            _ => Err(EvalError::invalid("a variable has no value")),
        }
    }

    /// The value that the scope has for a slot.
    fn lookup(&mut self, slot: usize) -> Result<Option<Term<'a>>, EvalError> {
        let (Some(cell), Some(name)) = (self.slots.get(slot), self.variables.get(slot)) else { return Ok(None) };
        if cell.get().is_none() {
            let value = self.scope.variable(name, self.budget);
            // Computing a variable cannot have asked for itself: names are declared before they are used.
            let _ = cell.set(value);
        }
        match cell.get() {
            Some(Some(Ok(value))) => Ok(Some(Term::Val(value))),
            Some(Some(Err(error))) => Err(error.clone()),
            _ => Ok(None),
        }
    }

    fn variable(&mut self, slot: usize) -> Evaluated<'a> {
        self.lookup(slot)?.ok_or_else(|| {
            let name = self.variables.get(slot).map_or("", |name| &**name);
            EvalError::Undeclared(name.into())
        })
    }

    fn candidates(&mut self, slots: &[usize], otherwise: &'a Node) -> Evaluated<'a> {
        for slot in slots {
            if let Some(found) = self.lookup(*slot)? {
                return Ok(found);
            }
        }
        self.eval(otherwise)
    }

    fn select(&mut self, operand: &'a Node, field: &str) -> Evaluated<'a> {
        let term = self.eval(operand)?;
        if let View::Optional(value) = term.view() {
            let value = value.cloned().map(Term::Own);
            return self.field_of_content(value, field).map(Term::optional);
        }
        term.field(field)?.ok_or_else(|| EvalError::NoSuchKey(field.into()))
    }

    fn has(&mut self, operand: &'a Node, field: &str) -> Evaluated<'a> {
        let term = self.eval(operand)?;
        let found = match term.view() {
            View::Optional(None) => false,
            View::Optional(Some(value)) => Term::Own(value.clone()).field(field)?.is_some(),
            _ => term.field(field)?.is_some(),
        };
        Ok(Term::Own(Val::Bool(found)))
    }

    fn index(&mut self, parts: &'a [Node; 2]) -> Evaluated<'a> {
        let [operand, index] = parts;
        let operand = self.eval(operand)?;
        let index = self.eval(index)?;
        if let View::Optional(value) = operand.view() {
            let part = value.map(|value| Term::Own(value.clone()).optional_element(&index)).transpose()?;
            return Ok(Term::optional(part.flatten()));
        }
        operand.element(&index)?.ok_or_else(|| {
            let shown = index.into_val().to_text();
            if operand.rounds().is_some() && !operand.is_map() {
                EvalError::OutOfBounds(shown.into())
            } else {
                EvalError::NoSuchKey(shown.into())
            }
        })
    }

    fn not(&mut self, operand: &'a Node) -> Evaluated<'a> {
        let term = self.eval(operand)?;
        let value = term.as_bool().ok_or_else(|| EvalError::NoOverload(format!("!{}", term.type_name()).into()))?;
        Ok(Term::Own(Val::Bool(!value)))
    }

    /// `true` of a disjunction and `false` of a conjunction win over errors; otherwise the first error stands.
    fn logical(&mut self, operands: &'a [Node], decisive: bool) -> Evaluated<'a> {
        let mut failed = None;
        for operand in operands {
            match self.truth(operand) {
                Ok(value) if value == decisive => return Ok(Term::Own(Val::Bool(decisive))),
                Ok(_) => {}
                Err(error) if error.is_fatal() => return Err(error),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(Term::Own(Val::Bool(!decisive))), Err)
    }

    /// The value of a node that must be a boolean.
    pub(super) fn truth(&mut self, node: &'a Node) -> Result<bool, EvalError> {
        let term = self.eval(node)?;
        term.as_bool()
            .ok_or_else(|| EvalError::NoOverload(format!("`{}` where a bool is needed", term.type_name()).into()))
    }

    fn conditional(&mut self, parts: &'a [Node; 3]) -> Evaluated<'a> {
        let [condition, then, otherwise] = parts;
        let branch = if self.truth(condition)? { then } else { otherwise };
        self.eval(branch)
    }

    fn binary(&mut self, operator: BinaryOperator, parts: &'a [Node; 2]) -> Evaluated<'a> {
        let [left, right] = parts;
        let left = self.eval(left)?;
        let right = self.eval(right)?;
        let value = match operator {
            BinaryOperator::Equal => Val::Bool(self.equal(&left, &right)?),
            BinaryOperator::NotEqual => Val::Bool(!self.equal(&left, &right)?),
            _ => arithmetic::binary(operator, &left, &right, self.budget)?,
        };
        Ok(Term::Own(value))
    }

    /// CEL's `==`, paid for by the size of what is compared.
    pub(super) fn equal(&mut self, left: &Term<'_>, right: &Term<'_>) -> Result<bool, EvalError> {
        match (left.view(), right.view()) {
            (View::String(a), View::String(b)) => {
                self.budget.spend(a.len().min(b.len()) as u64 / 10)?;
                Ok(a == b)
            }
            (View::Array(_) | View::Items(_) | View::Object(_) | View::Entries(_), _) if right.rounds().is_some() => {
                self.budget.spend(left.weight().min(right.weight()))?;
                Ok(left.equals(right))
            }
            _ => Ok(left.equals(right)),
        }
    }

    fn contains(&mut self, parts: &'a [Node; 2]) -> Evaluated<'a> {
        let [needle, haystack] = parts;
        let needle = self.eval(needle)?;
        let haystack = self.eval(haystack)?;
        if haystack.is_map() {
            return Ok(Term::Own(Val::Bool(haystack.element(&needle)?.is_some())));
        }
        match haystack.view() {
            View::Array(_) | View::Items(_) => {}
            // What is partly known may know the key.
            View::Opaque(_) if matches!(needle.view(), View::String(_)) && haystack.element(&needle)?.is_some() => {
                return Ok(Term::Own(Val::Bool(true)));
            }
            _ => {
                let types = format!("{} in {}", needle.type_name(), haystack.type_name());
                return Err(EvalError::NoOverload(types.into()));
            }
        }
        for at in 0..haystack.rounds().unwrap_or_default() {
            self.budget.spend(1)?;
            if self.equal(&needle, &haystack.round_value(at))? {
                return Ok(Term::Own(Val::Bool(true)));
            }
        }
        Ok(Term::Own(Val::Bool(false)))
    }

    fn contains_constant(
        &mut self,
        needle: Term<'a>,
        keys: &std::collections::HashSet<Key>,
        list: &'a Val,
    ) -> Evaluated<'a> {
        if let View::String(text) = needle.view() {
            self.budget.spend(text.len() as u64 / 10)?;
        }
        let needle = needle.into_val();
        let found = match Key::lookup(&needle) {
            Some(key) => keys.contains(&key),
            None => list.as_list().is_some_and(|list| list.iter().any(|item| item == needle)),
        };
        Ok(Term::Own(Val::Bool(found)))
    }

    fn list(&mut self, items: &'a [Item]) -> Evaluated<'a> {
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            if let Some(term) = self.item(item)? {
                list.push(term.into_val());
            }
        }
        Ok(Term::Own(Val::list(list)))
    }

    /// The value of an item; `None` for an optional that is absent.
    pub(super) fn item(&mut self, item: &'a Item) -> Result<Option<Term<'a>>, EvalError> {
        if item.optional { self.optional_content(&item.value) } else { self.eval(&item.value).map(Some) }
    }

    fn map(&mut self, entries: &'a [(Node, Item)]) -> Evaluated<'a> {
        let mut map = Entries::new();
        for (key, item) in entries {
            let key = self.eval(key)?.into_val();
            let Some(value) = self.item(item)?.map(Term::into_val) else { continue };
            match Key::new(&key) {
                Some(own) if !self.strict => map.set(own, value),
                _ => insert(&mut map, &key, value)?,
            }
        }
        Ok(Term::Own(Val::map(map)))
    }
}

/// Adds an entry to a map under construction.
pub(super) fn insert(map: &mut Entries, key: &Val, value: Val) -> Result<(), EvalError> {
    let Some(own) = Key::new(key) else {
        return Err(EvalError::invalid(format_args!("`{}` cannot be the type of a key", key.type_name())));
    };
    if map.insert(own, value) {
        Ok(())
    } else {
        Err(EvalError::invalid(format_args!("repeated key `{}`", key.to_text())))
    }
}
