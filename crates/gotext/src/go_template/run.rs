//! Runs a template over its data.

use palisade_model::{Budget, Str};

use super::functions;
use super::parse::{Head, MAIN, Node, Operand, Pipeline, Templates};
use super::{Item, TemplateError};

/// How deeply templates may call one another.
const MAX_CALLS: usize = 50;

/// The text of the template for the data.
pub(super) fn execute(budget: &mut Budget, templates: &Templates, data: &Item) -> Result<String, TemplateError> {
    let mut run = Run { budget, templates, variables: Vec::new(), text: String::new(), calls: 0 };
    run.template(MAIN, data)?;
    Ok(run.text)
}

/// What the nodes of a loop's body say of the loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct Run<'a> {
    budget: &'a mut Budget,
    templates: &'a Templates,
    /// Variables by name, the innermost last; `$` has an empty name.
    variables: Vec<(String, Item)>,
    text: String,
    calls: usize,
}

impl Run<'_> {
    fn template(&mut self, name: &str, data: &Item) -> Result<(), TemplateError> {
        let nodes = self.templates.get(name).ok_or_else(|| format!("template {name:?} not defined"))?;
        if self.calls >= MAX_CALLS {
            return Err(TemplateError::Wrong(format!("exceeded maximum template depth ({MAX_CALLS})")));
        }
        self.calls += 1;
        let outer = std::mem::replace(&mut self.variables, vec![(String::new(), data.clone())]);
        self.nodes(nodes, data)?;
        self.variables = outer;
        self.calls -= 1;
        Ok(())
    }

    fn write(&mut self, piece: &str) -> Result<(), TemplateError> {
        self.budget.grow(piece.len())?;
        self.text.push_str(piece);
        Ok(())
    }

    /// Runs nodes, whose variables end with them.
    fn nodes(&mut self, nodes: &[Node], dot: &Item) -> Result<Flow, TemplateError> {
        let scope = self.variables.len();
        for node in nodes {
            self.budget.step(1)?;
            let flow = self.node(node, dot)?;
            if flow != Flow::Next {
                self.variables.truncate(scope);
                return Ok(flow);
            }
        }
        self.variables.truncate(scope);
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &Node, dot: &Item) -> Result<Flow, TemplateError> {
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

    fn print(&mut self, item: &Item) -> Result<(), TemplateError> {
        match item {
            Item::Missing => self.write("<undefined>"),
            item => {
                item.weigh(self.budget)?;
                item.print(&mut self.text);
                Ok(())
            }
        }
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        dot: &Item,
    ) -> Result<Flow, TemplateError> {
        let scope = self.variables.len();
        let answer = self.commands(pipeline, dot)?;
        let pairs: Vec<(Item, Item)> = match answer {
            Item::Missing => Vec::new(),
            Item::List(items) => (0..).zip(items.iter()).map(|(at, item)| (Item::Int(at), item.clone())).collect(),
            Item::Map(members) => members.iter().map(|(key, value)| (Item::Text(key.clone()), value.clone())).collect(),
            Item::Int(count) => {
                let count_bytes = usize::try_from(count).unwrap_or(0).saturating_mul(size_of::<(Item, Item)>());
                self.budget.grow(count_bytes)?;
                (0..count).map(|at| (Item::Int(at), Item::Int(at))).collect()
            }
            other => return Err(TemplateError::Wrong(format!("range can't iterate over type {}", other.type_name()))),
        };
        if pairs.is_empty() {
            return self.nodes(otherwise, dot);
        }
        for (key, item) in pairs {
            self.budget.step(1)?;
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

    fn set(&mut self, name: &str, value: Item, declares: bool) -> Result<(), TemplateError> {
        if declares {
            self.variables.push((name.to_owned(), value));
            return Ok(());
        }
        let variable = self.variables.iter_mut().rev().find(|(other, _)| other == name);
        variable.ok_or_else(|| format!("undefined variable \"${name}\""))?.1 = value;
        Ok(())
    }

    /// The answer of the last command, which its variable takes.
    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Item) -> Result<Item, TemplateError> {
        let item = self.commands(pipeline, dot)?;
        for name in &pipeline.variables {
            self.set(name, item.clone(), pipeline.declares)?;
        }
        Ok(item)
    }

    fn commands(&mut self, pipeline: &Pipeline, dot: &Item) -> Result<Item, TemplateError> {
        let mut last: Option<Item> = None;
        for command in &pipeline.commands {
            self.budget.step(1)?;
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or(Item::Missing))
    }

    /// A function with its arguments, to which the answer before is added, or a value alone.
    fn command(&mut self, command: &[Operand], dot: &Item, last: Option<Item>) -> Result<Item, TemplateError> {
        let Some((first, rest)) = command.split_first() else { return Ok(Item::Missing) };
        let Head::Function(name) = &first.head else {
            if !rest.is_empty() || last.is_some() {
                return Err("can't give argument to non-function".into());
            }
            return self.operand(first, dot);
        };
        if !first.fields.is_empty() {
            return Err(TemplateError::Wrong(format!("can't evaluate a field of function {name}")));
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
            return arguments
                .pop()
                .ok_or_else(|| TemplateError::Wrong(format!("wrong number of args for {name}: got 0")));
        }
        functions::call(self.budget, name, &arguments)
    }

    fn operand(&mut self, operand: &Operand, dot: &Item) -> Result<Item, TemplateError> {
        let head = match &operand.head {
            Head::Dot => dot.clone(),
            Head::Nil => Item::Missing,
            Head::Bool(value) => Item::Bool(*value),
            Head::Int(value) => Item::Int(*value),
            Head::Float(value) => Item::Float(*value),
            Head::Text(text) => Item::Text(Str::from(&**text)),
            Head::Variable(name) => {
                let variable = self.variables.iter().rev().find(|(other, _)| other == name);
                variable.ok_or_else(|| format!("undefined variable \"${name}\""))?.1.clone()
            }
            Head::Function(name) => functions::call(self.budget, name, &[])?,
            Head::Pipeline(pipeline) => self.pipeline(pipeline, dot)?,
        };
        operand.fields.iter().try_fold(head, |item, name| match item {
            Item::Missing => Ok(Item::Missing),
            Item::Map(members) => Ok(members.get(name.as_str()).cloned().unwrap_or(Item::Missing)),
            other => Err(TemplateError::Wrong(format!("can't evaluate field {name} in type {}", other.type_name()))),
        })
    }
}
