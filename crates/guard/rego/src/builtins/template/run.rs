//! Runs a template over its data.

use palisade_rego_value::Value;

use super::functions::{self, Trouble};
use super::item::Item;
use super::parse::{Head, MAIN, Node, Operand, Pipeline, Templates};
use crate::builtins::{BuiltinError, Context};

/// How deeply templates may call one another.
const MAX_CALLS: usize = 50;

/// The text of the template for the data.
pub(super) fn execute(context: &mut Context<'_>, templates: &Templates, data: &Value) -> Result<String, BuiltinError> {
    let mut run = Run { context, templates, variables: Vec::new(), text: String::new(), calls: 0 };
    match run.template(MAIN, &Item::Data(data.clone())) {
        Ok(()) => Ok(run.text),
        Err(Trouble::Wrong(message)) => Err(super::failed(&message)),
        Err(Trouble::Builtin(error)) => Err(error),
    }
}

/// What the nodes of a loop's body say of the loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct Run<'a, 'c> {
    context: &'a mut Context<'c>,
    templates: &'a Templates,
    /// Variables by name, the innermost last; `$` has an empty name.
    variables: Vec<(String, Item)>,
    text: String,
    calls: usize,
}

impl Run<'_, '_> {
    fn template(&mut self, name: &str, data: &Item) -> Result<(), Trouble> {
        let nodes = self.templates.get(name).ok_or_else(|| format!("template {name:?} not defined"))?;
        if self.calls >= MAX_CALLS {
            return Err(Trouble::Wrong(format!("exceeded maximum template depth ({MAX_CALLS})")));
        }
        self.calls += 1;
        let outer = std::mem::replace(&mut self.variables, vec![(String::new(), data.clone())]);
        self.nodes(nodes, data)?;
        self.variables = outer;
        self.calls -= 1;
        Ok(())
    }

    fn write(&mut self, piece: &str) -> Result<(), Trouble> {
        self.context.grow(piece.len())?;
        self.text.push_str(piece);
        Ok(())
    }

