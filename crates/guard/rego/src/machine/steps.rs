//! The loop over the steps of a block, and what a solution gives.

use palisade_model::Relation;
use palisade_rego_value::Value;

use super::collect::{Gathered, Sink};
use super::error::{ErrorCode, EvalError};
use super::evaluation::{Evaluation, Flow, Outcome};
use crate::plan::{Block, Collect, Emit, Operand, Place, Register, Step};

/// What comes after a step.
enum Next {
    /// The next step.
    Step,
    /// Nothing: the condition does not hold.
    Fail,
    /// Nothing: the step has run the rest.
    Done(Flow),
}

impl From<bool> for Next {
    fn from(holds: bool) -> Self {
        if holds { Self::Step } else { Self::Fail }
    }
}

impl<'a> Evaluation<'a> {
    /// Runs a block from a step on; each solution goes into the sink.
    pub(super) fn run(&mut self, block: &'a Block, from: usize, sink: &mut Sink) -> Outcome<Flow> {
        let mut pc = from;
        while let Some(step) = block.steps.get(pc) {
            match self.step(block, pc, step, sink) {
                Ok(Next::Step) => pc += 1,
                Ok(Next::Fail) => {
                    self.tell_failed(block, pc);
                    return Ok(Flow::More);
                }
                Ok(Next::Done(flow)) => return Ok(flow),
                Err(error) => return Err(self.locate(error, block.places.get(pc))),
            }
        }
        sink.found = true;
        self.emit(&block.emit, sink).map_err(|error| self.locate(error, block.places.last()))
    }

    #[inline]
    fn step(&mut self, block: &'a Block, pc: usize, step: &'a Step, sink: &mut Sink) -> Outcome<Next> {
        self.tick()?;
        Ok(match step {
            Step::Copy { from, to } => {
                let value = self.operand(*from).cloned();
                self.bind(*to, value)
            }
            Step::Get { source, path, to } => {
                let value = self.follow(*source, path).cloned();
                self.bind(*to, value)
            }
            Step::Compare { relation, left, right, to } => self.compare(*relation, *left, *right, *to),
            Step::Truthy(operand) => self.operand(*operand).is_some_and(|value| !value.is_false()).into(),
            Step::Scan { source, key, value } => Next::Done(self.scan(block, pc + 1, *source, (*key, *value), sink)?),
            Step::Call { callee, arguments, to } => {
                let value = self.call(*callee, arguments)?;
                self.bind(*to, value)
            }
            Step::Rule { rule, to } => {
                let value = self.rule(*rule)?;
                self.bind(*to, value)
            }
            Step::ArrayOf { source, length } => {
                let length = *length as usize;
                matches!(self.operand(*source), Some(Value::Array(items)) if items.len() == length).into()
            }
            Step::ObjectOf { source, length } => {
                let length = *length as usize;
                matches!(self.operand(*source), Some(Value::Object(object)) if object.len() == length).into()
            }
            Step::Collection(operand) => self.operand(*operand).is_some_and(Value::is_collection).into(),
            Step::Not(inner) => self.not(inner)?.into(),
            Step::Comprehension { collect, block, to } => {
                self.comprehension(*collect, block, *to)?;
                Next::Step
            }
            Step::Walk { source, to } => Next::Done(self.walk(block, pc + 1, *source, *to, sink)?),
            Step::With(replacements) => Next::Done(self.with(block, pc + 1, replacements, sink)?),
            Step::EndWith => Next::Done(self.without(block, pc + 1, sink)?),
            Step::Mark(number) => {
                self.observe(|observer| observer.expression_entered(*number));
                Next::Step
            }
            other => self.build(block, pc, other)?.into(),
        })
    }

    /// Steps that build values or look documents up.
    #[inline(never)]
    fn build(&mut self, block: &'a Block, pc: usize, step: &'a Step) -> Outcome<bool> {
        match step {
            Step::Array { items, to } => {
                self.charge(items.len())?;
                let Some(items) = self.operands(items) else { return Ok(false) };
                self.keep(*to, Value::array(items))?;
            }
            Step::Set { items, to } => {
                self.charge(items.len())?;
                let Some(items) = self.operands(items) else { return Ok(false) };
                self.keep(*to, Value::set(items))?;
            }
            Step::Object { members, to } => {
                self.charge(members.len() * 2)?;
                let Some(members) = self.members(members) else { return Ok(false) };
                self.keep(*to, Value::object(members))?;
            }
            Step::Tree { node, path, to } => {
                let Some(path) = self.operands(path) else { return Ok(false) };
                let Some(value) = self.tree(*node, &path)? else { return Ok(false) };
                self.keep(*to, value)?;
            }
            Step::Keys { node, path, to } => {
                let Some(path) = self.operands(path) else { return Ok(false) };
                let Some(value) = self.keys(*node, &path)? else { return Ok(false) };
                self.set(*to, value);
            }
            Step::Print(arguments) => self.print(block.places.get(pc), arguments),
            _ => {}
        }
        Ok(true)
    }

    /// The members of an object in the order in which they count: constant keys first, of equal keys the last.
    fn members(&self, members: &[(Operand, Operand)]) -> Option<Vec<(Value, Value)>> {
        let of =
            |constant: bool| members.iter().filter(move |(key, _)| matches!(key, Operand::Constant(_)) == constant);
        let pair =
            |(key, value): &(Operand, Operand)| Some((self.operand(*key)?.clone(), self.operand(*value)?.clone()));
        of(true).chain(of(false)).map(pair).collect()
    }

