//! All packages of a folder as one program: its checks, and their answers about a request.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::ThreadId;

use palisade_model::{Path, Str, Verdict};
use palisade_policy::{Environment, Listener, Lookups, Payload, Phase, PolicyMeta, Request, RuleOutcome};
use palisade_rego_builtins::{Host, Offline};
use palisade_rego_value::Value;

use super::CheckKind;
use super::result::{Violation, path_of};
use crate::compile::{CompileOptions, compile};
use crate::machine::trace::Trace;
use crate::machine::{EvalError, Inputs, Limits, Machine, Observer, Session, Solution, focus};
use crate::plan::{Place, Program, RuleId, RuleKind};
use crate::syntax::ast::Module;

/// A definition of a check's rule.
#[derive(Debug)]
pub(super) struct Check {
    /// The package that it is in, by its number.
    pub(super) package: usize,
    /// The plan's rule, and which of its definitions this is.
    pub(super) rule: RuleId,
    pub(super) definition: usize,
    /// What its name says.
    pub(super) kind: CheckKind,
    pub(super) suffix: Str,
    /// The name that findings carry.
    pub(super) name: Str,
    pub(super) meta: Arc<PolicyMeta>,
}

/// What a package sees as `input`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The document.
    Document,
    /// The AdmissionReview of the document.
    Review,
}

/// A package with checks.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) seen: Seen,
    /// Its checks, among those of the engine.
    pub(super) checks: Range<usize>,
    /// The path of its rule `exception`, if it has one.
    pub(super) exception: Option<Vec<Str>>,
}

/// A compiled folder. Threads share it; each evaluation takes a machine of its own, with its own copies of the
/// program's constants, so that no reference counter is contended.
#[derive(Debug)]
pub struct Engine {
    program: Arc<Program>,
    data: Value,
    pub(super) packages: Vec<Package>,
    pub(super) checks: Vec<Check>,
    /// Workers that wait, each with the thread that used it last and whose caches know it.
    idle: Mutex<Vec<(ThreadId, Worker)>>,
    prints: bool,
    /// The same program with marks, made when a trace is first asked for.
    marked: OnceLock<Option<Arc<Program>>>,
    modules: Vec<Module>,
}

/// The answers of every package of an engine about one request, by the number of the package; handed out once.
type Answers = Vec<Option<Vec<RuleOutcome>>>;

/// The answers of all engines about one request; engines are told apart by their address.
#[derive(Default)]
struct Known(Mutex<Vec<(usize, Answers)>>);

/// What one evaluation at a time uses. Names are copies, for the same reason as the machine's constants: each answer
/// carries one.
#[derive(Debug)]
struct Worker {
    machine: Machine,
    names: Vec<Str>,
}

impl Engine {
    pub(super) fn new(
        compiled: Program,
        modules: Vec<Module>,
        data: Value,
        packages: Vec<Package>,
        checks: Vec<Check>,
    ) -> Self {
        Self {
            prints: compiled.prints(),
            program: Arc::new(compiled),
            data,
            packages,
            checks,
            idle: Mutex::default(),
            marked: OnceLock::new(),
            modules,
        }
    }

    /// What the package with this number answers. All packages are asked at once, the first time, because they share
    /// `input` and the rules of libraries.
    pub(super) fn outcomes(
        &self,
        package: usize,
        request: &Request,
        environment: &Environment<'_>,
    ) -> Vec<RuleOutcome> {
        let known = request.derived(|_| Known::default());
        let address = std::ptr::from_ref(self).addr();
        let lock = || known.0.lock().unwrap_or_else(PoisonError::into_inner);
        let take = |answers: &mut Answers| answers.get_mut(package).and_then(Option::take);
        let earlier = lock().iter_mut().find(|(engine, _)| *engine == address).and_then(|(_, answers)| take(answers));
        earlier.unwrap_or_else(|| {
            let mut answers = self.ask(request, environment);
            let own = take(&mut answers).unwrap_or_default();
            let mut known = lock();
            known.retain(|(engine, _)| *engine != address);
            known.push((address, answers));
            own
        })
    }