    /// Runs nodes, whose variables end with them.
    fn nodes(&mut self, nodes: &[Node], dot: &Item) -> Result<Flow, Trouble> {
        let scope = self.variables.len();
        for node in nodes {
            self.context.step(1)?;
            let flow = self.node(node, dot)?;
            if flow != Flow::Next {
                self.variables.truncate(scope);
                return Ok(flow);
            }
        }
        self.variables.truncate(scope);
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &Node, dot: &Item) -> Result<Flow, Trouble> {
        match node {
            Node::Text(text) => self.write(text)?,
            Node::Action(pipeline) => {
                let item = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.print(&item)?;
                }
            }
            Node::If(pipeline, body, otherwise) | Node::With(pipeline, body, otherwise) => {
                let scope = self.variables.len();
                let item = self.pipeline(pipeline, dot)?;
                let inner = if matches!(node, Node::With(..)) { &item } else { dot };
                let flow = if item.is_true() { self.nodes(body, inner) } else { self.nodes(otherwise, dot) };
                self.variables.truncate(scope);
                return flow;
            }
            Node::Range(pipeline, body, otherwise) => return self.range(pipeline, body, otherwise, dot),
            Node::Template(name, pipeline) => {
                let data = pipeline.as_ref().map_or(Ok(Item::Missing), |pipeline| self.pipeline(pipeline, dot))?;
                self.template(name, &data)?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, item: &Item) -> Result<(), Trouble> {
        match item {
            Item::Missing => self.write("<undefined>"),
            item => {
                if let Item::Data(value) = item {
                    self.context.weigh(value)?;
                }
                item.print(&mut self.text);
                Ok(())
            }
        }
    }

    fn range(&mut self, pipeline: &Pipeline, body: &[Node], otherwise: &[Node], dot: &Item) -> Result<Flow, Trouble> {
        let scope = self.variables.len();
        let answer = self.commands(pipeline, dot)?;
        let pairs: Vec<(Item, Item)> = match answer {
            Item::Missing => Vec::new(),
            Item::Data(Value::Array(items)) => {
                (0..).zip(items.iter()).map(|(at, item)| (Item::Int(at), Item::from(item.clone()))).collect()
            }
            Item::Data(Value::Object(object)) => object
                .iter()
                .map(|(key, value)| (Item::Data(Value::from(key.to_key())), Item::from(value.clone())))
                .collect(),
            Item::Int(count) => {
                self.context.collect(usize::try_from(count).unwrap_or(0))?;
                (0..count).map(|at| (Item::Int(at), Item::Int(at))).collect()
            }
            other => return Err(Trouble::Wrong(format!("range can't iterate over type {}", other.type_name()))),
        };
        if pairs.is_empty() {
            return self.nodes(otherwise, dot);
        }
        for (key, item) in pairs {
            self.context.step(1)?;
            let values = match pipeline.variables.len() {
                0 => Vec::new(),
                1 => vec![item.clone()],
                _ => vec![key, item.clone()],
            };
            for (name, value) in pipeline.variables.iter().zip(values) {
                self.set(name, value, pipeline.declares)?;
            }
            let flow = self.nodes(body, &item)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    fn set(&mut self, name: &str, value: Item, declares: bool) -> Result<(), Trouble> {
        if declares {
            self.variables.push((name.to_owned(), value));
            return Ok(());
        }
        let variable = self.variables.iter_mut().rev().find(|(other, _)| other == name);
        variable.ok_or_else(|| format!("undefined variable \"${name}\""))?.1 = value;
        Ok(())
    }

    /// The answer of the last command, which its variable takes.
    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Item) -> Result<Item, Trouble> {
        let item = self.commands(pipeline, dot)?;
        for name in &pipeline.variables {
            self.set(name, item.clone(), pipeline.declares)?;
        }
        Ok(item)
    }

    fn commands(&mut self, pipeline: &Pipeline, dot: &Item) -> Result<Item, Trouble> {
        let mut last: Option<Item> = None;
        for command in &pipeline.commands {
            self.context.step(1)?;
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or(Item::Missing))
    }

    /// A function with its arguments, to which the answer before is added, or a value alone.
    fn command(&mut self, command: &[Operand], dot: &Item, last: Option<Item>) -> Result<Item, Trouble> {
        let Some((first, rest)) = command.split_first() else { return Ok(Item::Missing) };
        let Head::Function(name) = &first.head else {
            if !rest.is_empty() || last.is_some() {
                return Err("can't give argument to non-function".into());
            }
            return self.operand(first, dot);
        };
        if !first.fields.is_empty() {
            return Err(Trouble::Wrong(format!("can't evaluate a field of function {name}")));
        }
        let mut arguments = Vec::with_capacity(rest.len() + 1);
        for operand in rest {
            let item = self.operand(operand, dot)?;
            // The first that decides is the answer; the others are not evaluated.
            if (name == "and" && !item.is_true()) || (name == "or" && item.is_true()) {
                return Ok(item);
            }
            arguments.push(item);
        }
        arguments.extend(last);
        if matches!(name.as_str(), "and" | "or") {
            return arguments.pop().ok_or_else(|| Trouble::Wrong(format!("wrong number of args for {name}: got 0")));
        }
        functions::call(self.context, name, &arguments)
    }

    fn operand(&mut self, operand: &Operand, dot: &Item) -> Result<Item, Trouble> {
        let head = match &operand.head {
            Head::Dot => dot.clone(),
            Head::Nil => Item::Missing,
            Head::Bool(value) => Item::Data(Value::Bool(*value)),
            Head::Int(value) => Item::Int(*value),
            Head::Float(value) => Item::Float(*value),
            Head::Text(text) => Item::Data(Value::from(&**text)),
            Head::Variable(name) => {
                let variable = self.variables.iter().rev().find(|(other, _)| other == name);
                variable.ok_or_else(|| format!("undefined variable \"${name}\""))?.1.clone()
            }
            Head::Function(name) => functions::call(self.context, name, &[])?,
            Head::Pipeline(pipeline) => self.pipeline(pipeline, dot)?,
        };
        operand.fields.iter().try_fold(head, |item, name| match item {
            Item::Missing => Ok(Item::Missing),
            Item::Data(Value::Object(object)) => Ok(object.get_str(name).cloned().map_or(Item::Missing, Item::from)),
            other => Err(Trouble::Wrong(format!("can't evaluate field {name} in type {}", other.type_name()))),
        })
    }
}