    #[inline]
    fn bind(&mut self, to: Register, value: Option<Value>) -> Next {
        match value {
            Some(value) => {
                self.set(to, value);
                Next::Step
            }
            None => Next::Fail,
        }
    }

    #[inline]
    fn compare(&mut self, relation: Relation, left: Operand, right: Operand, to: Option<Register>) -> Next {
        let (Some(left), Some(right)) = (self.operand(left), self.operand(right)) else { return Next::Fail };
        let holds = match relation {
            Relation::Equal => left == right,
            Relation::NotEqual => left != right,
            by_order => by_order.holds(left.cmp(right)),
        };
        match to {
            None => holds.into(),
            Some(to) => {
                self.set(to, Value::Bool(holds));
                Next::Step
            }
        }
    }

    /// Runs the rest of a block for each entry of a collection.
    #[inline(never)]
    fn scan(
        &mut self,
        block: &'a Block,
        pc: usize,
        source: Operand,
        (key, value): (Option<Register>, Option<Register>),
        sink: &mut Sink,
    ) -> Outcome<Flow> {
        let Some(collection) = self.operand(source).cloned() else { return Ok(Flow::More) };
        self.enter()?;
        let mut at = 0;
        let mut flow = Flow::More;
        while flow == Flow::More {
            match &collection {
                Value::Array(items) => {
                    let Some(item) = items.get(at) else { break };
                    self.bind_entry((key, value), || Value::from(at), item);
                }
                Value::Object(object) => {
                    let Some((name, item)) = object.at(at) else { break };
                    self.bind_entry((key, value), || name.clone(), item);
                }
                Value::Set(set) => {
                    let Some(item) = set.as_slice().get(at) else { break };
                    self.bind_entry((key, value), || item.clone(), item);
                }
                _ => break,
            }
            at += 1;
            self.tick()?;
            flow = self.run(block, pc, sink)?;
        }
        self.leave();
        Ok(flow)
    }

    #[inline]
    fn bind_entry(
        &mut self,
        (key, value): (Option<Register>, Option<Register>),
        name: impl FnOnce() -> Value,
        item: &Value,
    ) {
        if let Some(key) = key {
            self.set(key, name());
        }
        if let Some(value) = value {
            self.set(value, item.clone());
        }
    }

    #[inline(never)]
    fn not(&mut self, block: &'a Block) -> Outcome<bool> {
        let mut sink = Sink::new(Gathered::Nothing);
        self.enter()?;
        self.run(block, 0, &mut sink)?;
        self.leave();
        Ok(!sink.found)
    }

    #[inline(never)]
    fn comprehension(&mut self, collect: Collect, block: &'a Block, to: Register) -> Outcome<()> {
        let mut sink = Sink::of(collect);
        self.enter()?;
        self.run(block, 0, &mut sink)?;
        self.leave();
        match sink.finish()? {
            Some(value) => self.keep(to, value),
            None => Ok(()),
        }
    }

    /// What a solution gives.
    #[inline]
    fn emit(&mut self, emit: &Emit, sink: &mut Sink) -> Outcome<Flow> {
        if let Gathered::Solutions(solutions) = &mut sink.gathered {
            return self.emit_solution(emit, solutions);
        }
        match emit {
            Emit::Exists => return Ok(Flow::Enough),
            Emit::Value(operand) => return self.emit_value(*operand, sink),
            Emit::Element(operand) => {
                self.charge(1)?;
                if let Some(value) = self.operand(*operand) {
                    sink.add_element(value.clone());
                }
            }
            Emit::Member(path, operand) | Emit::Nested(path, operand) => {
                self.charge(path.len() + 1)?;
                if let (Some(path), Some(value)) = (self.operands(path), self.operand(*operand)) {
                    let value = value.clone();
                    let nested = matches!(emit, Emit::Nested(..));
                    if nested { sink.add_nested(path, value)? } else { sink.add_member(path, value)? }
                }
            }
        }
        Ok(Flow::More)
    }

    fn emit_value(&self, operand: Operand, sink: &mut Sink) -> Outcome<Flow> {
        let (Gathered::Value(slot), Some(value)) = (&mut sink.gathered, self.operand(operand)) else {
            return Ok(Flow::More);
        };
        match slot {
            Some(old) if old != value => return Err(EvalError::new(ErrorCode::Conflict, sink.conflict)),
            Some(_) => {}
            None => *slot = Some(value.clone()),
        }
        Ok(if matches!(operand, Operand::Constant(_)) { Flow::Enough } else { Flow::More })
    }

    /// Tells which expression the step that failed belongs to.
    #[inline]
    fn tell_failed(&mut self, block: &Block, pc: usize) {
        let Some(observer) = &mut self.observer else { return };
        let mark = block.steps.iter().take(pc).rev().find_map(|step| match step {
            Step::Mark(number) => Some(*number),
            _ => None,
        });
        if let Some(number) = mark {
            observer.expression_failed(number);
        }
    }

    /// Prints a line for each combination of the arguments' values.
    fn print(&mut self, place: Option<&Place>, arguments: &[Operand]) {
        let place = place.copied().unwrap_or_default();
        let line: Vec<String> = arguments.iter().map(|argument| printed(self.operand(*argument))).collect();
        self.observe(|observer| observer.print(place, &line.join(" ")));
    }
}

fn printed(argument: Option<&Value>) -> String {
    match argument.and_then(Value::as_elements).and_then(<[Value]>::first) {
        None => "<undefined>".to_owned(),
        Some(Value::String(text)) => text.to_string(),
        Some(value) => value.to_string(),
    }
}
