//! What is reachable in a graph given as an object from nodes to their neighbours (`walk` is a step of plans).

use std::collections::BTreeSet;

use palisade_rego_value::{Object, Value};

use super::declare::{ARRAY, ELEMENTS, SET, builtin};
use super::{Answer, Builtin, BuiltinError, Context, answer, operands};
use crate::types::Type;

const GRAPH: Type = Type::Object(&Type::Any, &ELEMENTS);

/// The family.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("graph.reachable", &[GRAPH, ELEMENTS], SET, reachable),
    builtin("graph.reachable_paths", &[GRAPH, ELEMENTS], Type::Set(&ARRAY), reachable_paths),
    builtin("walk", &[Type::Any], Type::Array(&Type::Any), |_, _| {
        Err(BuiltinError::Halt("`walk` is evaluated by the machine".to_owned()))
    }),
];

fn graph(operands: &[Value]) -> Result<(&Object, &[Value]), BuiltinError> {
    Ok((operands::object(operands, 1)?, operands::elements(operands, 2, &["{array, set}"])?))
}

/// The neighbours of a node; `None` where it is not in the graph.
fn neighbours<'a>(graph: &'a Object, node: &Value) -> Option<&'a [Value]> {
    graph.get(node).map(|edges| edges.as_elements().unwrap_or_default())
}

fn reachable(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (graph, initial) = graph(operands)?;
    let mut open: Vec<&Value> = initial.iter().collect();
    let mut reached = BTreeSet::new();
    while let Some(node) = open.pop() {
        context.collect(1)?;
        let Some(next) = neighbours(graph, node) else { continue };
        if reached.insert(node) {
            context.step(next.len())?;
            open.extend(next.iter().filter(|node| !reached.contains(node)));
        }
    }
    answer(Value::set(reached.into_iter().cloned().collect()))
}

/// Paths from the initial nodes to where they end: at a node without neighbours, before a node that is not in the
/// graph, or before one that they have passed.
fn reachable_paths(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let (graph, initial) = graph(operands)?;
    let mut paths = Vec::new();
    let mut open: Vec<(Vec<Value>, &Value)> = Vec::new();
    for node in initial {
        let Some(next) = neighbours(graph, node) else { continue };
        if next.is_empty() {
            paths.push(Value::array(vec![node.clone()]));
        }
        context.collect(next.len())?;
        open.extend(next.iter().map(|next| (vec![node.clone()], next)));
    }
    while let Some((mut path, node)) = open.pop() {
        context.step(1)?;
        let Some(next) = neighbours(graph, node) else {
            paths.push(Value::array(path));
            continue;
        };
        path.push(node.clone());
        context.collect(path.len().saturating_mul(next.len().max(1)))?;
        if next.is_empty() {
            paths.push(Value::array(path));
            continue;
        }
        for next in next {
            // An initial node that is its own neighbour is passed once more, as OPA does.
            if path.contains(next) {
                paths.push(Value::array(path.clone()));
            } else {
                open.push((path.clone(), next));
            }
        }
    }
    answer(Value::set(paths))
}