    fn ask(&self, request: &Request, environment: &Environment<'_>) -> Answers {
        let listener = environment.listener;
        if let Some(listener) = listener.filter(|listener| listener.wants_trace())
            && let Some(program) = self.marked()
        {
            let mut trace = Trace::default();
            let answers = self.ask_with(&mut self.worker(program), request, environment, Some(&mut trace));
            listener.trace(&trace.render(program));
            return answers;
        }
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = std::thread::current().id();
        let taken = {
            let mut idle = idle();
            let own = idle.iter().position(|(last, _)| *last == thread);
            own.or(idle.len().checked_sub(1)).map(|at| idle.swap_remove(at).1)
        };
        let mut worker = taken.unwrap_or_else(|| self.worker(&self.program));
        let mut printer = listener.filter(|_| self.prints).map(|listener| Printer { program: &self.program, listener });
        let observer = printer.as_mut().map(|printer| printer as &mut dyn Observer);
        let answers = self.ask_with(&mut worker, request, environment, observer);
        idle().push((thread, worker));
        answers
    }

    fn worker(&self, program: &Arc<Program>) -> Worker {
        Worker {
            machine: Machine::new(Arc::clone(program)),
            names: self.checks.iter().map(|check| Str::from(&*check.name)).collect(),
        }
    }

    fn marked(&self) -> Option<&Arc<Program>> {
        let options = CompileOptions { instrument: true, ..CompileOptions::default() };
        self.marked.get_or_init(|| compile(&self.modules, &[], options).ok().map(Arc::new)).as_ref()
    }

    fn ask_with(
        &self,
        worker: &mut Worker,
        request: &Request,
        environment: &Environment<'_>,
        mut observer: Option<&mut dyn Observer>,
    ) -> Answers {
        let mut answers: Vec<_> =
            self.packages.iter().map(|package| Vec::with_capacity(package.checks.len())).collect();
        for seen in [Seen::Document, Seen::Review] {
            let of_packages = answers.iter_mut().zip(&self.packages);
            let mut concerned = of_packages.filter(|(_, package)| package.seen == seen).peekable();
            if concerned.peek().is_none() {
                continue;
            }
            let input = seen.input(request);
            let host = LookupHost(environment.lookups);
            let inputs = Inputs {
                input: Some(input.clone()),
                data: self.data.clone(),
                now: environment.now,
                seed: environment.seed,
                host: &host,
                limits: Limits { steps: environment.step_limit, ..Limits::default() },
                stop: environment.stop,
                observer: observer.as_mut().map(|observer| &mut **observer as &mut dyn Observer),
                ..Inputs::empty()
            };
            let mut session = worker.machine.session(inputs);
            for (outcomes, package) in concerned {
                let exempted = exempted(package, &mut session);
                let checks =
                    self.checks.iter().zip(&worker.names).skip(package.checks.start).take(package.checks.len());
                for (check, name) in checks {
                    let solutions = session.solutions(check.rule, check.definition);
                    self.answer((check, name), &exempted, solutions, &input, outcomes);
                }
            }
        }
        answers.into_iter().map(Some).collect()
    }

    /// Adds the answers of one definition: one for each violation, or that there is none.
    fn answer(
        &self,
        (check, name): (&Check, &Str),
        exempted: &Result<Vec<Value>, EvalError>,
        solutions: Result<Vec<Solution>, EvalError>,
        input: &Value,
        outcomes: &mut Vec<RuleOutcome>,
    ) {
        let outcome = |verdict, message: String| RuleOutcome {
            enforcement: check.kind.enforcement(),
            meta: (verdict != Verdict::Pass).then(|| Arc::clone(&check.meta)),
            ..RuleOutcome::new(name.clone(), Phase::Validate, verdict, message)
        };
        let solutions = match solutions {
            Ok(solutions) => solutions,
            Err(error) => return outcomes.push(outcome(Verdict::Error, error.to_string())),
        };
        // Solutions with one value are one violation, in all of their fields.
        let violations: Vec<(&[Solution], &Value)> = solutions
            .chunk_by(|a, b| a.value == b.value)
            .filter_map(|alike| Some((alike, &alike.first()?.value)))
            .flat_map(|(alike, value)| self.violations(check, value).map(move |violation| (alike, violation)))
            .collect();
        if violations.is_empty() {
            return outcomes.push(outcome(Verdict::Pass, String::new()));
        }
        let verdict = match exempted {
            Err(error) => {
                return outcomes.push(outcome(Verdict::Error, format!("exceptions cannot be evaluated: {error}")));
            }
            Ok(suffixes) if suffixes.iter().any(|suffix| suffix.as_str() == Some(&*check.suffix)) => Verdict::Skip,
            Ok(_) => Verdict::Fail,
        };
        outcomes.extend(violations.into_iter().map(|(alike, violation)| match Violation::of(violation) {
            Err(error) => outcome(Verdict::Error, error),
            Ok(violation) => RuleOutcome {
                paths: match violation.path {
                    Some(path) => vec![path],
                    None => self.offending_fields(check, alike, input),
                },
                properties: violation.details,
                voice: violation.message.as_str().into(),
                ..outcome(verdict, violation.message)
            },
        }));
    }

