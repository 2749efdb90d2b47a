//! The Rego engine of templates: the `violation` rule of a module, with its libraries, over `input` and
//! `data.inventory`.

mod check;
mod source;

use std::sync::{Arc, Mutex, PoisonError};

use palisade_cel::admission::{Node, Reader};
use palisade_model::Str;
use palisade_rego::machine::{EvalError, Inputs, Limits, Machine};
use palisade_rego::{Program, Value};

use self::source::Sources;
use super::{Complaint, Parameters};
use crate::inventory;
use crate::review::Review;

/// The package that a template's module is put into, whatever it calls itself.
const PACKAGE: &str = "template";
const ENTRY: &str = "violation";
/// Where objects stand in `input`.
const OBJECTS: &[&[&str]] = &[&["review", "object"], &["review", "oldObject"]];

/// Compiled Rego of a template.
#[derive(Debug)]
pub(super) struct RegoEngine {
    code: Code,
}

#[derive(Debug)]
enum Code {
    /// It can be run.
    Program {
        program: Arc<Program>,
        sources: Sources,
        entry: [Str; 2],
        /// Whether it looks into `data.inventory`.
        referential: bool,
        idle: Mutex<Vec<Worker>>,
    },
    /// It asks external data providers, which cannot be called here.
    External,
}

/// What one thread evaluates with. Threads share no values, so that no reference counter is contended.
#[derive(Debug)]
struct Worker {
    machine: Machine,
    /// The objects that were last looked into, with their form for Rego.
    inventory: Option<(palisade_model::Value, Value)>,
}

/// A request's `input.review`, converted once for all constraints.
struct SharedReview(Value);

impl RegoEngine {
    /// Reads the `source` of the engine; problems go to `reader`.
    pub(super) fn read(reader: &mut Reader<'_>, source: &Node<'_>) -> Option<Self> {
        let (sources, modules) = Sources::read(reader, source)?;
        let referential = check::modules(reader, &sources, &modules)?;
        reader.reads().absorb(&palisade_rego::reads::of(&modules, OBJECTS));
        if referential {
            reader.reads().look_up_anything();
        }
        match palisade_rego::compile(&modules, &[], palisade_rego::CompileOptions::default()) {
            Ok(program) => {
                let entry = [PACKAGE.into(), ENTRY.into()];
                let program = Arc::new(program);
                let code = Code::Program { program, sources, entry, referential, idle: Mutex::default() };
                Some(Self { code })
            }
            Err(diagnostics) => {
                // The function is Gatekeeper's own, and what it would ask is a network away.
                if diagnostics.iter().all(|diagnostic| diagnostic.message.contains("external_data")) {
                    return Some(Self { code: Code::External });
                }
                for diagnostic in diagnostics {
                    reader.report(sources.place(diagnostic));
                }
                None
            }
        }
    }

    /// What the code has to say against the object.
    pub(super) fn complaints(&self, parameters: &Parameters, review: &Review<'_>) -> Vec<Complaint> {
        let failure = |message: String| vec![Complaint::Failure { message, ignored: false }];
        let Code::Program { program, sources, entry, referential, idle } = &self.code else {
            return failure("the template asks an external data provider, which cannot be called here".into());
        };
        let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut worker = taken.unwrap_or_else(|| Worker { machine: Machine::new(program.clone()), inventory: None });
        let answer = match worker.data(*referential, review) {
            Ok(data) => worker.ask(entry, data, parameters, review).map_err(|error| sources.explain(&error)),
            Err(message) => Err(message),
        };
        idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        match answer {
            Ok(answer) => answer.as_ref().map_or_else(Vec::new, complaints),
            Err(message) => failure(message),
        }
    }
}

impl Worker {
    /// `data` with the inventory, where that is looked into.
    fn data(&mut self, referential: bool, review: &Review<'_>) -> Result<Value, String> {
        if !referential {
            return Ok(Value::object(Vec::new()));
        }
        let objects = review.environment.lookups.objects();
        let objects = objects.map_err(|error| format!("`data.inventory` is not available: {error}"))?;
        let known = self.inventory.take().filter(|(known, _)| same(known, &objects));
        let (_, inventory) = self.inventory.insert(known.unwrap_or_else(|| {
            let arranged = inventory::arrange(objects.as_array().unwrap_or_default());
            (objects, Value::from(&arranged).detached())
        }));
        Ok(Value::object(vec![(Value::from("inventory"), inventory.clone())]))
    }

    fn ask(
        &mut self,
        entry: &[Str],
        data: Value,
        parameters: &Parameters,
        review: &Review<'_>,
    ) -> Result<Option<Value>, EvalError> {
        let shared = review.request.derived(|_| SharedReview(Value::from(&review.to_value())));
        let input = Value::object(vec![
            (Value::from("parameters"), parameters_value(&parameters.value)),
            (Value::from("review"), shared.0.clone()),
        ]);
        let environment = review.environment;
        let mut session = self.machine.session(Inputs {
            input: Some(input),
            data,
            now: environment.now,
            seed: environment.seed,
            limits: Limits { steps: environment.step_limit, ..Limits::default() },
            stop: environment.stop,
            ..Inputs::empty()
        });
        session.evaluate(entry)
    }
}

/// The parameters for one evaluation: a copy of its own, and empty where there are none.
fn parameters_value(parameters: &palisade_model::Value) -> Value {
    match parameters {
        palisade_model::Value::Null => Value::object(Vec::new()),
        given => Value::from(given).detached(),
    }
}

/// Whether two lists of objects are one and the same.
fn same(a: &palisade_model::Value, b: &palisade_model::Value) -> bool {
    match (a, b) {
        (palisade_model::Value::Array(a), palisade_model::Value::Array(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

/// The violations in what `violation` gave, in Gatekeeper's order and each once.
fn complaints(answer: &Value) -> Vec<Complaint> {
    let no_details = Value::object(Vec::new());
    let members: Vec<&Value> = match answer {
        Value::Set(set) => set.iter().collect(),
        Value::Array(items) => items.iter().collect(),
        Value::Object(object) => object.iter().map(|(_, value)| value).collect(),
        other => vec![other],
    };
    let part = |member: &Value, key: &str| member.get_str(key).cloned();
    let mut violations: Vec<(Value, Option<Value>)> = members
        .into_iter()
        .map(|member| (part(member, "details").unwrap_or_else(|| no_details.clone()), part(member, "msg")))
        .collect();
    violations.sort();
    violations.dedup();
    let complaint = |(details, message): (Value, Option<Value>)| {
        let Some(text) = message.as_ref().and_then(Value::as_str) else {
            let message = "every element of `violation` must be an object whose `msg` is text".into();
            return Complaint::Failure { message, ignored: false };
        };
        let details = if details == no_details { palisade_model::Value::Null } else { details.to_model() };
        Complaint::Violation { message: text.to_owned(), details, paths: Vec::new() }
    };
    violations.into_iter().map(complaint).collect()
}
