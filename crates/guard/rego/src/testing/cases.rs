//! The cases of a test: the names that its head can take, whether or not the rest of its body holds.

use palisade_rego_value::Value;

use crate::machine::{EvalError, Session};
use crate::plan::{Block, Definition, Emit, Operand, Register, Step};

/// A query for the names of the cases of a definition: its conditions up to the one that binds the last of the names.
pub(super) fn query(definition: &Definition) -> Option<Definition> {
    let [block] = &definition.branches[..] else { return None };
    let Emit::Member(path, _) = &block.emit else { return None };
    let bound = path.iter().filter_map(|operand| match operand {
        Operand::Register(register) => block.steps.iter().position(|step| binds(step, *register)),
        _ => None,
    });
    let end = bound.max().map_or(0, |last| last + 1);
    // The names go into one array register beyond those of the definition.
    let name = definition.registers;
    let mut steps = block.steps.get(..end)?.to_vec();
    steps.push(Step::Array { items: path.clone(), to: name });
    let mut places = block.places.get(..end)?.to_vec();
    places.push(definition.place);
    let block = Block { steps, places, emit: Emit::Element(Operand::Register(name)) };
    Some(Definition { registers: name + 1, branches: vec![block], place: definition.place })
}

fn binds(step: &Step, register: Register) -> bool {
    match step {
        Step::Copy { to, .. }
        | Step::Get { to, .. }
        | Step::Call { to, .. }
        | Step::Rule { to, .. }
        | Step::Tree { to, .. }
        | Step::Keys { to, .. }
        | Step::Walk { to, .. }
        | Step::Array { to, .. }
        | Step::Set { to, .. }
        | Step::Object { to, .. }
        | Step::Comprehension { to, .. } => *to == register,
        Step::Scan { key, value, .. } => *key == Some(register) || *value == Some(register),
        _ => false,
    }
}

/// The names that the queries give, each once.
pub(super) fn names(queries: &[usize], session: &mut Session<'_>) -> Result<Vec<Vec<Value>>, EvalError> {
    let mut names = Vec::new();
    for query in queries {
        names.extend(session.query(*query)?);
    }
    names.sort();
    names.dedup();
    Ok(names.iter().map(|name| name.as_elements().unwrap_or_default().to_vec()).collect())
}

/// `first/second`.
pub(super) fn title(name: &[Value]) -> String {
    let part = |value: &Value| value.as_str().map_or_else(|| value.to_json(), str::to_owned);
    name.iter().map(part).collect::<Vec<_>>().join("/")
}