    /// What a solution says: itself, or the elements of the list that a rule with one value gives, as Conftest reads it.
    /// Such a rule that is false says nothing.
    fn violations<'v>(&self, check: &Check, value: &'v Value) -> Box<dyn Iterator<Item = &'v Value> + 'v> {
        let complete = self.program.rules.get(check.rule as usize).is_some_and(|rule| rule.kind == RuleKind::Complete);
        match value {
            Value::Array(_) | Value::Set(_) if complete => elements(value),
            Value::Bool(false) if complete => Box::new(std::iter::empty()),
            _ => Box::new(std::iter::once(value)),
        }
    }

    /// The fields of the judged object that a violation is about, as far as its conditions tell.
    fn offending_fields(&self, check: &Check, alike: &[Solution], input: &Value) -> Vec<Path> {
        let rule = self.program.rules.get(check.rule as usize);
        let Some(definition) = rule.and_then(|rule| rule.definitions.get(check.definition)) else { return Vec::new() };
        let Some(package) = self.packages.get(check.package) else { return Vec::new() };
        let prefix = package.seen.prefix();
        let field = |solution: &Solution| {
            let keys = focus(definition, &self.program.constants, input, solution)?;
            path_of(keys.strip_prefix(&*prefix)?)
        };
        let mut fields: Vec<Path> = Vec::new();
        for path in alike.iter().filter_map(field) {
            if !fields.contains(&path) {
                fields.push(path);
            }
        }
        fields
    }
}

/// Hands what policies print to the listener, with the place of the `print`.
struct Printer<'a> {
    program: &'a Program,
    listener: &'a dyn Listener,
}

impl Observer for Printer<'_> {
    fn print(&mut self, place: Place, text: &str) {
        let place = self.program.location(place).map(|location| format!("{location}: ")).unwrap_or_default();
        self.listener.print(&format!("{place}{text}"));
    }
}

/// Lets the checkpoint send what policies ask for.
struct LookupHost<'a>(&'a dyn Lookups);

impl Host for LookupHost<'_> {
    fn http(&self, request: &Value) -> Result<Value, String> {
        let answer = self.0.send(&request.to_model()).map_err(|error| error.to_string())?;
        Ok(Value::from(&answer))
    }

    fn addresses(&self, name: &str) -> Result<Vec<Str>, String> {
        Offline.addresses(name)
    }

    fn runtime(&self) -> Value {
        Offline.runtime()
    }
}

impl Seen {
    fn input(self, request: &Request) -> Value {
        match (self, request.payload()) {
            (Self::Review, Payload::Kubernetes(_)) => Value::object(vec![
                (Value::from("apiVersion"), Value::from("admission.k8s.io/v1")),
                (Value::from("kind"), Value::from("AdmissionReview")),
                (Value::from("request"), Value::from(request.value())),
            ]),
            _ => Value::from(request.written()),
        }
    }

    /// The keys that lead to the judged object.
    fn prefix(self) -> Vec<Value> {
        match self {
            Self::Document => Vec::new(),
            Self::Review => vec![Value::from("request"), Value::from("object")],
        }
    }
}

/// The suffixes of the checks that the package's `exception` rule exempts the input from.
fn exempted(package: &Package, session: &mut Session<'_>) -> Result<Vec<Value>, EvalError> {
    let Some(rule) = &package.exception else { return Ok(Vec::new()) };
    let lists = session.evaluate(rule)?.unwrap_or(Value::Null);
    Ok(elements(&lists).flat_map(elements).cloned().collect())
}

/// The elements of an array or set.
fn elements(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Set(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    }
}
